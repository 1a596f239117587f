package desk

import "github.com/tierdesk/tierdesk/desk/deskpb"

func checkCheck(v *deskpb.CheckItem) error { return text("result", v.GetResult()) }

// checkItem ticks an item of the checklist off with what was found, or takes the tick back.
func (w *writer) checkItem(v *deskpb.CheckItem) error {
	if err := w.need(TicketCheck); err != nil {
		return err
	}
	switch n := len(w.ticket().GetChecklist()); {
	case n == 0:
		return Refuse(FailedPrecondition, "NO_CHECKLIST", "ticket %s has no checklist; give it a category or a template that has one", w.number())
	case int64(v.GetItem()) >= int64(n):
		return RefuseField("item", "the checklist of ticket %s has %d items only; name one of them", w.number(), n)
	}
	return w.custodial(&deskpb.Event{
		Type: deskpb.Event_CHECKED,
		Body: &deskpb.Body{Check: &deskpb.Check{Item: v.GetItem(), Done: v.GetDone(), Result: v.GetResult()}},
	})
}

// foldChecked writes down what was found, by whom and when. An item that the checklist does not have changes nothing.
func foldChecked(r *deskpb.Record, e *deskpb.Event) {
	check := e.GetBody().GetCheck()
	if int64(check.GetItem()) >= int64(len(r.Ticket.GetChecklist())) {
		return
	}
	item := r.Ticket.Checklist[check.GetItem()]
	item.Done, item.Result = check.GetDone(), check.GetResult()
	item.Actor, item.Time = e.GetActor(), timestamp(e.GetTime())
}
