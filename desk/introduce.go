package desk

import (
	"cmp"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// introduced returns what the author of a ticket says, with what the site's records of the requester and of the unit add
// to it. The requester's is the one that the author names, or the only one with the telephone number; when that is a
// unit's, somebody of the unit reports. The ticket names only a person's record.
func (w *writer) introduced(asked *deskpb.Ticket) (*deskpb.Ticket, error) {
	said := asked.GetRequester()
	found, err := w.customer(said)
	if err != nil {
		return nil, err
	}
	person := found
	if found.GetKind() == deskpb.Customer_UNIT {
		person = nil
	}
	unit, err := w.unit(said, found)
	if err != nil {
		return nil, err
	}
	if person == nil && unit == nil && said.GetId() == "" {
		return asked, nil
	}
	p, err := w.policy()
	if err != nil {
		return nil, err
	}
	var phone string
	if len(found.GetPhones()) > 0 {
		phone = found.GetPhones()[0]
	}
	class := said.GetClass()
	if person != nil || unit != nil && class == "" {
		class = ClassWithin(p, person, unit, w.at.Time)
	}
	asked = proto.CloneOf(asked)
	asked.Requester = &deskpb.Requester{
		Name:  cmp.Or(said.GetName(), person.GetName()),
		Unit:  cmp.Or(unit.GetName(), said.GetUnit(), person.GetUnit()),
		Phone: cmp.Or(said.GetPhone(), phone),
		Email: cmp.Or(said.GetEmail(), found.GetEmail()),
		User:  cmp.Or(said.GetUser(), person.GetUser()),
		Id:    person.GetId(),
		Class: class,
	}
	return asked, nil
}

// unit finds the site's record of the requester's unit, nil when there is none: the unit that the author names, else the
// one that was found or that the record which was found names.
func (w *writer) unit(said *deskpb.Requester, found *deskpb.Customer) (*deskpb.Customer, error) {
	if said.GetUnit() == "" && found.GetKind() == deskpb.Customer_UNIT {
		return found, nil
	}
	name := cmp.Or(said.GetUnit(), found.GetUnit())
	if name == "" {
		return nil, nil
	}
	unit, err := w.view.Unit(name)
	if err != nil {
		return nil, fmt.Errorf("read unit %q: %w", name, err)
	}
	return unit, nil
}

// customer finds the site's record of a requester, nil when there is none. A ticket that continues one of another site may
// name a record of that site: then its words count. Without words, an id that is not known is a slip.
func (w *writer) customer(said *deskpb.Requester) (*deskpb.Customer, error) {
	if id := said.GetId(); id != "" {
		known, err := w.view.Customer(id)
		if err != nil {
			return nil, fmt.Errorf("read requester %q: %w", id, err)
		}
		if known == nil && said.GetName() == "" {
			return nil, RefuseField("ticket.requester.id", "%q is not known at %s; leave it out or register the requester", id, w.here.Site)
		}
		return known, nil
	}
	digits := PhoneDigits(said.GetPhone())
	if digits == "" {
		return nil, nil
	}
	known, err := w.view.CustomerByPhone(digits)
	if err != nil {
		return nil, fmt.Errorf("look for a requester by telephone number: %w", err)
	}
	if isGuest(w.asker) || w.byRequester() && known.GetUser() != w.actor {
		return nil, nil // another one's record is none of a requester's business
	}
	if known.GetKind() != deskpb.Customer_UNIT && said.GetName() != "" && known.GetName() != said.GetName() {
		return nil, nil // a colleague calls from the same telephone
	}
	return known, nil
}
