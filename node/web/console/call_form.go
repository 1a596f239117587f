package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// callForm is a call as it was typed, by the names of the API's fields below "ticket".
type callForm struct{ url.Values }

// specialPrefix begins the names of a category's special fields.
const specialPrefix = "fields."

// callFields are the fields beside which the page says what is wrong with them, but for the special ones. rareFields are those of them
// that stay folded until they are needed.
var (
	callFields = []string{
		"requester.phone", "requester.name", "requester.unit", "requester.email", "application", "title", "description", "category",
		"channel", "kind", "template", "tags", "applicationVersion",
	}
	rareFields = []string{"channel", "kind", "template", "tags", "applicationVersion", "visit"}
)

// fieldOf is the form's name of a field of the API.
func fieldOf(name string) string {
	name = strings.TrimPrefix(name, "ticket.")
	if name == "requester.phones" { // as a record of a requester has it
		return "requester.phone"
	}
	return name
}

// text is a field without the space around it.
func (f callForm) text(name string) string { return strings.TrimSpace(f.Get(name)) }

// level is 1 to 3, and 0 for what the category says.
func (f callForm) level(name string) int32 {
	level, err := strconv.ParseInt(f.text(name), 10, 32)
	if err != nil {
		return 0
	}
	return int32(level)
}

// ticket is the ticket that the form asks for. What the form leaves open is left to the template and to the site.
func (f callForm) ticket() *deskpb.Ticket {
	ticket := &deskpb.Ticket{
		Title: f.text("title"), Description: f.text("description"), Application: f.text("application"),
		ApplicationVersion: f.text("applicationVersion"), Category: f.text("category"), Template: f.text("template"),
		Impact: f.level("impact"), Urgency: f.level("urgency"), Visit: f.text("visit") != "", Tags: listed(f.text("tags")),
		Channel: deskpb.Ticket_Channel(deskpb.Ticket_Channel_value[f.text("channel")]),
		Kind:    deskpb.Ticket_Kind(deskpb.Ticket_Kind_value[f.text("kind")]),
		Requester: &deskpb.Requester{
			Id: f.text("requester.id"), Name: f.text("requester.name"), Unit: f.text("requester.unit"),
			Phone: f.text("requester.phone"), Email: f.text("requester.email"),
		},
	}
	for name := range f.Values {
		special, is := strings.CutPrefix(name, specialPrefix)
		if value := f.text(name); is && value != "" {
			if ticket.Fields == nil {
				ticket.Fields = map[string]string{}
			}
			ticket.Fields[special] = value
		}
	}
	return ticket
}

// caller names who called, in one line.
func (f callForm) caller() string {
	var parts []string
	for _, name := range []string{"requester.name", "requester.unit", "requester.phone"} {
		if part := f.text(name); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " ")
}

// fillIn takes over what a record says of its person or unit.
func (f callForm) fillIn(record *apipb.Requester) {
	said := map[string]string{"unit": record.GetUnit(), "email": record.GetEmail(), "phone": f.text("requester.phone")}
	if phones := record.GetPhones(); said["phone"] == "" && len(phones) > 0 {
		said["phone"] = phones[0]
	}
	if record.GetKind() == deskpb.Customer_UNIT {
		said["unit"] = record.GetName()
	} else {
		said["id"], said["name"] = record.GetId(), record.GetName()
	}
	for name, value := range said {
		f.Set("requester."+name, value)
	}
}

// callChoice is something to choose from a list.
type callChoice struct {
	Value, Word string
	Chosen      bool
}

// specialField is a special field of the category that was chosen.
type specialField struct {
	Name, Word, Kind, Value string
	Required                bool
	Choices                 []callChoice
	Wrong                   string
}

// specialOf are the special fields of the category that the form names.
func specialOf(v *page.Visit, p *deskpb.Policy, form callForm, problem page.Problem) (shown []specialField) {
	for _, field := range policy.Fields(p, form.text("category")) {
		name := specialPrefix + field.GetName()
		one := specialField{
			Name: name, Word: cmp.Or(inLanguage(v, field.GetTitle()), field.GetName()), Kind: field.GetKind().String(),
			Value: form.Get(name), Required: field.GetRequired(),
		}
		for _, value := range field.GetChoices() {
			one.Choices = append(one.Choices, callChoice{Value: value, Word: value, Chosen: value == one.Value})
		}
		if fieldOf(problem.Field) == name {
			one.Wrong = problem.Beside()
			if form.text(name) == "" {
				one.Wrong = v.Word("new.missing")
			}
		}
		shown = append(shown, one)
	}
	return shown
}

// serveCallFields is the part with the special fields of a category.
func serveCallFields(v *page.Visit) error {
	answer, err := v.API.Policies.GetPolicy(v.Ctx(), &apipb.GetPolicyRequest{Consistency: "stale"})
	if err != nil {
		return err
	}
	return v.Render(http.StatusOK, "new-special", specialOf(v, answer.GetPolicy(), callForm{v.R.URL.Query()}, page.Problem{}))
}

// categoriesOf are the categories of the policy; one below another is shown with both names.
func categoriesOf(v *page.Visit, p *deskpb.Policy, chosen string) []callChoice {
	titles := map[string]string{}
	for _, category := range p.GetCategories() {
		titles[category.GetName()] = cmp.Or(inLanguage(v, category.GetTitle()), category.GetName())
	}
	shown := []callChoice{{Word: v.Word("new.category.none")}}
	for _, category := range p.GetCategories() {
		word := titles[category.GetName()]
		if above, _, below := strings.Cut(category.GetName(), "/"); below {
			word = cmp.Or(titles[above], above) + " / " + strings.TrimPrefix(word, above+"/")
		}
		shown = append(shown, callChoice{Value: category.GetName(), Word: word, Chosen: category.GetName() == chosen})
	}
	return shown
}

// templatesOf are the ticket templates of the policy; nothing when it has none.
func templatesOf(v *page.Visit, p *deskpb.Policy, chosen string) []callChoice {
	if len(p.GetTemplates()) == 0 {
		return nil
	}
	shown := []callChoice{{Word: v.Word("new.template.none")}}
	for _, template := range p.GetTemplates() {
		shown = append(shown, callChoice{
			Value: template.GetName(), Word: cmp.Or(inLanguage(v, template.GetTitle()), template.GetName()), Chosen: template.GetName() == chosen,
		})
	}
	return shown
}

// levelsOf are the degrees of impact and urgency, the category's own first.
func levelsOf(v *page.Visit, chosen string) []callChoice {
	shown := []callChoice{{Word: v.Word("new.level.usual")}}
	for _, level := range []string{"1", "2", "3"} {
		shown = append(shown, callChoice{Value: level, Word: v.Word("new.level." + level), Chosen: level == chosen})
	}
	return shown
}

// channelsOf are the ways on which a call comes. The telephone is what is meant when nothing is chosen, unless a template says more.
func channelsOf(v *page.Visit, chosen string) []callChoice {
	shown := []callChoice{{Word: v.Word("new.channel.PHONE")}}
	for _, channel := range []deskpb.Ticket_Channel{deskpb.Ticket_WALK_IN, deskpb.Ticket_EMAIL, deskpb.Ticket_APPLICATION, deskpb.Ticket_MONITORING, deskpb.Ticket_PORTAL} {
		shown = append(shown, callChoice{Value: channel.String(), Word: v.Word("new.channel." + channel.String()), Chosen: channel.String() == chosen})
	}
	return shown
}

// kindsOf are the kinds of tickets, a call first.
func kindsOf(v *page.Visit, chosen string) []callChoice {
	incident := deskpb.Ticket_INCIDENT.String()
	return []callChoice{{Word: v.Word("new.kind.CALL")}, {Value: incident, Word: v.Word("new.kind.INCIDENT"), Chosen: chosen == incident}}
}

// applicationsOf are the applications of the policy; where it names none, those of the tickets that changed last.
func applicationsOf(v *page.Visit, p *deskpb.Policy) (names []string, err error) {
	for _, application := range p.GetApplications() {
		names = append(names, application.GetName())
	}
	if len(names) > 0 {
		return names, nil
	}
	const looked = 100
	list, err := v.API.Tickets.ListTickets(v.Ctx(), &apipb.ListTicketsRequest{PageSize: looked, Consistency: "stale"})
	for _, ticket := range list.GetTickets() {
		if name := ticket.GetApplication(); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), err
}

// isNumber tells whether a text may be a ticket's number.
func isNumber(text string) bool {
	_, err := desk.ParseNumber(desk.TicketNumber(text))
	return err == nil
}
