package node

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/testbed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const password = "correct horse"

// patience bounds the wait for what happens in the background.
const patience = 30 * time.Second

// configuration is that of one node of the county 330106 on free ports.
func configuration(t *testing.T, id string) *config.Config {
	t.Helper()
	c := config.Default()
	c.Site = config.Site{ID: "330106", Name: "西湖区", Tier: config.County, Parent: "330100"}
	c.Node = config.Node{ID: id, DataDir: filepath.Join(t.TempDir(), id)}
	c.Listen = config.Addresses{HTTP: "127.0.0.1:0", GRPC: "127.0.0.1:0", Raft: "127.0.0.1:0", Gossip: "127.0.0.1:0"}
	return c
}

// start runs a node until the test ends.
func start(t *testing.T, c *config.Config) *Node {
	t.Helper()
	n, err := Start(t.Context(), options(c))
	if err != nil {
		t.Fatalf("start node %s: %v", c.Node.ID, err)
	}
	t.Cleanup(func() { stop(t, n) })
	return n
}

func options(c *config.Config) Options {
	o := Options{Config: c, AdminPassword: password}
	if testing.Verbose() {
		o.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil)).With("node", c.Node.ID)
	}
	return o
}

func stop(t *testing.T, n *Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := n.Stop(ctx); err != nil { // one that does not end in time says so
		t.Errorf("stop node %s: %v", n.config.Node.ID, err)
	}
	if ctx.Err() != nil {
		t.Errorf("stopping node %s took %v, want at most %v", n.config.Node.ID, patience, longestStop)
	}
}

// eventually waits until a condition has no complaint.
func eventually(t testing.TB, what string, complaint func() string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		last := complaint()
		if last == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after %v: %s", what, patience, last)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func awaitReady(t testing.TB, nodes ...*Node) {
	t.Helper()
	for _, n := range nodes {
		eventually(t, "node "+n.config.Node.ID+" is ready", func() string {
			return strings.Join(n.backend.Ready(t.Context()), "; ")
		})
	}
}

// asked names a request as programs do that want its outcome: when the lead changes hands meanwhile, it is proposed again.
func asked() *deskpb.RequestKey {
	return &deskpb.RequestKey{Id: rand.Text(), Method: "test", BodyHash: make([]byte, 16)}
}

// create makes a ticket by a node and returns its number.
func create(t *testing.T, n *Node, actor *deskpb.Actor, title string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	result, err := n.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: &deskpb.TicketCommand{
		Actor: actor, Request: asked(), Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{Ticket: &deskpb.Ticket{Title: title}}},
	}}})
	if err != nil {
		t.Fatalf("create %q by node %s: %v", title, n.config.Node.ID, err)
	}
	return result.Ticket.Number
}

// mustHave reads a ticket by a node behind a barrier.
func mustHave(t *testing.T, n *Node, number, title string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := n.backend.Read(ctx, false, func(r *store.Reader) error {
		record, err := r.Ticket(desk.TicketNumber(number))
		if err == nil && record.GetTicket().GetTitle() != title {
			return fmt.Errorf("ticket is %v, want the title %q", record.GetTicket(), title)
		}
		return err
	})
	if err != nil {
		t.Errorf("read %s by node %s: %v", number, n.config.Node.ID, err)
	}
}

// administratorOf signs in and returns whose token it is.
func administratorOf(t *testing.T, n *Node) *deskpb.Actor {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	token, err := signIn(ctx, n)
	if err != nil {
		t.Fatalf("sign in at node %s: %v", n.config.Node.ID, err)
	}
	actor, err := n.people.Authenticate(ctx, token, "")
	if err != nil || actor.User != "admin" || actor.Role != deskpb.User_ADMINISTRATOR {
		t.Fatalf("the token is of %v, %v, want the administrator admin", actor, err)
	}
	return actor
}

// signIn opens a session of the administrator and returns its token.
func signIn(ctx context.Context, n *Node) (string, error) {
	opened, err := n.people.SignIn(ctx, &apipb.CreateSessionRequest{User: "admin", Password: password}, "", "")
	return opened.GetToken(), err
}

func TestOneNodeFoundsItsSiteAndTakesATicket(t *testing.T) {
	c := configuration(t, "n1")
	free := testbed.FreeAddresses(t, 4) // nobody takes them while the node does not listen there
	c.Listen = config.Addresses{HTTP: free[0], GRPC: free[1], Raft: free[2], Gossip: free[3]}
	n := start(t, c)
	awaitReady(t, n)
	admin := administratorOf(t, n)
	number := create(t, n, admin, "打印机无法打印")
	mustHave(t, n, number, "打印机无法打印")
	if !strings.HasPrefix(number, "330106-") {
		t.Errorf("number %q, want one of 330106", number)
	}
	eventually(t, "the node is in the directory", func() string {
		sites, err := n.backend.Sites(t.Context())
		if err != nil || len(sites.Sites) != 1 || len(sites.Sites[0].Nodes) != 1 {
			return fmt.Sprintf("sites are %v, %v", sites, err)
		}
		if got := sites.Sites[0].Nodes[0].Addresses; got.Http != n.HTTPAddr() || got.Grpc != n.GRPCAddr() ||
			got.Raft != n.RaftAddr() || got.Gossip != n.GossipAddr() {
			return fmt.Sprintf("addresses are %v", got)
		}
		return ""
	})

	// The same directory goes on where it stopped.
	stop(t, n)
	again := start(t, c)
	awaitReady(t, again)
	mustHave(t, again, number, "打印机无法打印")
	if next := create(t, again, admin, "第二张"); next == number {
		t.Errorf("the number %s was given twice", number)
	}
}

func TestOverviewShowsTheMissingParent(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	overview, err := n.backend.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if overview.Leader != "n1" || len(overview.Nodes) != 1 || overview.Nodes[0].Role.String() != "LEADER" || !overview.Nodes[0].Alive {
		t.Errorf("leader %q nodes %v, want n1 alive as LEADER", overview.Leader, overview.Nodes)
	}
	if len(overview.Links) != 1 {
		t.Fatalf("links are %v, want the one to the parent", overview.Links)
	}
	link := overview.Links[0]
	if link.Peer != "330100" || link.Direction.String() != "PARENT" || link.State.String() != "DOWN" || link.Reason == "" {
		t.Errorf("link is %v, want PARENT 330100 DOWN with a reason", link)
	}
}

// startThree founds a site of three nodes on free ports: the first one is known when the others start.
func startThree(t *testing.T) []*Node {
	t.Helper()
	var nodes []*Node
	var join []string
	for _, id := range []string{"n1", "n2", "n3"} {
		c := configuration(t, id)
		c.Raft = config.Raft{BootstrapExpect: 3, Join: join}
		n := start(t, c)
		nodes = append(nodes, n)
		join = append(join, n.GRPCAddr())
	}
	awaitReady(t, nodes...)
	return nodes
}

func TestThreeNodesFoundOneSiteAndAnyTakesARequest(t *testing.T) {
	nodes := startThree(t)
	var incarnations []uint64
	for _, n := range nodes {
		number := create(t, n, administratorOf(t, n), "由 "+n.config.Node.ID+" 受理")
		for _, other := range nodes {
			mustHave(t, other, number, "由 "+n.config.Node.ID+" 受理")
		}
		founded, err := n.backend.founded()
		if err != nil {
			t.Fatal(err)
		}
		incarnations = append(incarnations, founded.Incarnation)
	}
	if incarnations[0] != incarnations[1] || incarnations[1] != incarnations[2] {
		t.Errorf("incarnations %v differ: the nodes founded more than one site", incarnations)
	}
	eventually(t, "all nodes are seen alive and registered", func() string {
		overview, err := nodes[2].backend.Overview(t.Context())
		if err != nil || len(overview.Nodes) != 3 {
			return fmt.Sprintf("overview is %v, %v", overview, err)
		}
		for _, node := range overview.Nodes {
			if !node.Alive || node.Addresses.Http == "" {
				return fmt.Sprintf("node is %v", node)
			}
		}
		return ""
	})
}

func TestSiteGoesOnWithoutItsLeader(t *testing.T) {
	nodes := startThree(t)
	admin := administratorOf(t, nodes[0])
	number := create(t, nodes[1], admin, "之前")
	leader := leaderOf(t, nodes)
	others := slices.DeleteFunc(nodes, func(n *Node) bool { return n == leader })
	stop(t, leader)
	awaitReady(t, others...)
	for _, n := range others {
		mustHave(t, n, number, "之前")
		mustHave(t, n, create(t, n, admin, "之后"), "之后")
	}
}

func TestLeadershipMovesToTheNamedNode(t *testing.T) {
	nodes := startThree(t)
	for _, to := range nodes {
		eventually(t, to.config.Node.ID+" leads", func() string {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if err := nodes[0].backend.TransferLeadership(ctx, to.config.Node.ID); err != nil {
				return err.Error()
			}
			if leading, _, _ := to.replica.Leading(); !leading {
				return "another node leads"
			}
			return ""
		})
	}
	err := nodes[0].backend.TransferLeadership(t.Context(), "n9")
	if err == nil || !strings.Contains(err.Error(), `no node "n9"`) {
		t.Errorf("transfer to n9: %v, want a refusal that names it", err)
	}
}

func TestRemovedNodeLeavesTheGroupAndTheDirectory(t *testing.T) {
	nodes := startThree(t)
	eventually(t, "all nodes are registered", func() string {
		sites, err := nodes[0].backend.Sites(t.Context())
		if err != nil || len(sites.Sites) != 1 || len(sites.Sites[0].Nodes) != 3 {
			return fmt.Sprintf("sites are %v, %v", sites, err)
		}
		return ""
	})
	stop(t, nodes[2])
	awaitReady(t, nodes[:2]...)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := nodes[0].backend.RemoveNode(ctx, "n3"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other node has the group and the directory without n3", func() string {
		overview, err := nodes[1].backend.Overview(t.Context())
		if err != nil || len(overview.Nodes) != 2 {
			return fmt.Sprintf("the group has %v, %v", overview.GetNodes(), err)
		}
		sites, err := nodes[1].backend.Sites(t.Context())
		if err != nil || len(sites.Sites[0].Nodes) != 2 {
			return fmt.Sprintf("nodes are %v, %v", sites.GetSites(), err)
		}
		return ""
	})
}

func TestLastNodeIsNotRemoved(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	if err := n.backend.RemoveNode(t.Context(), "n1"); err == nil || !strings.Contains(err.Error(), "the only node") {
		t.Errorf("remove the only node: %v, want a refusal", err)
	}
}

func TestBadStarts(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()

	first := configuration(t, "n1")
	running := start(t, first)
	awaitReady(t, running)

	for _, test := range []struct {
		name   string
		change func(*config.Config)
		want   []string
	}{
		{"taken http port", func(c *config.Config) { c.Listen.HTTP = address }, []string{address, "taken", "listen.http"}},
		{"taken grpc port", func(c *config.Config) { c.Listen.GRPC = address }, []string{address, "taken", "listen.grpc"}},
		{"taken raft port", func(c *config.Config) { c.Listen.Raft = address }, []string{address, "taken", "listen.raft"}},
		{"taken gossip port", func(c *config.Config) { c.Listen.Gossip = address }, []string{address, "taken", "listen.gossip"}},
		{"directory of a running node", func(c *config.Config) { c.Node = first.Node }, []string{first.Node.DataDir, "in use"}},
		{"bad configuration", func(c *config.Config) { c.Site.ID = "" }, []string{"site.id"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := configuration(t, "n2")
			test.change(c)
			mustNotStart(t, c, test.want...)
		})
	}

	stop(t, running)
	t.Run("directory of another site", func(t *testing.T) {
		c := configuration(t, "n1")
		c.Node, c.Site.ID = first.Node, "330108"
		mustNotStart(t, c, first.Node.DataDir, "330106", "330108")
	})
	t.Run("directory of another node", func(t *testing.T) {
		c := configuration(t, "n2")
		c.Node.DataDir = first.Node.DataDir
		mustNotStart(t, c, first.Node.DataDir, "n1", "n2")
	})
	t.Run("another place in the tree", func(t *testing.T) {
		c := configuration(t, "n1")
		c.Node, c.Site.Parent = first.Node, "330200"
		mustNotStart(t, c, "330100", "330200", "site.parent")
	})
	t.Run("short password", func(t *testing.T) {
		_, err := Start(t.Context(), Options{Config: configuration(t, "n1"), AdminPassword: "short"})
		if err == nil || !strings.Contains(err.Error(), "TIERDESK_ADMIN_PASSWORD") || strings.Contains(err.Error(), "short") {
			t.Errorf("error = %v, want one that names the variable and not the password", err)
		}
	})
}

func mustNotStart(t *testing.T, c *config.Config, words ...string) {
	t.Helper()
	n, err := Start(t.Context(), options(c))
	if err == nil {
		stop(t, n)
		t.Fatal("the node started")
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has more than one line: %q", err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not say %q", err, word)
		}
	}
}

func TestAdministratorComesLater(t *testing.T) {
	c := configuration(t, "n1")
	o := options(c)
	o.AdminPassword = ""
	n, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	awaitReady(t, n)
	if _, err := signIn(t.Context(), n); err == nil {
		t.Error("somebody signed in at a site without people")
	}
	stop(t, n)
	again := start(t, c)
	awaitReady(t, again)
	eventually(t, "the site has its administrator", func() string {
		users := 0
		err := again.store.View(func(r *store.Reader) error {
			found, err := r.Users("", 1)
			users = len(found)
			return err
		})
		if err != nil || users == 0 {
			return fmt.Sprintf("%d users, %v", users, err)
		}
		return ""
	})
	if _, err := signIn(t.Context(), again); err != nil {
		t.Errorf("the administrator who came later signs in: %v", err)
	}
}
