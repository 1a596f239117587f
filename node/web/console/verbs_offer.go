package console

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// choice is something that a field may say.
type choice struct {
	Value, Word string
	Group       string // choices with the same heading stand together; empty for none
}

// worded are choices that have words of their own.
func (d *dossier) worded(prefix string, values ...string) []choice {
	made := make([]choice, len(values))
	for i, value := range values {
		made[i] = choice{Value: value, Word: d.Word(prefix + value)}
	}
	return made
}

// offerPeople are the visitor, and the people of the site's groups.
func offerPeople(d *dossier) (found []choice) {
	me := d.Actor.GetUser()
	found = append(found, choice{Value: me, Word: d.Word("t.me", d.person(me, d.SiteID))})
	for _, group := range d.people.groups {
		for _, one := range d.people.crew(d.Visit, group) {
			found = append(found, choice{Value: one.Value, Word: one.Word, Group: d.people.group(group.GetName())})
		}
	}
	return found
}

func offerGroups(d *dossier) (found []choice) {
	for _, group := range d.policy.GetGroups() {
		found = append(found, choice{Value: group.GetName(), Word: d.title(group.GetTitle(), group.GetName())})
	}
	return found
}

func offerHoldReasons(d *dossier) (found []choice) {
	for _, reason := range d.policy.GetHoldReasons() {
		word := d.title(reason.GetTitle(), reason.GetName())
		if reason.GetPauses() {
			word = d.Word("t.pauses", word)
		}
		found = append(found, choice{Value: reason.GetName(), Word: word})
	}
	return found
}

func offerCodes(d *dossier) (found []choice) {
	for _, code := range d.policy.GetResolutionCodes() {
		found = append(found, choice{Value: code.GetName(), Word: d.title(code.GetTitle(), code.GetName())})
	}
	return found
}

func offerCategories(d *dossier) (found []choice) {
	for _, category := range d.policy.GetCategories() {
		found = append(found, choice{Value: category.GetName(), Word: d.title(category.GetTitle(), category.GetName())})
	}
	return known(found, d.ticket.GetCategory())
}

func offerServices(d *dossier) (found []choice) {
	for _, service := range d.policy.GetServices() {
		found = append(found, choice{Value: service.GetName(), Word: d.title(service.GetTitle(), service.GetName())})
	}
	return known(found, d.ticket.GetService())
}

func offerApplications(d *dossier) (found []choice) {
	for _, application := range d.policy.GetApplications() {
		found = append(found, choice{Value: application.GetName(), Word: d.title(application.GetTitle(), application.GetName())})
	}
	return found
}

// known adds what a ticket says to the choices that have it not, so that a form does not change it unasked.
func known(offered []choice, present string) []choice {
	if present == "" || slices.ContainsFunc(offered, func(c choice) bool { return c.Value == present }) {
		return offered
	}
	return append(offered, choice{Value: present, Word: present})
}

func offerLevels(d *dossier) []choice { return d.worded("t.level.", "1", "2", "3") }

func offerFaultLevels(d *dossier) []choice {
	found := []choice{}
	for _, fault := range d.policy.GetFaultLevels() {
		number := strconv.Itoa(int(fault.GetLevel()))
		found = append(found, choice{Value: number, Word: d.title(fault.GetTitle(), number)})
	}
	if len(found) == 0 {
		return d.worded("t.severity.", "1", "2", "3")
	}
	return found
}

func offerScores(d *dossier) []choice { return d.worded("t.score.", "5", "4", "3", "2", "1") }

func offerOutcomes(d *dossier) []choice {
	return d.worded("t.outcome.", deskpb.CallBack_CONTENT.String(), deskpb.CallBack_DISSATISFIED.String(), deskpb.CallBack_NOT_REACHED.String())
}

func offerTaskKinds(d *dossier) []choice {
	return d.worded("t.task.", deskpb.Task_WORK.String(), deskpb.Task_COSIGN.String(), deskpb.Task_APPROVAL.String())
}

func offerTaskActions(d *dossier) []choice {
	return d.worded("t.action.", deskpb.ChangeTask_FINISH.String(), deskpb.ChangeTask_AGREE.String(), deskpb.ChangeTask_REFUSE.String(),
		deskpb.ChangeTask_CANCEL.String())
}

// offerLinkKinds are the links that people make; the others follow from what is done.
func offerLinkKinds(d *dossier) []choice {
	return d.worded("t.link.", deskpb.TicketLink_RELATED.String(), deskpb.TicketLink_CHILD_OF.String(), deskpb.TicketLink_PARENT_OF.String(),
		deskpb.TicketLink_CAUSED_BY.String(), deskpb.TicketLink_CAUSE_OF.String())
}

func offerMacros(d *dossier) (found []choice) {
	for _, macro := range d.policy.GetMacros() {
		found = append(found, choice{Value: macro.GetName(), Word: d.title(macro.GetTitle(), macro.GetName())})
	}
	return found
}

// specialFields are the inputs for the special fields of a category.
func (d *dossier) specialFields(category string) (fields []verbField, words map[string]string) {
	words = make(map[string]string)
	for _, known := range d.policy.GetCategories() {
		if known.GetName() != category {
			continue
		}
		for _, special := range known.GetFields() {
			name := special.GetName()
			field := verbField{name: specialInput + name, kind: kindLine, required: special.GetRequired(), most: lineLimit}
			field.present = func(t *deskpb.Ticket) string { return t.GetFields()[name] }
			switch special.GetKind() {
			case deskpb.SpecialField_NUMBER:
				field.kind = kindNumber
			case deskpb.SpecialField_DATE:
				field.kind = kindDate
			case deskpb.SpecialField_CHOICE:
				field.kind = kindChoice
				field.choices = func(*dossier) []choice { return plain(special.GetChoices()) }
			}
			fields = append(fields, field)
			words[field.name] = d.title(special.GetTitle(), name)
		}
	}
	return fields, words
}

func plain(values []string) []choice {
	made := make([]choice, len(values))
	for i, value := range values {
		made[i] = choice{Value: value, Word: value}
	}
	return made
}

// specialShown are a ticket's special fields as they are named, in the order of their names.
func (d *dossier) specialShown() (found []fact) {
	_, words := d.specialFields(d.ticket.GetCategory())
	for _, name := range slices.Sorted(maps.Keys(d.ticket.GetFields())) {
		found = append(found, fact{Word: cmp.Or(words[specialInput+name], name), Text: d.ticket.GetFields()[name]})
	}
	return found
}
