package desk

import (
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// checklistFor returns the checklist of a new ticket, nothing ticked off: the one of its template, else the one of its
// category; nil when neither names one that the policy has.
func checklistFor(p *deskpb.Policy, t *deskpb.Ticket) []*deskpb.ChecklistItem {
	list := policy.Checklist(p, policy.Template(p, t.GetTemplate()).GetChecklist())
	if list == nil {
		list = policy.Checklist(p, policy.Category(p, t.GetCategory()).GetChecklist())
	}
	var items []*deskpb.ChecklistItem
	for _, entry := range list.GetItems() {
		items = append(items, &deskpb.ChecklistItem{Text: entry.GetText(), Required: entry.GetRequired()})
	}
	return items
}

// needChecklistDone refuses to end a ticket while required items of its checklist are open, and names them.
func (w *writer) needChecklistDone() error {
	var open []string
	for _, item := range w.ticket().GetChecklist() {
		if item.GetRequired() && !item.GetDone() {
			open = append(open, item.GetText())
		}
	}
	if len(open) == 0 {
		return nil
	}
	return Refuse(FailedPrecondition, "OPEN_CHECKLIST", "ticket %s has open items on its checklist: %s; tick them off first",
		w.number(), strings.Join(open, ", "))
}
