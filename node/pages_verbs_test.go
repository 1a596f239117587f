package node

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/web/console"
)

// offeredVerbs are the verbs that the console offers, by the words on their buttons: it has those of every verb.
func offeredVerbs(t *testing.T) (names []string) {
	t.Helper()
	text, err := fs.ReadFile(console.Room().Files, "words.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var words map[string]any
	if err := yaml.Unmarshal(text, &words); err != nil {
		t.Fatal(err)
	}
	for key := range words {
		if name, of := strings.CutPrefix(key, "t.verb."); of {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// TestEveryVerbIsDoneByItsForm brings a ticket to where a verb is possible, fills the verb's form in as a browser without a script
// does, wrongly at first, and asks the API what came of it.
func TestEveryVerbIsDoneByItsForm(t *testing.T) {
	desks := verbDesks(t)
	tried := map[string]bool{}
	for _, trial := range verbTrials {
		tried[trial.verb] = true
		t.Run(cmp.Or(trial.name, trial.verb), func(t *testing.T) {
			d := *desks
			d.t, d.trial = t, trial
			d.try()
		})
	}
	if got, want := slices.Sorted(maps.Keys(tried)), offeredVerbs(t); !slices.Equal(got, want) {
		t.Errorf("the verbs %v are tried, and the console offers %v: every verb needs a trial", got, want)
	}
}

// verbTrial is how a verb is tried.
type verbTrial struct {
	verb string
	name string // of the trial, where a verb has several
	// city has the verb tried at the city's desk, on a ticket that the county escalated to it.
	city bool
	// ticket is what the ticket says besides its title.
	ticket map[string]any
	// before is what the same person does first, by the API.
	before []step
	// asks is what the address of the form says besides the verb.
	asks string
	// fill is what is typed in, a line for each place of a field that has several. "OTHER" stands for the number of another ticket, "SAME"
	// for that of the ticket itself.
	fill map[string]string
	// wrong are values with which the form is refused, each of them for the field that it stands for.
	wrong []wrongInput
	// effect is what the ticket says then: values of its fields by their paths; "journal" is a text that an entry of its journal has.
	effect map[string]string
}

// step is a verb of the API.
type step struct {
	verb string
	body map[string]any
}

// wrongInput is a value with which a form is refused.
type wrongInput struct {
	field, value string
	// beside is the field that the refusal stands at; "" for the same field, "form" for none of them.
	beside string
}

// tooLong is more than any text may have.
var tooLong = strings.Repeat("长", desk.MaxText/3+1)

// verbDesk is where a verb is tried.
type verbDesk struct {
	t            *testing.T
	trial        verbTrial
	county, city *visitor
	cityNode     *Node
}

// verbPolicy has a group, and a category with a field of its own.
const verbPolicy = `
groups:
  - {name: 值班组, members: [li, zhang], method: manual}
categories:
  - {name: 数据问题/数据更正, title: {zh: 数据更正, en: Correction of data}, fields: [{name: 单据号, title: {zh: 单据号, en: Document}, required: true}]}
`

// verbDesks starts a city and a county that knows it, with somebody at either desk.
func verbDesks(t *testing.T) *verbDesk {
	t.Helper()
	city := start(t, cityConfiguration(t))
	c := configuration(t, "n1")
	c.Link.ParentAddresses = []string{city.GRPCAddr()}
	county := start(t, c)
	awaitReady(t, city, county)
	d := &verbDesk{t: t, cityNode: city}
	for _, office := range []struct {
		node   *Node
		person **visitor
	}{{city, &d.city}, {county, &d.county}} {
		admin := visit(t, office.node)
		admin.send("/sign-in", url.Values{"user": {"admin"}, "password": {password}})
		*office.person = staffAt(t, office.node, admin, "li", "李强", "INCIDENT_MANAGER")
		staffAt(t, office.node, admin, "zhang", "张敏", "AGENT")
		admin.call("/api/v1/policy", admin.token(), map[string]any{"source": verbPolicy})
	}
	return d
}

// person is whose form is tried.
func (d *verbDesk) person() *visitor {
	v := *d.county
	if d.trial.city {
		v = *d.city
	}
	v.t = d.t
	return &v
}

// opened makes a ticket at the county and brings it to where the verb is possible.
func (d *verbDesk) opened() string {
	d.t.Helper()
	ticket := map[string]any{"title": "缴款码无法生成", "requester": map[string]any{"name": "许晴", "phone": "0571-85000019"}}
	maps.Copy(ticket, d.trial.ticket)
	county := *d.county
	county.t = d.t
	number := county.call("/api/v1/tickets", county.token(), map[string]any{"ticket": ticket})["number"].(string)
	who := d.person()
	if d.trial.city {
		county.call("/api/v1/tickets/"+number+":escalate", county.token(), map[string]any{"reason": "本地无法解决"})
		awaitCustodian(d.t, d.cityNode, number, "330100")
	}
	for _, step := range d.trial.before {
		who.call("/api/v1/tickets/"+number+":"+step.verb, who.token(), step.body)
	}
	return number
}

// try opens the form, sends it as it is refused, then as it is taken.
func (d *verbDesk) try() {
	d.t.Helper()
	number, other := d.opened(), ""
	for _, value := range d.trial.fill {
		if value == "OTHER" {
			other = d.opened()
		}
	}
	who, at := d.person(), "/t/"+number+"/"+d.trial.verb
	status, page := who.see(at+"?"+d.trial.asks, false)
	want(d.t, "the form", status, http.StatusOK, page)
	values := formAt(d.t, page, at).values
	for field, value := range d.trial.fill {
		if !values.Has(field) {
			d.t.Fatalf("the form has no field %q: %v", field, values)
		}
		values[field] = strings.Split(strings.NewReplacer("OTHER", other, "SAME", number).Replace(value), "\n")
	}
	for _, wrong := range d.trial.wrong {
		d.refused(who, at, number, values, wrong)
	}
	status, page = who.send(at, values)
	if status != http.StatusOK {
		d.t.Fatalf("the form as it should be: %d: %s", status, formAt(d.t, page, at).text)
	}
	d.came(who, number)
}

// refused sends a form with something wrong in it. The refusal stands beside the field, and nothing that was typed is lost.
func (d *verbDesk) refused(who *visitor, at, number string, right url.Values, wrong wrongInput) {
	d.t.Helper()
	what := fmt.Sprintf("%s=%.20q", wrong.field, wrong.value)
	values := maps.Clone(right)
	values[wrong.field] = strings.Split(strings.ReplaceAll(wrong.value, "SAME", number), "\n")
	status, page := who.send(at, values)
	if status < http.StatusBadRequest || status >= http.StatusInternalServerError {
		d.t.Fatalf("with %s the answer is %d: %.400s", what, status, page)
	}
	again := formAt(d.t, page, at)
	if beside := cmp.Or(wrong.beside, wrong.field); beside == "form" {
		if again.problem == "" {
			d.t.Errorf("with %s the form does not say what is wrong:\n%s", what, again.text)
		}
	} else if again.beside[beside] == "" {
		d.t.Errorf("with %s nothing is said beside %s, but beside %v, and of the form %q:\n%s", what, beside, again.beside, again.problem, again.text)
	}
	for field := range values {
		if kept, sent := filled(again.values[field]), filled(values[field]); field != "etag" && !slices.Equal(kept, sent) {
			d.t.Errorf("with %s what was typed as %s is lost: %.60q, not %.60q", what, field, kept, sent)
		}
	}
}

// filled are the places of a field that say something.
func filled(values []string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(value string) bool { return value == "" })
}

// came asks the API what came of a form.
func (d *verbDesk) came(who *visitor, number string) {
	d.t.Helper()
	asker := callTaker{who}
	ticket := any(asker.asks("/api/v1/tickets/" + number))
	for path, want := range d.trial.effect {
		if path == "journal" {
			journal := fmt.Sprint(asker.asks("/api/v1/tickets/" + number + "/journal"))
			if !strings.Contains(journal, want) {
				d.t.Errorf("the journal does not say %q: %s", want, journal)
			}
			continue
		}
		if got := valueAt(ticket, path); got != want {
			d.t.Errorf("%s of the ticket is %q, not %q: %v", path, got, want, ticket)
		}
	}
}

// valueAt is what an answer of the API has at a path such as "tasks.0.title"; "" for nothing.
func valueAt(answer any, path string) string {
	for part := range strings.SplitSeq(path, ".") {
		switch in := answer.(type) {
		case map[string]any:
			answer = in[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(in) {
				return ""
			}
			answer = in[i]
		}
	}
	if answer == nil {
		return ""
	}
	return fmt.Sprint(answer)
}
