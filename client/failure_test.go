package client

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
)

// refusal is a status as a node sends it.
func refusal(t *testing.T, code codes.Code, message, reason, field string) error {
	t.Helper()
	details := []protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: reason, Domain: "tierdesk"}}
	if field != "" {
		details = append(details, &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
			{Field: field, Description: "is wrong"}}})
	}
	s, err := status.New(code, message).WithDetails(details...)
	if err != nil {
		t.Fatal(err)
	}
	return s.Err()
}

func TestErrorsOfANode(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		exit int
		line string
	}{
		{"wrong state", refusal(t, codes.FailedPrecondition, "the ticket is CLOSED; reopen it first", "WRONG_STATE", ""), 4,
			"the ticket is CLOSED; reopen it first"},
		{"stale etag", refusal(t, codes.Aborted, "etag a is not b; read the ticket again", "STALE_ETAG", ""), 4,
			"etag a is not b; read the ticket again"},
		{"request id reused", refusal(t, codes.AlreadyExists, "r was used", "REQUEST_ID_REUSED", ""), 4, "r was used"},
		{"not allowed", refusal(t, codes.PermissionDenied, "administrators only", "", ""), 4, "administrators only"},
		{"not found", refusal(t, codes.NotFound, "no ticket 1 here", "TICKET_NOT_FOUND", ""), 4, "no ticket 1 here"},
		{"bad field named by the message", refusal(t, codes.InvalidArgument, "title: is empty", "INVALID_FIELD", "title"), 4,
			"title: is empty"},
		{"bad field not named", refusal(t, codes.InvalidArgument, "bad request", "INVALID_FIELD", "title"), 4,
			"bad request; title: is wrong"},
		{"no token", refusal(t, codes.Unauthenticated, "send a header", "NO_TOKEN", ""), 4,
			"the call carries no token; sign in with tierdesk token create and put the token into TIERDESK_TOKEN"},
		{"unknown token", refusal(t, codes.Unauthenticated, "sign in again", "TOKEN_UNKNOWN", ""), 4,
			"the token is not known; sign in with tierdesk token create and put the token into TIERDESK_TOKEN"},
		{"expired token", refusal(t, codes.Unauthenticated, "sign in again", "TOKEN_EXPIRED", ""), 4,
			"the token has expired; sign in with tierdesk token create and put the token into TIERDESK_TOKEN"},
		{"directory away", refusal(t, codes.Unauthenticated, "the directory cannot be reached; try again later", "DIRECTORY_UNREACHABLE", ""), 4,
			"the directory cannot be reached; try again later"},
		{"another fault of a token", refusal(t, codes.Unauthenticated, "bad header.", "BAD_AUTHORIZATION", ""), 4,
			"bad header; sign in with tierdesk token create and put the token into TIERDESK_TOKEN"},
		{"no leader", after(t, time.Hour, refusal(t, codes.Unavailable, "no leader", "UNAVAILABLE", "")), 3, "no leader; try again in a moment"},
		{"overload", after(t, time.Hour, refusal(t, codes.ResourceExhausted, "too many", "OVERLOADED", "")), 3, "too many; try again in a moment"},
		{"outcome unknown", refusal(t, codes.DeadlineExceeded, "late", "OUTCOME_UNKNOWN", ""), 3,
			"no answer in time; it may have been done: repeat it with --request-id r1, which never does it twice"},
		{"leader lost on the way", after(t, time.Hour, refusal(t, codes.Unavailable, "leader lost", "OUTCOME_UNKNOWN", "")), 3,
			"leader lost; it may have been done: repeat it with --request-id r1, which never does it twice"},
		{"disk full", refusal(t, codes.ResourceExhausted, "no room; free some", "DISK_FULL", ""), 3, "no room; free some"},
		{"too long", status.Error(codes.ResourceExhausted, "received message larger than max (9 vs. 8)"), 4,
			"received message larger than max (9 vs. 8); shorten it, or ask for less at once"},
		{"another program", refusal(t, codes.Unimplemented, "unknown method", "", ""), 1,
			"unknown method; check that --server names a tierdesk node of this program's version"},
		{"fault", refusal(t, codes.Internal, "the node could not do this", "INTERNAL", ""), 1,
			"the node could not do this; its log has the cause; it may have been done: repeat it with --request-id r1, which never does it twice"},
		{"fault without a word", status.Error(codes.DataLoss, ""), 1,
			"the node answered DataLoss; it may have been done: repeat it with --request-id r1, which never does it twice"},
		{"several lines and escapes", refusal(t, codes.NotFound, "a\nb\x1b[2Jc", "", ""), 4, "a b\ufffd[2Jc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			node := newFakeNode(t, always(nil, c.err))
			escalate := []string{"ticket", "escalate", number, "--request-id", "r1"}
			var got outcome
			if status.Code(c.err) == codes.DeadlineExceeded { // it is tried again until the time is over
				got = inVain(t, node, escalate...)
			} else {
				got = at(t, node).run(append(escalate, "--timeout", generous.String())...)
			}
			got.oneErrorLine(t, c.exit)
			if want := "tierdesk: " + c.line + "\n"; got.stderr != want {
				t.Errorf("stderr: %q\n  want: %q", got.stderr, want)
			}
		})
	}
}

func TestAWrongPasswordIsNotAnsweredWithSignIn(t *testing.T) {
	s := at(t, newFakeNode(t, always(nil, refusal(t, codes.Unauthenticated, "wrong user or password", "WRONG_PASSWORD", ""))))
	s.environ["TIERDESK_PASSWORD"] = "x"
	got := s.run("token", "create", "--user", "li")
	got.oneErrorLine(t, ExitRefused)
	if strings.Contains(got.stderr, "tierdesk token create") {
		t.Errorf("stderr %q advises the very command that was refused", got.stderr)
	}
}

func TestNoNodeThere(t *testing.T) {
	const address = "127.0.0.1:1" // a port that systems give to nobody
	s := at(t, &fakeNode{address: address})
	got := s.run("ticket", "urge", number, "--request-id", "r1")
	got.oneErrorLine(t, ExitUnreachable)
	for _, want := range []string{address, "connection refused", "--server"} {
		if !strings.Contains(got.stderr, want) {
			t.Errorf("stderr %q, want it to say %q", got.stderr, want)
		}
	}
	if strings.Contains(got.stderr, "r1") {
		t.Errorf("stderr %q speaks of a repetition of what never left this machine", got.stderr)
	}
}

// silent takes calls and answers only when the caller has gone.
func silent(ctx context.Context, _ string, _ proto.Message) (proto.Message, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// inVain runs a command at a node from which nothing comes in time. The time that it gives the call grows until the node gets the call in it: what
// never left says nothing of an answer that does not come.
func inVain(t *testing.T, node *fakeNode, args ...string) outcome {
	t.Helper()
	before := len(node.seen())
	for wait := 50 * time.Millisecond; wait < generous; wait *= 2 {
		got := at(t, node).run(append(args, "--timeout", wait.String())...)
		if len(node.seen()) > before {
			return got
		}
	}
	t.Fatalf("%v does not get to its node", args)
	return outcome{}
}

func TestNoAnswerInTime(t *testing.T) {
	node := newFakeNode(t, silent)
	got := inVain(t, node, "ticket", "urge", number, "--request-id", "r1")
	got.oneErrorLine(t, ExitUnreachable)
	if !strings.Contains(got.stderr, "--request-id r1") {
		t.Errorf("stderr %q, want it to say how to repeat the change", got.stderr)
	}
	got = inVain(t, node, "ticket", "list")
	got.oneErrorLine(t, ExitUnreachable)
	if !strings.Contains(got.stderr, "--timeout") {
		t.Errorf("stderr %q, want it to say how to wait longer", got.stderr)
	}
}

func TestAnInterruptEndsTheCall(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	s := at(t, newFakeNode(t, func(ctx context.Context, method string, q proto.Message) (proto.Message, error) {
		interrupt()
		return silent(ctx, method, q)
	}))
	s.ctx = ctx
	got := s.run("ticket", "urge", number, "--request-id", "r1")
	got.oneErrorLine(t, ExitFailed)
	if !strings.Contains(got.stderr, "interrupted") || !strings.Contains(got.stderr, "--request-id r1") {
		t.Errorf("stderr %q, want it to say that it was interrupted and how to repeat it", got.stderr)
	}
}

func TestWrongUsage(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"", "no command was given"},
		{"ticket", "no command was given"},
		{"tickte list", "did you mean tierdesk ticket?"},
		{"ticket lst", "did you mean tierdesk ticket list?"},
		{"ticket show", "give NUMBER"},
		{"ticket note 1", "give TEXT"},
		{"ticket note", "give NUMBER and TEXT"},
		{"ticket note 1 two words", "quotes"},
		{"help-me", `"help-me" is no command: see tierdesk --help`},
		{"ticket list extra", "takes none"},
		{"ticket list --nonsense", "--nonsense"},
		{"ticket list --page-size many", "--page-size"},
		{"ticket list --limit -1", "--limit is -1"},
		{"ticket list --limit 1 --all", "contradict"},
		{"ticket create --channel telex", "phone, portal, application, email, monitoring, walk_in"},
		{"ticket create --channel channel_unspecified", "phone"},
		{"ticket create --title \xff", "--title is not UTF-8"},
		{"ticket note 1 \xff", "TEXT is not UTF-8"},
		{"ticket list --server nowhere", "host:port"},
		{"ticket list --server ftp://x:1", "host:port"},
		{"ticket list --server http://x:1/path", "host:port"},
		{"ticket list --server http://x:1 --ca ca.pem", "https://"},
		{"ticket list --ca /does/not/exist", "/does/not/exist"},
		{"ticket list --ca failure_test.go", "no certificate"},
		{"ticket list --timeout 0s", "--timeout is 0s"},
		{"user add", "give NAME"},
		{"user add li --role king", "agent, incident_manager, administrator"},
		{"token create", "--user"},
	} {
		t.Run(c.line, func(t *testing.T) {
			node := newFakeNode(t, nil)
			got := at(t, node).run(strings.Fields(c.line)...)
			got.oneErrorLine(t, ExitUsage)
			if !strings.Contains(got.stderr, c.want) {
				t.Errorf("stderr %q, want it to say %q", got.stderr, c.want)
			}
			if calls := node.seen(); len(calls) != 0 {
				t.Errorf("calls: %v, want none", calls)
			}
		})
	}
}

func TestTextThatCannotBeSent(t *testing.T) {
	for name, stdin := range map[string]string{
		"not UTF-8": "\xff\xfe",
		"over":      strings.Repeat("字", maxInputBytes),
	} {
		node := newFakeNode(t, nil)
		s := at(t, node)
		s.stdin = strings.NewReader(stdin)
		got := s.run("ticket", "note", number, "-")
		got.oneErrorLine(t, ExitUsage)
		if !strings.Contains(got.stderr, name) || len(node.seen()) != 0 {
			t.Errorf("stderr %q, calls %v; want %q and no call", got.stderr, node.seen(), name)
		}
	}
}

// An error never repeats a secret, even when the node does or when it stands in the wrong place.
func TestErrorsKeepSecrets(t *testing.T) {
	const secret = "hunter2-hunter2"
	echo := always(nil, status.Error(codes.Unauthenticated, "no such thing as "+secret))
	for _, line := range []string{
		"ticket list --token " + secret,
		"ticket list --token " + secret + "\u4e2d",
		"token create --user li",
		"token create --user li " + secret,
		"token create " + secret + " --user li",
		"token create --user li --password " + secret,
		"token create --user li --password=" + secret,
		"token create --user li -p" + secret,
		"user add li",
		"user add li " + secret,
		"user password li " + secret,
	} {
		s := at(t, newFakeNode(t, echo))
		s.environ["TIERDESK_PASSWORD"] = secret
		s.environ["TIERDESK_NEW_PASSWORD"] = secret
		got := s.run(strings.Fields(line)...)
		if got.code == ExitDone || strings.Contains(got.out+got.stderr, secret) {
			t.Errorf("tierdesk %s: exit %d, it printed %q and %q; want an error without the secret", line, got.code, got.out, got.stderr)
		}
	}
}

// What is too short for a secret may be a word of the sentence, which stays whole.
func TestShortWordsStayInErrors(t *testing.T) {
	s := at(t, newFakeNode(t, always(nil, status.Error(codes.Unauthenticated, "the password is wrong"))))
	s.environ["TIERDESK_PASSWORD"] = "wrong"
	if got := s.run("token", "create", "--user", "li"); !strings.Contains(got.stderr, "the password is wrong") {
		t.Errorf("stderr %q; want the node's own words", got.stderr)
	}
}

func TestHelpKeepsTheEnvironmentsToken(t *testing.T) {
	s := at(t, &fakeNode{address: "127.0.0.1:1"})
	s.environ["TIERDESK_TOKEN"] = "hunter2-hunter2"
	if out := s.done(t, "ticket", "list", "--help"); strings.Contains(out, "hunter2") || !strings.Contains(out, "--filter") {
		t.Errorf("help: %s", out)
	}
}
