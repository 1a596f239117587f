package policy

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// groups makes a layer of groups, one for each word: name=manager, or -name to take it away.
func groups(words string) *deskpb.Policy {
	p := &deskpb.Policy{}
	for _, word := range strings.Fields(words) {
		name, manager, _ := strings.Cut(strings.TrimPrefix(word, "-"), "=")
		p.Groups = append(p.Groups, &deskpb.Team{Name: name, Manager: manager, Removed: strings.HasPrefix(word, "-")})
	}
	return p
}

// rules makes a layer of dispatch rules in the same way.
func rules(words string) *deskpb.Policy {
	p := &deskpb.Policy{}
	for _, group := range groups(words).GetGroups() {
		p.Dispatch = append(p.Dispatch, &deskpb.DispatchRule{Name: group.GetName(), Group: group.GetManager(), Removed: group.GetRemoved()})
	}
	return p
}

func TestMergeOfLists(t *testing.T) {
	for _, test := range []struct {
		name       string
		layers     []string
		want       string // of a list whose order says nothing
		firstFit   string // of a list of which the first fit counts
		lockedByUs bool
	}{
		{"nothing", nil, "", "", false},
		{"one layer", []string{"a=1 b=2"}, "a=1 b=2", "a=1 b=2", false},
		{"a new entry", []string{"a=1", "b=2"}, "a=1 b=2", "b=2 a=1", false},
		{"an entry in the place of another", []string{"a=1 b=2", "a=3"}, "a=3 b=2", "a=3 b=2", false},
		{"an entry taken away", []string{"a=1 b=2", "-a"}, "b=2", "b=2", false},
		{"an entry taken away and back", []string{"a=1 b=2", "-a", "a=3"}, "b=2 a=3", "a=3 b=2", false},
		{"three layers", []string{"a=1", "b=2 c=3", "d=4 c=5"}, "a=1 b=2 c=5 d=4", "d=4 b=2 c=5 a=1", false},
		{"a locked list", []string{"a=1", "b=2", "c=3 -a"}, "a=1 b=2", "b=2 a=1", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var lists, fits []*deskpb.Policy
			for i, words := range test.layers {
				lists, fits = append(lists, groups(words)), append(fits, rules(words))
				if test.lockedByUs && i == 1 {
					lists[i].Locked, fits[i].Locked = []string{"groups"}, []string{"dispatch"}
				}
			}
			if got, want := Merge(lists...).GetGroups(), groups(test.want).GetGroups(); !equal(got, want) {
				t.Errorf("the groups are %v, want %v", got, want)
			}
			if got, want := Merge(fits...).GetDispatch(), rules(test.firstFit).GetDispatch(); !equal(got, want) {
				t.Errorf("the rules are %v, want %v", got, want)
			}
		})
	}
}

func equal[M proto.Message](a, b []M) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !proto.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func TestAMessageTakesThePlaceOfTheWholeOneAbove(t *testing.T) {
	above := &deskpb.Policy{Urging: &deskpb.Urging{CoolDown: 60, ClimbEvery: 2}, Closing: &deskpb.Closing{AutoCloseDays: 3}}
	merged := Merge(above, nil, &deskpb.Policy{Urging: &deskpb.Urging{CoolDown: 90}})
	if got, want := merged.GetUrging(), (&deskpb.Urging{CoolDown: 90}); !proto.Equal(got, want) {
		t.Errorf("urging is %v, want %v", got, want)
	}
	if got := merged.GetClosing().GetAutoCloseDays(); got != 3 {
		t.Errorf("tickets close after %d days, want the 3 of the layer above", got)
	}
}

func TestFaultLevelsAreToldApartByTheirLevel(t *testing.T) {
	merged := Merge(Default(), &deskpb.Policy{FaultLevels: []*deskpb.FaultLevel{{Level: 2, Title: words("二级", "two")}, {Level: 3, Removed: true}}})
	if len(merged.GetFaultLevels()) != 2 || merged.GetFaultLevels()[1].GetTitle().GetZh() != "二级" {
		t.Errorf("the fault levels are %v, want the first two with a new title for the second", merged.GetFaultLevels())
	}
}

// Every site of a path counts end-to-end clocks by the same calendars, whatever the lower ones say of them.
func TestCalendarsOfTheTopAreTheSameBelow(t *testing.T) {
	office := func(day int32) *deskpb.Policy {
		return &deskpb.Policy{Calendars: []*deskpb.Calendar{{Name: OfficeTime, Weekdays: []*deskpb.Weekday{{Day: day}}}}}
	}
	lower := office(5)
	lower.Calendars = append(lower.Calendars, &deskpb.Calendar{Name: "shop"}, &deskpb.Calendar{Name: AllTime, Removed: true})
	merged := Merge(Default(), office(2), lower)
	if got := Calendar(merged, OfficeTime).GetWeekdays()[0].GetDay(); got != 2 {
		t.Errorf("the office works on day %d, want the 2 of the top", got)
	}
	if Calendar(merged, "shop") == nil || Calendar(merged, AllTime) == nil {
		t.Errorf("the calendars are %v, want the own one beside those above", merged.GetCalendars())
	}
	if got := Calendar(Merge(Default(), nil, office(5)), OfficeTime).GetWeekdays()[0].GetDay(); got != 1 {
		t.Errorf("while the top's layer is unknown the office works on day %d, want the built-in 1", got)
	}
}

// anyLayer draws a layer over a few names, so that layers meet each other.
func anyLayer(t *rapid.T) *deskpb.Policy {
	word := rapid.SampledFrom([]string{"a=1", "a=2", "b=3", "c=4", "-a", "-b"})
	list := func(label string) string {
		return strings.Join(rapid.SliceOfNDistinct(word, 0, 3, nameOf).Draw(t, label), " ")
	}
	layer := groups(list("groups"))
	layer.Dispatch = rules(list("rules")).GetDispatch()
	if rapid.Bool().Draw(t, "urges") {
		layer.Urging = &deskpb.Urging{CoolDown: rapid.Int64Range(1, 3).Draw(t, "cool down")}
	}
	layer.Locked = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"groups", "dispatch", "urging"}), 0, 1, rapid.ID).Draw(t, "locked")
	return layer
}

func nameOf(word string) string { return strings.Trim(word[:2], "-=") }

// Layers may be put together step by step, or all at once; the layers stay as they were, and the same ones give the same
// policy.
func TestMergeStepByStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		layers := rapid.SliceOfN(rapid.Custom(anyLayer), 1, 4).Draw(t, "layers")
		var before []*deskpb.Policy
		for _, layer := range layers {
			before = append(before, proto.CloneOf(layer))
		}
		all := Merge(layers...)
		steps := layers[0]
		for _, layer := range layers[1:] {
			steps = Merge(steps, layer)
		}
		if steps = Merge(steps); !proto.Equal(all, steps) {
			t.Fatalf("all at once gives\n%v\nstep by step gives\n%v", all, steps)
		}
		for i := range layers {
			if !proto.Equal(layers[i], before[i]) {
				t.Fatalf("layer %d is %v after merging, it was %v", i, layers[i], before[i])
			}
		}
		seen := map[string]bool{}
		for _, group := range all.GetGroups() {
			if seen[group.GetName()] || group.GetRemoved() {
				t.Fatalf("the groups are %v: one is there twice, or was taken away", all.GetGroups())
			}
			seen[group.GetName()] = true
		}
	})
}

// What is shown of requesters is for each office to say, until one above has locked it.
func TestPrivacyIsRefinedUnlessItIsLocked(t *testing.T) {
	masked := &deskpb.Policy{Privacy: &deskpb.Privacy{MaskAboveHome: true}}
	open := &deskpb.Policy{Privacy: &deskpb.Privacy{}}
	locked := proto.CloneOf(masked)
	locked.Locked = []string{"privacy"}
	for _, test := range []struct {
		name   string
		layers []*deskpb.Policy
		want   bool
	}{
		{"the built-in policy", []*deskpb.Policy{Default()}, false},
		{"the province masks", []*deskpb.Policy{Default(), masked}, true},
		{"the city says otherwise", []*deskpb.Policy{Default(), masked, open}, false},
		{"the city says otherwise of what is locked", []*deskpb.Policy{Default(), locked, open}, true},
	} {
		if got := Merge(test.layers...).GetPrivacy().GetMaskAboveHome(); got != test.want {
			t.Errorf("%s: masked %v, want %v", test.name, got, test.want)
		}
	}
	if objections := Check([]*deskpb.Policy{Default(), locked}, open); len(objections) != 1 || objections[0].Path != "privacy" {
		t.Errorf("changing what is locked is answered %v, want one objection to privacy", objections)
	}
}
