package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/verify"
)

// pair is a county below a city, with a line between them that can be cut. There is no province, and gossip does not
// reach from one to the other. The county has no way around the line.
type pair struct {
	county, city *site
	low, high    *verify.Desk // signed in at the county, and at the city
	line         *line
	lead         apipb.TicketsClient // the city's leader
}

// upWithin is how long a link may take to come up, in every command.
const upWithin = time.Minute

// onPair runs a benchmark of a pair, each site of so many nodes.
func (c *common) onPair(ctx context.Context, args []string, body func(context.Context, *workshop, setting, *pair) error) error {
	nodes := c.flags.Int("nodes", siteNodes, "of each of the two sites: 1, 3 or 5")
	return c.inWorkshop(ctx, args, func(ctx context.Context, w *workshop) (err error) {
		set, err := w.probeDisk()
		if err != nil {
			return err
		}
		p := &pair{}
		defer func() { err = errors.Join(err, p.close()) }()
		if err := p.open(ctx, w, *nodes); err != nil {
			return err
		}
		return body(ctx, w, set, p)
	})
}

// open founds both sites and waits for their link.
func (p *pair) open(ctx context.Context, w *workshop, nodes int) (err error) {
	at := place{"330100", "杭州市", config.City, "330000"}
	if p.city, err = w.newOffice("city", at, nodes); err != nil {
		return err
	}
	at = place{"330106", "西湖区", config.County, at.id}
	if p.county, err = w.newOffice("county", at, nodes); err != nil {
		return err
	}
	if p.line, err = w.line(p.city.listen(grpcAddress)); err != nil {
		return err
	}
	p.county.line, p.county.parents = p.line, p.line.targets
	if err := p.county.configure(); err != nil {
		return err
	}
	for site, desk := range map[*site]**verify.Desk{p.city: &p.high, p.county: &p.low} {
		if err := site.open(ctx); err != nil {
			return err
		}
		if *desk, err = verify.SignIn(ctx, site.grpcAddresses(), "admin", password); err != nil {
			return err
		}
	}
	if err := p.awaitUp(ctx); err != nil {
		return err
	}
	p.lead, err = p.city.leaderAt(ctx, p.high)
	return err
}

func (p *pair) close() error {
	var errs []error
	for _, desk := range []*verify.Desk{p.low, p.high} {
		if desk != nil {
			errs = append(errs, desk.Close())
		}
	}
	for _, s := range []*site{p.county, p.city} {
		if s != nil {
			errs = append(errs, s.close())
		}
	}
	return errors.Join(errs...)
}

// leaderAt is the client of a desk that speaks with the site's leader.
func (s *site) leaderAt(ctx context.Context, d *verify.Desk) (apipb.TicketsClient, error) {
	leader, err := s.leader(ctx, s.control)
	if err != nil {
		return nil, err
	}
	for i, n := range s.nodes {
		if n == leader {
			return d.Nodes[i], nil
		}
	}
	return nil, fmt.Errorf("site %s: no desk at its leader %s", s.id, leader.id)
}

// link is how the county sees its link with the city.
func (p *pair) link(ctx context.Context) (*apipb.LinkStatus, error) {
	return linkOf(ctx, p.low.Sites, p.city.id)
}

// linkOf is how a site sees its link with a neighbour.
func linkOf(ctx context.Context, sites apipb.SitesClient, peer string) (*apipb.LinkStatus, error) {
	overview, err := sites.GetSite(ctx, &apipb.GetSiteRequest{})
	if err != nil {
		return nil, fmt.Errorf("ask for the link with %s: %w", peer, err)
	}
	for _, link := range overview.Links {
		if link.Peer == peer {
			return link, nil
		}
	}
	return nil, fmt.Errorf("site %s has no link with %s", overview.GetSite().GetId(), peer)
}

func (p *pair) awaitUp(ctx context.Context) error { return p.awaitLink(ctx, apipb.LinkStatus_UP) }

// awaitDown waits until the county has seen that the line is cut. It fails when the sites found a way around the line.
func (p *pair) awaitDown(ctx context.Context) error { return p.awaitLink(ctx, apipb.LinkStatus_DOWN) }

// stayedDown fails when the county has reached the city although the line is still cut.
func (p *pair) stayedDown(ctx context.Context) error {
	link, err := p.link(ctx)
	if err == nil && link.State != apipb.LinkStatus_DOWN {
		err = fmt.Errorf("the link of %s with %s is %s although the line is cut", p.county.id, p.city.id, link.State)
	}
	return err
}

func (p *pair) awaitLink(ctx context.Context, want apipb.LinkStatus_State) error {
	ctx, cancel := context.WithTimeoutCause(ctx, upWithin, fmt.Errorf("the link was not %s within %s", want, upWithin))
	defer cancel()
	return poll(ctx, 20*time.Millisecond, func() error {
		link, err := p.link(ctx)
		if err == nil && link.State != want {
			err = fmt.Errorf("the link of %s with %s is %s: %s", p.county.id, p.city.id, link.State, link.Reason)
		}
		return err
	})
}

// settle waits until both sites are at rest, as far as they are there.
func (p *pair) settle(ctx context.Context) error {
	return poll(ctx, 20*time.Millisecond, func() error {
		for site, peer := range map[apipb.SitesClient]string{p.low.Sites: p.city.id, p.high.Sites: p.county.id} {
			link, err := linkOf(ctx, site, peer)
			if err == nil && (link.State != apipb.LinkStatus_UP || link.Pending > 0 || link.Queued > 0) {
				err = fmt.Errorf("the link with %s is %s, %d items and %d hand-overs wait", peer, link.State, link.Pending, link.Queued)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// compare holds the two sites against each other.
func (p *pair) compare(ctx context.Context) error {
	county, city := p.low.Site(p.county.id, p.county.name, p.city.id), p.high.Site(p.city.id, p.city.name, "")
	city.Sites = oneLink{city.Sites, p.county.id}
	_, err := compareSites(ctx, []verify.Site{county, city})
	return err
}

// oneLink shows only one link of a site: what waits for others counts for nothing.
type oneLink struct {
	apipb.SitesClient
	peer string
}

func (o oneLink) GetSite(ctx context.Context, r *apipb.GetSiteRequest, options ...grpc.CallOption) (*apipb.GetSiteResponse, error) {
	overview, err := o.SitesClient.GetSite(ctx, r, options...)
	if err == nil {
		overview.Links = slices.DeleteFunc(overview.Links, func(l *apipb.LinkStatus) bool { return l.Peer != o.peer })
	}
	return overview, err
}

// compareSites fails when the sites do not tell the same story. It returns how many tickets they have.
func compareSites(ctx context.Context, sites []verify.Site) (int, error) {
	report, err := verify.Compare(ctx, sites)
	if err == nil && !report.Agree() {
		err = fmt.Errorf("the sites do not agree:\n%s", report)
	}
	return report.Tickets, err
}

// tickets opens so many tickets at the county, several at a time, and returns their numbers.
func (p *pair) tickets(ctx context.Context, count int) ([]string, error) {
	numbers := make([]string, count)
	var made atomic.Int64
	err := crowd(ctx, count, func(ctx context.Context, i int) error {
		ticket, err := p.low.Nodes[i%len(p.low.Nodes)].CreateTicket(ctx, &apipb.CreateTicketRequest{
			RequestId: fmt.Sprintf("pair-%d", i), Ticket: &deskpb.Ticket{Title: fmt.Sprintf("办公网络不通 %d", i)}})
		numbers[i] = ticket.GetNumber()
		made.Add(1)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open tickets at %s, of which %d were there: %w", p.county.id, made.Load(), err)
	}
	return numbers, nil
}

// crowd makes so many calls, several at a time; each is repeated while its site says "not now".
func crowd(ctx context.Context, count int, call func(ctx context.Context, i int) error) error {
	const callers = 64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(callers)
	for i := range count {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error { return insist(ctx, func(ctx context.Context) error { return call(ctx, i) }) })
	}
	return group.Wait()
}

// insist makes a call until it is answered for good.
func insist(ctx context.Context, call func(context.Context) error) error {
	const patience, wait = 2 * time.Minute, 20 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var refused error
	err := poll(ctx, wait, func() error {
		attempt, cancel := context.WithTimeout(ctx, attemptTime)
		defer cancel()
		err := call(attempt)
		switch status.Code(err) {
		case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Aborted:
			return err
		}
		refused = err
		return nil
	})
	return errors.Join(refused, err)
}

// holds tells whether a site is the custodian of a ticket, as the asked node has it, and no hand-over is on its way.
func holds(ctx context.Context, node apipb.TicketsClient, site, number string) (bool, error) {
	ticket, err := node.GetTicket(ctx, &apipb.GetTicketRequest{Number: number, Consistency: "stale"})
	if status.Code(err) == codes.NotFound {
		return false, nil
	}
	return err == nil && ticket.CustodianSite == site && ticket.GetHandover().GetState() == deskpb.Handover_NONE, err
}

// awaitHolder waits until a node shows that a site is the custodian, and returns when that was seen. It looks each
// millisecond.
func awaitHolder(ctx context.Context, node apipb.TicketsClient, site, number string) (time.Time, error) {
	const patience = time.Minute
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%s did not take %s within %s", site, number, patience))
	defer cancel()
	err := poll(ctx, time.Millisecond, func() error {
		there, err := holds(ctx, node, site, number)
		if err == nil && !there {
			err = fmt.Errorf("%s is not at %s yet", number, site)
		}
		return err
	})
	return time.Now(), err
}
