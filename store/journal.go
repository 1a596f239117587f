package store

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// ErrConflict is wrapped when an event has the id of a stored one but other bytes. No honest history has two such events.
var ErrConflict = errors.New("another event with the same id is stored")

// Events returns a ticket's events in journal order (time, site, incarnation, sequence), with the cursor for the next page,
// nil at the end. limit is at least 1.
func (r *Reader) Events(number desk.TicketNumber, after []byte, limit int) ([]desk.Sealed, []byte, error) {
	var events []desk.Sealed
	next, err := r.page(journalKey(number), after, false, limit, func(cursor, value []byte) error {
		event, err := decode[deskpb.Event](r, cursor, value)
		events = append(events, desk.Sealed{Event: event, Raw: bytes.Clone(value)})
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return events, next, nil
}

// Event returns the bytes of an event, nil when it is not stored.
func (r *Reader) Event(ref *deskpb.EventRef) (raw []byte, err error) { return r.get(eventKey(ref)) }

// AddEvent stores an event that this site has just given the next sequence of its incarnation, so that there can be none
// with the same id.
func (b *Batch) AddEvent(event desk.Sealed) error {
	ref := refer(event)
	if err := b.set(eventIDKey(event.GetId()), keys.Key{}.Text(ref.Ticket).Int64(ref.Time)); err != nil {
		return err
	}
	return b.set(eventKey(ref), event.Raw)
}

// refer names an event.
func refer(event desk.Sealed) *deskpb.EventRef {
	id := event.GetId()
	return &deskpb.EventRef{
		Ticket: event.GetTicket(), Time: event.GetTime(),
		Site: id.GetSite(), Incarnation: id.GetIncarnation(), Sequence: id.GetSequence(),
	}
}

// PutEvent stores an event; false when the very same event is there already. The errors are those of Knows.
func (b *Batch) PutEvent(event desk.Sealed) (bool, error) {
	known, err := b.Knows(event)
	if known || err != nil {
		return false, err
	}
	return true, b.AddEvent(event)
}

// Knows tells whether the very same event is stored. An equal id with other bytes is ErrConflict, even under another ticket
// or time, which are among the bytes. The event must be one that desk opened or sealed.
func (b *Batch) Knows(event desk.Sealed) (bool, error) {
	there, err := b.whereIs(event.GetId())
	if there == nil || err != nil {
		return false, err
	}
	raw, err := b.Event(there)
	if err != nil {
		return false, err
	}
	if !bytes.Equal(raw, event.Raw) {
		id := event.GetId()
		return false, fmt.Errorf("event %s/%016x/%d of ticket %s: %w, of ticket %s", id.GetSite(), id.GetIncarnation(), id.GetSequence(),
			event.GetTicket(), ErrConflict, there.GetTicket())
	}
	return true, nil
}
