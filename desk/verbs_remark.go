package desk

import (
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// remarkOf drafts the remark that a verb makes wherever the ticket is known; nil for the verbs of the custodian.
func remarkOf(c *deskpb.TicketCommand) *deskpb.Event {
	switch v := c.GetVerb().(type) {
	case *deskpb.TicketCommand_Note:
		return &deskpb.Event{
			Type:       deskpb.Event_NOTED,
			Visibility: deskpb.Event_AGENTS,
			Body:       &deskpb.Body{Text: v.Note.GetText()},
		}
	case *deskpb.TicketCommand_Reply:
		return &deskpb.Event{
			Type:       deskpb.Event_REPLIED,
			Visibility: deskpb.Event_EVERYONE,
			Body:       &deskpb.Body{Text: v.Reply.GetText()},
		}
	case *deskpb.TicketCommand_Urge:
		return &deskpb.Event{
			Type:       deskpb.Event_URGED,
			Visibility: deskpb.Event_EVERYONE,
			Body:       &deskpb.Body{Text: v.Urge.GetReason()},
		}
	}
	return nil
}

// wishOf drafts what a verb becomes at a site that does not hold the ticket: a wish, or nil when it is the custodian's
// alone.
func wishOf(c *deskpb.TicketCommand) *deskpb.Event {
	var body *deskpb.Body
	switch v := c.GetVerb().(type) {
	case *deskpb.TicketCommand_Withdraw:
		body = &deskpb.Body{Wish: deskpb.Wish_WITHDRAW, Text: v.Withdraw.GetReason()}
	case *deskpb.TicketCommand_Confirm:
		body = &deskpb.Body{Wish: deskpb.Wish_CONFIRM, Satisfaction: proto.CloneOf(v.Confirm.GetSatisfaction())}
	case *deskpb.TicketCommand_Reopen:
		body = &deskpb.Body{Wish: deskpb.Wish_REOPEN, Text: v.Reopen.GetReason()}
	case *deskpb.TicketCommand_Cancel:
		body = &deskpb.Body{Wish: deskpb.Wish_CANCEL, Text: v.Cancel.GetReason()}
	default:
		return nil
	}
	return &deskpb.Event{Type: deskpb.Event_WISHED, Visibility: deskpb.Event_EVERYONE, Body: body}
}

// alert tells the sites above of a major incident in the same decision, so that all of them hear of it at once, however
// long the ticket takes to reach them. what goes on says what became of it here.
func (w *writer) alert(what string) error {
	if !w.ticket().GetMajor() || w.wayUp() == "" {
		return nil
	}
	return w.remark(&deskpb.Event{
		Type:       deskpb.Event_ALERTED,
		Visibility: deskpb.Event_AGENTS,
		Body:       &deskpb.Body{Text: "major incident " + what},
	})
}

// wish records the wish, unless the same one of this site still waits for its answer.
func (w *writer) wish(draft *deskpb.Event) error {
	for _, made := range w.ticket().GetWishes() {
		if made.GetState() == deskpb.Wish_PENDING && made.GetKind() == draft.GetBody().GetWish() &&
			made.GetSite() == string(w.here.Site) {
			return nil
		}
	}
	return w.remark(draft)
}
