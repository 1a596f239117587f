package retell

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Standing says in a line how a ticket stands as a site knows it; nil is a ticket that the site does not know.
func Standing(t *deskpb.Ticket, site string) string {
	if t == nil {
		return "= unknown at " + Site(site)
	}
	line := words{fmt.Sprintf("= %s %s at %s, %s line", t.GetKind(), t.GetState(), Site(t.GetCustodianSite()), t.GetLine())}
	h := t.GetHandover()
	line.add(h.GetState() != deskpb.Handover_NONE, "%s to %s", h.GetState(), Site(h.GetToSite()))
	line.add(t.GetGroup() != "", "group %s", t.GetGroup())
	line.add(t.GetAssignee() != "", "%s", t.GetAssignee())
	return strings.Join(line, ", ")
}

// Ticket prints everything that a site knows of a ticket, with the pauses of its clocks, and nothing that is not set.
func Ticket(t *deskpb.Ticket, pauses []*deskpb.Pause, site string) string {
	if t == nil {
		return Standing(t, site)
	}
	lines := words{fmt.Sprintf("%q, %s by %s, priority %d, level %d", t.GetTitle(), t.GetNumber(), t.GetChannel(), t.GetPriority(), t.GetSeverity())}
	lines.addSubject(t)
	lines.addClocks(t, pauses)
	lines.addWork(t)
	lines.addEnd(t)
	lines.add(true, "%s", Standing(t, site))
	return strings.Join(lines, "\n")
}

// addSubject says who asks about what.
func (w *words) addSubject(t *deskpb.Ticket) {
	q := t.GetRequester()
	w.add(q != nil, "requester %s", listed(q.GetName(), q.GetUnit(), q.GetPhone(), q.GetClass()))
	about := listed(t.GetCategory(), t.GetService(), t.GetApplication(), t.GetApplicationVersion(), t.GetConfigurationItem())
	w.add(about != "", "about %s", about)
	for _, name := range slices.Sorted(maps.Keys(t.GetFields())) {
		w.add(true, "%s: %s", name, t.GetFields()[name])
	}
	w.add(t.GetMajor(), "major, coordinator %q", t.GetCoordinator())
}

// addClocks says how the ticket's clocks stand and when they were stopped for a while.
func (w *words) addClocks(t *deskpb.Ticket, pauses []*deskpb.Pause) {
	for _, c := range t.GetSla() {
		line := fmt.Sprintf("%s %s within %s", clockName(c), c.GetState(), time.Duration(c.GetTarget())*time.Second)
		if c.GetDueTime() != nil {
			line += ", due " + said(c.GetDueTime())
		}
		if c.GetMark() != 0 {
			line += fmt.Sprintf(", passed %d%%", c.GetMark())
		}
		w.add(true, "%s", line)
	}
	for _, p := range pauses {
		w.add(p.GetTo() == 0, "paused since %s: %s", Clock(p.GetFrom()), p.GetReason())
		w.add(p.GetTo() != 0, "paused from %s to %s: %s", Clock(p.GetFrom()), Clock(p.GetTo()), p.GetReason())
	}
}

// addWork lists tasks, checklist, links, attachments and wishes.
func (w *words) addWork(t *deskpb.Ticket) {
	for _, task := range t.GetTasks() {
		w.add(true, "task %d %s %s %q %s %s", task.GetId(), task.GetKind(), task.GetState(), task.GetTitle(),
			holder(task.GetGroup(), task.GetAssignee()), task.GetResult())
		for _, signer := range task.GetSigners() {
			w.add(true, "- %s %s %s", signer.GetUser(), signer.GetAnswer(), signer.GetComment())
		}
	}
	for i, item := range t.GetChecklist() {
		mark := map[bool]string{true: "x", false: " "}[item.GetDone()]
		w.add(true, "item %d [%s] %s %s", i+1, mark, item.GetText(), item.GetResult())
	}
	for _, link := range t.GetLinks() {
		w.add(true, "%s %s", link.GetKind(), link.GetNumber())
	}
	w.add(t.GetMergedInto() != "", "merged into %s", t.GetMergedInto())
	for _, file := range t.GetAttachments() {
		w.add(true, "attachment %q %s, %d bytes, at %s", file.GetName(), file.GetMediaType(), file.GetSize(), Site(file.GetSite()))
	}
	for _, wish := range t.GetWishes() {
		w.add(true, "%s wish of %s: %s %s", wish.GetKind(), Site(wish.GetSite()), wish.GetState(), wish.GetAnswer())
	}
}

// addEnd says how often the ticket came back, and how it ended.
func (w *words) addEnd(t *deskpb.Ticket) {
	w.add(t.GetReassignmentCount()+t.GetReopenCount()+t.GetUrgeCount() > 0, "reassigned %d, reopened %d, urged %d",
		t.GetReassignmentCount(), t.GetReopenCount(), t.GetUrgeCount())
	r := t.GetResolution()
	w.add(r != nil, "solved: %s %s, because %q", r.GetCode(), r.GetText(), r.GetRootCause())
	w.add(t.GetSatisfaction() != nil, "rated %d %s", t.GetSatisfaction().GetScore(), t.GetSatisfaction().GetComment())
	w.add(t.GetReview() != "", "review: %s", t.GetReview())
	w.add(t.GetAutoCloseTime() != nil, "closes by itself %s", said(t.GetAutoCloseTime()))
	c := t.GetCallBack()
	w.add(c != nil && !c.GetDone(), "call-back due %s, attempts %d", said(c.GetDueTime()), c.GetAttempts())
	w.add(c.GetDone(), "called back, attempts %d: %s %s", c.GetAttempts(), c.GetOutcome(), c.GetComment())
}

// listed joins the texts that are not empty.
func listed(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(text string) bool { return text == "" }), ", ")
}
