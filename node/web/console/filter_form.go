package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// What stands in a select for more than one value of the API.
const (
	unsolved = "unsolved" // of the state: not solved, closed or canceled
	nobody   = "-"        // of the assignee: there is none
)

// maxUnits bounds the units that the filter bar proposes.
const maxUnits = 100

// filterField is a field that the filter bar asks for.
type filterField struct {
	name     string // of the input
	field    string // of the API
	operator string
}

var filterFields = []filterField{
	{"state", "state", "="},
	{"priority", "priority", "="},
	{"application", "application", "="},
	{"category", "category", "="},
	{"group", "group", "="},
	{"assignee", "assignee", "="},
	{"unit", "requester.unit", "="},
	{"text", "title", ":"},
}

// unsolvedConditions are those of a ticket on which there is work.
func unsolvedConditions() conditions {
	return conditions{
		{"state", "!=", deskpb.Ticket_RESOLVED.String()},
		{"state", "!=", deskpb.Ticket_CLOSED.String()},
		{"state", "!=", deskpb.Ticket_CANCELED.String()},
	}
}

// likeQueue is the filter whose tickets are those of a queue, as nearly as a filter can say it: to narrow the queue down with. Of what a
// clock says there is no filter: those queues are all unsolved tickets that are held here.
func likeQueue(v *page.Visit, queue string) string {
	kind, group, _ := strings.Cut(queue, ":")
	made := conditions{{"custodianSite", "=", v.SiteID}}
	switch kind {
	case "mine":
		made = conditions{{"assignee", "=", v.Actor.GetUser()}}
	case "group":
		made = conditions{{"group", "=", group}}
	case "unassigned":
		made = append(made, condition{"assignee", "=", ""})
	case "escalated":
		made = conditions{{"custodianSite", "!=", v.SiteID}}
	case "waiting":
		return append(made, condition{"state", "=", deskpb.Ticket_ON_HOLD.String()}).String()
	case "in-transit":
		return conditions{{"handover.state", "!=", deskpb.Handover_NONE.String()}}.String()
	}
	return append(made, unsolvedConditions()...).String()
}

// isUnsolved tells whether a filter leaves the solved tickets out.
func (c conditions) isUnsolved() bool {
	return !slices.ContainsFunc(unsolvedConditions(), func(one condition) bool { return !c.has(one) })
}

// readFilterForm makes a filter of what the filter bar sends. What the bar cannot show comes along in "rest".
func readFilterForm(form url.Values) conditions {
	var made conditions
	for _, input := range filterFields {
		switch value := strings.TrimSpace(form.Get(input.name)); {
		case value == "":
		case input.name == "state" && value == unsolved:
			made = append(made, unsolvedConditions()...)
		case input.name == "assignee" && value == nobody:
			made = append(made, condition{input.field, input.operator, ""})
		default:
			made = append(made, condition{input.field, input.operator, value})
		}
	}
	rest, err := readConditions(form.Get("rest"))
	if err != nil {
		return made
	}
	return append(made, rest...)
}

// filterBar is the filter of a list as people see and change it.
type filterBar struct {
	Action                                               string
	States, Priorities, Applications, Categories, Groups []option
	Assignees, Units                                     []option
	Unit, Text                                           string
	Rest                                                 string // conditions that the bar has no input for
	Filter                                               string // the whole, as the API reads it
	Order                                                string
	Orders                                               []option
	Chips                                                []chip
	Problem                                              string // what is wrong with the filter; empty for nothing
	Saved                                                bool   // the person has kept this filter
	Name                                                 string // under this name
	Back                                                 string // the address of the list
}

// chip is a condition in words, and the list without it.
type chip struct{ Word, Without string }

// filterBarOf shows a filter. A filter that cannot be read is shown as it is, for the API says what is wrong with it.
func filterBarOf(v *page.Visit, at place, people colleagues) (filterBar, error) {
	policy, err := v.API.Policies.GetPolicy(v.Ctx(), &apipb.GetPolicyRequest{Consistency: "stale"})
	if err != nil {
		return filterBar{}, err
	}
	units, err := v.API.Requesters.ListRequesters(v.Ctx(), &apipb.ListRequestersRequest{Kind: deskpb.Customer_UNIT, PageSize: maxUnits})
	if err != nil {
		return filterBar{}, err
	}
	known, _ := readConditions(at.filter)
	bar := filterBar{Filter: at.filter, Order: at.order, Back: at.address(), Unit: known.value("requester.unit", "="), Text: known.value("title", ":")}
	bar.States = statesFor(v, known)
	for priority := 1; priority <= 5; priority++ {
		bar.Priorities = append(bar.Priorities, option{Value: strconv.Itoa(priority), Word: v.Word("priority." + strconv.Itoa(priority))})
	}
	for _, application := range policy.GetPolicy().GetApplications() {
		bar.Applications = append(bar.Applications, named(v, application))
	}
	for _, category := range policy.GetPolicy().GetCategories() {
		bar.Categories = append(bar.Categories, named(v, category))
	}
	for _, group := range people.groups {
		bar.Groups = append(bar.Groups, option{Value: group.GetName(), Word: people.group(group.GetName())})
	}
	bar.Assignees = append([]option{{Value: nobody, Word: v.Word("desk.nobody"), Chosen: known.has(condition{"assignee", "=", ""})}}, people.people()...)
	for _, unit := range units.GetRequesters() {
		bar.Units = append(bar.Units, option{Value: unit.GetName()})
	}
	for list, field := range map[*[]option]string{
		&bar.Priorities: "priority", &bar.Applications: "application", &bar.Categories: "category", &bar.Groups: "group", &bar.Assignees: "assignee",
	} {
		*list = choose(*list, known.value(field, "="))
	}
	bar.Orders = ordersFor(v, at.order, known.value("state", "=") != "")
	bar.Rest = known.beyondBar().String()
	bar.Chips = chipsOf(v, at, known, people)
	return bar, nil
}

// named is a thing of the policy to choose.
func named(v *page.Visit, thing interface {
	GetName() string
	GetTitle() *deskpb.Words
}) option {
	word := inLanguage(v, thing.GetTitle())
	if word == "" {
		word = thing.GetName()
	}
	return option{Value: thing.GetName(), Word: word}
}

// choose marks the chosen value of a list, and adds one that the list does not have: what a filter says is never lost.
func choose(list []option, value string) []option {
	if value == "" {
		return list
	}
	for i := range list {
		if list[i].Value == value {
			list[i].Chosen = true
			return list
		}
	}
	return append(list, option{Value: value, Word: value, Chosen: true})
}

// statesFor are the states to choose.
func statesFor(v *page.Visit, known conditions) []option {
	states := []option{{Value: unsolved, Word: v.Word("desk.unsolved"), Chosen: known.isUnsolved()}}
	for state := deskpb.Ticket_NEW; state <= deskpb.Ticket_CANCELED; state++ {
		states = append(states, option{Value: state.String(), Word: v.State(state).Word})
	}
	return choose(states, known.value("state", "="))
}

// ordersFor are the orders to choose. The API orders by priority within one state alone.
func ordersFor(v *page.Visit, chosen string, oneState bool) []option {
	var orders []option
	for _, order := range []string{"updateTime desc", "updateTime", "number desc", "number", "priority"} {
		if order != "priority" || oneState {
			orders = append(orders, option{Value: order, Word: v.Word("desk.order." + strings.ReplaceAll(order, " ", "-")), Chosen: order == chosen})
		}
	}
	return orders
}

// beyondBar are the conditions that no input of the bar shows.
func (c conditions) beyondBar() conditions {
	rest := c
	if c.isUnsolved() && c.value("state", "=") == "" {
		rest = c.without(unsolvedConditions().has)
	}
	seen := map[string]bool{}
	return rest.without(func(one condition) bool {
		for _, input := range filterFields {
			if input.field == one.field && input.operator == one.operator && !seen[input.name] && (one.value != "" || input.name == "assignee") {
				seen[input.name] = true
				return true
			}
		}
		return false
	})
}

// chipsOf says every condition in words. The three of unsolved tickets are one.
func chipsOf(v *page.Visit, at place, known conditions, people colleagues) []chip {
	var chips []chip
	without := func(drop func(condition) bool) string {
		return place{queue: at.queue, filter: known.without(drop).String(), order: at.order}.address()
	}
	rest := known
	if known.isUnsolved() {
		open := unsolvedConditions().has
		chips, rest = append(chips, chip{v.Word("desk.unsolved"), without(open)}), known.without(open)
	}
	for _, one := range rest {
		chips = append(chips, chip{one.words(v, people), without(func(other condition) bool { return other == one })})
	}
	return chips
}

// words say a condition to people.
func (c condition) words(v *page.Visit, people colleagues) string {
	field, value := c.field, c.value
	if key := "desk.field." + c.field; v.Has(key) {
		field = v.Word(key)
	}
	switch {
	case c.field == "assignee" && value == "":
		value = v.Word("desk.nobody")
	case c.field == "assignee":
		value = people.person(value)
	case c.field == "group":
		value = people.group(value)
	case v.Has(c.field + "." + value): // state, priority and line
		value = v.Word(c.field + "." + value)
	case strings.HasSuffix(c.field, "Site"):
		value = v.SiteNamed(value)
	}
	switch c.operator {
	case "=":
		return v.Word("desk.condition.is", field, value)
	case "!=":
		return v.Word("desk.condition.is-not", field, value)
	case ":":
		return v.Word("desk.condition.holds", field, value)
	}
	return v.Word("desk.condition.compared", field, c.operator, value)
}
