package policyfile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// problemCases are policy files; behind # stands the beginning of the problem that their line has.
const problemCases = `
not YAML
calendars: [
# it is no YAML

a scalar
hello # keys with values are expected here; found "hello"

an unknown section
target: [] # the key is unknown; use calendars, categories

an unknown key
targets:
  - name: a
    withn: 15m # the key is unknown; use name, removed

a section twice
urging: {cool_down: 15m}
urging: {cool_down: 15m} # the key is there twice

an empty section
targets: # it is empty; give a value or leave it out

a list that is none
targets: {name: a} # a list is expected here; found keys with values

an alias
categories: &c
  - name: 操作
services: *c # a list is expected here; found an alias

a time
urging: {cool_down: 15} # "15" is no time; write a time such as 90s

units in the wrong order
urging: {cool_down: 5m1h} # "5m1h" is no time

an enumeration
targets:
  - {name: a, metric: reply, within: 1h} # "reply" is unknown here; use response, resolution, update, on_site

an enumeration in capitals
targets:
  - {name: a, metric: RESPONSE, within: 1h} # "RESPONSE" is unknown here

a date
rounds:
  - {name: a, template: machine-room, calendar: office, every: 1, first: 2026-02-30} # "2026-02-30" is no date

a time of day
rosters:
  - name: a
    calendar: office
    shifts: [{from: '8', to: '17:00', people: [li]}] # "8" is no time of day

a weekday
rosters:
  - name: a
    calendar: office
    shifts: [{days: [monday], from: '08:00', to: '17:00', people: [li]}] # "monday" is no weekday

a time zone
calendars:
  - {name: a, time_zone: Mars/Olympus, weekdays: [{day: mon, segments: ['09:00-12:00']}]} # "Mars/Olympus" is no time zone

a matrix with a short row
priorities:
  - [1, 2, 3]
  - [1, 2] # a row has 3 priorities

a matrix with two rows
priorities: [[1, 2, 3], [1, 2, 3]] # the matrix has 6 priorities instead of 9

a priority that there is not
priorities: [[0, 2, 3], [2, 3, 4], [3, 4, 5]] # 0 is not between 1 and 5

an entry without a name
groups:
  - {members: [li]} # it has no name; give it one

a name twice
groups:
  - {name: a}
  - {name: a} # "a" is there twice

taking away what is not there
groups:
  - {name: a, removed: true} # "a" cannot be removed: no office above has one

taking away what is used
checklists:
  - {name: machine-room, removed: true} # "machine-room" cannot be removed: templates[2].checklist still names it

a calendar that is not there
targets:
  - name: a
    metric: response
    within: 1h
    calendar: lunar # "lunar" is not in calendars

a group that is not there
dispatch:
  - {name: a, group: b} # "b" is not in groups

a target without a time
targets:
  - {name: a, metric: response} # target "a" needs a time

a target with both
targets:
  - {name: a, metric: response, within: 1h, none: true} # target "a" needs a time

a target without a metric
targets:
  - {name: a, within: 1h} # target "a" has no metric

a tier of another metric
targets:
  - {name: a, metric: response, tier: county, within: 1h} # only resolution targets have a tier

a when without its calendar
targets:
  - {name: a, metric: response, within: 1h, when: working} # target "a": working and off_hours go with a when_calendar

a priority of a match
targets:
  - name: a
    metric: response
    within: 1h
    match:
      priorities: [1, 6] # 6 is not between 1 and 5

a rule without a group
dispatch:
  - {name: a} # rule "a" names no group

a rung for nobody
ladders:
  - {name: a, rungs: [{times: 1, every: 5m}]} # nobody is told

a rung that runs all the time
ladders:
  - {name: a, rungs: [{who: group, times: 1, every: 1s}]} # people are told 1 to 100 times

a mark that no clock has
ladders:
  - {name: a, rungs: [{who: group, times: 1, every: 5m, mark: 80}]} # 80 is no mark

percent
call_backs: {percent: 101} # 101 is not between 0 and 100

days in disorder
call_backs: {welcome_days: [8, 3]} # they are days between 1 and 366

a choice without choices
categories:
  - {name: a, fields: [{name: b, kind: choice}]} # field "b": a choice has choices

three levels
categories:
  - {name: a/b/c} # "a/b/c" is not a category

segments that overlap
calendars:
  - name: a
    time_zone: Asia/Shanghai
    weekdays:
      - day: mon
        segments: ['09:00-12:00', '11:00-13:00'] # the segments of a day are in order

a calendar without a time zone
calendars:
  - {name: a, weekdays: [{day: mon, segments: ['09:00-12:00']}]} # calendar "a" has no time zone

a calendar without work
calendars:
  - {name: a, time_zone: Asia/Shanghai} # calendar "a" has no working time

dates in disorder
calendars:
  - name: a
    time_zone: Asia/Shanghai
    weekdays: [{day: mon, segments: ['09:00-12:00']}]
    dates:
      - {date: 2026-02-01}
      - {date: 2026-01-01} # the dates are not in order

turns that begin on a Tuesday
rosters:
  - {name: a, calendar: office, shifts: [{from: '08:00', to: '17:00', people: [li], turns_from: 2026-11-24}]} # 20261124 is no Monday

a verb that no macro has
macros:
  - {name: a, steps: [{verb: dance}]} # "dance" is no verb of a macro

an approval by nobody
approvals:
  - {name: a, step: close} # approval "a" names nobody

an approval of nothing
approvals:
  - {name: a, step: open, approvers: [li]} # "open" is no step

a section that there is not
locked: [goals] # "goals" is no section

a field of a ticket that no template gives
templates:
  - {name: a, ticket: {number: x}} # the key is unknown
`

func TestEveryProblemHasItsLine(t *testing.T) {
	for _, c := range strings.Split(strings.TrimSpace(problemCases), "\n\n") {
		name, file, _ := strings.Cut(c, "\n")
		t.Run(name, func(t *testing.T) {
			_, problems := Check([]byte(file), []*deskpb.Policy{policy.Default()})
			told := false
			for i, line := range strings.Split(file, "\n") {
				_, want, found := strings.Cut(line, "# ")
				if !found {
					continue
				}
				told = true
				if len(problems) != 1 || problems[0].Line != i+1 && name != "not YAML" || !strings.HasPrefix(problems[0].Text, want) {
					t.Errorf("the problems are %v, want one in line %d: %s", problems, i+1, want)
				}
			}
			if !told {
				t.Error("the case says no problem")
			}
		})
	}
}

func TestAllProblemsAreTold(t *testing.T) {
	file := "targets:\n  - {name: a, metric: x, within: y}\nurging: {cool_down: z}\nlocked: 3\n"
	_, problems := Check([]byte(file), nil)
	var lines []int
	for _, problem := range problems {
		lines = append(lines, problem.Line)
	}
	if fmt.Sprint(lines) != "[2 2 3 4]" {
		t.Errorf("the problems are %v, want one in line 2 twice, 3 and 4", problems)
	}
	many := "targets:\n" + strings.Repeat("  - {name: a, metric: x}\n", 3*maxProblems)
	if _, problems := Read([]byte(many)); len(problems) != maxProblems {
		t.Errorf("%d problems are told, want the first %d", len(problems), maxProblems)
	}
}

// A layer is held against those above it: what they locked, what they have, and what they take for granted.
func TestALayerIsCheckedAgainstThoseAbove(t *testing.T) {
	top := &deskpb.Policy{
		Locked: []string{"targets", "closing"},
		Groups: []*deskpb.Team{{Name: "一线"}},
	}
	own := &deskpb.Calendar{Name: "counter", Shifts: []*deskpb.ZoneShift{{}}, Weekdays: []*deskpb.Weekday{{Day: 1, Segments: []*deskpb.Segment{{From: 0, To: 60}}}}}
	base := policy.Default()
	for _, test := range []struct {
		name, file string
		above      []*deskpb.Policy
		want       string // part of the only problem; empty for none
	}{
		{"a locked section", "closing: {auto_close_days: 5}", []*deskpb.Policy{base, top}, "locked by an office above"},
		{"another section", "urging: {cool_down: 5m}", []*deskpb.Policy{base, top}, ""},
		{"a group of the top", "dispatch: [{name: a, group: 一线}]", []*deskpb.Policy{base, top}, ""},
		{"the top's own calendar of office time", "calendars: [{name: office, always: true}]", []*deskpb.Policy{base}, ""},
		{"another calendar of office time below", "calendars: [{name: office, always: true}]", []*deskpb.Policy{base, nil}, "the same at all offices"},
		{"an end-to-end target in a calendar of its own", "targets: [{name: a, metric: response, within: 1h, calendar: counter}]",
			[]*deskpb.Policy{base, nil, {Calendars: []*deskpb.Calendar{own}}}, "not a calendar that all of them have"},
		{"a target of a tier in a calendar of its own", "targets: [{name: a, metric: resolution, tier: county, within: 1h, calendar: counter}]",
			[]*deskpb.Policy{base, nil, {Calendars: []*deskpb.Calendar{own}}}, ""},
		{"an end-to-end target in office time", "targets: [{name: a, metric: response, within: 1h, calendar: office}]",
			[]*deskpb.Policy{base, nil}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			layer, problems := Check([]byte(test.file), test.above)
			switch {
			case test.want == "" && (len(problems) > 0 || layer == nil):
				t.Errorf("the problems are %v, want none", problems)
			case test.want != "" && (len(problems) != 1 || !strings.Contains(problems[0].Text, test.want) || problems[0].Line != 1):
				t.Errorf("the problems are %v, want one in line 1: %s", problems, test.want)
			}
		})
	}
}

func TestAnEmptyFileSaysNothing(t *testing.T) {
	for _, file := range []string{"", "# nothing yet\n", "---\n", "{}"} {
		if layer, problems := Check([]byte(file), []*deskpb.Policy{policy.Default()}); len(problems) > 0 || layer == nil {
			t.Errorf("%q has the problems %v", file, problems)
		}
	}
	for file, want := range map[string]string{"a: 1\n---\nb: 2\n": "more than one document", "\xff": "not UTF-8", strings.Repeat("#", MaxSource+1): "at most"} {
		if _, problems := Check([]byte(file), nil); len(problems) != 1 || !strings.Contains(problems[0].Text, want) {
			t.Errorf("%.20q has the problems %v, want one: %s", file, problems, want)
		}
	}
}

// Requesters are masked by one key, and a file says so as it was read.
func TestPrivacyInAFile(t *testing.T) {
	for source, want := range map[string]bool{"privacy: {mask_above_home: true}\n": true, "privacy:\n  mask_above_home: false\n": false} {
		layer, problems := Check([]byte(source), []*deskpb.Policy{policy.Default()})
		if len(problems) > 0 || layer.GetPrivacy().GetMaskAboveHome() != want {
			t.Errorf("%q masks %v with %v, want %v", source, layer.GetPrivacy().GetMaskAboveHome(), problems, want)
		}
		text, err := Write(layer)
		if err != nil {
			t.Fatal(err)
		}
		again, problems := Check(text, []*deskpb.Policy{policy.Default()})
		if len(problems) > 0 || again.GetPrivacy().GetMaskAboveHome() != want {
			t.Errorf("%q is written as %q, which masks %v with %v", source, text, again.GetPrivacy().GetMaskAboveHome(), problems)
		}
	}
}
