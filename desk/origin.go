package desk

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// originKinds are what a new ticket may have to do with the one that it comes from.
var originKinds = []deskpb.TicketLink_Kind{
	deskpb.TicketLink_SPLIT_FROM, deskpb.TicketLink_FOLLOWS, deskpb.TicketLink_CAUSED_BY, deskpb.TicketLink_RELATED, deskpb.TicketLink_CHILD_OF,
}

// checkOrigin refuses an origin that no ticket can have, and a ticket with no title and neither origin nor template to take one from.
func checkOrigin(c *deskpb.Create) error {
	origin := c.GetOrigin()
	switch {
	case origin == nil && c.GetTicket().GetTemplate() != "":
		return nil
	case origin == nil:
		return given("ticket.title", c.GetTicket().GetTitle())
	}
	if !slices.Contains(originKinds, origin.GetKind()) {
		return RefuseField("origin.kind", "%s is not how a new ticket begins; use SPLIT_FROM, FOLLOWS, CAUSED_BY, RELATED or CHILD_OF", origin.GetKind())
	}
	return checkOther("origin.number", origin.GetNumber())
}

// createFrom opens a ticket and links it with the one that it comes from, if any, whose words it takes where its author
// gave none. With an origin, the command's etag is that ticket's.
func (w *writer) createFrom(c *deskpb.TicketCommand) error {
	asked, origin := c.GetCreate().GetTicket(), c.GetCreate().GetOrigin()
	if origin == nil {
		return w.create(asked)
	}
	source, err := w.known(TicketNumber(origin.GetNumber()))
	if err != nil {
		return err
	}
	if c.GetEtag() != "" && c.GetEtag() != source.GetTicket().GetEtag() {
		return staleEtag(source.GetTicket(), c.GetEtag())
	}
	if err := w.originates(source.GetTicket(), origin.GetKind()); err != nil {
		return err
	}
	p, err := w.policy()
	if err != nil {
		return err
	}
	if err := w.create(filledFrom(asked, asHere(w.here.Site, p, source.GetTicket()))); err != nil {
		return err
	}
	if err := linkable(w.record, source, origin.GetKind()); err != nil {
		return err
	}
	return w.join(source, origin, false)
}

// originates refuses a new ticket from one that was merged, or that is followed by an open one already.
func (w *writer) originates(source *deskpb.Ticket, kind deskpb.TicketLink_Kind) error {
	if into := source.GetMergedInto(); into != "" {
		return RefuseField("origin.number", "ticket %s was merged into %s; begin with that one", source.GetNumber(), into)
	}
	if kind != deskpb.TicketLink_FOLLOWS {
		return nil
	}
	for _, number := range linksOf(source, deskpb.TicketLink_FOLLOWED_BY) {
		follower, err := w.view.Ticket(TicketNumber(number))
		if err != nil {
			return fmt.Errorf("read ticket %s, which follows %s: %w", number, source.GetNumber(), err)
		}
		if isOpen(follower.GetTicket().GetState()) {
			return Refuse(FailedPrecondition, "FOLLOWED_ALREADY", "ticket %s is followed by %s, which is open; go on there", source.GetNumber(), number)
		}
	}
	return nil
}

// asHere returns a ticket with what its requester is at a site. Away from its home the requester's account and record are those of the home,
// where the same names are of other people than here, and telephone number and mail address are left out where they are masked.
func asHere(site SiteID, p *deskpb.Policy, source *deskpb.Ticket) *deskpb.Ticket {
	if source.GetHomeSite() == string(site) || source.GetRequester() == nil {
		return source
	}
	source = proto.CloneOf(source)
	r := source.GetRequester()
	r.User, r.Id, r.Class = "", "", ""
	if p.GetPrivacy().GetMaskAboveHome() {
		r.Phone, r.Email = "", ""
	}
	return source
}

// filledFrom returns what the author of a new ticket said, completed from the ticket that it comes from.
func filledFrom(asked, source *deskpb.Ticket) *deskpb.Ticket {
	t := &deskpb.Ticket{}
	if asked != nil {
		t = proto.CloneOf(asked)
	}
	t.Title = cmp.Or(t.GetTitle(), source.GetTitle())
	t.Description = cmp.Or(t.GetDescription(), source.GetDescription())
	t.Category = cmp.Or(t.GetCategory(), source.GetCategory())
	t.Application = cmp.Or(t.GetApplication(), source.GetApplication())
	t.ApplicationVersion = cmp.Or(t.GetApplicationVersion(), source.GetApplicationVersion())
	t.ConfigurationItem = cmp.Or(t.GetConfigurationItem(), source.GetConfigurationItem())
	t.Service = cmp.Or(t.GetService(), source.GetService())
	t.Channel = cmp.Or(t.GetChannel(), source.GetChannel())
	t.Impact = cmp.Or(t.GetImpact(), source.GetImpact())
	t.Urgency = cmp.Or(t.GetUrgency(), source.GetUrgency())
	t.Severity = cmp.Or(t.GetSeverity(), source.GetSeverity())
	copied := proto.CloneOf(source)
	if t.GetRequester() == nil {
		t.Requester = copied.GetRequester()
	}
	if len(t.GetTags()) == 0 {
		t.Tags = copied.GetTags()
	}
	if len(t.GetFields()) == 0 && t.GetCategory() == source.GetCategory() {
		t.Fields = copied.GetFields()
	}
	return t
}

// instead returns the command that is carried out for the one that was asked for. Words and files for a merged ticket go to the
// one that it was merged into, and a ticket whose reopen window is over is followed by a new one at its home. Every
// other command is carried out itself.
func instead(here Here, view View, c *deskpb.TicketCommand, at Stamp) (*deskpb.TicketCommand, error) {
	switch c.GetVerb().(type) {
	case *deskpb.TicketCommand_Note, *deskpb.TicketCommand_Reply, *deskpb.TicketCommand_Urge, *deskpb.TicketCommand_Attach:
		return onMerged(here, view, c)
	case *deskpb.TicketCommand_Reopen:
		return afterWindow(here, view, c, at)
	}
	return c, nil
}

// maxMerges bounds how often a ticket was merged further, so that a chain that leads in a circle ends.
const maxMerges = 8

// onMerged turns words and files for a merged ticket towards the last one of the chain that the actor sees. A request that this site
// has answered stays where that was, however often the ticket was merged since.
func onMerged(here Here, view View, c *deskpb.TicketCommand) (*deskpb.TicketCommand, error) {
	number := c.GetNumber()
	var mark *deskpb.RequestMark
	if id := c.GetRequest().GetId(); id != "" {
		var err error
		if mark, err = view.Request(UserID(c.GetActor().GetUser()), c.GetRequest().GetMethod(), id); err != nil {
			return nil, fmt.Errorf("decide on request %q: %w", id, err)
		}
	}
	for range maxMerges {
		if mark.GetTicket() == number {
			break
		}
		record, err := seen(here, view, c.GetActor(), TicketNumber(number))
		if err != nil {
			return nil, err
		}
		into := record.GetTicket().GetMergedInto()
		if into == "" {
			break
		}
		target, err := seen(here, view, c.GetActor(), TicketNumber(into))
		if err != nil {
			return nil, err
		}
		if target == nil {
			break
		}
		number = into
	}
	if number == c.GetNumber() {
		return c, nil
	}
	turned := proto.CloneOf(c)
	turned.Number, turned.Etag = number, ""
	return turned, nil
}

// afterWindow makes reopening a ticket after its window, at its home, the opening of one that follows it.
func afterWindow(here Here, view View, c *deskpb.TicketCommand, at Stamp) (*deskpb.TicketCommand, error) {
	record, err := view.Ticket(TicketNumber(c.GetNumber()))
	if err != nil {
		return nil, fmt.Errorf("read ticket %q: %w", c.GetNumber(), err)
	}
	t := record.GetTicket()
	if t.GetHomeSite() != string(here.Site) || t.GetMergedInto() != "" {
		return c, nil
	}
	if late, err := lapsed(view, t, at); err != nil || !late {
		return c, err
	}
	next := proto.CloneOf(c)
	next.Number = ""
	next.Verb = &deskpb.TicketCommand_Create{Create: &deskpb.Create{
		Ticket: &deskpb.Ticket{Description: strings.TrimSpace(c.GetReopen().GetReason())},
		Origin: &deskpb.TicketLink{Kind: deskpb.TicketLink_FOLLOWS, Number: t.GetNumber()},
	}}
	return next, nil
}

// lapsed tells whether a ticket was closed so long ago that it is not reopened any more.
func lapsed(view View, t *deskpb.Ticket, at Stamp) (bool, error) {
	if t.GetState() != deskpb.Ticket_CLOSED {
		return false, nil
	}
	rules, err := view.Policy()
	if err != nil {
		return false, fmt.Errorf("find the reopen window of ticket %s: %w", t.GetNumber(), err)
	}
	window := time.Duration(rules.GetClosing().GetReopenWithin()) * time.Second
	return window > 0 && at.Time > micros(t.GetCloseTime())+window.Microseconds(), nil
}

// unreopenable says why a resolved or closed ticket is not reopened, empty when it may be.
func (w *writer) unreopenable() (why string, err error) {
	t := w.ticket()
	if into := t.GetMergedInto(); into != "" {
		return fmt.Sprintf("it was merged into %s; reopen that one", into), nil
	}
	late, err := lapsed(w.view, t, w.at)
	if err != nil || !late {
		return "", err
	}
	return fmt.Sprintf("it was closed %s and its reopen window is over; its home %s opens a new ticket that follows it",
		spoken(t.GetCloseTime()), t.GetHomeSite()), nil
}
