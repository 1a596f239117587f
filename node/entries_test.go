package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/store"
)

// keeper is the administrator who keeps the site of these tests in order; no call of a stranger is about them.
const keeper = "keeper-of-the-keys"

// slowest is what an answer may take: more than the node's own deadline for a call that names none.
const slowest = 12 * time.Second

// entrance is one method of the API: how gRPC calls it, and HTTP where it can.
type entrance struct {
	name       string // "/tierdesk.v1.Tickets/GetTicket"
	method     protoreflect.MethodDescriptor
	verb, path string // of HTTP; empty for streams
	bodied     bool   // its message comes as a body over HTTP
}

// entrances are all methods of the API, by name.
func entrances(t testing.TB) (all []entrance) {
	t.Helper()
	protoregistry.GlobalFiles.RangeFilesByPackage("tierdesk.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				all = append(all, entranceOf(service.Methods().Get(j)))
			}
		}
		return true
	})
	slices.SortFunc(all, func(a, b entrance) int { return strings.Compare(a.name, b.name) })
	if len(all) < 100 {
		t.Fatalf("only %d methods were found", len(all))
	}
	return all
}

func entranceOf(method protoreflect.MethodDescriptor) entrance {
	e := entrance{name: fmt.Sprintf("/%s/%s", method.Parent().FullName(), method.Name()), method: method}
	rule, _ := proto.GetExtension(method.Options(), annotations.E_Http).(*annotations.HttpRule)
	e.bodied = rule.GetBody() != ""
	switch pattern := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		e.verb, e.path = http.MethodGet, pattern.Get
	case *annotations.HttpRule_Post:
		e.verb, e.path = http.MethodPost, pattern.Post
	case *annotations.HttpRule_Patch:
		e.verb, e.path = http.MethodPatch, pattern.Patch
	case *annotations.HttpRule_Delete:
		e.verb, e.path = http.MethodDelete, pattern.Delete
	}
	return e
}

// stranger calls from an address of their own with a token of a kind.
type stranger struct {
	name  string
	role  apipb.User_Role // unspecified: no account
	limit string          // of an access token; empty for a session
	token string
	conn  *grpc.ClientConn
	http  *http.Client
}

// besieged is a node with strangers around it.
type besieged struct {
	node      *Node
	entrances []entrance
	strangers []*stranger
	keeper    *stranger
	made      int             // accounts, so that each has another name
	hash      string          // of the password of strangers' accounts
	served    map[string]bool // methods that did at least once what was asked
	maker     *maker
	log       *loggedLines
}

// loggedLines is a log that is read while it is written.
type loggedLines struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (l *loggedLines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *loggedLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// besiege starts a province of one node with strangers of all kinds.
func besiege(t testing.TB, seed uint64) *besieged {
	t.Helper()
	c := config.Default()
	c.Site = config.Site{ID: "330000", Name: "浙江省", Tier: config.Province}
	c.Node = config.Node{ID: "n1", DataDir: t.TempDir()}
	c.Listen = config.Addresses{HTTP: "127.0.0.1:0", GRPC: "127.0.0.1:0", Raft: "127.0.0.1:0", Gossip: "127.0.0.1:0"}
	c.Admin.User = keeper
	b := &besieged{entrances: entrances(t), log: &loggedLines{}, served: make(map[string]bool), maker: newMaker(seed)}
	node, err := Start(t.Context(), Options{Config: c, AdminPassword: password, Logger: slog.New(slog.NewTextHandler(b.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	b.node = node
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := node.Stop(ctx); err != nil {
			t.Errorf("stop the node: %v", err)
		}
	})
	awaitReady(t, node)
	b.keeper = b.comes(t, &stranger{name: "keeper"}, 2)
	b.keeper.token = b.signIn(t, keeper, password)
	b.hash = b.hashOf(t, "another horse")
	for i, who := range []*stranger{
		{name: "nobody"}, {name: "wrong token", token: "td_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
		{name: "requester", role: apipb.User_REQUESTER}, {name: "agent", role: apipb.User_AGENT}, {name: "auditor", role: apipb.User_AUDITOR},
		{name: "administrator", role: apipb.User_ADMINISTRATOR}, {name: "program", role: apipb.User_ADMINISTRATOR, limit: "tickets:read"},
	} {
		b.strangers = append(b.strangers, b.comes(t, who, byte(3+i)))
		b.admit(t, who)
	}
	b.furnish(t)
	return b
}

// comes gives a stranger connections from 127.0.0.last, so that what one is refused for does not count for another.
func (b *besieged) comes(t testing.TB, who *stranger, last byte) *stranger {
	t.Helper()
	from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, last)}}
	conn, err := grpc.NewClient("passthrough:///"+b.node.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return from.DialContext(ctx, "tcp", address)
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20), grpc.MaxCallSendMsgSize(64<<20)))
	if err != nil {
		t.Fatal(err)
	}
	who.conn = conn
	transport := &http.Transport{DialContext: from.DialContext}
	who.http = &http.Client{Transport: transport, Timeout: slowest,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(func() {
		_ = conn.Close()
		transport.CloseIdleConnections()
	})
	return who
}

// as is a context that carries who calls.
func (s *stranger) as(ctx context.Context) context.Context {
	if s.token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+s.token)
}

// signIn opens a session from the keeper's address.
func (b *besieged) signIn(t testing.TB, user, word string) string {
	t.Helper()
	session, err := apipb.NewSessionsClient(b.keeper.conn).CreateSession(t.Context(), &apipb.CreateSessionRequest{User: user, Password: word})
	if err != nil {
		t.Fatalf("sign %s in: %v", user, err)
	}
	return session.Token
}

// admit makes an account for a stranger who has one, and opens a session or makes an access token. The site's log is told of both, as
// the calls for it tell it: their hashes are most of what a siege takes, and it ends hundreds of sessions.
func (b *besieged) admit(t testing.TB, who *stranger) {
	t.Helper()
	if who.role == apipb.User_ROLE_UNSPECIFIED {
		return
	}
	b.made++
	name := fmt.Sprintf("%s-%d", strings.ReplaceAll(who.name, " ", "-"), b.made)
	who.token = storyToken(name)
	hash := sha256.Sum256([]byte(who.token))
	now := b.node.clock.Now()
	for _, command := range []*deskpb.Command{
		{Kind: &deskpb.Command_PutUser{PutUser: &deskpb.PutUser{CreateOnly: true, User: &deskpb.User{
			Name: name, Role: deskpb.User_Role(who.role), PasswordHash: b.hash}}}},
		{Kind: &deskpb.Command_OpenSession{OpenSession: &deskpb.OpenSession{Session: &deskpb.Session{
			TokenHash: hash[:], User: name, CreateTime: now.UnixMicro(), ExpireTime: now.Add(time.Hour).UnixMicro()}}}},
	} {
		if result, err := b.node.backend.site.Propose(t.Context(), command); err != nil || result.GetRefusal() != nil {
			t.Fatalf("admit %s: %v, %v", name, result.GetRefusal(), err)
		}
	}
	if who.limit == "" {
		return
	}
	made, err := apipb.NewAccessTokensClient(b.keeper.conn).CreateAccessToken(who.as(t.Context()), &apipb.CreateAccessTokenRequest{
		User: name, Token: &apipb.AccessToken{Title: "a program", Limits: []string{who.limit}}})
	if err != nil {
		t.Fatalf("make an access token for %s: %v", name, err)
	}
	who.token = made.Secret
}

// hashOf has the keeper make an account as people do, and returns the hash of its password.
func (b *besieged) hashOf(t testing.TB, word string) (hash string) {
	t.Helper()
	const first = "first-of-all"
	_, err := apipb.NewUsersClient(b.keeper.conn).CreateUser(b.keeper.as(t.Context()), &apipb.CreateUserRequest{
		User: &apipb.User{Name: first, Role: apipb.User_AGENT}, Password: word, KeepPassword: true})
	if err != nil {
		t.Fatalf("make %s: %v", first, err)
	}
	err = b.node.store.View(func(r *store.Reader) error {
		user, err := r.User(first)
		hash = user.GetPasswordHash()
		return err
	})
	if err != nil || hash == "" {
		t.Fatalf("the hash of a password is %q, %v", hash, err)
	}
	return hash
}

// callGRPC calls a method with a message and judges the answer.
func (b *besieged) callGRPC(t testing.TB, who *stranger, to entrance, sent protoreflect.Message) {
	t.Helper()
	ctx, cancel := context.WithTimeout(who.as(t.Context()), slowest)
	defer cancel()
	began := time.Now()
	err := b.exchange(ctx, who.conn, to, b.maker.random.IntN(4), sent)
	b.judge(t, who, to, status.Code(err), time.Since(began), fmt.Sprintf("gRPC %s: %v\n%.1500s", to.name, err, protojson.Format(sent.Interface())))
}

// exchange sends a message, and to a method that takes a stream so many of it, and reads all that comes back.
func (b *besieged) exchange(ctx context.Context, conn *grpc.ClientConn, to entrance, times int, sent protoreflect.Message) error {
	if !to.method.IsStreamingClient() && !to.method.IsStreamingServer() {
		answer := newMessage(to.method.Output())
		err := conn.Invoke(ctx, to.name, sent.Interface(), answer.Interface())
		if err == nil {
			b.maker.keep(to, sent)
			b.maker.learn(answer)
		}
		return err
	}
	desc := &grpc.StreamDesc{ServerStreams: to.method.IsStreamingServer(), ClientStreams: to.method.IsStreamingClient()}
	stream, err := conn.NewStream(ctx, desc, to.name)
	if err != nil {
		return err
	}
	if !to.method.IsStreamingClient() {
		times = 1
	}
	for range times {
		if err := stream.SendMsg(sent.Interface()); err != nil {
			break // the answer says why
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for {
		answer := newMessage(to.method.Output())
		switch err := stream.RecvMsg(answer.Interface()); {
		case errors.Is(err, io.EOF):
			b.maker.keep(to, sent)
			return nil
		case err != nil:
			return err
		}
		b.maker.learn(answer)
	}
}

// judge says what must never be: a fault, a method that is not there, an answer that is late. A stranger whose account was spoilt by the
// call gets another one.
func (b *besieged) judge(t testing.TB, who *stranger, to entrance, code codes.Code, took time.Duration, call string) {
	t.Helper()
	switch code {
	case codes.Internal, codes.Unknown, codes.DataLoss, codes.Unimplemented, codes.DeadlineExceeded, codes.Unavailable:
		t.Errorf("%s is answered with %v: %s", who.name, code, call)
	case codes.Unauthenticated:
		b.admit(t, who)
	case codes.OK:
		b.served[to.name] = true
	}
	if took >= slowest {
		t.Errorf("%s waited %v for %s", who.name, took, call)
	}
}

// brokeDown finds what a node logs when one of its calls broke down.
var brokeDown = regexp.MustCompile(`(?m)^.*(?:broke down|panic|level=ERROR).*$`)

// mustStand checks that the node came through all of it: nothing broke down, it is ready, and its administrator can still work.
func (b *besieged) mustStand(t testing.TB) {
	t.Helper()
	if lines := brokeDown.FindAllString(b.log.String(), 5); lines != nil {
		t.Errorf("the node logged what broke down: %.4000s", strings.Join(lines, "\n"))
	}
	awaitReady(t, b.node)
	again := b.signIn(t, keeper, password)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+again)
	if _, err := apipb.NewUsersClient(b.keeper.conn).ListUsers(ctx, &apipb.ListUsersRequest{}); err != nil {
		t.Errorf("the last administrator cannot list the people any more: %v", err)
	}
}
