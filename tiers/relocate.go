package tiers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// Bounds of one look at what moves.
const (
	relocations = 64   // tickets that are proposed side by side
	lookedAt    = 4096 // tickets that are read in one view
	unhurried   = 10   // looks between two passes over the tickets of an office where the last pass found nothing
)

// mover does what placements ask of a site while this node leads it: it hands the tickets of an office that leaves to the
// parent, turns queued hand-overs to where they go now, and, at the province, takes each placement its last step. Everything
// it does may be done twice, or by two nodes at once.
type mover struct {
	t *Tiers

	term  uint64
	looks uint64                  // how often it looked, in this term
	clean map[desk.SiteID]visited // offices whose tickets were passed over to the end
}

// visited is a pass over an office's tickets that found nothing to do.
type visited struct {
	version uint64 // of the placement
	look    uint64
}

// Why a stream ends that another one follows.
var (
	errElsewhere   = errors.New("the site was placed elsewhere")
	errCompareAnew = errors.New("an office was placed below the site, and its tickets are compared")
)

// move looks regularly at what placements ask for, until Stop. Streams end at every node, the rest is the leader's.
func (t *Tiers) move() {
	ctx, cancel := t.life(context.Background())
	defer cancel(nil)
	m := &mover{t: t}
	for pause(ctx, t.pace.moves) {
		placements, err := t.placements()
		if err == nil && len(placements) > 0 {
			err = m.look(ctx, placements)
		}
		if err != nil && ctx.Err() == nil {
			t.o.Logger.Warn("cannot go on with a move", "error", err)
		}
	}
}

func (t *Tiers) placements() (placements []*deskpb.Placement, err error) {
	err = t.o.Site.View(func(r *store.Reader) error {
		placements, err = r.Placements()
		return err
	})
	return placements, err
}

func (m *mover) look(ctx context.Context, placements []*deskpb.Placement) error {
	if err := m.dismiss(); err != nil {
		return err
	}
	leading, term, _ := m.t.o.Site.Leading()
	able, err := m.able()
	if !leading || !able || err != nil {
		return err
	}
	if m.clean == nil || m.term != term {
		m.term, m.looks, m.clean = term, 0, map[desk.SiteID]visited{}
	}
	m.looks++
	for _, p := range placements {
		if err := m.handOver(ctx, p); err != nil {
			return fmt.Errorf("hand over the tickets of %s: %w", p.Site, err)
		}
	}
	if err := m.turn(ctx, placements); err != nil {
		return fmt.Errorf("turn queued hand-overs: %w", err)
	}
	return m.conduct(ctx, placements)
}

// able tells whether the site decides on old tickets: it is neither frozen nor recovering.
func (m *mover) able() (able bool, err error) {
	err = m.t.o.Site.View(func(r *store.Reader) error {
		site, err := r.Site()
		able = site != nil && site.Frozen == "" && site.Recovering == 0
		return err
	})
	return able, err
}

// dismiss ends the streams of children that stand elsewhere now, and forgets how their links stood. It also ends those of a
// child below which an office was placed after they began: the next one begins with a comparison.
func (m *mover) dismiss() error {
	t := m.t
	return t.o.Site.View(func(r *store.Reader) error {
		tree, err := newTree(r)
		if err != nil {
			return err
		}
		for _, status := range t.board.list() {
			peer := status.Peer
			if peer == tree.parent() {
				continue
			}
			parent, known, err := tree.parentOf(peer)
			if err != nil {
				return err
			}
			link, err := r.Link(peer)
			if err != nil {
				return err
			}
			t.mu.Lock()
			s := t.sessions[peer]
			t.mu.Unlock()
			switch elsewhere := known && parent != t.o.SiteID; {
			case s != nil && elsewhere:
				s.cancel(errElsewhere)
			case s != nil && s.isBehind(link):
				s.cancel(errCompareAnew)
			case s == nil && elsewhere:
				t.board.forget(peer)
			}
		}
		return nil
	})
}

// handOver relocates to the parent what this site holds and another one must: tickets of an office that leaves or has left,
// and the open ones of this site itself when it closes.
func (m *mover) handOver(ctx context.Context, p *deskpb.Placement) error {
	closing := desk.SiteID(p.Site) == m.t.o.SiteID && closes(p)
	if !closing && !gone(p, m.t.o.SiteID) {
		return nil
	}
	parent := m.t.parent()
	if last, done := m.clean[desk.SiteID(p.Site)]; parent == "" || done && last.version == p.Version && m.looks-last.look < unhurried {
		return nil
	}
	found := false
	for after, more := desk.TicketNumber(""), true; more; more = after != "" {
		var held []desk.TicketNumber
		err := m.t.o.Site.View(func(r *store.Reader) (err error) {
			after, err = r.TicketsOf(desk.SiteID(p.Site), after, lookedAt, func(record *deskpb.Record) (bool, error) {
				if !heldBy(record, m.t.o.SiteID) || closing && !isOpen(record) {
					return true, nil
				}
				found = true
				if !goesTo(record, parent) && record.Detached == 0 {
					held = append(held, desk.TicketNumber(record.Ticket.Number))
				}
				return true, nil
			})
			return err
		})
		if err != nil {
			return err
		}
		if err := m.relocate(ctx, held, parent); err != nil {
			return err
		}
	}
	if !found {
		m.clean[desk.SiteID(p.Site)] = visited{version: p.Version, look: m.looks}
	}
	return nil
}

// gone tells whether the office of a placement leaves a site or left it.
func gone(p *deskpb.Placement, site desk.SiteID) bool {
	if p.Phase == deskpb.Placement_LEAVING && desk.SiteID(p.From) == site {
		return true
	}
	return standsBelow(p) != site && slices.Contains(p.Former, string(site))
}

// goesTo tells whether the ticket waits already for the line to a site above.
func goesTo(record *deskpb.Record, site desk.SiteID) bool {
	handover := record.Ticket.Handover
	return handover.GetState() == deskpb.Handover_QUEUED && handover.ToSite == string(site) && !record.Homeward
}

// heldBy tells whether a site is the ticket's custodian and the ticket is not on its way.
func heldBy(record *deskpb.Record, site desk.SiteID) bool {
	return desk.SiteID(record.Ticket.CustodianSite) == site && record.Ticket.Handover.GetState() != deskpb.Handover_IN_TRANSIT
}

// isOpen tells whether somebody still has to solve the ticket.
func isOpen(record *deskpb.Record) bool { return record.Ticket.State < deskpb.Ticket_RESOLVED }

// relocate proposes the tickets in bounded crowds, so that they share log entries. One that changed meanwhile is refused
// by the log; the next look sees what it is.
func (m *mover) relocate(ctx context.Context, tickets []desk.TicketNumber, to desk.SiteID) error {
	for len(tickets) > 0 && ctx.Err() == nil {
		crowd := tickets[:min(relocations, len(tickets))]
		tickets = tickets[len(crowd):]
		var proposals sync.WaitGroup
		failed := make(chan error, len(crowd))
		for _, number := range crowd {
			proposals.Go(func() {
				err := m.propose(ctx, &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: &deskpb.TicketCommand{
					Number: string(number), Verb: &deskpb.TicketCommand_Relocate{Relocate: &deskpb.Relocate{To: string(to)}},
				}}})
				var refusal *desk.Refusal
				if errors.As(err, &refusal) {
					m.t.o.Logger.Debug("ticket is not relocated now", "ticket", string(number), "reason", refusal.Message)
				} else if err != nil {
					failed <- err
				}
			})
		}
		proposals.Wait()
		select {
		case err := <-failed:
			return err // the log takes nothing now; the next look tries again
		default:
		}
	}
	return nil
}

// propose has the log decide a command; a refusal is an error.
func (m *mover) propose(ctx context.Context, c *deskpb.Command) error {
	ctx, cancel := context.WithTimeout(ctx, m.t.pace.propose)
	defer cancel()
	result, err := m.t.o.Site.Propose(ctx, c)
	if err != nil {
		return err
	}
	return refusalOf(result)
}

// turn has the rules look at hand-overs that wait for a line which is not on their way any more: escalations of an office
// that moved, and what waited at the province to go back to it.
func (m *mover) turn(ctx context.Context, placements []*deskpb.Placement) error {
	var former []string
	for _, p := range placements {
		former = append(former, p.Former...)
	}
	slices.Sort(former)
	for _, site := range slices.Compact(former) {
		var strays []string
		err := m.t.o.Site.View(func(r *store.Reader) (err error) {
			strays, err = straying(r, desk.SiteID(site))
			return err
		})
		if err != nil {
			return err
		}
		if len(strays) == 0 {
			continue
		}
		err = m.propose(ctx, &deskpb.Command{Kind: &deskpb.Command_Revisit{Revisit: &deskpb.Revisit{Peer: site, Tickets: strays}}})
		if err != nil {
			return err
		}
	}
	return nil
}

// straying lists hand-overs that are queued for a site which is not the next one on their way, as many as one command
// takes.
func straying(r *store.Reader, to desk.SiteID) (strays []string, err error) {
	t, err := newTree(r)
	if err != nil {
		return nil, err
	}
	queued, err := r.Handovers(deskpb.Handover_QUEUED, to, lookedAt)
	if err != nil {
		return nil, err
	}
	for _, number := range queued {
		record, err := r.Ticket(number)
		if err != nil {
			return nil, err
		}
		next, err := t.nextHop(record)
		if err != nil {
			return nil, err
		}
		if next != "" && next != to && !record.GetRelocation() {
			strays = append(strays, string(number))
		}
		if len(strays) == maxRevisited {
			break
		}
	}
	return strays, nil
}

// nextHop is where a queued hand-over goes first: the child on the way home, or the parent. Empty where the directory does
// not know.
func (t tree) nextHop(record *deskpb.Record) (desk.SiteID, error) {
	if !record.Homeward {
		return t.parent(), nil
	}
	_, child, err := t.locate(desk.SiteID(record.Ticket.HomeSite))
	return child, err
}
