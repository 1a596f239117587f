package api

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.einride.tech/aip/filtering"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// field is a field of a ticket that a filter may name.
type field struct {
	name string
	// compile checks an operator and a value and returns the comparison.
	compile func(op filtering.TokenType, value string) (func(*deskpb.Ticket) bool, error)
	// index lists the tickets with one value of the field by update time; ByNumber when there is none.
	index store.Index
}

// filterFields lists the fields of the filter language.
func filterFields() []field {
	return []field{
		wordField("number", (*deskpb.Ticket).GetNumber),
		enumField("state", deskpb.Ticket_State_value, (*deskpb.Ticket).GetState),
		enumField("kind", deskpb.Ticket_Kind_value, (*deskpb.Ticket).GetKind),
		enumField("line", deskpb.Ticket_Line_value, (*deskpb.Ticket).GetLine),
		enumField("channel", deskpb.Ticket_Channel_value, (*deskpb.Ticket).GetChannel),
		enumField("handover.state", deskpb.Handover_State_value,
			func(t *deskpb.Ticket) deskpb.Handover_State { return t.GetHandover().GetState() }),
		numberField("priority", (*deskpb.Ticket).GetPriority),
		numberField("severity", (*deskpb.Ticket).GetSeverity),
		flagField("major", (*deskpb.Ticket).GetMajor),
		titleField(),
		wordField("assignee", (*deskpb.Ticket).GetAssignee).indexed(store.ByAssignee),
		wordField("group", (*deskpb.Ticket).GetGroup).indexed(store.ByGroup),
		wordField("category", (*deskpb.Ticket).GetCategory).indexed(store.ByCategory),
		wordField("application", (*deskpb.Ticket).GetApplication).indexed(store.ByApplication),
		wordField("requester.user", func(t *deskpb.Ticket) string { return t.GetRequester().GetUser() }).indexed(store.ByRequester),
		wordField("requester.id", func(t *deskpb.Ticket) string { return t.GetRequester().GetId() }).indexed(store.ByCustomer),
		wordField("requester.unit", func(t *deskpb.Ticket) string { return t.GetRequester().GetUnit() }).indexed(store.ByUnit),
		wordField("requester.name", func(t *deskpb.Ticket) string { return t.GetRequester().GetName() }),
		wordField("homeSite", (*deskpb.Ticket).GetHomeSite),
		wordField("custodianSite", (*deskpb.Ticket).GetCustodianSite).indexed(store.ByCustodian),
		timeField("openTime", (*deskpb.Ticket).GetOpenTime),
		timeField("updateTime", (*deskpb.Ticket).GetUpdateTime),
	}
}

func (f field) indexed(index store.Index) field {
	f.index = index
	return f
}

func findField(fields []field, name string) (field, error) {
	known := make([]string, len(fields))
	for i, f := range fields {
		if f.name == name {
			return f, nil
		}
		known[i] = f.name
	}
	slices.Sort(known)
	return field{}, refuseFilter("unknown field %.60q; known are %s", name, strings.Join(known, ", "))
}

// refuseOperator says which operators the field has.
func refuseOperator(name string, op filtering.TokenType, known string) error {
	return refuseFilter("%s cannot be compared by %s; use %s", name, op, known)
}

// wordField is a field whose whole text is compared.
func wordField(name string, get func(*deskpb.Ticket) string) field {
	return field{name: name, compile: func(op filtering.TokenType, value string) (func(*deskpb.Ticket) bool, error) {
		switch op {
		case filtering.TokenTypeEquals:
			return func(t *deskpb.Ticket) bool { return get(t) == value }, nil
		case filtering.TokenTypeNotEquals:
			return func(t *deskpb.Ticket) bool { return get(t) != value }, nil
		}
		return nil, refuseOperator(name, op, "= or !=")
	}}
}

// titleField is the title: compared as a whole, or by ":" for a part of it in any case.
func titleField() field {
	whole := wordField("title", (*deskpb.Ticket).GetTitle)
	return field{name: "title", compile: func(op filtering.TokenType, value string) (func(*deskpb.Ticket) bool, error) {
		if op != filtering.TokenTypeHas {
			return whole.compile(op, value)
		}
		part := strings.ToLower(value)
		return func(t *deskpb.Ticket) bool { return strings.Contains(strings.ToLower(t.GetTitle()), part) }, nil
	}}
}

// enumField is a field with a fixed set of values, which are named as in the API.
func enumField[E ~int32](name string, values map[string]int32, get func(*deskpb.Ticket) E) field {
	return field{name: name, compile: func(op filtering.TokenType, value string) (func(*deskpb.Ticket) bool, error) {
		number, ok := values[value]
		if !ok || strings.HasSuffix(value, "_UNSPECIFIED") {
			return nil, refuseFilter("%.60q is not a %s; known are %s", value, name, strings.Join(enumNames(values), ", "))
		}
		switch op {
		case filtering.TokenTypeEquals:
			return func(t *deskpb.Ticket) bool { return get(t) == E(number) }, nil
		case filtering.TokenTypeNotEquals:
			return func(t *deskpb.Ticket) bool { return get(t) != E(number) }, nil
		}
		return nil, refuseOperator(name, op, "= or !=")
	}}
}

// enumNames lists the values in the order of the schema.
func enumNames(values map[string]int32) []string {
	var names []string
	for name := range values {
		if !strings.HasSuffix(name, "_UNSPECIFIED") {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(values[a], values[b]) })
	return names
}

func numberField(name string, get func(*deskpb.Ticket) int32) field {
	return field{name: name, compile: func(op filtering.TokenType, value string) (func(*deskpb.Ticket) bool, error) {
		number, err := strconv.ParseInt(value, 10, 32)
		if err != nil {
			return nil, refuseFilter("%s is compared with %.60q, which is not a whole number", name, value)
		}
		holds, err := comparison(name, op)
		if err != nil {
			return nil, err
		}
		return func(t *deskpb.Ticket) bool { return holds(cmp.Compare(int64(get(t)), number)) }, nil
	}}
}

func flagField(name string, get func(*deskpb.Ticket) bool) field {
	return field{name: name, compile: func(op filtering.TokenType, value string) (func(*deskpb.Ticket) bool, error) {
		if value != "true" && value != "false" {
			return nil, refuseFilter("%s is compared with %.60q; say true or false", name, value)
		}
		wanted := value == "true"
		switch op {
		case filtering.TokenTypeEquals:
			return func(t *deskpb.Ticket) bool { return get(t) == wanted }, nil
		case filtering.TokenTypeNotEquals:
			return func(t *deskpb.Ticket) bool { return get(t) != wanted }, nil
		}
		return nil, refuseOperator(name, op, "= or !=")
	}}
}

// timeField is a moment; a ticket that has none meets no comparison.
func timeField(name string, get func(*deskpb.Ticket) *timestamppb.Timestamp) field {
	return field{name: name, compile: func(op filtering.TokenType, value string) (func(*deskpb.Ticket) bool, error) {
		moment, err := time.Parse(time.RFC3339Nano, value)
		if err != nil {
			return nil, refuseFilter("%s is compared with %.60q; write a time such as 2026-11-21T08:00:00+08:00", name, value)
		}
		holds, err := comparison(name, op)
		if err != nil {
			return nil, err
		}
		return func(t *deskpb.Ticket) bool {
			has := get(t)
			return has != nil && holds(has.AsTime().Compare(moment))
		}, nil
	}}
}

// comparison tells for an operator whether an order (-1, 0, 1 of field against value) meets it.
func comparison(name string, op filtering.TokenType) (func(order int) bool, error) {
	switch op {
	case filtering.TokenTypeEquals:
		return func(order int) bool { return order == 0 }, nil
	case filtering.TokenTypeNotEquals:
		return func(order int) bool { return order != 0 }, nil
	case filtering.TokenTypeLessThan:
		return func(order int) bool { return order < 0 }, nil
	case filtering.TokenTypeLessEquals:
		return func(order int) bool { return order <= 0 }, nil
	case filtering.TokenTypeGreaterThan:
		return func(order int) bool { return order > 0 }, nil
	case filtering.TokenTypeGreaterEquals:
		return func(order int) bool { return order >= 0 }, nil
	}
	return nil, refuseOperator(name, op, "=, !=, <, <=, > or >=")
}
