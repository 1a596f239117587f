package api

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// masked is a requester without telephone number and mail address: enough is left to tell two of them apart.
func masked(r *deskpb.Requester) *deskpb.Requester {
	r = proto.CloneOf(r)
	if r != nil {
		r.Phone, r.Email = maskedPhone(r.Phone), maskedEmail(r.Email)
	}
	return r
}

// Lengths of telephone numbers, in characters, from which more of them is shown.
const (
	longPhone  = 11
	shortPhone = 7
)

// maskedPhone shows a telephone number as 138****5678.
func maskedPhone(phone string) string {
	letters := []rune(phone)
	switch n := len(letters); {
	case n == 0:
		return ""
	case n >= longPhone:
		return string(letters[:3]) + "****" + string(letters[n-4:])
	case n >= shortPhone:
		return "****" + string(letters[n-2:])
	}
	return "****"
}

// maskedEmail shows a mail address as z***@example.cn.
func maskedEmail(email string) string {
	if email == "" {
		return ""
	}
	name, domain, _ := strings.Cut(email, "@")
	first := []rune(name)
	return string(first[:min(1, len(first))]) + "***@" + domain
}

// maskedField is the value of a ticket's field in a journal, as it is shown where requesters are masked.
func maskedField(name, value string) string {
	switch name {
	case "requester.phone":
		return maskedPhone(value)
	case "requester.email":
		return maskedEmail(value)
	}
	return value
}

// unmasked puts back what a caller was shown masked and sends back with other changes of the requester.
func unmasked(said, known *deskpb.Requester) {
	if said.GetPhone() != "" && said.GetPhone() == maskedPhone(known.GetPhone()) {
		said.Phone = known.GetPhone()
	}
	if said.GetEmail() != "" && said.GetEmail() == maskedEmail(known.GetEmail()) {
		said.Email = known.GetEmail()
	}
}

// unmask puts back in a change of the requester what the caller was shown masked.
func (t *tickets) unmask(ctx context.Context, r *apipb.ClassifyTicketRequest) error {
	said := r.GetTicket().GetRequester()
	if said == nil || !slices.Contains(r.GetFields(), "requester") {
		return nil
	}
	return t.backend.Read(ctx, false, func(reader *store.Reader) error {
		record, sight, err := t.find(ctx, reader, r.GetNumber())
		if err == nil && sight.masks(record.GetTicket()) {
			unmasked(said, record.GetTicket().GetRequester())
		}
		return err
	})
}

// outline is what a requester sees of a ticket: what was said, where it stands, and what came of it. How the desk works on it
// stays inside.
func outline(t *deskpb.Ticket) *deskpb.Ticket {
	seen := &deskpb.Ticket{
		Number: t.GetNumber(), Kind: t.GetKind(), State: t.GetState(), HoldReason: t.GetHoldReason(), Title: t.GetTitle(),
		Description: t.GetDescription(), Category: t.GetCategory(), Application: t.GetApplication(), ApplicationVersion: t.GetApplicationVersion(),
		ConfigurationItem: t.GetConfigurationItem(), Service: t.GetService(), Fields: t.GetFields(), Channel: t.GetChannel(),
		Impact: t.GetImpact(), Urgency: t.GetUrgency(), Priority: t.GetPriority(), Severity: t.GetSeverity(), Major: t.GetMajor(),
		HomeSite: t.GetHomeSite(), CustodianSite: t.GetCustodianSite(), CustodyTerm: t.GetCustodyTerm(), Line: t.GetLine(),
		Handover: &deskpb.Handover{State: t.GetHandover().GetState(), ToSite: t.GetHandover().GetToSite()},
		Assignee: t.GetAssignee(), Group: t.GetGroup(),
		OpenTime: t.GetOpenTime(), RespondTime: t.GetRespondTime(), ResolveTime: t.GetResolveTime(), CloseTime: t.GetCloseTime(),
		UpdateTime: t.GetUpdateTime(), AutoCloseTime: t.GetAutoCloseTime(), Visit: t.GetVisit(), ArriveTime: t.GetArriveTime(),
		Satisfaction: t.GetSatisfaction(), ReopenCount: t.GetReopenCount(), UrgeCount: t.GetUrgeCount(), Etag: t.GetEtag(),
		Attachments: outerFiles(t), People: worker(t),
	}
	if r := t.GetRequester(); r != nil {
		seen.Requester = &deskpb.Requester{Name: r.GetName(), Unit: r.GetUnit(), Phone: r.GetPhone(), Email: r.GetEmail(), User: r.GetUser()}
	}
	if t.GetResolution() != nil {
		seen.Resolution = &deskpb.Resolution{Code: t.GetResolution().GetCode(), Text: t.GetResolution().GetText()}
	}
	for _, clock := range t.GetSla() {
		if clock.GetTier() == "" {
			seen.Sla = append(seen.Sla, clock)
		}
	}
	return seen
}

// worker is how the person is called who has a ticket; empty where nobody has it or the ticket does not tell.
func worker(t *deskpb.Ticket) []*deskpb.Person {
	site := desk.AssigneeSite(t)
	return slices.DeleteFunc(slices.Clone(t.GetPeople()), func(p *deskpb.Person) bool {
		return p.GetSite() != site || p.GetUser() != t.GetAssignee()
	})
}

// outerFiles are the files of a ticket that its requester sees.
func outerFiles(t *deskpb.Ticket) (files []*deskpb.Attachment) {
	for _, file := range t.GetAttachments() {
		if !file.GetInternal() {
			files = append(files, file)
		}
	}
	return files
}

// seenByRequesters tells whether a requester sees the steps of a type in a journal, unless they are for agents only: what was
// said, and what became of the ticket. Tasks, checklists, clocks, wishes and links are how the desk works.
func seenByRequesters(kind deskpb.Event_Type) bool {
	return slices.Contains([]deskpb.Event_Type{
		deskpb.Event_OPENED, deskpb.Event_ASSIGNED, deskpb.Event_STARTED, deskpb.Event_HELD, deskpb.Event_RESUMED, deskpb.Event_CLAIMED,
		deskpb.Event_ESCALATED, deskpb.Event_ACCEPTED, deskpb.Event_RETURNED, deskpb.Event_ARRIVED, deskpb.Event_RESPONDED,
		deskpb.Event_RESOLVED, deskpb.Event_CONFIRMED, deskpb.Event_CLOSED, deskpb.Event_REOPENED, deskpb.Event_CANCELED, deskpb.Event_CLASSIFIED,
		deskpb.Event_REPLIED, deskpb.Event_URGED, deskpb.Event_ATTACHED, deskpb.Event_CALLED_BACK, deskpb.Event_RATED,
	}, kind)
}

// outlinedField tells whether a requester sees a field of a ticket in a journal: those of an outline.
func outlinedField(name string) bool {
	return slices.Contains([]string{
		"title", "kind", "state", "holdReason", "category", "application", "channel", "impact", "urgency", "priority", "severity", "major",
		"custodianSite", "line", "handover.state", "handover.toSite", "assignee", "group", "reopenCount", "respondTime", "resolveTime",
		"closeTime", "resolution.code", "resolution.text", "satisfaction.score", "satisfaction.comment", "sla.RESPONSE", "sla.RESOLUTION",
		"description", "applicationVersion", "configurationItem", "service", "fields", "requester.name", "requester.unit",
		"requester.phone", "requester.email", "requester.user", "visit",
	}, name)
}
