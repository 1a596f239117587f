package desk

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// maxSpecialFields bounds the special fields of a ticket.
const maxSpecialFields = 50

// fieldNames lists the special fields of a ticket by name.
func fieldNames(fields map[string]string) []string { return slices.Sorted(maps.Keys(fields)) }

// checkFieldsForm refuses special fields that break a limit.
func checkFieldsForm(fields map[string]string) error {
	if n := len(fields); n > maxSpecialFields {
		return RefuseField("ticket.fields", "%d are too many; the limit is %d", n, maxSpecialFields)
	}
	for _, name := range fieldNames(fields) {
		if err := given("ticket.fields", name); err != nil {
			return err
		}
		if err := oneLine("ticket.fields", name, MaxShort); err != nil {
			return err
		}
		if err := text("ticket.fields."+name, fields[name]); err != nil {
			return err
		}
	}
	return nil
}

// checkSpecialFields refuses a ticket that lacks a special field which its category requires, or has one of another kind.
// Fields that the policy does not know are taken as they are, unless its lists are closed.
func checkSpecialFields(p *deskpb.Policy, t *deskpb.Ticket) error {
	wanted := policy.Fields(p, t.GetCategory())
	for _, field := range wanted {
		path, value := "ticket.fields."+field.GetName(), t.GetFields()[field.GetName()]
		if value == "" {
			if field.GetRequired() {
				return RefuseField(path, "it is missing; tickets of category %q need it", t.GetCategory())
			}
			continue
		}
		switch field.GetKind() {
		case deskpb.SpecialField_NUMBER:
			if !isNumber(value) {
				return RefuseField(path, "%.40q is no number; write one such as 12 or 0.5", value)
			}
		case deskpb.SpecialField_DATE:
			if _, err := time.Parse(time.DateOnly, value); err != nil {
				return RefuseField(path, "%.40q is no date; write one such as 2026-01-31", value)
			}
		case deskpb.SpecialField_CHOICE:
			if !slices.Contains(field.GetChoices(), value) {
				return RefuseField(path, "%.40q is none of %q", value, field.GetChoices())
			}
		}
	}
	if !p.GetClosing().GetClosedLists() {
		return nil
	}
	for _, name := range fieldNames(t.GetFields()) {
		if !slices.ContainsFunc(wanted, func(f *deskpb.SpecialField) bool { return f.GetName() == name }) {
			return RefuseField("ticket.fields."+name, "category %q has no such field", t.GetCategory())
		}
	}
	return nil
}

// isNumber tells whether a text is a decimal number.
func isNumber(text string) bool {
	whole, part, pointed := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return digits(whole) && (!pointed || digits(part))
}
