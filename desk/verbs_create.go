package desk

import (
	"cmp"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// create opens a ticket at this site, which is its home and its custodian.
func (w *writer) create(asked *deskpb.Ticket) error {
	day := localDay(w.at)
	last, err := w.view.LastSequence(day)
	if err != nil {
		return fmt.Errorf("number a ticket of %s: %w", day, err)
	}
	if last == maxSequence {
		return Refuse(ResourceExhausted, "NO_NUMBER_LEFT", "all ticket numbers of %s are given out; try again tomorrow", day)
	}
	number := Number{Site: w.here.Site, Day: day, Sequence: last + 1, Letters: w.here.Letters}.TicketNumber()
	ticket := w.written(asked)
	ticket.Number = string(number)
	err = w.custodial(&deskpb.Event{
		Type:        deskpb.Event_OPENED,
		Ticket:      string(number),
		CustodyTerm: 1,
		Body:        &deskpb.Body{Opened: &deskpb.Opened{Ticket: ticket}},
	})
	if err != nil {
		return err
	}
	return w.alert("opened at " + string(w.here.Site))
}

// written returns the ticket as it is first written down, without its number: what its author may say, with defaults,
// and what follows from it. Whatever else the author sent is not read.
func (w *writer) written(asked *deskpb.Ticket) *deskpb.Ticket {
	impact := cmp.Or(asked.GetImpact(), mediumLevel)
	urgency := cmp.Or(asked.GetUrgency(), mediumLevel)
	state := deskpb.Ticket_NEW
	if asked.GetAssignee() != "" || asked.GetGroup() != "" {
		state = deskpb.Ticket_ASSIGNED
	}
	return &deskpb.Ticket{
		Kind:               cmp.Or(asked.GetKind(), deskpb.Ticket_CALL),
		State:              state,
		Title:              asked.GetTitle(),
		Description:        asked.GetDescription(),
		Category:           asked.GetCategory(),
		Application:        asked.GetApplication(),
		ApplicationVersion: asked.GetApplicationVersion(),
		ConfigurationItem:  asked.GetConfigurationItem(),
		Tags:               slices.Clone(asked.GetTags()),
		Requester:          proto.CloneOf(asked.GetRequester()),
		Channel:            cmp.Or(asked.GetChannel(), deskpb.Ticket_PHONE),
		Impact:             impact,
		Urgency:            urgency,
		Priority:           priority(impact, urgency),
		Severity:           cmp.Or(asked.GetSeverity(), impact),
		Major:              asked.GetMajor(),
		HomeSite:           string(w.here.Site),
		CustodianSite:      string(w.here.Site),
		CustodyTerm:        1,
		Line:               deskpb.Ticket_FIRST,
		Handover:           &deskpb.Handover{},
		Assignee:           asked.GetAssignee(),
		Group:              asked.GetGroup(),
		Collaborators:      slices.Clone(asked.GetCollaborators()),
		Sla:                startedClocks(priority(impact, urgency), w.at.Time),
		OpenTime:           timestamp(w.at.Time),
	}
}
