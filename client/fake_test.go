package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const generous = 30 * time.Second // for what must happen; a test that passes waits for milliseconds

// received is one call as the node saw it.
type received struct {
	method        string // without its service
	request       proto.Message
	authorization string
}

// fakeNode serves the API with recorded calls and answers made by the test.
type fakeNode struct {
	apipb.UnimplementedRecoveriesServer
	address string
	backup  func(stream grpc.ServerStreamingServer[apipb.BackupSiteResponse]) error // set before it is called
	files   fakeFiles

	mu    sync.Mutex // guards calls
	calls []received
}

// answer makes a call's outcome; nil for the empty answer of its method.
type answer func(ctx context.Context, method string, request proto.Message) (proto.Message, error)

// newFakeNode serves on a loopback port until the test ends.
func newFakeNode(t *testing.T, reply answer, options ...grpc.ServerOption) *fakeNode {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeNode{address: listener.Addr().String()}
	intercept := func(ctx context.Context, q any, info *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
		method := info.FullMethod[strings.LastIndexByte(info.FullMethod, '/')+1:]
		f.record(ctx, method, q.(proto.Message))
		if reply != nil {
			if m, err := reply(ctx, method, q.(proto.Message)); m != nil || err != nil {
				return m, err
			}
		}
		return emptyAnswer(method), nil
	}
	server := grpc.NewServer(append(options, grpc.UnaryInterceptor(intercept))...)
	apipb.RegisterTicketsServer(server, apipb.UnimplementedTicketsServer{})
	apipb.RegisterSessionsServer(server, apipb.UnimplementedSessionsServer{})
	apipb.RegisterUsersServer(server, apipb.UnimplementedUsersServer{})
	apipb.RegisterAccessTokensServer(server, apipb.UnimplementedAccessTokensServer{})
	apipb.RegisterSitesServer(server, apipb.UnimplementedSitesServer{})
	apipb.RegisterRecoveriesServer(server, f)
	apipb.RegisterPublicationsServer(server, apipb.UnimplementedPublicationsServer{})
	apipb.RegisterAttachmentsServer(server, &f.files)
	apipb.RegisterTreeServer(server, apipb.UnimplementedTreeServer{})
	apipb.RegisterPoliciesServer(server, apipb.UnimplementedPoliciesServer{})
	apipb.RegisterRequestersServer(server, apipb.UnimplementedRequestersServer{})
	apipb.RegisterCallBacksServer(server, apipb.UnimplementedCallBacksServer{})
	apipb.RegisterSurveysServer(server, apipb.UnimplementedSurveysServer{})
	apipb.RegisterRoundsServer(server, apipb.UnimplementedRoundsServer{})
	apipb.RegisterNoticesServer(server, apipb.UnimplementedNoticesServer{})
	apipb.RegisterDutiesServer(server, apipb.UnimplementedDutiesServer{})
	apipb.RegisterQueuesServer(server, apipb.UnimplementedQueuesServer{})
	apipb.RegisterAuditsServer(server, apipb.UnimplementedAuditsServer{})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Errorf("the fake node stopped serving: %v", err)
		}
	})
	return f
}

func (f *fakeNode) BackupSite(q *apipb.BackupSiteRequest, stream grpc.ServerStreamingServer[apipb.BackupSiteResponse]) error {
	f.record(stream.Context(), "BackupSite", q)
	return f.backup(stream)
}

func emptyAnswer(method string) proto.Message {
	switch method {
	case "ListQueues":
		return &apipb.ListQueuesResponse{}
	case "GetFigures":
		return &apipb.GetFiguresResponse{}
	case "ListTickets", "ListQueueTickets":
		return &apipb.ListTicketsResponse{}
	case "ListAudit":
		return &apipb.ListAuditResponse{}
	case "VerifyAudit":
		return &apipb.VerifyAuditResponse{}
	case "ListCheckpoints":
		return &apipb.ListCheckpointsResponse{}
	case "ListJournal":
		return &apipb.ListJournalResponse{}
	case "CreateSession":
		return &apipb.CreateSessionResponse{}
	case "CreateUser", "GetUser", "UpdateUser", "UnlockUser", "ConfirmSecondFactor", "RemoveSecondFactor":
		return &apipb.User{}
	case "EnrolSecondFactor":
		return &apipb.EnrolSecondFactorResponse{}
	case "GetCaller":
		return &apipb.Caller{User: &apipb.User{Name: "wang"}}
	case "ListVerbs":
		return &apipb.ListVerbsResponse{}
	case "RevealRequester":
		return &deskpb.Requester{}
	case "ListSessions":
		return &apipb.ListSessionsResponse{}
	case "CreateAccessToken":
		return &apipb.CreateAccessTokenResponse{}
	case "ListAccessTokens":
		return &apipb.ListAccessTokensResponse{}
	case "ListUsers":
		return &apipb.ListUsersResponse{}
	case "GetSite":
		return &apipb.GetSiteResponse{}
	case "DiagnoseSite":
		return &apipb.DiagnoseSiteResponse{}
	case "ListSites":
		return &apipb.ListSitesResponse{}
	case "ListParked":
		return &apipb.ListParkedResponse{}
	case "ListPublications":
		return &apipb.ListPublicationsResponse{}
	case "GetPublication", "PutPublication", "RemovePublication":
		return &apipb.Publication{}
	case "ListDeliveries":
		return &apipb.ListDeliveriesResponse{}
	case "FindSimilarTickets":
		return &apipb.FindSimilarTicketsResponse{}
	case "CountRepeats":
		return &apipb.CountRepeatsResponse{}
	case "ListNotices":
		return &apipb.ListNoticesResponse{}
	case "MarkNoticesRead":
		return &emptypb.Empty{}
	case "ListDuty":
		return &apipb.ListDutyResponse{}
	case "SetDuty":
		return &apipb.DutyMember{}
	case "ListRounds":
		return &apipb.ListRoundsResponse{}
	case "GetRoundReport":
		return &apipb.RoundReport{}
	case "ListRequesters":
		return &apipb.ListRequestersResponse{}
	case "CreateRequester", "GetRequester", "UpdateRequester", "RecordCustomerCall":
		return &apipb.Requester{}
	case "ListCallBacks":
		return &apipb.ListCallBacksResponse{}
	case "CreateSurvey":
		return &apipb.CreateSurveyResponse{}
	case "ListTree":
		return &apipb.ListTreeResponse{}
	case "MoveSite", "CloseSite":
		return &apipb.Place{}
	case "RetryParked":
		return &apipb.RetryParkedResponse{}
	case "DeleteSession", "RevokeSession", "RevokeSessions", "RevokeAccessToken", "SetPassword", "DeleteUser", "DeleteRequester", "TransferLeadership", "RemoveNode", "RecoverSite":
		return &emptypb.Empty{}
	}
	return &deskpb.Ticket{}
}

func (f *fakeNode) record(ctx context.Context, method string, q proto.Message) {
	values := metadata.ValueFromIncomingContext(ctx, "authorization")
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, received{method, proto.Clone(q), strings.Join(values, ",")})
}

func (f *fakeNode) seen() []received {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]received(nil), f.calls...)
}

// always answers every call alike.
func always(m proto.Message, err error) answer {
	return func(context.Context, string, proto.Message) (proto.Message, error) { return m, err }
}

// shell runs command lines as the program does.
type shell struct {
	ctx     context.Context
	environ map[string]string
	stdin   io.Reader
	prompt  func(context.Context, string) (string, error)
}

// at is a shell whose commands call the node. Words are English.
func at(t *testing.T, node *fakeNode) *shell {
	return &shell{ctx: t.Context(), environ: map[string]string{"TIERDESK_SERVER": node.address, "LANG": "en_US.UTF-8"}}
}

// outcome is what a command left behind.
type outcome struct {
	code        int
	out, stderr string
}

func (s *shell) run(args ...string) outcome {
	root := &cobra.Command{Use: "tierdesk", Args: cobra.ArbitraryArgs, RunE: NeedsCommand, SilenceErrors: true,
		SilenceUsage: true}
	root.SetFlagErrorFunc(FlagError)
	root.AddCommand(Commands(Environment{
		Getenv:   func(name string) string { return s.environ[name] },
		Prompt:   s.prompt,
		Location: time.FixedZone("CST", 8*3600),
	})...)
	var out, stderr bytes.Buffer
	stdin := s.stdin
	if stdin == nil {
		stdin = strings.NewReader("")
	}
	root.SetIn(stdin)
	root.SetOut(&out)
	root.SetErr(&stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(s.ctx)
	if err != nil {
		stderr.WriteString("tierdesk: " + ErrorLine(err) + "\n")
	}
	return outcome{ExitCode(err), out.String(), stderr.String()}
}

// done runs a command line that must succeed without a word on stderr, and returns what it printed.
func (s *shell) done(t *testing.T, args ...string) string {
	t.Helper()
	got := s.run(args...)
	if got.code != ExitDone || got.stderr != "" {
		t.Fatalf("tierdesk %s: exit %d, stderr %q; want exit 0 and silence", strings.Join(args, " "), got.code, got.stderr)
	}
	return got.out
}

// oneErrorLine checks an error's shape: nothing on stdout, one line on stderr.
func (o outcome) oneErrorLine(t *testing.T, code int) {
	t.Helper()
	if o.code != code {
		t.Errorf("exit code %d, want %d; stderr: %s", o.code, code, o.stderr)
	}
	if o.out != "" {
		t.Errorf("stdout of an error: %q, want nothing", o.out)
	}
	if strings.Count(o.stderr, "\n") != 1 || !strings.HasPrefix(o.stderr, "tierdesk: ") {
		t.Errorf("stderr: %q, want one line that begins with the program's name", o.stderr)
	}
}
