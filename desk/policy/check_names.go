package policy

import (
	"slices"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// use is a place of a policy that names something of it.
type use struct{ path, section, name string }

// references objects to names of things that are not there, and to taking away what is still named.
func (c *checker) references() {
	for _, use := range uses(c.layer) {
		if use.name != "" && !has(c.merged, use.section, use.name) {
			c.object(use.path, "%q is not in %s, neither here nor above", use.name, use.section)
		}
	}
	merged := uses(c.merged)
	for _, field := range fieldsOf(c.layer) {
		if !field.IsList() || field.Message() == nil {
			continue
		}
		section := string(field.Name())
		for i, entry := range entriesOf(c.layer.ProtoReflect(), field) {
			name := Key(entry.Interface())
			still := slices.IndexFunc(merged, func(u use) bool { return u.section == section && u.name == name })
			if removed(entry) && still >= 0 {
				c.object(at(section, i), "%q cannot be removed: %s still names it", name, merged[still].path)
			}
		}
	}
}

// has tells whether a section of a policy has an entry with the name.
func has(p *deskpb.Policy, section, name string) bool {
	fields := p.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if string(field.Name()) != section {
			continue
		}
		for _, entry := range entriesOf(p.ProtoReflect(), field) {
			if Key(entry.Interface()) == name {
				return true
			}
		}
	}
	return false
}

// uses lists the names that a policy uses.
func uses(p *deskpb.Policy) []use {
	var all []use
	add := func(path, section, name string) {
		if name != "" {
			all = append(all, use{path, section, name})
		}
	}
	for i, category := range p.GetCategories() {
		add(at("categories", i)+".checklist", "checklists", category.GetChecklist())
	}
	for i, application := range p.GetApplications() {
		add(at("applications", i)+".group", "groups", application.GetGroup())
	}
	for i, service := range p.GetServices() {
		add(at("services", i)+".category", "categories", service.GetCategory())
	}
	for i, group := range p.GetGroups() {
		add(at("groups", i)+".roster", "rosters", group.GetRoster())
	}
	for i, target := range p.GetTargets() {
		add(at("targets", i)+".calendar", sectionCalendars, target.GetCalendar())
		add(at("targets", i)+".when_calendar", sectionCalendars, target.GetWhenCalendar())
	}
	for i, rule := range p.GetDispatch() {
		add(at("dispatch", i)+".group", "groups", rule.GetGroup())
	}
	for i, roster := range p.GetRosters() {
		add(at("rosters", i)+".calendar", sectionCalendars, roster.GetCalendar())
	}
	add("call_backs.calendar", sectionCalendars, p.GetCallBacks().GetCalendar())
	add("closing.calendar", sectionCalendars, p.GetClosing().GetCalendar())
	for i, template := range p.GetTemplates() {
		add(at("templates", i)+".checklist", "checklists", template.GetChecklist())
	}
	for i, round := range p.GetRounds() {
		add(at("rounds", i)+".template", "templates", round.GetTemplate())
		add(at("rounds", i)+".calendar", sectionCalendars, round.GetCalendar())
		add(at("rounds", i)+".group", "groups", round.GetGroup())
	}
	return all
}
