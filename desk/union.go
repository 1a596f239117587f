package desk

import (
	"bytes"
	"cmp"
	"errors"
	"slices"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Union returns the record that a set of distinct events of one ticket comes to, in whatever order they are given; nil
// when none of them opens the ticket. Adding events to the set one by one with Fold, wherever Follows allows it, comes to
// the same record.
//
// Custodial events form a tree, since each names the hash of the one before it. A chain of it is valid when each of its
// events folds onto what those before it came to. The valid chain whose last event is greatest by (term, reclaim, index,
// hash) is the ticket. All other custodial events that stand on an OPENED are superseded: work that counts for nothing
// any more, kept under its own ids. Those that stand on an event which is not in the set are detached, as long as they are
// greater than the ticket's head: what is missing could make them the ticket. The others are superseded, whatever comes.
//
// It returns ErrUnknown, wrapped, when an event needs a later version, and ErrUnfit, wrapped, when one is of another
// ticket.
func Union(events []Sealed) (*deskpb.Record, error) {
	h, err := arrange(events)
	if err != nil || h.last == nowhere {
		return nil, err
	}
	record := h.steps[h.last].record
	for i, event := range events {
		switch {
		case h.steps[i].chosen:
			continue
		case event.GetClass() == deskpb.Event_REMARK:
			foldRemark(record, event)
		case h.steps[i].rooted || !outranks(event, h.steps[i].hash, record):
			record.Superseded++
		default:
			record.Detached++
		}
		include(record, event, h.steps[i].hash)
	}
	return record, nil
}

// Follows tells whether Fold alone keeps the record equal to the Union of its events and this one: a remark, or a
// custodial event exactly on the head while none is detached. (What stands on that event and was superseded stays so: it
// is below the head, and custody never falls along a chain.) Whether the author had the right to decide it is another
// question, see Authority.
func Follows(record *deskpb.Record, event Sealed) bool {
	if record == nil || event.GetClass() != deskpb.Event_CUSTODIAL {
		return record != nil
	}
	return record.GetDetached() == 0 && onHead(record, event)
}

// nowhere is the place of no event.
const nowhere = -1

// history is a set of events with their tree.
type history struct {
	steps []step // one for each event, in the order given
	last  int    // the greatest event of a valid chain, nowhere without one
}

// step is what one event is in its history.
type step struct {
	hash   []byte
	before int            // the event that a rooted custodial event follows, nowhere for OPENED
	record *deskpb.Record // of the valid chain that ends here, as long as it is needed; nil when there is none
	rooted bool           // the event stands on an OPENED
	chosen bool           // the event belongs to the chain that is the ticket
}

// arrange builds the tree of the events from its roots upward and chooses the chain.
func arrange(events []Sealed) (history, error) {
	h := history{steps: make([]step, len(events)), last: nowhere}
	following := map[string][]int{} // custodial events by the hash that they follow; OPENED follows none
	for i, event := range events {
		h.steps[i] = step{hash: Hash(event.Raw), before: nowhere}
		if err := foldable(event); err != nil {
			return history{}, err
		}
		if event.GetTicket() != events[0].GetTicket() {
			return history{}, unfit(event, "it stands among events of ticket %s", events[0].GetTicket())
		}
		if event.GetClass() == deskpb.Event_CUSTODIAL {
			following[string(event.GetPrevious())] = append(following[string(event.GetPrevious())], i)
		}
	}
	due := []int{nowhere}
	for len(due) > 0 {
		before := due[len(due)-1]
		due = due[:len(due)-1]
		next := following[h.hashAt(before)]
		for _, i := range next {
			if err := h.grow(events[i], i, before); err != nil {
				return history{}, err
			}
		}
		// Whoever stands on an event is greater than it, so only the greatest one's record is still needed.
		if before != nowhere && before != h.last {
			h.steps[before].record = nil
		}
		due = append(due, next...)
	}
	for _, i := range h.chain() {
		h.steps[i].chosen = true
	}
	return h, nil
}

// hashAt returns the hash that events behind the one at i name; empty before the first.
func (h *history) hashAt(i int) string {
	if i == nowhere {
		return ""
	}
	return string(h.steps[i].hash)
}

// grow adds the custodial event at i to the tree behind the one before it.
func (h *history) grow(event Sealed, i, before int) error {
	s := &h.steps[i]
	s.rooted, s.before = true, before
	var record *deskpb.Record
	if before != nowhere {
		record = h.steps[before].record
	}
	next, err := fold(record, event, s.hash)
	if errors.Is(err, ErrUnfit) {
		return nil
	}
	if err != nil {
		return err
	}
	s.record = next
	if h.last == nowhere || compareHeads(next, h.steps[h.last].record) > 0 {
		h.last = i
	}
	return nil
}

// chain returns the places of the events that are the ticket, OPENED first.
func (h *history) chain() []int {
	var places []int
	for i := h.last; i != nowhere; i = h.steps[i].before {
		places = append(places, i)
	}
	slices.Reverse(places)
	return places
}

// outranks tells whether a custodial event would be the ticket's head if it ended a valid chain.
func outranks(event Sealed, hash []byte, head *deskpb.Record) bool {
	return cmp.Or(
		cmp.Compare(event.GetCustodyTerm(), head.GetTicket().GetCustodyTerm()),
		cmp.Compare(event.GetReclaim(), head.GetReclaim()),
		cmp.Compare(event.GetIndex(), head.GetLength()),
		bytes.Compare(hash, head.GetHead())) > 0
}

// compareHeads orders the ends of valid chains: the greater one is the ticket.
func compareHeads(a, b *deskpb.Record) int {
	return cmp.Or(
		cmp.Compare(a.GetTicket().GetCustodyTerm(), b.GetTicket().GetCustodyTerm()),
		cmp.Compare(a.GetReclaim(), b.GetReclaim()),
		cmp.Compare(a.GetLength(), b.GetLength()),
		bytes.Compare(a.GetHead(), b.GetHead()))
}
