package desk

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// create opens a ticket at this site, which is its home and its custodian.
func (w *writer) create(asked *deskpb.Ticket) error {
	p, err := w.policy()
	if err != nil {
		return err
	}
	if isGuest(w.asker) {
		if err := admitGuest(p, asked.GetRequester()); err != nil {
			return err
		}
	}
	if asked, err = completed(p, asked); err != nil {
		return err
	}
	if asked, err = w.introduced(asked); err != nil {
		return err
	}
	day := localDay(w.at)
	last, err := w.view.LastSequence(day)
	if err != nil {
		return fmt.Errorf("number a ticket of %s: %w", day, err)
	}
	if last == maxSequence {
		return Refuse(ResourceExhausted, "NO_NUMBER_LEFT", "all ticket numbers of %s are given out; try again tomorrow", day)
	}
	number := Number{Site: w.here.Site, Day: day, Sequence: last + 1, Letters: w.here.Letters}.TicketNumber()
	ticket := w.written(p, asked)
	ticket.Number = string(number)
	w.address(p, ticket)
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

// completed returns what the author asks for with what the template and the entry of the service catalogue say that it names.
// It refuses what the policy does not take.
func completed(p *deskpb.Policy, asked *deskpb.Ticket) (*deskpb.Ticket, error) {
	if name := asked.GetTemplate(); name != "" {
		template := policy.Template(p, name)
		if template == nil {
			return nil, RefuseField("ticket.template", "%q is no template of this site's policy; choose one of it", name)
		}
		filled := proto.CloneOf(template.GetTicket())
		if filled == nil {
			filled = &deskpb.Ticket{}
		}
		if len(asked.GetTags()) > 0 {
			filled.Tags = nil
		}
		proto.Merge(filled, asked)
		if err := cmp.Or(given("ticket.title", filled.GetTitle()), checkCreate(filled)); err != nil {
			return nil, err
		}
		asked = filled
	}
	if service := policy.Service(p, asked.GetService()); service.GetCategory() != "" && asked.GetCategory() == "" {
		asked = proto.CloneOf(asked)
		asked.Category = service.GetCategory()
	}
	return asked, checkAgainstPolicy(p, asked, []string{"category", "service", "fields"})
}

// written returns the ticket as it is first written down, without its number: what its author may say, with defaults,
// and what follows from it. Whatever else the author sent is not read.
func (w *writer) written(p *deskpb.Policy, asked *deskpb.Ticket) *deskpb.Ticket {
	category := policy.Category(p, asked.GetCategory())
	impact := cmp.Or(asked.GetImpact(), category.GetImpact(), mediumLevel)
	urgency := cmp.Or(asked.GetUrgency(), category.GetUrgency(), mediumLevel)
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
		Service:            asked.GetService(),
		Fields:             maps.Clone(asked.GetFields()),
		Tags:               slices.Clone(asked.GetTags()),
		Requester:          proto.CloneOf(asked.GetRequester()),
		Channel:            cmp.Or(asked.GetChannel(), deskpb.Ticket_PHONE),
		Impact:             impact,
		Urgency:            urgency,
		Priority:           policy.Priority(p, impact, urgency),
		Severity:           cmp.Or(asked.GetSeverity(), impact),
		Major:              asked.GetMajor(),
		Coordinator:        asked.GetCoordinator(),
		Visit:              asked.GetVisit(),
		Template:           asked.GetTemplate(),
		Checklist:          checklistFor(p, asked),
		HomeSite:           string(w.here.Site),
		CustodianSite:      string(w.here.Site),
		CustodyTerm:        1,
		Line:               deskpb.Ticket_FIRST,
		Handover:           &deskpb.Handover{},
		Assignee:           asked.GetAssignee(),
		Group:              asked.GetGroup(),
		Collaborators:      slices.Clone(asked.GetCollaborators()),
		Round:              asked.GetRound(),
		OpenTime:           timestamp(w.at.Time),
	}
}
