package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/authority"
	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/node/identity"
	"github.com/tierdesk/tierdesk/node/peers/peerpb"
	"github.com/tierdesk/tierdesk/testbed"
	"github.com/tierdesk/tierdesk/tiers"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// certifiedTree is a province that has the authority, a city, and a county of three nodes, all with certificates.
type certifiedTree struct {
	ca             *treeAuthority
	province, city *config.Config
	log            map[*Node]*loggedLines
}

// newCertifiedTree makes a tree whose certificates were issued so long ago. The province is not started yet.
func newCertifiedTree(t *testing.T, ago time.Duration) (tree *certifiedTree, city *Node, county []*Node) {
	t.Helper()
	tree = &certifiedTree{ca: newAuthority(t), province: configuration(t, "n1"), city: cityConfiguration(t), log: map[*Node]*loggedLines{}}
	tree.province.Site = config.Site{ID: "330000", Name: "浙江省", Tier: config.Province}
	tree.ca.issueLong(t, tree.province, ago)
	tree.province.TLS.Authority = tree.ca.dir
	addresses := testbed.FreeAddresses(t, 2) // which the sites below know before anybody listens there, and while nobody does
	tree.province.Listen.GRPC, tree.city.Listen.GRPC = addresses[0], addresses[1]

	tree.city.Link.ParentAddresses = []string{tree.province.Listen.GRPC}
	tree.ca.issueLong(t, tree.city, ago)
	city = tree.start(t, tree.city)
	var join []string
	for _, id := range []string{"n1", "n2", "n3"} {
		c := configuration(t, id)
		c.Raft = config.Raft{BootstrapExpect: 3, Join: join}
		c.Link.ParentAddresses = []string{city.GRPCAddr()}
		tree.ca.issueLong(t, c, ago)
		n := tree.start(t, c)
		county, join = append(county, n), append(join, n.GRPCAddr())
	}
	awaitReady(t, append(county, city)...)
	awaitLink(t, county[0], "330100", apipb.LinkStatus_UP)
	return tree, city, county
}

// start runs a node until the test ends and keeps its log.
func (tree *certifiedTree) start(t *testing.T, c *config.Config) *Node {
	t.Helper()
	log := &loggedLines{}
	n, err := Start(t.Context(), Options{Config: c, AdminPassword: password, Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatalf("start node %s of %s: %v", c.Node.ID, c.Site.ID, err)
	}
	t.Cleanup(func() { stop(t, n) })
	tree.log[n] = log
	return n
}

// shown is the certificate that a node shows to whoever calls it now.
func shown(t *testing.T, n *Node) *x509.Certificate {
	t.Helper()
	conn, err := tls.Dial("tcp", n.GRPCAddr(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatalf("call node %s: %v", n.config.Node.ID, err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0]
}

// linkTo is a node's own view of the link with a neighbour.
func linkTo(n *Node, peer desk.SiteID) tiers.LinkStatus {
	links := n.tiers.Links()
	if i := slices.IndexFunc(links, func(l tiers.LinkStatus) bool { return l.Peer == peer }); i >= 0 {
		return links[i]
	}
	return tiers.LinkStatus{}
}

// connectAs says Hello to a parent in the name of another node's site, and returns how it is answered.
func connectAs(ctx context.Context, link linkpb.LinkClient, n *Node) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := link.Connect(ctx)
	if err != nil {
		return err
	}
	hello := &linkpb.Hello{Site: n.config.Site.ID, Parent: n.config.Site.Parent, Tier: deskpb.Site_COUNTY, Node: "n1", Incarnation: 1, Schema: desk.Schema}
	if err := stream.Send(&linkpb.Frame{Content: &linkpb.Frame_Hello{Hello: hello}}); err != nil {
		return err
	}
	answer, err := stream.Recv()
	if refusal := answer.GetRefusal(); refusal != nil {
		return status.Error(codes.PermissionDenied, refusal.Message)
	}
	return err
}

// proposeAs puts a command into the log of a site and returns how it is answered.
func proposeAs(ctx context.Context, group peerpb.PeerClient) error {
	answers, err := group.Propose(ctx, &peerpb.ProposeRequest{Site: "330106", Commands: [][]byte{{}}})
	if err == nil {
		_, err = answers.Recv()
	}
	return err
}

// Only the province has the authority. A county's node that asks while the way there is cut tells why it waits, and gets its
// next certificate when the way is there again; link and log go on over connections that began with the one before.
func TestCertificatesAreRenewedUpTheTree(t *testing.T) {
	const old = 70 * 24 * time.Hour
	tree, city, county := newCertifiedTree(t, old)
	due := time.Now().Add(authority.DefaultLifetime - old + time.Hour)
	for _, n := range append(slices.Clone(county), city) {
		n.certificates.renewal.look(t.Context())
		if why := n.certificates.renewal.failing(); !strings.Contains(why.reason, tree.province.Listen.GRPC) {
			t.Errorf("%s/%s waits because %q, want the province's address", n.config.Site.ID, n.config.Node.ID, why.reason)
		}
		if check := named(n.examine(), n.config.Node.ID, "certificate"); check.GetState() != warned {
			t.Errorf("the doctor of %s/%s says %v, want a warning", n.config.Site.ID, n.config.Node.ID, check)
		}
	}
	was, carrier := linkTo(city, "330106"), leaderFirst(t, county)[0]
	_, term, _ := carrier.replica.Leading()
	broken, silent := tree.logged(brokenLine, county...), tree.logged(fellSilent, append(county, city)...)

	province := tree.start(t, tree.province)
	awaitReady(t, province)
	awaitLink(t, city, "330000", apipb.LinkStatus_UP)
	for _, n := range append(slices.Clone(county), city, province) {
		n.certificates.renewal.note(&n.certificates.renewal.tries, nil) // an hour has passed
		n.certificates.renewal.look(t.Context())
		if why := n.certificates.renewal.failing(); why.reason != "" {
			t.Errorf("the certificate of %s/%s is not renewed: %s", n.config.Site.ID, n.config.Node.ID, why.reason)
		}
		if got := shown(t, n).NotAfter; got.Before(due) {
			t.Errorf("%s/%s shows a certificate that ends on %v", n.config.Site.ID, n.config.Node.ID, got)
		}
		again, err := identity.Load(identity.Options{
			CA: n.config.TLS.CA, Cert: n.config.TLS.Cert, Key: n.config.TLS.Key, Site: n.config.Site.ID, Node: n.config.Node.ID,
		})
		if err != nil || again.Expires().Before(due) {
			t.Errorf("the files of %s/%s do not hold the new certificate: %v", n.config.Site.ID, n.config.Node.ID, err)
		}
	}
	for _, n := range county {
		number := create(t, n, administratorOf(t, n), "由 "+n.config.Node.ID)
		escalate(t, n, administratorOf(t, n), number)
		awaitCustodian(t, city, number, "330100")
	}
	// On a busy machine a site elects now and then, and a link may fall silent. What renewing must not do is to break a connection.
	_, now, _ := carrier.replica.Leading()
	if now != term && tree.logged(brokenLine, county...) != broken {
		t.Errorf("the connections of the county's log broke, and its lead changed hands, from term %d to %d", term, now)
	}
	is := linkTo(city, "330106")
	alone := is.State == was.State && is.Since.Equal(was.Since)
	if !alone && now == term && tree.logged(fellSilent, append(county, city)...) == silent {
		t.Errorf("the link was not left alone: it was %v since %v, and is %v since %v", was.State, was.Since, is.State, is.Since)
	}
}

var (
	// brokenLine is what Raft says of a connection that broke, fellSilent what a link says that ends for want of a sign.
	brokenLine = regexp.MustCompile(`failed to (heartbeat|appendEntries) to|failed to decode incoming command`)
	fellSilent = regexp.MustCompile(`nothing was heard from|has not shown a majority`)
)

// logged counts what nodes have said so far.
func (tree *certifiedTree) logged(what *regexp.Regexp, nodes ...*Node) (count int) {
	for _, n := range nodes {
		count += len(what.FindAllString(tree.log[n].String(), -1))
	}
	return count
}

// A node that was revoked is out everywhere that the list has come to, however it is connected, and stays out of a site that
// starts again without a line. Each site says so once.
func TestARevokedNodeIsShutOut(t *testing.T) {
	tree, city, county := newCertifiedTree(t, time.Hour)
	province := tree.start(t, tree.province)
	awaitLink(t, city, "330000", apipb.LinkStatus_UP)
	county = leaderFirst(t, county)
	leader, gone := county[0], county[2]

	if _, err := tree.ca.Revoke(authority.Which{Site: "330106", Node: gone.config.Node.ID}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the county has shut its revoked node out of the log, and nobody serves it", func() string {
		if leader := gone.replica.Status().Leader; leader != "" {
			return "it follows " + leader
		}
		for _, n := range []*Node{leader, city} {
			if _, err := gone.peers.Hello(t.Context(), n.GRPCAddr(), nil); err == nil {
				return n.config.Site.ID + " serves it"
			}
		}
		return ""
	})
	number := create(t, leader, administratorOf(t, leader), "照常")
	escalate(t, leader, administratorOf(t, leader), number)
	awaitCustodian(t, city, number, "330100")

	if _, err := tree.ca.Revoke(authority.Which{Site: "330106"}); err != nil {
		t.Fatal(err)
	}
	reason := fmt.Sprintf("certificate %x is revoked", shown(t, leader).SerialNumber)
	eventually(t, "the city refuses the revoked county", func() string {
		if _, err := leader.tiers.WitnessedAbove(t.Context()); err == nil || !strings.Contains(tree.log[city].String(), reason) {
			return fmt.Sprintf("it answers, or has not said why: %v", err)
		}
		return ""
	})
	awaitLink(t, city, "330106", apipb.LinkStatus_DOWN)
	for range 20 {
		if _, err := leader.tiers.WitnessedAbove(t.Context()); err == nil {
			t.Fatal("the city answers a revoked node")
		}
	}
	if n := strings.Count(tree.log[city].String(), reason); n != 1 {
		t.Errorf("the city logged the refusal of node %s %d times, want once", leader.config.Node.ID, n)
	}

	stop(t, city)
	stop(t, province)
	if _, err := os.Stat(filepath.Join(tree.city.Node.DataDir, revocationsFile)); err != nil {
		t.Fatal(err)
	}
	city = tree.start(t, tree.city)
	eventually(t, "the city refuses the revoked county after its start", func() string {
		if _, err := leader.tiers.WitnessedAbove(t.Context()); err == nil {
			t.Fatal("the city answers a revoked node after a start without a line")
		}
		if !strings.Contains(tree.log[city].String(), reason) {
			return "it has not said why"
		}
		return ""
	})
	if n := strings.Count(tree.log[city].String(), reason); n != 1 {
		t.Errorf("the city logged the refusal %d times after its start, want once", n)
	}
}

// A list of revoked certificates counts for who has signed it, not for where it comes from.
func TestAForgedRevocationListChangesNothing(t *testing.T) {
	ca := newAuthority(t)
	c := configuration(t, "n1")
	c.Site = config.Site{ID: "330000", Name: "浙江省", Tier: config.Province}
	ca.issue(t, c)
	n := start(t, c)
	awaitReady(t, n)
	other := newAuthority(t)
	stranger := configuration(t, "n1")
	other.issue(t, stranger)
	if _, err := other.Revoke(authority.Which{Site: "330106"}); err != nil {
		t.Fatal(err)
	}
	forged, err := other.Revocations()
	if err != nil {
		t.Fatal(err)
	}
	genuine, err := ca.Revocations()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		list  []byte
		words string
	}{{"one of another authority", forged, "not signed by the tree's authority"}, {"one that is none", []byte("x"), "read the revocation list"}, {"a genuine one", genuine, ""}} {
		_, err := n.backend.Propose(t.Context(), &deskpb.Command{Kind: &deskpb.Command_PutPublication{PutPublication: &deskpb.PutPublication{
			Publication: &deskpb.Publication{Kind: revocationsKind, Name: revocationsName, MediaType: revocationsType, Body: tt.list},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, tt.name+" was looked at", func() string {
			alarms := strings.Join(n.certificates.alarms(), "\n")
			if tt.words == "" && alarms != "" || !strings.Contains(alarms, tt.words) {
				return fmt.Sprintf("the alarms are %q", alarms)
			}
			return ""
		})
	}
	if kept, err := os.ReadFile(filepath.Join(c.Node.DataDir, revocationsFile)); err != nil || !slices.Equal(kept, genuine) {
		t.Errorf("the node keeps %d bytes, %v; want the genuine list", len(kept), err)
	}
}

// A certificate of the tree is no key to another site: not to its group, not to its link, not to its tickets. What its holder
// tries is refused with a reason, and told in the log once, however often it is tried.
func TestACertificateOfAnotherSiteGetsNowhere(t *testing.T) {
	tree := &certifiedTree{ca: newAuthority(t), log: map[*Node]*loggedLines{}}
	cityConfig, countyConfig, strange := cityConfiguration(t), configuration(t, "n1"), configuration(t, "n1")
	strange.Site.ID = "330108"
	for _, c := range []*config.Config{cityConfig, countyConfig, strange} {
		tree.ca.issue(t, c)
	}
	city := tree.start(t, cityConfig)
	countyConfig.Link.ParentAddresses = []string{city.GRPCAddr()}
	county := tree.start(t, countyConfig)
	awaitReady(t, city, county)
	awaitLink(t, county, "330100", apipb.LinkStatus_UP)
	number := create(t, county, administratorOf(t, county), "机密")
	stranger, err := identity.Load(identity.Options{CA: strange.TLS.CA, Cert: strange.TLS.Cert, Key: strange.TLS.Key, Site: "330108", Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	dial := func(n *Node) *grpc.ClientConn {
		t.Helper()
		conn, err := grpc.NewClient("passthrough:///"+n.GRPCAddr(), grpc.WithTransportCredentials(stranger.LinkCredentials(n.config.Site.ID)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	request, _, err := authority.Request("330106", "n1")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	group, link, tickets := peerpb.NewPeerClient(dial(county)), linkpb.NewLinkClient(dial(city)), apipb.NewTicketsClient(dial(county))
	attempts := map[string]func() error{
		"join the group": func() error {
			_, err := group.Join(ctx, &peerpb.JoinRequest{Site: "330106", Server: &peerpb.Server{Id: "n9-x", Raft: "127.0.0.1:1", Grpc: "127.0.0.1:1"}})
			return err
		},
		"greet the group":  func() error { _, err := group.Hello(ctx, &peerpb.HelloRequest{Site: "330106"}); return err },
		"read the log":     func() error { _, err := group.ReadIndex(ctx, &peerpb.ReadIndexRequest{Site: "330106"}); return err },
		"propose":          func() error { return proposeAs(ctx, group) },
		"ask for the site": func() error { _, err := link.Ask(ctx, &linkpb.AskRequest{Site: "330106"}); return err },
		"connect as it":    func() error { return connectAs(ctx, link, county) },
		"renew for it": func() error {
			_, err := link.Renew(ctx, &linkpb.RenewRequest{Site: "330106", Node: "n1", Request: request})
			return err
		},
		"witness for it": func() error {
			_, err := link.Witness(ctx, &linkpb.WitnessRequest{Checkpoint: &deskpb.AuditCheckpoint{Site: "330106"}})
			return err
		},
		"read its witness": func() error { _, err := link.Witnessed(ctx, &linkpb.WitnessedRequest{Site: "330106"}); return err },
		"read its ticket":  func() error { _, err := tickets.GetTicket(ctx, &apipb.GetTicketRequest{Number: number}); return err },
		"list its tickets": func() error { _, err := tickets.ListTickets(ctx, &apipb.ListTicketsRequest{}); return err },
	}
	for range 3 {
		for name, attempt := range attempts {
			err := attempt()
			switch status.Code(err) {
			case codes.PermissionDenied, codes.FailedPrecondition, codes.Unauthenticated:
			default:
				t.Errorf("%s: %v, want it refused", name, err)
			}
		}
	}
	for n, reasons := range map[*Node][]string{
		county: {"this is a node of 330106, not of 330108"},
		city: {
			"the certificate names site 330108, the other end says it is 330106", "330108 asks for a certificate of \\\"330106\\\"",
		},
	} {
		for _, reason := range reasons {
			if count := strings.Count(tree.log[n].String(), reason); count != 1 {
				t.Errorf("%s logged %d times that %s, want once", n.config.Site.ID, count, reason)
			}
		}
	}
	for range 20 {
		conn, err := tls.Dial("tcp", county.RaftAddr(), stranger.LinkTLS("330106"))
		if err == nil {
			_, err = conn.Read(make([]byte, 1)) // with TLS 1.3 the caller learns it by reading
			_ = conn.Close()
		}
		if err == nil || err == io.EOF {
			t.Fatalf("the Raft port let the stranger in: %v", err)
		}
	}
	const reason = "the other side is node n1 of site 330108, not of site 330106"
	eventually(t, "the refusal stands in the log", func() string {
		if !strings.Contains(tree.log[county].String(), reason) {
			return "it does not"
		}
		return ""
	})
	if n := strings.Count(tree.log[county].String(), reason); n != 1 {
		t.Errorf("the county logged the refusal at its Raft port %d times, want once", n)
	}
}
