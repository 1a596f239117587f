package client

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// firstFails answers the first calls with errors and the rest well.
func firstFails(errs ...error) answer {
	var calls atomic.Int32
	return func(context.Context, string, proto.Message) (proto.Message, error) {
		if n := int(calls.Add(1)); n <= len(errs) {
			return nil, errs[n-1]
		}
		return nil, nil
	}
}

// later is a status by which a node asks for another try after a pause.
func later(t *testing.T, code codes.Code, reason string, pause time.Duration) error {
	t.Helper()
	return after(t, pause, refusal(t, code, "not now", reason, ""))
}

// after has a refusal ask for another try after a pause.
func after(t *testing.T, pause time.Duration, refused error) error {
	t.Helper()
	s, err := status.Convert(refused).WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(pause)})
	if err != nil {
		t.Fatal(err)
	}
	return s.Err()
}

func TestWhatWasNotDoneIsTriedAgain(t *testing.T) {
	noLeader := refusal(t, codes.Unavailable, "no leader", "NO_LEADER", "")
	overload := later(t, codes.ResourceExhausted, "OVERLOADED", 20*time.Millisecond)
	for _, line := range []string{
		"ticket urge " + number, "ticket list", "user add li", "raft remove n3", "token create --user li", "doctor",
	} {
		t.Run(line, func(t *testing.T) {
			node := newFakeNode(t, firstFails(overload, noLeader))
			s := at(t, node)
			s.environ["TIERDESK_PASSWORD"], s.environ["TIERDESK_NEW_PASSWORD"] = "secret", "new secret"
			s.done(t, strings.Fields(line)...)
			if calls := node.seen(); len(calls) != 3 {
				t.Errorf("%d calls, want 3", len(calls))
			}
		})
	}
}

func TestAnUnknownOutcomeIsRepeatedUnderTheSameName(t *testing.T) {
	node := newFakeNode(t, firstFails(refusal(t, codes.DeadlineExceeded, "leader lost", "OUTCOME_UNKNOWN", ""),
		status.Error(codes.Unavailable, "the connection broke")))
	at(t, node).done(t, "ticket", "create", "--title", "x")
	calls := node.seen()
	if len(calls) != 3 {
		t.Fatalf("%d calls, want 3", len(calls))
	}
	for _, call := range calls {
		if !proto.Equal(call.request, calls[0].request) {
			t.Errorf("the change was repeated as %v, at first it was %v", call.request, calls[0].request)
		}
	}
}

func TestWhatMayBeDoneTwiceIsNotRepeated(t *testing.T) {
	lost := refusal(t, codes.DeadlineExceeded, "leader lost", "OUTCOME_UNKNOWN", "")
	for _, line := range []string{"user add li", "user password li", "user remove li", "raft remove n3", "raft transfer-leader",
		"token create --user li"} {
		t.Run(line, func(t *testing.T) {
			node := newFakeNode(t, always(nil, lost))
			s := at(t, node)
			s.environ["TIERDESK_PASSWORD"], s.environ["TIERDESK_NEW_PASSWORD"] = "secret", "new secret"
			got := s.run(append(strings.Fields(line), "--timeout", generous.String())...)
			got.oneErrorLine(t, ExitUnreachable)
			if calls := node.seen(); len(calls) != 1 || !strings.Contains(got.stderr, "it may have been done: look before you do it again") {
				t.Errorf("%d calls, stderr %q; want one call and the advice to look", len(calls), got.stderr)
			}
		})
	}
}

// What became of an earlier try is not forgotten when a later one is refused, or finds nobody.
func TestAnEarlierTryIsNotForgotten(t *testing.T) {
	lost := refusal(t, codes.DeadlineExceeded, "leader lost", "OUTCOME_UNKNOWN", "")
	for name, then := range map[string]error{
		"refused":   refusal(t, codes.FailedPrecondition, "the ticket is CLOSED", "WRONG_STATE", ""),
		"no leader": later(t, codes.Unavailable, "NO_LEADER", time.Hour),
	} {
		t.Run(name, func(t *testing.T) {
			s := at(t, newFakeNode(t, firstFails(lost, then)))
			got := s.run("ticket", "urge", number, "--request-id", "r1")
			if got.code == ExitDone || !strings.Contains(got.stderr, "repeat it with --request-id r1") {
				t.Errorf("exit %d, stderr %q; want the advice to repeat it", got.code, got.stderr)
			}
		})
	}
}

func TestRefusalsAreNotRepeated(t *testing.T) {
	for _, err := range []error{
		refusal(t, codes.FailedPrecondition, "closed", "WRONG_STATE", ""), refusal(t, codes.Internal, "fault", "INTERNAL", ""),
		later(t, codes.ResourceExhausted, "DISK_FULL", time.Millisecond), status.Error(codes.ResourceExhausted, "larger than max"),
	} {
		node := newFakeNode(t, always(nil, err))
		if got := at(t, node).run("ticket", "urge", number); got.code == ExitDone || len(node.seen()) != 1 {
			t.Errorf("%v: exit %d after %d calls, want an error after one", err, got.code, len(node.seen()))
		}
	}
}

// Tries end with the call's time, and a node's longer pause is not begun.
func TestTriesEndInTime(t *testing.T) {
	node := newFakeNode(t, always(nil, later(t, codes.Unavailable, "NO_LEADER", time.Hour)))
	began := time.Now()
	got := at(t, node).run("ticket", "list", "--timeout", (2 * generous).String())
	if got.code != ExitUnreachable || len(node.seen()) != 1 || time.Since(began) > generous {
		t.Errorf("exit %d after %d calls and %v, want one call and no wait", got.code, len(node.seen()), time.Since(began))
	}
}

func TestAnInterruptEndsThePause(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	node := newFakeNode(t, func(context.Context, string, proto.Message) (proto.Message, error) {
		time.AfterFunc(10*time.Millisecond, interrupt)
		return nil, later(t, codes.Unavailable, "NO_LEADER", 2*generous)
	})
	s := at(t, node)
	s.ctx = ctx
	began := time.Now()
	if got := s.run("ticket", "list", "--timeout", (3 * generous).String()); got.code == ExitDone || time.Since(began) > generous {
		t.Errorf("exit %d after %v, want an end soon after the interrupt", got.code, time.Since(began))
	}
}

// A node that goes away between two tries is waited for.
func TestANodeThatWasMetIsTriedAgainWhileItIsAway(t *testing.T) {
	e := newExchange(target{server: "x"}, "/tierdesk.v1.Tickets/UrgeTicket", &deskpb.Ticket{})
	away := status.Error(codes.Unavailable, "connection refused")
	e.failed(away, false)
	if _, again := e.repetition(away, time.Second); again {
		t.Error("a node that was never met is tried again")
	}
	e.failed(refusal(t, codes.Unavailable, "stopping", "UNAVAILABLE", ""), true)
	e.failed(away, false)
	if _, again := e.repetition(away, time.Second); !again || e.unsure {
		t.Errorf("a node that was met is tried again: %t; unsure: %t", again, e.unsure)
	}
}

// A try for which no time was left does not deny the node that the tries before it met.
func TestATryWithoutTimeDoesNotDenyTheNode(t *testing.T) {
	for _, met := range []bool{true, false} {
		e := newExchange(target{server: "x:1"}, "/tierdesk.v1.Tickets/UrgeTicket", &deskpb.Ticket{})
		e.failed(refusal(t, codes.Unavailable, "no leader", "NO_LEADER", ""), met)
		late := status.Error(codes.DeadlineExceeded, "context deadline exceeded")
		e.failed(late, false)
		if line := e.failure(late).Error(); strings.Contains(line, "no node is reachable at x:1") == met {
			t.Errorf("after a try that met a node: %t, it says %q", met, line)
		}
	}
}
