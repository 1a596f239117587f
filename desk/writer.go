package desk

import (
	"cmp"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// writer writes the events of one decision. Each event is completed, sealed and folded before the next one is drafted,
// so record is always the ticket as it stands.
type writer struct {
	here    Here
	view    View
	at      Stamp
	asker   *deskpb.Actor      // who asks; nil when the site decides by itself
	actor   string             // whose events they are, unless a draft says otherwise
	request *deskpb.RequestKey // goes with the first event
	record  *deskpb.Record     // nil until the ticket is opened
	path    []string           // what the events carry, home first; locate finds it
	astray  bool               // the ticket's office has moved, and its path leads past this site now
	events  []Sealed

	beside    []*Decision // on other tickets, in the same stroke
	elsewhere int         // how many events those have
}

func (w *writer) decision() *Decision {
	return &Decision{Record: w.record, Events: w.events, Beside: w.beside}
}

func (w *writer) ticket() *deskpb.Ticket { return w.record.GetTicket() }

func (w *writer) number() string { return w.ticket().GetNumber() }

// custodial appends a change of the ticket. The draft names type and body; hand-overs also from, to and the custody
// term that they create, 0 for the present one. A new term begins without an override, unless the draft says otherwise.
func (w *writer) custodial(draft *deskpb.Event) error {
	draft.Class = deskpb.Event_CUSTODIAL
	draft.Visibility = deskpb.Event_EVERYONE
	if draft.CustodyTerm == 0 {
		draft.CustodyTerm = w.ticket().GetCustodyTerm()
		draft.Reclaim = max(draft.Reclaim, w.record.GetReclaim())
	}
	draft.Index = w.record.GetLength() + 1
	draft.Previous = w.record.GetHead()
	draft.Time = max(w.at.Time, w.record.GetHeadTime()+1)
	if err := w.foresee(draft); err != nil {
		return err
	}
	if err := w.remindLater(draft); err != nil {
		return err
	}
	return w.append(draft)
}

// remark appends an event that changes nothing that a custodial event changes. The draft names type, body, visibility, and
// the time before which it is not said, 0 for now.
func (w *writer) remark(draft *deskpb.Event) error {
	draft.Class = deskpb.Event_REMARK
	draft.CustodyTerm = w.ticket().GetCustodyTerm()
	draft.Reclaim = w.record.GetReclaim()
	draft.Time = max(draft.Time, w.at.Time, w.record.GetLastTime())
	return w.append(draft)
}

// sequence is that of the next event, on whichever ticket: the site's time in microseconds, and more than any before, so
// that a machine that was rolled back without knowing never gives an id out twice.
func (w *writer) sequence() uint64 {
	return max(w.here.Sequence+1, uint64(w.at.Time)) + uint64(len(w.events)+w.elsewhere)
}

// append completes an event and folds it.
func (w *writer) append(draft *deskpb.Event) error {
	draft.Ticket = cmp.Or(draft.Ticket, w.number())
	draft.Id = &deskpb.EventID{
		Site:        string(w.here.Site),
		Incarnation: w.here.Incarnation,
		Sequence:    w.sequence(),
	}
	draft.Path = slices.Clone(w.path)
	draft.Schema = Schema
	if draft.Actor == "" && !isSite(w.asker) {
		draft.Actor, draft.Role, draft.Address = w.actor, w.asker.GetRole(), w.asker.GetAddress()
	}
	if len(w.events) == 0 && w.request.GetId() != "" {
		draft.Request = proto.CloneOf(w.request)
	}
	if err := w.tellNames(draft); err != nil {
		return err
	}
	next, err := follow(w.record, Sealed{Event: draft})
	if err != nil {
		return fmt.Errorf("fold own event: %w", err)
	}
	if draft.GetClass() == deskpb.Event_CUSTODIAL {
		change(next, draft)
		if err := w.addClocks(next, draft); err != nil {
			return err
		}
	}
	sealed, err := Seal(draft)
	if err != nil {
		return err
	}
	complete(next, sealed, Hash(sealed.Raw))
	w.record, w.events = next, append(w.events, sealed)
	return nil
}

// holds tells whether the site is the ticket's custodian and the ticket is not on its way.
func holds(here Here, r *deskpb.Record) bool {
	t := r.GetTicket()
	if Broken(FreezeInTransit) && r.GetFromSite() == string(here.Site) {
		return true
	}
	return t.GetCustodianSite() == string(here.Site) && t.GetHandover().GetState() != deskpb.Handover_IN_TRANSIT
}

func (w *writer) holds() bool { return holds(w.here, w.record) }

func (w *writer) atHome() bool { return w.ticket().GetHomeSite() == string(w.here.Site) }

func (w *writer) handover() deskpb.Handover_State { return w.ticket().GetHandover().GetState() }

// isOpen tells whether somebody still has to solve the ticket.
func isOpen(state deskpb.Ticket_State) bool {
	return state >= deskpb.Ticket_NEW && state <= deskpb.Ticket_ON_HOLD
}

// lastStation returns where the ticket came from last, nil when nobody escalated it.
func lastStation(r *deskpb.Record) *deskpb.Station {
	if len(r.GetRoute()) == 0 {
		return nil
	}
	return r.Route[len(r.Route)-1]
}
