package tiers

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// Bounds of a comparison. What both ends hold in memory for one link follows from them.
const (
	maxAsked     = 8         // questions of the child that wait for their answer
	maxScan      = 4096      // tickets read in one view of the state
	maxRanges    = 64        // ranges in one question
	maxParts     = 16        // parts of a range that has to be looked at more closely
	maxListed    = 64        // tickets of a range that is small enough to name them
	maxLater     = 100_000   // closed tickets that wait until all open ones were exchanged
	maxHoldings  = 64        // tickets in one question for their events
	holdingBytes = 64 << 10  // names of events in one question, but at least one ticket
	giftBytes    = 256 << 10 // events in one gift and one command, but at least one
	nameWidth    = 8         // bytes of an event's hash that name it among those of its ticket
)

// scope tells which tickets a comparison with a neighbour is about: those whose home lies below the child, or, at the
// child, all that are not of another part of the tree; and what the child still has of offices that left it.
type scope struct {
	tree   tree
	peer   desk.SiteID
	shares map[string]share // what was found out about a home
}

// share is what a comparison does with the tickets of a home.
type share int

const (
	apart  share = iota // they are not of the comparison
	common              // both ends shall have the same
	left                // the child was left by the home: what the parent lacks is taken from it, and nothing is given to it
)

func newScope(r *store.Reader, peer desk.SiteID) (*scope, error) {
	t, err := newTree(r)
	if err != nil {
		return nil, err
	}
	return &scope{tree: t, peer: peer, shares: map[string]share{}}, nil
}

// includes tells how a ticket is of the comparison. When it is not, none of its home is, and skip is the number behind all
// of them.
func (s *scope) includes(number desk.TicketNumber) (found share, skip desk.TicketNumber, err error) {
	home, _, _ := strings.Cut(string(number), "-")
	found, known := s.shares[home]
	if !known {
		if found, err = s.share(desk.SiteID(home)); err != nil {
			return apart, "", err
		}
		s.shares[home] = found
	}
	if found == apart {
		skip = desk.TicketNumber(home + ".") // the character behind the hyphen
	}
	return found, skip, nil
}

func (s *scope) share(home desk.SiteID) (share, error) {
	where, below, err := s.tree.locate(home)
	if err != nil {
		return apart, err
	}
	child, both := s.peer, below == s.peer
	if s.peer == s.tree.parent() {
		child, both = s.tree.self(), where != elsewhere
	}
	if both {
		return common, nil
	}
	former, err := s.tree.formerly(home, child)
	if err != nil || !former {
		return apart, err
	}
	return left, nil
}

// eachHolding visits what this site holds of each ticket of the comparison, in the order of their numbers, from one number
// up to another ("" is the end), until visit returns false. It reads the state in pages, each in a view of its own.
func (s *session) eachHolding(ctx context.Context, from, to string, visit func(store.Holding) (more bool, err error)) error {
	for next := desk.TicketNumber(from); ctx.Err() == nil; {
		seen, again := 0, false
		err := s.t.o.Site.View(func(r *store.Reader) error {
			about, err := newScope(r, s.peer)
			if err != nil {
				return err
			}
			return r.Holdings(next, desk.TicketNumber(to), func(h store.Holding) (desk.TicketNumber, bool, error) {
				if seen == maxScan {
					next, again = h.Number, true
					return "", false, nil
				}
				seen++
				included, skip, err := about.includes(h.Number)
				if err != nil || included == apart {
					return skip, true, err
				}
				more, err := visit(h)
				return "", more, err
			})
		})
		if err != nil || !again {
			return err
		}
	}
	return ctx.Err()
}

// digest names the set of events that a site holds of a ticket.
func digest(h store.Holding) []byte {
	text := append([]byte(h.Number), 0)
	text = binary.LittleEndian.AppendUint32(text, h.Events)
	return desk.Hash(append(text, h.Sum...))
}

// census counts the tickets of a range. It keeps them by blocks of maxListed, so that the range can be divided into parts
// of about the same size.
type census struct {
	from, to string
	tickets  uint32
	sum      store.Sum
	blocks   []block
	listed   []*linkpb.TicketDigest // the tickets, as long as there are not too many
}

// block is up to maxListed tickets in a row.
type block struct {
	from    string
	tickets uint32
	sum     store.Sum
}

func (c *census) add(h store.Holding) {
	d := digest(h)
	if c.tickets%maxListed == 0 {
		c.blocks = append(c.blocks, block{from: string(h.Number)})
	}
	last := &c.blocks[len(c.blocks)-1]
	last.tickets++
	last.sum.Add(d)
	c.tickets++
	c.sum.Add(d)
	if c.tickets <= maxListed {
		c.listed = append(c.listed, &linkpb.TicketDigest{Ticket: string(h.Number), Events: h.Events, Sum: h.Sum, Open: h.Open})
	}
}

// whole is the range as one.
func (c *census) whole() *linkpb.Range {
	return &linkpb.Range{From: c.from, To: c.to, Tickets: c.tickets, Sum: c.sum.Bytes()}
}

// parts divides the range into at most maxParts, which together are the whole of it.
func (c *census) parts() []*linkpb.Range {
	var parts []*linkpb.Range
	each := (len(c.blocks) + maxParts - 1) / maxParts
	for begin := 0; begin < len(c.blocks); begin += each {
		part := census{from: c.blocks[begin].from, to: c.to}
		if begin == 0 {
			part.from = c.from
		}
		end := min(begin+each, len(c.blocks))
		if end < len(c.blocks) {
			part.to = c.blocks[end].from
		}
		for _, b := range c.blocks[begin:end] {
			part.tickets += b.tickets
			part.sum.Add(b.sum.Bytes())
		}
		parts = append(parts, part.whole())
	}
	return parts
}

// tally counts the tickets of a range as this site holds them.
func (s *session) tally(ctx context.Context, from, to string) (*census, error) {
	c := &census{from: from, to: to}
	err := s.eachHolding(ctx, from, to, func(h store.Holding) (bool, error) {
		c.add(h)
		return true, nil
	})
	if err != nil {
		return nil, fmt.Errorf("count the tickets from %q to %q: %w", from, to, err)
	}
	return c, nil
}

// same tells whether two ends hold the same in a range.
func same(a, b *linkpb.Range) bool { return a.Tickets == b.Tickets && string(a.Sum) == string(b.Sum) }

// sameTicket tells whether two ends hold the same of a ticket.
func sameTicket(h store.Holding, d *linkpb.TicketDigest) bool {
	return h.Events == d.Events && string(h.Sum) == string(d.Sum)
}
