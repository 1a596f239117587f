package desk

import (
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// remarkOn carries a verb out that is welcome wherever the ticket is known. It tells whether the verb is one.
func (w *writer) remarkOn(c *deskpb.TicketCommand) (made bool, err error) {
	switch v := c.GetVerb().(type) {
	case *deskpb.TicketCommand_Note:
		return true, w.remark(&deskpb.Event{
			Type:       deskpb.Event_NOTED,
			Visibility: deskpb.Event_AGENTS,
			Body:       &deskpb.Body{Text: v.Note.GetText()},
		})
	case *deskpb.TicketCommand_Reply:
		return true, w.reply(v.Reply)
	case *deskpb.TicketCommand_Urge:
		return true, w.urge(v.Urge)
	case *deskpb.TicketCommand_LinkTickets:
		return true, w.link(v.LinkTickets)
	case *deskpb.TicketCommand_Attach:
		return true, w.attach(v.Attach.GetAttachment())
	case *deskpb.TicketCommand_RecordCallBack:
		return true, w.callBack(v.RecordCallBack)
	case *deskpb.TicketCommand_Rate:
		return true, w.rate(v.Rate.GetSatisfaction())
	}
	return false, nil
}

// reply adds words that the requester sees, or the requester's own. Where the ticket is decided, the desk's first ones are
// its answer, and the requester's end a hold that waited for them.
func (w *writer) reply(v *deskpb.Reply) error {
	err := w.remark(&deskpb.Event{
		Type:       deskpb.Event_REPLIED,
		Visibility: deskpb.Event_EVERYONE,
		Body:       &deskpb.Body{Text: v.GetText(), FromRequester: v.GetFromRequester()},
	})
	if err != nil {
		return err
	}
	if decides, err := w.decidesHere(); !decides || err != nil {
		return err
	}
	if v.GetFromRequester() {
		return w.resumeAnswered()
	}
	return w.firstAnswer()
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
	case *deskpb.TicketCommand_ResolveWith:
		body = &deskpb.Body{Wish: deskpb.Wish_RESOLVE, Text: v.ResolveWith.GetParent(), Resolution: proto.CloneOf(v.ResolveWith.GetResolution())}
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
