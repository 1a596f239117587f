package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/testbed"
)

const (
	password    = "correct-horse-battery"
	maxAnswer   = 64 << 20
	readyWithin = 2 * time.Minute
)

// place is what an office is in the tree.
type place struct {
	id, name string
	tier     config.Tier
	parent   string
}

// alone is the place of a site without a tree: one node is a county, more are a city.
func alone(nodes int) place {
	if nodes > 1 {
		return place{"330100", "杭州市", config.City, "330000"}
	}
	return place{"330106", "西湖区", config.County, "330100"}
}

// site is an office whose nodes are processes.
type site struct {
	place
	workshop *workshop
	expect   int // how many nodes found it
	nodes    []*siteNode
	parents  []string // where the nodes of its parent listen
	line     *line    // to the parent, when it can be cut; nil: plain
	pool     []string // gossip addresses of its parent's nodes
	netns    string   // the network namespace of its nodes; empty: that of this program
	token    string
	control  *grpc.ClientConn // to the first node
}

// siteNode is one node of it.
type siteNode struct {
	*process
	id         string
	dir        string
	http, grpc string // where this program reaches it
	file       string
	addresses  []string // where it listens: http, grpc, raft, gossip
}

// Indexes among a node's addresses.
const (
	grpcAddress   = 1
	gossipAddress = 3
)

// newSite lays out a site of so many nodes below a directory; nothing runs yet. Data may be put there before it starts.
func (w *workshop) newSite(name string, nodes int) (*site, error) {
	return w.newOffice(name, alone(nodes), nodes)
}

// newOffice is newSite at a place of the tree. Its way to the parent is up to the caller, who configures it again.
func (w *workshop) newOffice(name string, at place, nodes int) (*site, error) {
	s := &site{place: at, workshop: w, expect: nodes}
	for i := range nodes {
		if _, err := s.addNode(filepath.Join(w.dir, name), nodeID(i)); err != nil {
			return nil, err
		}
	}
	return s, s.configure()
}

func (s *site) addNode(dir, id string) (*siteNode, error) {
	free, err := testbed.Addresses(4)
	if err != nil {
		return nil, err
	}
	n := nodeAt(dir, id, free)
	if err := os.MkdirAll(n.dir, 0o700); err != nil {
		return nil, err
	}
	s.nodes = append(s.nodes, n)
	return n, nil
}

func nodeID(i int) string { return fmt.Sprintf("n%d", i+1) }

// nodeAt is a node whose data is below a directory, at its addresses: http, grpc, raft, gossip.
func nodeAt(dir, id string, addresses []string) *siteNode {
	return &siteNode{id: id, dir: filepath.Join(dir, id), http: addresses[0], grpc: addresses[1], addresses: addresses,
		file: filepath.Join(dir, id+".yaml")}
}

// configure writes the configuration of every node, which names the others.
func (s *site) configure() error {
	for _, n := range s.nodes {
		var join []string
		for _, other := range s.nodes {
			if other != n {
				join = append(join, other.addresses[grpcAddress])
			}
		}
		if err := s.configureNode(n, join); err != nil {
			return err
		}
	}
	return nil
}

func (s *site) configureNode(n *siteNode, join []string) error {
	text := fmt.Sprintf(`site: {id: %q, name: %q, tier: %s, parent: %q}
node: {id: %s, data_dir: %q}
listen: {http: %q, grpc: %q, raft: %q, gossip: %q}
raft: {bootstrap_expect: %d, join: [%s]}
gossip: {join: [%s]}
link: {parent_addresses: [%s]}
`, s.id, s.name, s.tier, s.parent, n.id, n.dir, n.addresses[0], n.addresses[1], n.addresses[2], n.addresses[3], s.expect,
		quoted(join), quoted(s.pool), quoted(s.parents))
	if err := os.WriteFile(n.file, []byte(text), 0o600); err != nil {
		return fmt.Errorf("configure %s of %s: %w", n.id, s.id, err)
	}
	return nil
}

// quoted is a list as it stands between the brackets of a YAML file.
func quoted(values []string) string {
	var all []string
	for _, value := range values {
		all = append(all, strconv.Quote(value))
	}
	return strings.Join(all, ", ")
}

// listen lists the addresses of one kind at which the nodes listen.
func (s *site) listen(kind int) []string {
	var all []string
	for _, n := range s.nodes {
		all = append(all, n.addresses[kind])
	}
	return all
}

// launch starts a node.
func (s *site) launch(n *siteNode) (err error) {
	command := exec.Command(s.workshop.program, "serve", "--config", n.file)
	command.Env = os.Environ()
	if s.line != nil {
		if command, err = s.onLine(n); err != nil {
			return err
		}
	}
	command.Env = append(command.Env, "TIERDESK_ADMIN_PASSWORD="+password)
	if s.netns != "" {
		within := exec.Command("ip", append([]string{"netns", "exec", s.netns}, command.Args...)...)
		within.Env = command.Env
		command = within
	}
	n.process, err = s.workshop.start("node "+n.id, n.dir+".log", command)
	return err
}

// ready tells whether the node answers /readyz with 200.
func (n *siteNode) ready(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.http+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: /readyz answers %s", n.id, response.Status)
	}
	return nil
}

func (n *siteNode) awaitReady(ctx context.Context) error {
	return n.await(ctx, readyWithin, "getting ready", n.ready)
}

// open starts all nodes, waits until they are ready, and signs in.
func (s *site) open(ctx context.Context) error {
	for _, n := range s.nodes {
		if err := s.launch(n); err != nil {
			return err
		}
	}
	for _, n := range s.nodes {
		if err := n.awaitReady(ctx); err != nil {
			return err
		}
	}
	var err error
	if s.control, err = s.dial(s.nodes[0].grpc); err != nil {
		return err
	}
	session, err := apipb.NewSessionsClient(s.control).CreateSession(ctx,
		&apipb.CreateSessionRequest{User: "admin", Password: password}, grpc.WaitForReady(true))
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	s.token = session.GetToken()
	return nil
}

// close ends the nodes, all at once, in order.
func (s *site) close() error {
	var err error
	if s.control != nil {
		err, s.control = s.control.Close(), nil
	}
	stopAll(s.processes())
	return err
}

// processes are those of the nodes that were started.
func (s *site) processes() []*process {
	var all []*process
	for _, n := range s.nodes {
		if n.process != nil {
			all = append(all, n.process)
		}
	}
	return all
}

// dial prepares a connection whose calls carry the site's token. Besides that it is as plain as those to etcd.
func (s *site) dial(address string) (*grpc.ClientConn, error) {
	authorize := func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn,
		invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		if s.token != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+s.token)
		}
		return invoke(ctx, method, request, reply, conn, options...)
	}
	return grpc.NewClient(address, append(plainDial(), grpc.WithUnaryInterceptor(authorize))...)
}

// plainDial are the settings of every connection, to a site and to etcd.
func plainDial() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)),
	}
}

func dialPlain(address string) (*grpc.ClientConn, error) {
	return grpc.NewClient(address, plainDial()...)
}

// leader finds the node that leads, seen from a node.
func (s *site) leader(ctx context.Context, from *grpc.ClientConn) (*siteNode, error) {
	status, err := apipb.NewSitesClient(from).GetSite(ctx, &apipb.GetSiteRequest{})
	if err != nil {
		return nil, fmt.Errorf("ask for the leader: %w", err)
	}
	at := slices.IndexFunc(s.nodes, func(n *siteNode) bool { return n.id == status.GetLeader() })
	if at < 0 {
		return nil, fmt.Errorf("the site has no leader among its nodes: %q", status.GetLeader())
	}
	return s.nodes[at], nil
}

// leaderFirst are the nodes' grpc addresses, that of the leader before the others.
func (s *site) leaderFirst(ctx context.Context) ([]string, error) {
	leader, err := s.leader(ctx, s.control)
	if err != nil {
		return nil, err
	}
	addresses := []string{leader.grpc}
	for _, n := range s.nodes {
		if n != leader {
			addresses = append(addresses, n.grpc)
		}
	}
	return addresses, nil
}

// lines are connections for a load: each to one address, the addresses in turn.
type lines struct {
	conns []*grpc.ClientConn
}

func openLines(addresses []string, perAddress int, dial func(string) (*grpc.ClientConn, error)) (*lines, error) {
	l := &lines{}
	for range perAddress {
		for _, address := range addresses {
			conn, err := dial(address)
			if err != nil {
				return nil, errors.Join(fmt.Errorf("connect to %s: %w", address, err), l.close())
			}
			l.conns = append(l.conns, conn)
		}
	}
	return l, nil
}

func (l *lines) connections() []grpc.ClientConnInterface {
	var all []grpc.ClientConnInterface
	for _, conn := range l.conns {
		all = append(all, conn)
	}
	return all
}

func (l *lines) close() error {
	var errs []error
	for _, conn := range l.conns {
		errs = append(errs, conn.Close())
	}
	return errors.Join(errs...)
}
