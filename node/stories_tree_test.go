package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
	"github.com/tierdesk/tierdesk/verify"
)

// storyTree is a province, a city and a county or two on loopback, with lines that are cut except while they exchange what waits.
type storyTree struct {
	t     *testing.T
	clock *storyClock
	sites []*storySite // county, city, province, and the neighbour where there is one
}

// storySite is one site of the tree: one node, its line to its parent, and callers of its API.
type storySite struct {
	id     string
	parent string
	node   *Node
	line   *storyLine // nil at the province
	http   *http.Client
	asked  verify.Site
}

// growTree starts the sites at a time, a wide tree with a second county, and waits until they know each other.
func growTree(t *testing.T, at time.Time, wide bool) *storyTree {
	t.Helper()
	tr := &storyTree{t: t, clock: newStoryClock(at)}
	province := tr.start(config.Site{ID: "330000", Name: "浙江省", Tier: config.Province}, nil)
	city := tr.start(config.Site{ID: "330100", Name: "杭州市", Tier: config.City, Parent: "330000"}, province)
	county := tr.start(config.Site{ID: "330106", Name: "西湖区", Tier: config.County, Parent: "330100"}, city)
	tr.sites = []*storySite{county, city, province}
	if wide {
		tr.sites = append(tr.sites, tr.start(config.Site{ID: "330102", Name: "上城区", Tier: config.County, Parent: "330100"}, city))
	}
	var hiring errgroup.Group
	for _, s := range tr.sites {
		hiring.Go(func() error { return s.employ(t.Context(), at.AddDate(1, 0, 0).UnixMicro()) })
	}
	if err := hiring.Wait(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "every site knows the tree", func() string {
		for _, s := range tr.sites {
			for _, other := range tr.sites {
				if known, err := s.knows(other); err != nil || !known && s.parent != other.parent {
					return fmt.Sprintf("%s does not know %s: %v", s.id, other.id, err)
				}
			}
		}
		return ""
	})
	if err := errors.Join(tr.rest(), tr.cut()); err != nil {
		t.Fatal(err)
	}
	return tr
}

// start runs a site until the test ends.
func (tr *storyTree) start(site config.Site, parent *storySite) *storySite {
	tr.t.Helper()
	s := &storySite{id: site.ID, parent: site.Parent, http: &http.Client{Transport: &http.Transport{}}}
	c := configuration(tr.t, "n1")
	c.Site, c.Site.TimeZone = site, "Asia/Shanghai"
	o := Options{Config: c}
	o.wall, o.elapsed, o.after = tr.clock.Now, tr.clock.elapsed, tr.clock.after
	if parent != nil {
		s.line = newStoryLine()
		o.Dial, c.Link.ParentAddresses = s.line.dial, []string{parent.node.GRPCAddr()}
	}
	node, err := Start(tr.t.Context(), o)
	if err != nil {
		tr.t.Fatalf("start %s: %v", site.ID, err)
	}
	s.node = node
	conn, err := grpc.NewClient(node.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithUnaryInterceptor(asStaff))
	if err != nil {
		tr.t.Fatal(err)
	}
	s.asked = verify.Site{ID: s.id, Name: site.Name, Parent: s.parent, Tickets: apipb.NewTicketsClient(conn), Sites: apipb.NewSitesClient(conn)}
	tr.t.Cleanup(func() {
		s.http.CloseIdleConnections()
		if err := conn.Close(); err != nil {
			tr.t.Errorf("close the connection to %s: %v", s.id, err)
		}
		stop(tr.t, node)
	})
	awaitReady(tr.t, node)
	return s
}

// asStaff signs a gRPC call in.
func asStaff(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	return invoke(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+storyToken(staff()[0])), method, request, reply, conn, options...)
}

// site finds a site by what stories call it.
func (tr *storyTree) site(name string) *storySite {
	i := slices.Index([]string{"county", "city", "province", "neighbour"}, name)
	if i < 0 {
		tr.t.Fatalf("no site is called %q", name)
	}
	return tr.sites[i]
}

// knows tells whether the site knows another one: on its own path, or by its directory.
func (s *storySite) knows(other *storySite) (known bool, err error) {
	err = s.node.store.View(func(r *store.Reader) error {
		here, err := tiers.Here(r)
		if err != nil {
			return err
		}
		info, err := r.SiteInfo(desk.SiteID(other.id))
		known = info != nil || slices.Contains(here.Path, desk.SiteID(other.id))
		return err
	})
	return known, err
}

// policy gives a site its layer of the policy and waits until all below have it, and have taken notice of its rounds.
func (tr *storyTree) policy(s *storySite, source string) error {
	if err := s.publish(source); err != nil {
		return err
	}
	return errors.Join(tr.tell(), tr.cut(), tr.work())
}

// pass lets time pass until a moment. What is due meanwhile is done by the sites' timekeepers at its time, and told to the other
// sites before anything else; alone, nobody is told. What is due within the moment that the sites took for what they did is, too.
func (tr *storyTree) pass(until time.Time, alone bool) error {
	for {
		next, due, err := tr.next()
		if err != nil {
			return err
		}
		if !due || next.After(until.Add(storyMoment)) {
			tr.clock.set(until)
			return tr.cut()
		}
		tr.clock.set(next)
		if err := tr.work(); err != nil {
			return err
		}
		if waits, _ := tr.busy(false); !alone && waits != "" {
			if err := tr.tell(); err != nil {
				return err
			}
		}
	}
}

// next tells when something is due first, at any site.
func (tr *storyTree) next() (first time.Time, due bool, err error) {
	sooner := func(micros int64) {
		if at := time.UnixMicro(micros); micros != 0 && (!due || at.Before(first)) {
			first, due = at, true
		}
	}
	for _, s := range tr.sites {
		err = errors.Join(err, s.node.store.View(func(r *store.Reader) error {
			rounds, err := tiers.Rounds(r, tr.clock.Now().UnixMicro())
			for _, round := range rounds {
				sooner(round.Due)
			}
			return errors.Join(err, r.EachTimer(func(timer store.Timer) bool {
				sooner(timer.Time)
				return false
			}))
		}))
	}
	return first, due, err
}

// work lets the timekeepers do all that is due now.
func (tr *storyTree) work() error {
	const soon = 500 * time.Millisecond // a timekeeper that looks is done
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		overdue, err := tr.overdue()
		if err != nil || !overdue {
			return err
		}
		tr.clock.look()
		for looked := time.Now(); time.Since(looked) < soon && overdue && err == nil; time.Sleep(time.Millisecond) {
			overdue, err = tr.overdue()
		}
	}
	return fmt.Errorf("what is due at %s is not done after %s", tr.clock.Now(), patience)
}

// storyMoment is more than all microseconds that a clock goes on by itself between two directives, and less than a second.
const storyMoment = 500 * time.Millisecond

// overdue tells whether a timekeeper has something to do.
func (tr *storyTree) overdue() (overdue bool, err error) {
	now := tr.clock.Now().UnixMicro()
	for _, s := range tr.sites {
		err = errors.Join(err, s.node.store.View(func(r *store.Reader) error {
			rounds, err := tiers.DueRounds(r, now)
			overdue = overdue || len(rounds) > 0
			return errors.Join(err, r.EachTimer(func(timer store.Timer) bool {
				overdue = overdue || timer.Time <= now
				return false
			}))
		}))
	}
	return overdue, err
}

// holder is the site that holds a ticket, by what each knows itself, else its home.
func (tr *storyTree) holder(number string) (*storySite, error) {
	home := tr.sites[0]
	for _, s := range tr.sites {
		held := false
		err := s.node.store.View(func(r *store.Reader) error {
			record, err := r.Ticket(desk.TicketNumber(number))
			t := record.GetTicket()
			held = t.GetCustodianSite() == s.id && t.GetHandover().GetState().String() != "IN_TRANSIT"
			return err
		})
		if held || err != nil {
			return s, err
		}
		if desk.SiteID(s.id) == homeOf(number) {
			home = s
		}
	}
	return home, nil
}

func homeOf(number string) desk.SiteID {
	parsed, err := desk.ParseNumber(desk.TicketNumber(number))
	if err != nil {
		return ""
	}
	return parsed.Site
}

// exchange has the sites tell each other all that waits, and holds them against each other.
func (tr *storyTree) exchange() error {
	if err := tr.tell(); err != nil {
		return err
	}
	var asked []verify.Site
	for _, s := range tr.sites {
		asked = append(asked, s.asked)
	}
	report, err := verify.Compare(tr.t.Context(), asked)
	if err == nil && !report.Agree() {
		err = fmt.Errorf("the sites do not agree: %q", report.Problems)
	}
	return errors.Join(err, tr.cut())
}

// tell mends the lines and waits until all that waited has come to rest.
func (tr *storyTree) tell() error {
	for _, s := range tr.sites {
		s.line.mend()
	}
	return tr.rest()
}

// rest waits until every line is up, nothing waits at any end, and no log grows.
func (tr *storyTree) rest() error {
	var before []uint64
	var waits string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var indexes []uint64
		if waits, indexes = tr.busy(true); waits == "" && slices.Equal(before, indexes) {
			return nil
		}
		before = indexes
	}
	return fmt.Errorf("the tree does not come to rest: %s", waits)
}

// busy says what the sites still have to tell each other, or which line is down, and how far each site's log is.
func (tr *storyTree) busy(up bool) (waits string, indexes []uint64) {
	for _, s := range tr.sites {
		overview, err := s.node.backend.Overview(tr.t.Context())
		if err != nil {
			return err.Error(), nil
		}
		indexes = append(indexes, overview.AppliedIndex)
		for _, link := range overview.Links {
			if link.Pending+link.Queued+link.InTransit > 0 || up && link.State != apipb.LinkStatus_UP {
				waits = fmt.Sprintf("the link of %s with %s is %v", s.id, link.Peer, link)
			}
		}
	}
	return waits, indexes
}

// cut breaks the lines and waits until both ends know.
func (tr *storyTree) cut() error {
	for _, s := range tr.sites {
		s.line.cut()
	}
	waits := ""
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if waits = tr.stillUp(); waits == "" {
			return nil
		}
	}
	return errors.New(waits)
}

// stillUp names a link that a site takes for living, "" for none.
func (tr *storyTree) stillUp() string {
	for _, s := range tr.sites {
		for _, link := range s.node.tiers.Links() {
			if link.State != tiers.Down {
				return fmt.Sprintf("%s takes the link with %s for %s", s.id, link.Peer, link.State)
			}
		}
	}
	return ""
}
