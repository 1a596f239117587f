package policy

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Bounds of a layer.
const (
	maxEntries = 500 // of one section
	maxName    = 200 // characters of a name
	maxPhone   = 40  // characters of a telephone number
)

// Objection is something wrong with a layer. Path is where, such as targets[2].within.
type Objection struct{ Path, Text string }

// Check tells everything that is wrong with a layer below others, which are in the order of Merge and without it: names that
// are missing or given twice, values that nothing can be made of, names of things that are not there, and sections that were
// locked above. No objections mean that every rule can use the layer.
func Check(above []*deskpb.Policy, layer *deskpb.Policy) []Objection {
	c := &checker{
		layer:  layer,
		above:  Merge(above...),
		merged: Merge(append(slices.Clip(above), layer)...),
		shared: Merge(append(slices.Clip(above), layer)[:min(len(above)+1, sharedLayers)]...),
		lower:  len(above) >= sharedLayers,
	}
	for _, field := range fieldsOf(layer) {
		c.section(field)
	}
	for _, name := range layer.GetLocked() {
		if field := layer.ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(name)); field == nil || name == sectionLocked || name == sectionEdition {
			c.object("locked", "%q is no section of a policy; name one such as targets or closing", name)
		}
	}
	c.catalogue()
	c.calendars()
	c.people()
	c.targets()
	c.ladders()
	c.habits()
	c.work()
	c.references()
	return c.objections
}

// checker gathers objections.
type checker struct {
	layer, above, merged *deskpb.Policy
	// shared are the layers that all sites of a path have, and lower tells that the layer is none of them.
	shared     *deskpb.Policy
	lower      bool
	objections []Objection
}

func (c *checker) object(path, format string, args ...any) {
	c.objections = append(c.objections, Objection{Path: path, Text: fmt.Sprintf(format, args...)})
}

// section checks what all sections have in common.
func (c *checker) section(field protoreflect.FieldDescriptor) {
	section := string(field.Name())
	if slices.Contains(c.above.GetLocked(), section) {
		c.object(section, "the section is locked by an office above; leave it out, or ask there")
	}
	if !field.IsList() || field.Kind() != protoreflect.MessageKind {
		return
	}
	entries := entriesOf(c.layer.ProtoReflect(), field)
	if len(entries) > maxEntries {
		c.object(section, "%d entries are too many; the limit is %d", len(entries), maxEntries)
	}
	known := entriesOf(c.above.ProtoReflect(), field)
	var seen []string
	for i, entry := range entries {
		path, key := at(section, i), Key(entry.Interface())
		same := func(other protoreflect.Message) bool { return Key(other.Interface()) == key }
		switch {
		case strings.TrimSpace(key) == "":
			c.object(path, "it has no name; give it one")
		case utf8.RuneCountInString(key) > maxName || strings.ContainsFunc(key, unicode.IsControl):
			c.object(path+".name", "%.40q is not one line of at most %d characters", key, maxName)
		case slices.Contains(seen, key):
			c.object(path, "%q is there twice; give each entry a name of its own", key)
		case removed(entry) && !slices.ContainsFunc(known, same):
			c.object(path, "%q cannot be removed: no office above has one", key)
		}
		seen = append(seen, key)
	}
}

// at is the path of an entry of a list.
func at(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }

// level objects to a number outside of 1 to most; 0 passes where it stands for "not given".
func (c *checker) level(path string, value, most int32, optional bool) {
	if (value != 0 || !optional) && (value < 1 || value > most) {
		c.object(path, "%d is not between 1 and %d", value, most)
	}
}

// notNegative objects to a number below zero.
func (c *checker) notNegative(path string, value int64) {
	if value < 0 {
		c.object(path, "%d is less than zero", value)
	}
}

func (c *checker) match(path string, m *deskpb.Match) {
	for i, priority := range m.GetPriorities() {
		c.level(at(path+".priorities", i), priority, 5, false)
	}
	for i, severity := range m.GetSeverities() {
		c.level(at(path+".severities", i), severity, 3, false)
	}
	for i, class := range m.GetClasses() {
		if !slices.Contains([]string{"normal", "vip", "new"}, class) {
			c.object(at(path+".classes", i), "%q is no class of requesters; use normal, vip or new", class)
		}
	}
}

// catalogue checks what tickets are sorted by.
func (c *checker) catalogue() {
	for i, category := range c.layer.GetCategories() {
		path := at("categories", i)
		c.level(path+".impact", category.GetImpact(), 3, true)
		c.level(path+".urgency", category.GetUrgency(), 3, true)
		for j, part := range strings.Split(category.GetName(), "/") {
			if j > 1 || part == "" && category.GetName() != "" {
				c.object(path+".name", "%q is not a category or category/sub-category", category.GetName())
				break
			}
		}
		var seen []string
		for j, field := range category.GetFields() {
			at := at(path+".fields", j)
			switch {
			case strings.TrimSpace(field.GetName()) == "":
				c.object(at, "it has no name; give it one")
			case slices.Contains(seen, field.GetName()):
				c.object(at, "%q is there twice; give each field a name of its own", field.GetName())
			case (field.GetKind() == deskpb.SpecialField_CHOICE) != (len(field.GetChoices()) > 0):
				c.object(at, "field %q: a choice has choices, and nothing else has", field.GetName())
			}
			seen = append(seen, field.GetName())
		}
	}
	if matrix := c.layer.GetPriorities(); matrix != nil {
		if n := len(matrix.GetPriorities()); n != 9 {
			c.object("priorities", "the matrix has %d priorities instead of 9: three for each impact, by urgency", n)
		}
		for i, priority := range matrix.GetPriorities() {
			c.level(at("priorities.priorities", i), priority, 5, false)
		}
	}
	for i, level := range c.layer.GetFaultLevels() {
		c.level(at("fault_levels", i)+".level", level.GetLevel(), 3, false)
	}
}

func (c *checker) targets() {
	for i, target := range c.layer.GetTargets() {
		path := at("targets", i)
		if target.GetRemoved() {
			continue
		}
		c.match(path+".match", target.GetMatch())
		if target.GetMetric() == deskpb.Sla_METRIC_UNSPECIFIED {
			c.object(path, "target %q has no metric; give response, resolution, update or on_site", target.GetName())
		}
		if target.GetNone() == (target.GetWithin() > 0) {
			c.object(path, "target %q needs a time in which something has to happen, or none: true, and not both", target.GetName())
		}
		if tier := target.GetTier(); tier != "" && (!slices.Contains([]string{"COUNTY", "CITY", "PROVINCE"}, tier) || target.GetMetric() != deskpb.Sla_RESOLUTION) {
			c.object(path+".tier", "only resolution targets have a tier, which is county, city or province")
		}
		if (target.GetWhen() == deskpb.Target_ALWAYS) != (target.GetWhenCalendar() == "") {
			c.object(path+".when", "target %q: working and off_hours go with a when_calendar, and always goes without", target.GetName())
		}
		for _, name := range []string{target.GetCalendar(), target.GetWhenCalendar()} {
			if c.lower && target.GetTier() == "" && name != "" && Calendar(c.shared, name) == nil {
				c.object(path+".calendar", "target %q counts at every site of a ticket's path, and %q is not a calendar that all of them have; use one of the province",
					target.GetName(), name)
			}
		}
	}
}

func (c *checker) ladders() {
	for i, ladder := range c.layer.GetLadders() {
		path := at("ladders", i)
		c.match(path+".match", ladder.GetMatch())
		for j, rung := range ladder.GetRungs() {
			at := at(path+".rungs", j)
			switch {
			case rung.GetWho() == deskpb.Rung_WHO_UNSPECIFIED:
				c.object(at, "nobody is told; say who")
			case (rung.GetWho() == deskpb.Rung_PERSON) != (rung.GetPerson() != ""):
				c.object(at, "who: person goes with a person, and nobody else does")
			case rung.GetTimes() < 1 || rung.GetTimes() > 100 || rung.GetEvery() < minute:
				c.object(at, "people are told 1 to 100 times, a minute apart or more; give times and every")
			case !slices.Contains([]int32{0, 50, 75, 90, 100}, rung.GetMark()):
				c.object(at+".mark", "%d is no mark of a clock; use 50, 75, 90 or 100", rung.GetMark())
			}
		}
	}
	for i, rule := range c.layer.GetDispatch() {
		c.match(at("dispatch", i)+".match", rule.GetMatch())
		if !rule.GetRemoved() && rule.GetGroup() == "" {
			c.object(at("dispatch", i), "rule %q names no group; give one", rule.GetName())
		}
	}
}

// habits checks how the desk urges, calls back and closes.
func (c *checker) habits() {
	urging, calls, closing := c.layer.GetUrging(), c.layer.GetCallBacks(), c.layer.GetClosing()
	c.notNegative("urging.cool_down", urging.GetCoolDown())
	if percent := calls.GetPercent(); percent < 0 || percent > 100 {
		c.object("call_backs.percent", "%d is not between 0 and 100", percent)
	}
	if calls.GetAttempts() > 20 {
		c.object("call_backs.attempts", "%d attempts are too many; the limit is 20", calls.GetAttempts())
	}
	if score := calls.GetDissatisfiedScore(); score < 0 || score > 5 {
		c.object("call_backs.dissatisfied_score", "%d is not between 0 and 5", score)
	}
	for i, day := range calls.GetWelcomeDays() {
		if day < 1 || day > 366 || i > 0 && day <= calls.GetWelcomeDays()[i-1] {
			c.object("call_backs.welcome_days", "they are days between 1 and 366, in order")
			break
		}
	}
	for _, number := range []struct {
		path  string
		value int64
	}{
		{"call_backs.after", calls.GetAfter()},
		{"call_backs.vip_months", int64(calls.GetVipMonths())},
		{"call_backs.visit_months", int64(calls.GetVisitMonths())},
		{"closing.auto_close_days", int64(closing.GetAutoCloseDays())},
		{"closing.reopen_within", closing.GetReopenWithin()},
		{"closing.rating_editable", closing.GetRatingEditable()},
		{"closing.survey_valid", closing.GetSurveyValid()},
	} {
		c.notNegative(number.path, number.value)
	}
	c.contacts()
}

// maxContacts bounds what the support site shows.
const maxContacts = 20

// contacts checks how the office is reached.
func (c *checker) contacts() {
	contacts := c.layer.GetPortal().GetContacts()
	if len(contacts) > maxContacts {
		c.object("portal.contacts", "%d contacts are too many; the limit is %d", len(contacts), maxContacts)
	}
	for i, contact := range contacts {
		if strings.TrimSpace(contact.GetTitle().GetZh()+contact.GetTitle().GetEn()) == "" {
			c.object(at("portal.contacts", i)+".title", "it is missing; say who is reached there")
		}
		if phone := contact.GetPhone(); utf8.RuneCountInString(phone) > maxPhone || strings.ContainsFunc(phone, unicode.IsControl) {
			c.object(at("portal.contacts", i)+".phone", "%.40q is not one line of at most %d characters", phone, maxPhone)
		}
	}
}

// work checks what brings work along: checklists, templates, macros, rounds and approvals.
func (c *checker) work() {
	for i, list := range c.layer.GetChecklists() {
		for j, item := range list.GetItems() {
			if strings.TrimSpace(item.GetText()) == "" {
				c.object(at(at("checklists", i)+".items", j), "it has no text; give it one")
			}
		}
	}
	for i, template := range c.layer.GetTemplates() {
		path, ticket := at("templates", i)+".ticket", template.GetTicket()
		c.level(path+".impact", ticket.GetImpact(), 3, true)
		c.level(path+".urgency", ticket.GetUrgency(), 3, true)
		c.level(path+".severity", ticket.GetSeverity(), 3, true)
	}
	verbs := []string{"assign", "start", "hold", "resume", "note", "reply", "resolve"}
	for i, macro := range c.layer.GetMacros() {
		for j, step := range macro.GetSteps() {
			if !slices.Contains(verbs, step.GetVerb()) {
				c.object(at(at("macros", i)+".steps", j), "%q is no verb of a macro; use %s", step.GetVerb(), strings.Join(verbs, ", "))
			}
		}
	}
	for i, round := range c.layer.GetRounds() {
		path := at("rounds", i)
		if round.GetRemoved() {
			continue
		}
		if round.GetEvery() < 1 || round.GetEvery() > 366 {
			c.object(path+".every", "%d is not between 1 and 366", round.GetEvery())
		}
		if !isDate(round.GetFirst()) {
			c.object(path, "round %q has no first day; give one", round.GetName())
		}
		if round.GetTemplate() == "" {
			c.object(path, "round %q names no template; name one", round.GetName())
		}
		c.zone(path, "round", round.GetName(), round.GetCalendar())
		if round.GetMinute() < 0 || round.GetMinute() >= fullDay {
			c.object(path+".at", "%d is no minute of a day", round.GetMinute())
		}
	}
	for i, approval := range c.layer.GetApprovals() {
		path := at("approvals", i)
		if approval.GetRemoved() {
			continue
		}
		c.match(path+".match", approval.GetMatch())
		if !slices.Contains([]string{"escalate", "resolve", "close"}, approval.GetStep()) {
			c.object(path+".step", "%q is no step that is approved; use escalate, resolve or close", approval.GetStep())
		}
		if len(approval.GetApprovers()) == 0 {
			c.object(path, "approval %q names nobody who approves", approval.GetName())
		}
	}
}
