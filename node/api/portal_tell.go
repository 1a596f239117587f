package api

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// telling tells a ticket as its requester sees it: whoever looks, only what everybody may see of it is told.
type telling struct {
	reader *store.Reader
	sight  sight
	ticket *deskpb.Ticket
	names  map[string]string // how the people of this site are called by their accounts, as far as they were looked up
}

// problem tells where a ticket stands, with its journal.
func (t *telling) problem(record *deskpb.Record, journal []desk.JournalEntry) (*apipb.Problem, error) {
	ticket := record.GetTicket()
	p := &apipb.Problem{
		Number: ticket.GetNumber(), State: ticket.GetState(), Title: ticket.GetTitle(), Description: ticket.GetDescription(),
		Application: ticket.GetApplication(), HomeSite: ticket.GetHomeSite(),
		Handover: ticket.GetHandover().GetState(), ToSite: ticket.GetHandover().GetToSite(),
		OpenTime: ticket.GetOpenTime(), ResolveTime: ticket.GetResolveTime(), CloseTime: ticket.GetCloseTime(),
		AutoCloseTime: ticket.GetAutoCloseTime(), Solution: ticket.GetResolution().GetText(), Satisfaction: ticket.GetSatisfaction(),
		Urges: ticket.GetUrgeCount(), Hold: t.hold(ticket), Wished: wished(ticket), Merged: ticket.GetMergedInto() != "",
	}
	p.DueTime, p.Paused = promised(ticket)
	var err error
	if p.Now, err = t.station(ticket.GetCustodianSite(), ticket.GetLine(), ticket.GetAssignee()); err != nil {
		return nil, err
	}
	if err := t.tell(p, journal); err != nil {
		return nil, err
	}
	here, err := tiers.Here(t.reader)
	if err != nil {
		return nil, err
	}
	verbs, _ := desk.VerbsFor(here, t.sight.policy, t.sight.actor, record)
	for _, name := range verbNames(verbs) {
		if slices.Contains([]string{"reply", "attach", "urge", "confirm", "reopen", "cancel", "rate"}, name) {
			p.Verbs = append(p.Verbs, name)
		}
	}
	return p, nil
}

// station names where a ticket is and who has it there.
func (t *telling) station(site string, line deskpb.Ticket_Line, user string) (*apipb.Station, error) {
	person, err := t.person(site, user)
	return &apipb.Station{Site: site, Line: line, Person: person}, err
}

// person is how somebody is called, as the ticket tells or, of this site's people, the account; empty where neither does.
func (t *telling) person(site, user string) (string, error) {
	if name := desk.NameOf(t.ticket, site, user); name != "" || user == "" || site != string(t.sight.site) {
		return name, nil
	}
	if name, known := t.names[user]; known {
		return name, nil
	}
	account, err := t.reader.User(desk.UserID(user))
	if err != nil {
		return "", fmt.Errorf("read the account of %s: %w", user, err)
	}
	t.names[user] = account.GetDisplayName()
	return t.names[user], nil
}

// hold is why the work stands still, nil while it does not.
func (t *telling) hold(ticket *deskpb.Ticket) *apipb.Choice {
	if ticket.GetState() != deskpb.Ticket_ON_HOLD {
		return nil
	}
	reason := &apipb.Choice{Name: ticket.GetHoldReason()}
	for _, known := range t.sight.policy.GetHoldReasons() {
		if known.GetName() == reason.Name {
			reason.Title = known.GetTitle()
		}
	}
	return reason
}

// promised is until when a solution is expected, by the end-to-end clock.
func promised(ticket *deskpb.Ticket) (due *timestamppb.Timestamp, paused bool) {
	for _, clock := range ticket.GetSla() {
		if clock.GetMetric() != deskpb.Sla_RESOLUTION || clock.GetTier() != "" {
			continue
		}
		switch clock.GetState() {
		case deskpb.Sla_PAUSED:
			return nil, true
		case deskpb.Sla_RUNNING, deskpb.Sla_BREACHED:
			if clock.GetEndTime() == nil {
				return clock.GetDueTime(), false
			}
		}
	}
	return nil, false
}

// wished is what the requester asked for and the custodian has not settled yet.
func wished(ticket *deskpb.Ticket) (kinds []deskpb.Wish_Kind) {
	for _, wish := range ticket.GetWishes() {
		requesters := wish.GetKind() == deskpb.Wish_CONFIRM || wish.GetKind() == deskpb.Wish_REOPEN || wish.GetKind() == deskpb.Wish_CANCEL
		if wish.GetState() == deskpb.Wish_PENDING && requesters && !slices.Contains(kinds, wish.GetKind()) {
			kinds = append(kinds, wish.GetKind())
		}
	}
	return kinds
}

// course is where a ticket was after a step of its journal.
type course struct {
	site, assignee string
	line           deskpb.Ticket_Line
}

// follow takes the changes of a step up.
func (c course) follow(changes []desk.Change) course {
	for _, change := range changes {
		switch change.Field {
		case "custodianSite":
			c.site = change.After
		case "line":
			c.line = deskpb.Ticket_Line(deskpb.Ticket_Line_value[change.After])
		case "assignee":
			c.assignee = change.After
		}
	}
	return c
}

// tell adds the steps and messages of a journal. What agents alone may see, and what counts for nothing any more, is left out.
func (t *telling) tell(p *apipb.Problem, journal []desk.JournalEntry) error {
	var now course
	for _, entry := range journal {
		before := now
		if now = before.follow(entry.Changes); entry.Superseded || entry.Event.GetVisibility() != deskpb.Event_EVERYONE {
			continue
		}
		message, err := t.message(entry.Event.Event)
		if err != nil {
			return err
		}
		if message != nil {
			p.Messages = append(p.Messages, message)
		}
		step, err := t.step(entry.Event.Event, before, now)
		if err != nil {
			return err
		}
		if step != nil {
			p.Steps = append(p.Steps, step)
		}
	}
	return nil
}

// stepKind is what a step is to a requester; KIND_UNSPECIFIED for how the desk works.
func stepKind(kind deskpb.Event_Type) apipb.Step_Kind {
	switch kind {
	case deskpb.Event_OPENED:
		return apipb.Step_RECEIVED
	case deskpb.Event_ASSIGNED, deskpb.Event_CLAIMED:
		return apipb.Step_ASSIGNED
	case deskpb.Event_STARTED:
		return apipb.Step_STARTED
	case deskpb.Event_HELD:
		return apipb.Step_HELD
	case deskpb.Event_RESUMED:
		return apipb.Step_RESUMED
	case deskpb.Event_DISPATCHED:
		return apipb.Step_SENT
	case deskpb.Event_ACCEPTED:
		return apipb.Step_ARRIVED
	case deskpb.Event_ESCALATED, deskpb.Event_RETURNED:
		return apipb.Step_MOVED
	case deskpb.Event_ARRIVED:
		return apipb.Step_ON_SPOT
	case deskpb.Event_RESOLVED:
		return apipb.Step_SOLVED
	case deskpb.Event_CONFIRMED:
		return apipb.Step_CONFIRMED
	case deskpb.Event_CLOSED, deskpb.Event_MERGED:
		return apipb.Step_CLOSED
	case deskpb.Event_REOPENED:
		return apipb.Step_REOPENED
	case deskpb.Event_CANCELED:
		return apipb.Step_CANCELED
	case deskpb.Event_URGED:
		return apipb.Step_URGED
	case deskpb.Event_RATED:
		return apipb.Step_RATED
	}
	return apipb.Step_KIND_UNSPECIFIED
}

// step tells an event, nil for one that is none to a requester: that a group has the ticket, or that who has it has it.
func (t *telling) step(event *deskpb.Event, before, now course) (*apipb.Step, error) {
	kind := stepKind(event.GetType())
	switch {
	case kind == apipb.Step_KIND_UNSPECIFIED:
		return nil, nil
	case kind == apipb.Step_ASSIGNED && (now.assignee == "" || now.assignee == before.assignee):
		return nil, nil
	}
	shown := &apipb.Step{Id: desk.EventName(event.GetId()), Kind: kind, Time: timestamppb.New(time.UnixMicro(event.GetTime()))}
	at := now
	if kind == apipb.Step_SENT {
		at, shown.ToSite = before, now.site
	}
	var err error
	shown.At, err = t.station(at.site, at.line, at.assignee)
	return shown, err
}

// message tells a reply or a file, nil for anything else.
func (t *telling) message(event *deskpb.Event) (*apipb.Message, error) {
	body := event.GetBody()
	m := &apipb.Message{
		Id: desk.EventName(event.GetId()), Time: timestamppb.New(time.UnixMicro(event.GetTime())), Site: event.GetId().GetSite(),
		Own: body.GetFromRequester() || event.GetRole() == deskpb.User_REQUESTER,
	}
	switch event.GetType() {
	case deskpb.Event_REPLIED:
		m.Text = strings.TrimSpace(body.GetText())
	case deskpb.Event_ATTACHED:
		m.File, m.Size, m.MediaType = body.GetAttachment().GetName(), body.GetAttachment().GetSize(), body.GetAttachment().GetMediaType()
	default:
		return nil, nil
	}
	if m.Own {
		return m, nil
	}
	var err error
	m.Person, err = t.person(m.Site, event.GetActor())
	return m, err
}
