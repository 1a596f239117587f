package console

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// panel is a verb's form as it stands under the head of a ticket.
type panel struct {
	page.Frame
	Number, Verb  string
	Heading, Hint string
	Submit        string
	Inputs        []input
	Staff         []choice // whom the inputs for people suggest
	Etag, Request string
	Seen          string // the last entry of the journal when the form was made first
	Wish, Grave   bool
	Problem       string // what is wrong with the form as a whole
	Conflict      []changeShown
	Status        int
}

// input is a field with what it says.
type input struct {
	ID, Name, Label, Hint string
	Kind                  fieldKind
	Value                 string
	Values                []string // of one for people in turn, empty places included
	MostValues            int      // how many of them there can be
	When                  string
	Required              bool
	Most                  int
	Choices               []choiceGroup
	Problem               string
	First                 bool // it gets the focus
	Wide                  bool // it has a line of its own
}

// choiceGroup are choices under one heading.
type choiceGroup struct {
	Heading string
	Choices []choice
}

// formOf is the empty form of a verb, filled in with what the ticket says and what the address asks for.
func (d *dossier) formOf(verb *verb) *panel {
	given := url.Values{}
	for name, values := range d.R.URL.Query() {
		if slices.ContainsFunc(verb.fields, func(f verbField) bool { return f.name == name }) {
			given[name] = values
		}
	}
	p := d.panel(verb, given, true)
	p.Etag, p.Request, p.Seen = d.ticket.GetEtag(), rand.Text(), latestOf(d.journal)
	return p
}

// formAgain is a form as it was sent, with what is wrong with it.
func (d *dossier) formAgain(verb *verb, form url.Values, err error) *panel {
	p := d.panel(verb, form, false)
	p.Etag, p.Request, p.Seen = form.Get("etag"), form.Get("request"), form.Get("seen")
	problem := d.Problem(err)
	p.Status = problem.Status
	if problem.Reason == "STALE_ETAG" {
		p.Etag = d.ticket.GetEtag()
		p.Conflict = d.changesShown(differenceSince(d.journal, p.Seen))
		p.Problem = d.Word("t.conflict")
		p.Submit = d.Word("t.submit-anyway")
		return p
	}
	if i := concerning(p.Inputs, problem.Field); i >= 0 {
		p.Inputs[i].Problem = problem.Beside()
	} else {
		p.Problem = problem.Text
	}
	return p
}

// concerning finds the input that a refusal of a field is about: that of the same name, else the first part of the field, as
// satisfaction.score is of satisfaction, else what the API calls by a longer name, as title is ticket.title. It is -1 where nobody sees
// such an input.
func concerning(inputs []input, field string) int {
	field, _, _ = strings.Cut(field, "[")
	for _, isMeant := range []func(name string) bool{
		func(name string) bool { return name == field },
		func(name string) bool { return strings.HasPrefix(name, field+".") },
		func(name string) bool { return strings.HasSuffix(field, "."+name) },
	} {
		if i := slices.IndexFunc(inputs, func(in input) bool { return in.Kind != kindHidden && isMeant(in.Name) }); i >= 0 {
			return i
		}
	}
	return -1
}

// panel lays a verb's form out. Fresh forms say what the ticket says where nothing is given.
func (d *dossier) panel(verb *verb, given url.Values, fresh bool) *panel {
	p := &panel{
		Frame: d.Frame(""), Number: d.ticket.GetNumber(), Verb: verb.name, Heading: d.Word("t.verb." + verb.name), Submit: d.Word("t.verb." + verb.name),
		Wish: d.wishes[verb.name], Grave: verb.grave, Status: http.StatusOK,
	}
	if p.Wish {
		p.Heading = d.Word("t.wish", p.Heading)
		p.Submit = p.Heading
		p.Hint = d.Word("t.wish-hint", d.SiteNamed(d.custodian()))
	} else if key := "t.hint." + verb.name; d.Has(key) {
		p.Hint = d.Word(key)
	}
	fields, words := verb.fields, map[string]string{}
	if verb.special {
		category := d.ticket.GetCategory()
		if given.Has("ticket.category") {
			category = given.Get("ticket.category")
		}
		var special []verbField
		special, words = d.specialFields(category)
		fields = slices.Concat(fields[:len(fields)-1], special, fields[len(fields)-1:])
	}
	for _, field := range fields {
		in := d.input(verb, field, given, fresh)
		if word := words[field.name]; word != "" {
			in.Label = word
		}
		in.First = len(p.Inputs) == 0 && field.kind != kindHidden
		p.Inputs = append(p.Inputs, in)
		if p.Staff == nil && (in.Kind == kindPerson || in.Kind == kindPeople) {
			p.Staff = offerStaff(d)
		}
	}
	return p
}

// formLonger is a form as it was sent, with more places for people.
func (d *dossier) formLonger(verb *verb, form url.Values) *panel {
	p := d.panel(verb, form, false)
	p.Etag, p.Request, p.Seen = form.Get("etag"), form.Get("request"), form.Get("seen")
	return p
}

// input lays one field out.
func (d *dossier) input(verb *verb, field verbField, given url.Values, fresh bool) input {
	in := input{
		ID: "f-" + strings.ReplaceAll(field.name, ".", "-"), Name: field.name, Kind: field.kind, Required: field.required, Wide: field.wide, Most: field.most,
		Value: given.Get(field.name), Label: d.Word("t.field." + field.name), When: field.when,
	}
	if own := "t.field." + verb.name + "." + field.name; d.Has(own) {
		in.Label = d.Word(own)
	}
	if hint := "t.field-hint." + field.name; d.Has(hint) {
		in.Hint = d.Word(hint)
	}
	if fresh && field.present != nil && !given.Has(field.name) {
		in.Value = field.present(d.ticket)
	}
	switch field.kind {
	case kindPeople:
		in.Values, in.MostValues = places(given[field.name], given.Has(moreButton)), desk.MaxSigners
	case kindPerson:
		in.Value = d.nameOfStaff(in.Value)
	}
	if field.choices != nil {
		in.Choices = grouped(field.choices(d))
	}
	return in
}

// grouped puts choices that follow each other under the same heading together.
func grouped(all []choice) (groups []choiceGroup) {
	for _, one := range all {
		if n := len(groups); n == 0 || groups[n-1].Heading != one.Group {
			groups = append(groups, choiceGroup{Heading: one.Group})
		}
		last := &groups[len(groups)-1]
		last.Choices = append(last.Choices, one)
	}
	return groups
}

// missing refuses a form in which something that a verb needs was left empty, before anybody else looks at it.
func (d *dossier) missing(verb *verb, form url.Values) error {
	fields := verb.fields
	if verb.special && form.Has("ticket.category") {
		special, _ := d.specialFields(form.Get("ticket.category"))
		if form.Get("ticket.category") == d.ticket.GetCategory() {
			fields = slices.Concat(fields, special)
		}
	}
	for _, field := range fields {
		if field.required && strings.TrimSpace(form.Get(field.name)) == "" {
			refusal := desk.Refuse(desk.InvalidArgument, "FIELD_MISSING", "it is empty; fill it in")
			refusal.Field = field.name
			return refusal
		}
	}
	return nil
}

// carryOut does what a form asks for.
func (d *dossier) carryOut(verb *verb, form url.Values) (*deskpb.Ticket, error) {
	if err := d.missing(verb, form); err != nil {
		return nil, err
	}
	meant, err := d.withUsers(verb, form)
	if err != nil {
		return nil, err
	}
	o := deed{number: d.ticket.GetNumber(), request: form.Get("request"), form: meant}
	if !verb.remark {
		o.etag = form.Get("etag")
	}
	return verb.do(d.Ctx(), d.API.Tickets, o)
}

// changeShown is a difference in words.
type changeShown struct {
	Field, Before, After string
	Who                  string
	At                   page.Moment
}

func (d *dossier) changesShown(found []difference) (shown []changeShown) {
	for _, one := range found {
		change := d.change(&apipb.Change{Field: one.Field, Before: one.Before, After: one.After}, one.By.GetSite())
		change.Who, change.At = d.doer(one.By), d.Time(one.By.GetTime())
		shown = append(shown, change)
	}
	return shown
}
