package client

import (
	"fmt"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// journal is a ticket's steps, one under the other: when, where, who and what; below each step its text when that has
// several lines, and the fields that it changed.
func (p *printer) journal(columns *table, entries []*apipb.JournalEntry) string {
	rows := make([][]string, len(entries))
	for i, e := range entries {
		what := p.nameOf("Event", e.GetType())
		if e.GetSuperseded() {
			what += p.say(phrase{"（恢复前所做，已失效）", " (before a recovery, superseded)"})
		}
		rows[i] = []string{p.when(e.GetTime()), e.GetSite(), called(e.GetActorName(), e.GetActor()), what}
		if !strings.Contains(e.GetText(), "\n") {
			rows[i] = append(rows[i], e.GetText())
		}
	}
	var out strings.Builder
	for i, line := range strings.SplitAfter(columns.layOut(rows), "\n")[:len(rows)] {
		out.WriteString(line)
		if strings.Contains(entries[i].GetText(), "\n") {
			out.WriteString(indent(indent(entries[i].GetText())))
		}
		for _, c := range entries[i].GetChanges() {
			out.WriteString(indent(indent(fmt.Sprintf("%s: %s → %s", c.GetField(), value(c.GetBefore()), value(c.GetAfter())))))
		}
	}
	return out.String()
}

// value shows that a field was or became empty.
func value(s string) string {
	if s == "" {
		return "∅"
	}
	return oneLine(s)
}

// journey is the sites that held the ticket, in order, and the one that it is on its way to.
func (p *printer) journey(t *deskpb.Ticket, entries []*apipb.JournalEntry) string {
	stops := []string{t.GetHomeSite()}
	for _, e := range entries {
		taken := e.GetType() == deskpb.Event_ACCEPTED.String() || e.GetType() == deskpb.Event_RECLAIMED.String()
		if taken && !e.GetSuperseded() && e.GetSite() != stops[len(stops)-1] {
			stops = append(stops, e.GetSite())
		}
	}
	words := strings.Join(stops, " → ")
	if way := t.GetHandover(); way.GetState() != deskpb.Handover_NONE {
		words += fmt.Sprintf(" ⇢ %s (%s)", way.GetToSite(), p.name(way.GetState()))
	}
	return words
}
