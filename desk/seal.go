package desk

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

const (
	// Schema is the highest event schema that this package writes and folds.
	Schema = 1

	hashSize = 16
	// maxTime is the end of the year 9999, the last moment that a protobuf Timestamp can say.
	maxTime = 253402300799_999_999
)

// Hash names the bytes of an event in the chain of custodial events: the first 16 bytes of their SHA-256.
func Hash(raw []byte) []byte {
	sum := sha256.Sum256(raw)
	return sum[:hashSize]
}

// Seal writes the event's bytes. It refuses an envelope that Open would refuse; that is a fault of the author.
func Seal(event *deskpb.Event) (Sealed, error) {
	if err := checkEnvelope(event); err != nil {
		return Sealed{}, fmt.Errorf("seal event %s: %w", EventName(event.GetId()), err)
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(event)
	if err != nil {
		return Sealed{}, fmt.Errorf("seal event %s: %w", EventName(event.GetId()), err)
	}
	return Sealed{Event: event, Raw: raw}, nil
}

// Open parses the bytes of an event and checks its envelope. It accepts event types and schemas that it does not know,
// so that they can be kept and relayed; Fold refuses those. The result keeps raw, which must not change any more.
func Open(raw []byte) (Sealed, error) {
	event := new(deskpb.Event)
	// The decoder's own error is not repeated: its wording differs between builds, and this one may be stored.
	if err := proto.Unmarshal(raw, event); err != nil {
		return Sealed{}, errors.New("open event: the bytes are not a protobuf event")
	}
	if err := checkEnvelope(event); err != nil {
		return Sealed{}, fmt.Errorf("open event %s: %w", EventName(event.GetId()), err)
	}
	return Sealed{Event: event, Raw: raw}, nil
}

// checkEnvelope checks what every site may rely on without understanding the event's type.
func checkEnvelope(e *deskpb.Event) error {
	number, err := ParseNumber(TicketNumber(e.GetTicket()))
	if err != nil {
		return err
	}
	switch id := e.GetId(); {
	case !SiteID(id.GetSite()).Valid():
		return fmt.Errorf("site %q of the id cannot name a site", id.GetSite())
	case id.GetIncarnation() == 0 || id.GetSequence() == 0:
		return errors.New("incarnation and sequence of the id start at 1")
	case e.GetVisibility() == deskpb.Event_VISIBILITY_UNSPECIFIED:
		return errors.New("it does not say who may see it")
	case e.GetCustodyTerm() == 0 || e.GetSchema() == 0:
		return errors.New("custody term and schema start at 1")
	case e.GetTime() <= 0 || e.GetTime() > maxTime:
		return fmt.Errorf("time %d is outside of 1970 to 9999", e.GetTime())
	}
	if err := checkPath(e.GetPath(), number.Site); err != nil {
		return err
	}
	if err := checkClass(e); err != nil {
		return err
	}
	if e.GetType() == deskpb.Event_OPENED {
		return checkOpened(e)
	}
	return nil
}

// checkPath holds when the path starts at the ticket's home and visits no site twice.
func checkPath(path []string, home SiteID) error {
	if len(path) == 0 || path[0] != string(home) {
		return fmt.Errorf("path %q does not start at the home site %s", path, home)
	}
	for i, site := range path {
		if !SiteID(site).Valid() || slices.Contains(path[:i], site) {
			return fmt.Errorf("path %q names %q, which is no site or was there before", path, site)
		}
	}
	return nil
}

// checkClass holds when type, class and position fit: custodial events form a chain, remarks stand alone.
func checkClass(e *deskpb.Event) error {
	if want := classOf(e.GetType()); want != deskpb.Event_CLASS_UNSPECIFIED && e.GetClass() != want {
		return fmt.Errorf("an event of type %s is of class %s, not %s", e.GetType(), want, e.GetClass())
	}
	switch e.GetClass() {
	case deskpb.Event_CUSTODIAL:
		first := e.GetIndex() == 1
		switch {
		case e.GetIndex() == 0:
			return errors.New("the index of a custodial event starts at 1")
		case first != (e.GetType() == deskpb.Event_OPENED):
			return fmt.Errorf("custodial event %d is %s; OPENED is the first and the first only", e.GetIndex(), e.GetType())
		case first && len(e.GetPrevious()) != 0, !first && len(e.GetPrevious()) != hashSize:
			return fmt.Errorf("custodial event %d follows a hash of %d bytes", e.GetIndex(), len(e.GetPrevious()))
		}
	case deskpb.Event_REMARK:
		if e.GetIndex() != 0 || len(e.GetPrevious()) != 0 {
			return errors.New("a remark has no place among the custodial events")
		}
	default:
		return fmt.Errorf("class %s is unknown", e.GetClass())
	}
	return nil
}

// checkOpened holds when the ticket is the one that the envelope speaks of, opened by its home site.
func checkOpened(e *deskpb.Event) error {
	t := e.GetBody().GetOpened().GetTicket()
	if t.GetNumber() != e.GetTicket() || e.GetId().GetSite() != e.GetPath()[0] {
		return fmt.Errorf("%s opens ticket %q under the number %s", e.GetId().GetSite(), t.GetNumber(), e.GetTicket())
	}
	return nil
}

// classOf returns the class of a known type, CLASS_UNSPECIFIED for a type of a later schema.
func classOf(t deskpb.Event_Type) deskpb.Event_Class {
	switch {
	case t >= deskpb.Event_OPENED && t <= deskpb.Event_RESPONDED:
		return deskpb.Event_CUSTODIAL
	case t >= deskpb.Event_NOTED && t <= deskpb.Event_RATED:
		return deskpb.Event_REMARK
	default:
		return deskpb.Event_CLASS_UNSPECIFIED
	}
}
