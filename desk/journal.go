package desk

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// JournalEntry is one step as people read it.
type JournalEntry struct {
	Event   Sealed
	Changes []Change
	// Superseded marks a custodial event that changed nothing: work done before a recovery that lost against other work,
	// or that stands on events which are missing here.
	Superseded bool
}

// Change is one field that a custodial event changed, in the API's spelling. Before and After are empty for a field
// without a value; times are in UTC.
type Change struct{ Field, Before, After string }

// Journal renders any set of distinct events of one ticket, in the order given. OPENED shows the fields that have a
// value; each further event of the chain that is the ticket (see Union) shows what it changed. Remarks change nothing. It
// returns the errors of Union.
func Journal(events []Sealed) ([]JournalEntry, error) {
	h, err := arrange(events)
	if err != nil {
		return nil, fmt.Errorf("render the journal: %w", err)
	}
	entries := make([]JournalEntry, len(events))
	for i, event := range events {
		entries[i] = JournalEntry{Event: event, Superseded: event.GetClass() == deskpb.Event_CUSTODIAL && !h.steps[i].chosen}
	}
	var record *deskpb.Record
	before := fieldsOf(nil)
	for _, i := range h.chain() {
		if record, err = fold(record, events[i], h.steps[i].hash); err != nil {
			return nil, fmt.Errorf("render the journal: %w", err)
		}
		after := fieldsOf(record.GetTicket())
		entries[i].Changes = changes(before, after)
		before = after
	}
	return entries, nil
}

// field is one field of a ticket in print.
type field struct{ name, value string }

// changes compares two lists of the same fields.
func changes(before, after []field) []Change {
	var changed []Change
	for i, f := range after {
		if f.value != before[i].value {
			changed = append(changed, Change{Field: f.name, Before: before[i].value, After: f.value})
		}
	}
	return changed
}

// fieldsOf prints the public fields that custodial events change, always the same ones in the same order.
func fieldsOf(t *deskpb.Ticket) []field {
	fields := []field{
		{"title", t.GetTitle()},
		{"kind", enum(t.GetKind())},
		{"state", enum(t.GetState())},
		{"holdReason", t.GetHoldReason()},
		{"category", t.GetCategory()},
		{"application", t.GetApplication()},
		{"channel", enum(t.GetChannel())},
		{"impact", count(t.GetImpact())},
		{"urgency", count(t.GetUrgency())},
		{"priority", count(t.GetPriority())},
		{"severity", count(t.GetSeverity())},
		{"major", boolean(t.GetMajor())},
		{"custodianSite", t.GetCustodianSite()},
		{"custodyTerm", count(t.GetCustodyTerm())},
		{"line", enum(t.GetLine())},
		{"handover.state", t.GetHandover().GetState().String()},
		{"handover.toSite", t.GetHandover().GetToSite()},
		{"assignee", t.GetAssignee()},
		{"group", t.GetGroup()},
		{"reassignmentCount", count(t.GetReassignmentCount())},
		{"reopenCount", count(t.GetReopenCount())},
		{"respondTime", instant(t.GetRespondTime())},
		{"resolveTime", instant(t.GetResolveTime())},
		{"closeTime", instant(t.GetCloseTime())},
		{"resolution.code", t.GetResolution().GetCode()},
		{"resolution.text", t.GetResolution().GetText()},
		{"resolution.rootCause", t.GetResolution().GetRootCause()},
		{"satisfaction.score", count(t.GetSatisfaction().GetScore())},
		{"satisfaction.comment", t.GetSatisfaction().GetComment()},
	}
	return slices.Concat(fields, wordFields(t), togetherFields(t), clockFields(t))
}

// wordFields prints what people change by sorting a ticket anew, beside the levels.
func wordFields(t *deskpb.Ticket) []field {
	special := make([]string, 0, len(t.GetFields()))
	for _, name := range fieldNames(t.GetFields()) {
		special = append(special, name+"="+t.GetFields()[name])
	}
	return []field{
		{"description", t.GetDescription()},
		{"applicationVersion", t.GetApplicationVersion()},
		{"configurationItem", t.GetConfigurationItem()},
		{"service", t.GetService()},
		{"tags", strings.Join(t.GetTags(), ", ")},
		{"fields", strings.Join(special, "; ")},
		{"requester.name", t.GetRequester().GetName()},
		{"requester.unit", t.GetRequester().GetUnit()},
		{"requester.phone", t.GetRequester().GetPhone()},
		{"requester.email", t.GetRequester().GetEmail()},
		{"requester.user", t.GetRequester().GetUser()},
		{"requester.class", t.GetRequester().GetClass()},
		{"coordinator", t.GetCoordinator()},
		{"visit", boolean(t.GetVisit())},
	}
}

// togetherFields prints what people do together on a ticket and what became of it among others.
func togetherFields(t *deskpb.Ticket) []field {
	tasks := make([]string, len(t.GetTasks()))
	for i, task := range t.GetTasks() {
		tasks[i] = fmt.Sprintf("%d %s %s", task.GetId(), task.GetTitle(), task.GetState())
	}
	return []field{
		{"tasks", strings.Join(tasks, "; ")},
		{"checklist", progress(t.GetChecklist())},
		{"review", t.GetReview()},
		{"mergedInto", t.GetMergedInto()},
	}
}

// progress prints how many items of a checklist are done, such as 2/5; nothing without a checklist.
func progress(items []*deskpb.ChecklistItem) string {
	if len(items) == 0 {
		return ""
	}
	done := 0
	for _, item := range items {
		if item.GetDone() {
			done++
		}
	}
	return fmt.Sprintf("%d/%d", done, len(items))
}

// clockFields prints the two end-to-end clocks, one field each: its state and when it is due.
func clockFields(t *deskpb.Ticket) []field {
	fields := []field{{name: "sla.RESPONSE"}, {name: "sla.RESOLUTION"}}
	for _, clock := range t.GetSla() {
		for i := range fields {
			if fields[i].name == "sla."+clock.GetMetric().String() && clock.GetTier() == "" {
				fields[i].value = clock.GetState().String() + " " + instant(clock.GetDueTime())
			}
		}
	}
	return fields
}

// enum prints an enum's name, and nothing for its zero, which stands for "not set".
func enum[E interface {
	~int32
	fmt.Stringer
}](value E) string {
	if value == 0 {
		return ""
	}
	return value.String()
}

func count[N int32 | uint32](n N) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(int64(n), 10)
}

func boolean(set bool) string {
	if !set {
		return ""
	}
	return strconv.FormatBool(set)
}

func instant(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().Format(instantLayout)
}
