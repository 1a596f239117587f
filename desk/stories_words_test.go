package desk

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/retell"
)

// show prints the ticket in a few lines, and nothing that is not set.
func (s *story) show(site SiteID) (string, error) {
	r := s.tree.office(site).records[s.number]
	if r == nil {
		return "unknown here", nil
	}
	if s.told {
		return s.standing(site), nil
	}
	t := r.GetTicket()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s at %s, %s line, term %d, open %s", t.GetNumber(), t.GetKind(), t.GetState(),
		siteName(SiteID(t.GetCustodianSite())), t.GetLine(), t.GetCustodyTerm(), instant(t.GetOpenTime()))
	if h := t.GetHandover(); h.GetState() != deskpb.Handover_NONE {
		fmt.Fprintf(&b, "\n%s to %s, %s line", h.GetState(), siteName(SiteID(h.GetToSite())), h.GetToLine())
	}
	for _, station := range r.GetRoute() {
		fmt.Fprintf(&b, "\ncame from %s, %s line", siteName(SiteID(station.GetSite())), station.GetLine())
	}
	if t.GetAssignee() != "" || t.GetGroup() != "" {
		fmt.Fprintf(&b, "\nassigned to %q of group %q", t.GetAssignee(), t.GetGroup())
	}
	for _, clock := range t.GetSla() {
		fmt.Fprintf(&b, "\n%s %s", strings.TrimSpace(clock.GetMetric().String()+" "+clock.GetTier()), clock.GetState())
		if clock.GetDueTime() != nil {
			fmt.Fprintf(&b, " %s", instant(clock.GetDueTime()))
		}
	}
	for _, wish := range t.GetWishes() {
		fmt.Fprintf(&b, "\n%s wish of %s: %s %s", wish.GetKind(), siteName(SiteID(wish.GetSite())), wish.GetState(), wish.GetAnswer())
	}
	return b.String(), nil
}

// journal prints a ticket's events, all of them or those that the requester sees.
func (s *story) journal(site SiteID, all bool) (string, error) {
	entries, err := Journal(s.tree.office(site).journal(s.number))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, entry := range entries {
		if !all && entry.Event.GetVisibility() != deskpb.Event_EVERYONE {
			continue
		}
		if s.told {
			fmt.Fprintln(&b, s.eventLine(entry.Event.Event))
			continue
		}
		fmt.Fprintf(&b, "%s %s %s %s %s\n", instant(timestamp(entry.Event.GetTime())), siteName(SiteID(entry.Event.GetId().GetSite())),
			entry.Event.GetActor(), entry.Event.GetType(), entry.Event.GetBody().GetText())
		for _, change := range entry.Changes {
			fmt.Fprintf(&b, "  %s: %q -> %q\n", change.Field, change.Before, change.After)
		}
	}
	return b.String(), nil
}

// happened prints the events that were written since the last directive, in the order of their times, and how the ticket
// that is spoken of stands at a site, or where it is held.
func (s *story) happened(site SiteID) (string, error) {
	var news []Sealed
	for _, o := range s.tree.offices {
		for _, number := range o.numbers() {
			for _, event := range o.events[number] {
				name := EventName(event.GetId())
				if SiteID(event.GetId().GetSite()) == o.here.Site && !s.shown[name] {
					s.shown[name] = true
					news = append(news, event)
				}
			}
		}
	}
	slices.SortFunc(news, func(a, b Sealed) int {
		return cmp.Or(cmp.Compare(a.GetTime(), b.GetTime()), cmp.Compare(a.GetId().GetSite(), b.GetId().GetSite()),
			cmp.Compare(a.GetId().GetSequence(), b.GetId().GetSequence()))
	})
	var lines []string
	for _, event := range news {
		lines = append(lines, s.eventLine(event.Event))
	}
	if s.number != "" {
		lines = append(lines, s.standing(s.where(site)))
	}
	return strings.Join(lines, "\n"), nil
}

// where is the site given, else the one that holds the ticket spoken of, as its home knows.
func (s *story) where(site SiteID) SiteID {
	if site != "" {
		return site
	}
	for _, o := range s.tree.offices {
		if r := o.records[s.number]; r != nil && holds(o.here, r) {
			return o.here.Site
		}
	}
	number, err := ParseNumber(s.number)
	if err != nil {
		return county
	}
	return number.Site
}

// eventLine is an event in a line: when, where, who, what, and why.
func (s *story) eventLine(e *deskpb.Event) string { return s.named(retell.Event(e, string(s.number))) }

// standing says in a line how the ticket stands as a site knows it.
func (s *story) standing(site SiteID) string {
	return retell.Standing(s.tree.office(site).records[s.number].GetTicket(), string(site))
}

// everything prints what the site knows of the ticket, and nothing that is not set. The first line has its number.
func (s *story) everything(site SiteID) string {
	r := s.tree.office(site).records[s.number]
	head, rest, more := strings.Cut(retell.Ticket(r.GetTicket(), r.GetPauses(), string(site)), "\n")
	if !more {
		return head
	}
	return head + "\n" + s.named(rest)
}
