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

// Events returns a ticket's events in journal order (time, site, incarnation, sequence): all of them, because what one of them
// means follows from those before it.
func (r *Reader) Events(number desk.TicketNumber) ([]desk.Sealed, error) {
	var events []desk.Sealed
	err := r.scan(under(journalKey(number)), func(key, value []byte) (bool, error) {
		event, err := decode[deskpb.Event](r, key, value)
		events = append(events, desk.Sealed{Event: event, Raw: bytes.Clone(value)})
		return true, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the events of ticket %s: %w", number, err)
	}
	return events, nil
}

// Event returns the bytes of an event, nil when it is not stored.
func (r *Reader) Event(ref *deskpb.EventRef) (raw []byte, err error) { return r.get(eventKey(ref)) }

// AddEvent stores an event that there can be none with the same id of: this site has just given it the next sequence of its
// incarnation, or Knows says that it is new.
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
