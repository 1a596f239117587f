package console

import (
	"net/url"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// anyText is any text, quotation marks and all.
func anyText() *rapid.Generator[string] {
	return rapid.StringOf(rapid.RuneFrom([]rune(`ab"\' AND:=()打印-.`)))
}

// anyCondition is a condition with a value of its own kind.
func anyCondition(values *rapid.Generator[string]) *rapid.Generator[condition] {
	return rapid.Custom(func(t *rapid.T) condition {
		return condition{
			field:    rapid.SampledFrom([]string{"state", "requester.unit", "title", "handover.state"}).Draw(t, "field"),
			operator: rapid.SampledFrom([]string{"=", "!=", ":", "<", "<=", ">", ">="}).Draw(t, "operator"),
			value:    values.Draw(t, "value"),
		}
	})
}

func TestAFilterIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		written := conditions(rapid.SliceOfN(anyCondition(anyText()), 0, 5).Draw(t, "conditions"))
		read, err := readConditions(written.String())
		if err != nil || !slices.Equal(read, written) {
			t.Fatalf("%s is read as %q, %v; want %q", written, read, err, written)
		}
	})
}

func TestReadConditions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want conditions // nil for a text that is no filter
	}{
		{`state = NEW`, conditions{{"state", "=", "NEW"}}},
		{`  priority<=2 AND title:"打 印" `, conditions{{"priority", "<=", "2"}, {"title", ":", "打 印"}}},
		{`openTime > 2026-11-21T08:00:00+08:00`, conditions{{"openTime", ">", "2026-11-21T08:00:00+08:00"}}},
		{`assignee = ""`, conditions{{"assignee", "=", ""}}},
		{`state = NEW OR state = CLOSED`, nil},
		{`state = NEW AND`, nil},
		{`state =`, nil},
		{`= NEW`, nil},
		{`title : "open`, nil},
		{`(state = NEW)`, nil},
		{`title : "\q"`, nil},
	} {
		read, err := readConditions(c.text)
		if (err == nil) != (c.want != nil) || !slices.Equal(read, c.want) {
			t.Errorf("%s is read as %q, %v; want %q", c.text, read, err, c.want)
		}
	}
}

func TestTheFilterBarSaysWhatItIsTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		form string
		want string
		rest string // what the bar has no input for
	}{
		{"state=&text=+", ``, ``},
		{"state=NEW&priority=2", `state = "NEW" AND priority = "2"`, ``},
		{"state=unsolved", `state != "RESOLVED" AND state != "CLOSED" AND state != "CANCELED"`, ``},
		{"assignee=-", `assignee = ""`, ``},
		{"assignee=li&unit=财政局", `assignee = "li" AND requester.unit = "财政局"`, ``},
		{"text=say+%22hi%22+%5C", `title : "say \"hi\" \\"`, ``},
		{"state=NEW&rest=severity+%3D+1", `state = "NEW" AND severity = "1"`, `severity = "1"`},
		{"text=a&rest=title+%3A+b", `title : "a" AND title : "b"`, `title : "b"`},
		{"state=NEW&rest=nonsense", `state = "NEW"`, ``},
	} {
		form, err := url.ParseQuery(c.form)
		if err != nil {
			t.Fatal(err)
		}
		made := readFilterForm(form)
		if made.String() != c.want {
			t.Errorf("%s makes the filter %s, want %s", c.form, made, c.want)
		}
		if got := made.beyondBar().String(); got != c.rest {
			t.Errorf("of %s the bar leaves over %s, want %s", made, got, c.rest)
		}
	}
}

// TestTheFilterBarLosesNothing fills the bar from a filter and sends it again: the same conditions come back.
func TestTheFilterBarLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		typed := rapid.SampledFrom([]string{"打", "a", `"`, `\ AND`, "x = 1"}) // what an input can hold: a form trims its values
		known := conditions(rapid.SliceOfN(anyCondition(typed), 0, 4).Draw(t, "conditions"))
		if rapid.Bool().Draw(t, "unsolved") {
			known = append(known, unsolvedConditions()...)
		}
		rest := known.beyondBar()
		form := url.Values{"rest": {rest.String()}}
		for _, input := range filterFields {
			form.Set(input.name, known.without(rest.has).value(input.field, input.operator))
		}
		if form.Get("state") == "" && known.isUnsolved() {
			form.Set("state", unsolved)
		}
		again := readFilterForm(form)
		for _, one := range known {
			if !again.has(one) {
				t.Fatalf("of %s the bar sends %s: %s is lost", known, again, one)
			}
		}
	})
}
