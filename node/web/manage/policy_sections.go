package manage

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// policySections shows a policy as tables, in the order in which people ask for them. A section that says nothing is left out.
func policySections(v *page.Visit, p *deskpb.Policy) []policySection {
	all := []policySection{
		calendarSection(v, p), targetSection(v, p), prioritySection(v, p), groupSection(v, p), rosterSection(v, p), dispatchSection(v, p),
		ladderSection(v, p), categorySection(v, p), applicationSection(v, p), serviceSection(v, p), faultSection(v, p), holdSection(v, p), codeSection(v, p),
		macroSection(v, p), templateSection(v, p), checklistSection(v, p), roundSection(v, p), approvalSection(v, p), habitSection(v, p),
		callBackSection(v, p), closingSection(v, p), portalSection(v, p),
	}
	return slices.DeleteFunc(all, func(s policySection) bool { return len(s.Rows) == 0 })
}

// head names the columns of a section.
func head(v *page.Visit, columns ...string) (names []string) {
	for _, column := range columns {
		names = append(names, v.Word("admin.column."+column))
	}
	return names
}

func titled(v *page.Visit, title *deskpb.Words, name string) string {
	return cmp.Or(said(v, title), name)
}

// entry is something of a policy that others name.
type entry interface {
	GetName() string
	GetTitle() *deskpb.Words
}

// titleOf is how the one of several entries is called that has a name; the name where none has.
func titleOf[E entry](v *page.Visit, all []E, name string) string {
	for _, one := range all {
		if one.GetName() == name {
			return titled(v, one.GetTitle(), name)
		}
	}
	return name
}

// yes is a mark for what holds, and nothing for what does not.
func yes(holds bool) string {
	if holds {
		return "✓"
	}
	return ""
}

// span is a length of time of the policy, which counts seconds; empty for none.
func span(v *page.Visit, seconds int64) string {
	if seconds <= 0 {
		return ""
	}
	return v.Span(time.Duration(seconds) * time.Second)
}

// minutes is a time of day in minutes after midnight.
func minutes(m int32) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }

// date is a date as the policy counts it.
func date(d int32) string { return fmt.Sprintf("%04d-%02d-%02d", d/10000, d/100%100, d%100) }

func segments(all []*deskpb.Segment) string {
	var texts []string
	for _, s := range all {
		texts = append(texts, minutes(s.GetFrom())+"–"+minutes(s.GetTo()))
	}
	return strings.Join(texts, " ")
}

func calendarSection(v *page.Visit, p *deskpb.Policy) policySection {
	s := policySection{Key: "calendars", Head: head(v, "calendar", "working-time", "zone", "exceptions")}
	for _, c := range p.GetCalendars() {
		week := v.Word("admin.calendar.always")
		if !c.GetAlways() {
			week = weekShown(v, c)
		}
		row := cells(titled(v, c.GetTitle(), c.GetName()), week, c.GetTimeZone(), strconv.Itoa(len(c.GetDates())))
		row[0].Link = "/admin/policy/calendars/" + url.PathEscape(c.GetName())
		s.Rows = append(s.Rows, row)
	}
	return s
}

// weekShown says the working time of a week, with equal days that follow each other together.
func weekShown(v *page.Visit, c *deskpb.Calendar) string {
	times := [8]string{}
	for _, day := range c.GetWeekdays() {
		if n := day.GetDay(); n >= 1 && n <= 7 {
			times[n] = segments(day.GetSegments())
		}
	}
	var parts []string
	for from := 1; from <= 7; {
		to := from
		for to < 7 && times[to+1] == times[from] {
			to++
		}
		if times[from] != "" {
			days := v.Word("admin.weekday." + strconv.Itoa(from))
			if to > from {
				days = v.Word("admin.from-to", days, v.Word("admin.weekday."+strconv.Itoa(to)))
			}
			parts = append(parts, days+" "+times[from])
		}
		from = to + 1
	}
	return strings.Join(parts, "; ")
}

func targetSection(v *page.Visit, p *deskpb.Policy) policySection {
	s := policySection{Key: "targets", Head: head(v, "metric", "fits", "within", "calendar", "tier")}
	for _, t := range p.GetTargets() {
		within := span(v, t.GetWithin())
		if t.GetNone() {
			within = v.Word("admin.target.none")
		}
		if t.GetWhen() != deskpb.Target_ALWAYS {
			within += " " + v.Word("admin.target."+t.GetWhen().String())
		}
		tier := v.Word("admin.target.end-to-end")
		if t.GetTier() != "" {
			tier = v.Word("tier." + t.GetTier())
		}
		s.Rows = append(s.Rows, cells(v.Word("admin.metric."+t.GetMetric().String()), matchShown(v, t.GetMatch()), within,
			cmp.Or(calendarTitle(v, p, t.GetCalendar()), v.Word("admin.calendar.always")), tier))
	}
	return s
}

func calendarTitle(v *page.Visit, p *deskpb.Policy, name string) string {
	for _, c := range p.GetCalendars() {
		if c.GetName() == name {
			return titled(v, c.GetTitle(), name)
		}
	}
	return name
}

// matchShown says which tickets a rule fits.
func matchShown(v *page.Visit, m *deskpb.Match) string {
	var parts []string
	add := func(name string, values []string) {
		if len(values) > 0 {
			parts = append(parts, v.Word("admin.fits."+name)+" "+strings.Join(values, v.Word("admin.comma")))
		}
	}
	add("priorities", numbers(m.GetPriorities()))
	add("severities", numbers(m.GetSeverities()))
	add("categories", m.GetCategories())
	add("applications", m.GetApplications())
	add("classes", m.GetClasses())
	add("units", m.GetUnits())
	var sites, lines []string
	for _, site := range m.GetSites() {
		sites = append(sites, v.SiteNamed(site))
	}
	for _, line := range m.GetLines() {
		lines = append(lines, v.Word("line."+line.String()))
	}
	add("sites", sites)
	add("lines", lines)
	if m.GetMajor() {
		parts = append(parts, v.Word("admin.fits.major"))
	}
	for _, kind := range m.GetKinds() {
		parts = append(parts, v.Word("admin.fits."+kind.String()))
	}
	if len(parts) == 0 {
		return v.Word("admin.fits.all")
	}
	return strings.Join(parts, v.Word("admin.semicolon"))
}

func numbers(values []int32) (texts []string) {
	for _, value := range values {
		texts = append(texts, strconv.Itoa(int(value)))
	}
	return texts
}

func prioritySection(v *page.Visit, p *deskpb.Policy) policySection {
	s := policySection{Key: "priorities", Head: append([]string{""}, v.Word("admin.urgency", 1), v.Word("admin.urgency", 2), v.Word("admin.urgency", 3))}
	all := p.GetPriorities().GetPriorities()
	for impact := 1; impact*3 <= len(all); impact++ {
		row := cells(v.Word("admin.impact", impact))
		for _, priority := range all[impact*3-3 : impact*3] {
			row = append(row, cell{Text: v.Priority(priority).Word})
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}

func groupSection(v *page.Visit, p *deskpb.Policy) policySection {
	s := policySection{Key: "groups", Head: head(v, "group", "members", "manager", "lines", "method", "accept", "roster")}
	for _, g := range p.GetGroups() {
		var lines []string
		for _, line := range g.GetLines() {
			lines = append(lines, v.Word("line."+line.String()))
		}
		s.Rows = append(s.Rows, cells(titled(v, g.GetTitle(), g.GetName()), strings.Join(g.GetMembers(), v.Word("admin.comma")), g.GetManager(),
			strings.Join(lines, v.Word("admin.comma")), v.Word("admin.method."+g.GetMethod().String()), span(v, g.GetAcceptWithin()),
			titleOf(v, p.GetRosters(), g.GetRoster())))
	}
	return s
}

func rosterSection(v *page.Visit, p *deskpb.Policy) policySection {
	s := policySection{Key: "rosters", Head: head(v, "roster", "days", "time", "people", "turns")}
	for _, r := range p.GetRosters() {
		for _, shift := range r.GetShifts() {
			var days []string
			for _, day := range shift.GetDays() {
				days = append(days, v.Word("admin.weekday."+strconv.Itoa(int(day))))
			}
			turns := ""
			if shift.GetTurnsFrom() != 0 {
				turns = v.Word("admin.roster.turns", date(shift.GetTurnsFrom()))
			}
			s.Rows = append(s.Rows, cells(titled(v, r.GetTitle(), r.GetName()), cmp.Or(strings.Join(days, " "), v.Word("admin.roster.daily")),
				minutes(shift.GetFrom())+"–"+minutes(shift.GetTo()), strings.Join(shift.GetPeople(), v.Word("admin.comma")), turns))
		}
	}
	return s
}

func dispatchSection(v *page.Visit, p *deskpb.Policy) policySection {
	s := policySection{Key: "dispatch", Head: head(v, "rule", "fits", "group")}
	for _, r := range p.GetDispatch() {
		s.Rows = append(s.Rows, written(cells(r.GetName(), matchShown(v, r.GetMatch()), titleOf(v, p.GetGroups(), r.GetGroup())), 0))
	}
	return s
}

func ladderSection(v *page.Visit, p *deskpb.Policy) policySection {
	s := policySection{Key: "ladders", Head: head(v, "ladder", "fits", "who", "when")}
	for _, l := range p.GetLadders() {
		for _, rung := range l.GetRungs() {
			who := v.Word("admin.who." + rung.GetWho().String())
			if rung.GetPerson() != "" {
				who += " " + rung.GetPerson()
			}
			when := v.Word("admin.ladder.times", rung.GetTimes(), cmp.Or(span(v, rung.GetEvery()), "–"))
			if rung.GetMark() > 0 {
				when += v.Word("admin.ladder.mark", rung.GetMark())
			}
			s.Rows = append(s.Rows, written(cells(l.GetName(), matchShown(v, l.GetMatch()), who, when), 0))
		}
	}
	return s
}

func categorySection(v *page.Visit, p *deskpb.Policy) policySection {
	s := policySection{Key: "categories", Head: head(v, "category", "fields", "checklist")}
	for _, c := range p.GetCategories() {
		var fields []string
		for _, field := range c.GetFields() {
			fields = append(fields, titled(v, field.GetTitle(), field.GetName()))
		}
		s.Rows = append(s.Rows, cells(titled(v, c.GetTitle(), c.GetName()), strings.Join(fields, v.Word("admin.comma")),
			titleOf(v, p.GetChecklists(), c.GetChecklist())))
	}
	return s
}

func serviceSection(v *page.Visit, p *deskpb.Policy) policySection {
	s := policySection{Key: "services", Head: head(v, "service", "category", "description")}
	for _, o := range p.GetServices() {
		s.Rows = append(s.Rows, written(cells(titled(v, o.GetTitle(), o.GetName()), titleOf(v, p.GetCategories(), o.GetCategory()),
			o.GetDescription()), 2))
	}
	return s
}

func applicationSection(v *page.Visit, p *deskpb.Policy) policySection {
	s := policySection{Key: "applications", Head: head(v, "application", "group")}
	for _, a := range p.GetApplications() {
		s.Rows = append(s.Rows, cells(titled(v, a.GetTitle(), a.GetName()), titleOf(v, p.GetGroups(), a.GetGroup())))
	}
	return s
}
