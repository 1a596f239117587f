package console

import (
	"strconv"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// change shows what a step made of a field. People are those of the step's site.
func (d *dossier) change(c *apipb.Change, site string) changeShown {
	shown := changeShown{Field: c.GetField(), Before: d.value(c.GetField(), c.GetBefore(), site), After: d.value(c.GetField(), c.GetAfter(), site)}
	if key := "t.f." + c.GetField(); d.Has(key) {
		shown.Field = d.Word(key)
	}
	return shown
}

// value shows what a field of the journal says.
func (d *dossier) value(field, value, site string) string {
	if value == "" {
		return ""
	}
	switch field {
	case "state", "line":
		return d.Word(field + "." + value)
	case "kind", "channel":
		return d.Word("t." + field + "." + value)
	case "handover.state":
		return d.Word("t.handover." + value)
	case "impact", "urgency":
		return d.Word("t.level." + value)
	case "priority":
		return d.Word("priority." + value)
	case "custodianSite", "handover.toSite":
		return d.SiteNamed(value)
	case "assignee", "coordinator":
		return d.person(value, site)
	case "group":
		return d.groupTitle(value)
	case "holdReason":
		return d.holdTitle(value)
	case "resolution.code":
		return d.codeTitle(value)
	case "category":
		return d.categoryTitle(value)
	case "major", "visit":
		return d.Word("t.yes")
	case "resolveTime", "closeTime", "respondTime":
		if at, err := time.Parse(time.RFC3339, value); err == nil {
			return d.Time(timestamppb.New(at)).Clock
		}
	}
	return value
}

func (d *dossier) holdTitle(name string) string {
	for _, reason := range d.policy.GetHoldReasons() {
		if reason.GetName() == name {
			return d.title(reason.GetTitle(), name)
		}
	}
	return name
}

// codeTitle is a resolution code as people know it. The rules have one of their own, for tickets that were merged.
func (d *dossier) codeTitle(name string) string {
	for _, code := range d.policy.GetResolutionCodes() {
		if code.GetName() == name {
			return d.title(code.GetTitle(), name)
		}
	}
	if key := "t.code." + name; d.Has(key) {
		return d.Word(key)
	}
	return name
}

func (d *dossier) categoryTitle(name string) string {
	for _, category := range d.policy.GetCategories() {
		if category.GetName() == name {
			return d.title(category.GetTitle(), name)
		}
	}
	return name
}

// severity is a fault level as people know it; nothing for none.
func (d *dossier) severity(level int32) string {
	if level == 0 {
		return ""
	}
	for _, fault := range d.policy.GetFaultLevels() {
		if fault.GetLevel() == level {
			return d.title(fault.GetTitle(), strconv.Itoa(int(level)))
		}
	}
	return d.Word("t.severity." + strconv.Itoa(int(level)))
}
