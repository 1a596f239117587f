package store

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// Sum is a sum of hashes modulo 2^128, the same in whatever order they were added.
type Sum struct{ low, high uint64 }

// Add adds up to 16 bytes, read as a little-endian number.
func (s *Sum) Add(hash []byte) {
	var wide [16]byte
	copy(wide[:], hash)
	var carry uint64
	s.low, carry = bits.Add64(s.low, binary.LittleEndian.Uint64(wide[:8]), 0)
	s.high, _ = bits.Add64(s.high, binary.LittleEndian.Uint64(wide[8:]), carry)
}

// Bytes returns the sum as 16 bytes, little-endian.
func (s Sum) Bytes() []byte {
	out := binary.LittleEndian.AppendUint64(make([]byte, 0, 16), s.low)
	return binary.LittleEndian.AppendUint64(out, s.high)
}

// Holding is what tells the events of one ticket from those that another site has of it.
type Holding struct {
	Number desk.TicketNumber
	Events uint32 // how many the site has
	Sum    []byte // of their hashes, see deskpb.Record
	Open   bool   // somebody still has to solve the ticket
}

// Holdings visits the tickets whose numbers are at least from and below to ("" is the end), in their order, until visit
// returns false. It does not decode the records. skip may be returned to go on at a later number, "" goes on with the next.
func (r *Reader) Holdings(from, to desk.TicketNumber, visit func(Holding) (skip desk.TicketNumber, more bool, err error)) error {
	for again := true; again; {
		again = false
		lower, upper := ticketKey(from), family(familyTicket).End()
		if to != "" {
			upper = ticketKey(to)
		}
		err := r.scan(between(lower, upper), func(key, value []byte) (bool, error) {
			h, err := r.holding(key, value)
			if err != nil {
				return false, err
			}
			skip, more, err := visit(h)
			if err != nil || !more || skip == "" {
				return more, err
			}
			from, again = skip, true
			return false, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// The fields of a deskpb.Record, and of its ticket, that a holding is made of.
const (
	recordTicket = 1
	recordEvents = 12
	recordSum    = 13
	ticketState  = 3
)

// holding reads the few fields that count, among many that do not.
func (r *Reader) holding(key keys.Key, value []byte) (Holding, error) {
	d := keys.Decode(key)
	d.Byte()
	h := Holding{Number: desk.TicketNumber(d.Text())}
	if err := d.Done(); err != nil {
		return h, &corruptError{path: r.path, cause: err}
	}
	whole := eachField(value, func(number protowire.Number, varint uint64, text []byte) bool {
		switch number {
		case recordEvents:
			h.Events = uint32(varint)
		case recordSum:
			h.Sum = append([]byte{}, text...)
		case recordTicket:
			return eachField(text, func(number protowire.Number, varint uint64, _ []byte) bool {
				if number == ticketState {
					state := deskpb.Ticket_State(varint)
					h.Open = state >= deskpb.Ticket_NEW && state <= deskpb.Ticket_ON_HOLD
				}
				return number < ticketState
			})
		}
		return true
	})
	if !whole {
		return h, r.brokenRecord(key)
	}
	return h, nil
}

// eachField visits the fields of an encoded message as long as visit returns true: varints by their number, what has a
// length by its bytes. false means that the message is broken.
func eachField(message []byte, visit func(number protowire.Number, varint uint64, text []byte) (more bool)) bool {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return false
		}
		message = message[n:]
		var varint uint64
		var text []byte
		switch kind {
		case protowire.VarintType:
			varint, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			text, n = protowire.ConsumeBytes(message)
		default:
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return false
		}
		message = message[n:]
		if !visit(number, varint, text) {
			return true
		}
	}
	return true
}

func (r *Reader) brokenRecord(key keys.Key) error {
	return &corruptError{path: r.path, cause: fmt.Errorf("row %x: it is not a record", []byte(key))}
}

// EventByID returns the bytes of the event that is stored under the id, nil when there is none.
func (r *Reader) EventByID(id *deskpb.EventID) ([]byte, error) {
	ref, err := r.whereIs(id)
	if ref == nil || err != nil {
		return nil, err
	}
	return r.Event(ref)
}

// whereIs returns where an event stands in the journal, nil when it is not stored.
func (r *Reader) whereIs(id *deskpb.EventID) (*deskpb.EventRef, error) {
	known, err := r.get(eventIDKey(id))
	if known == nil || err != nil {
		return nil, err
	}
	d := keys.Decode(known)
	ref := &deskpb.EventRef{
		Ticket: d.Text(), Time: d.Int64(), Site: id.GetSite(), Incarnation: id.GetIncarnation(), Sequence: id.GetSequence(),
	}
	if err := d.Done(); err != nil {
		return nil, &corruptError{path: r.path, cause: err}
	}
	return ref, nil
}

func unopenedKey(number desk.TicketNumber) keys.Key {
	return keys.Build(familyUnopened).Text(string(number)).Key()
}

// Unopened tells whether events of the ticket are stored although the one that opens it is not: there is no record.
func (r *Reader) Unopened(number desk.TicketNumber) (bool, error) {
	value, err := r.get(unopenedKey(number))
	return value != nil, err
}

// SetUnopened notes whether the ticket has events and no record.
func (b *Batch) SetUnopened(number desk.TicketNumber, unopened bool) error {
	if unopened {
		return b.set(unopenedKey(number), nil)
	}
	return b.delete(unopenedKey(number))
}

// DeleteSessions signs everybody out.
func (b *Batch) DeleteSessions() error {
	return b.deleteSessions(under(family(familySession)), func(row []byte) (string, error) {
		d := keys.Decode(row)
		d.Byte()
		return d.Text(), d.Done()
	})
}
