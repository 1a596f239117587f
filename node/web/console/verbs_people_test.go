package console

import (
	"errors"
	"net/url"
	"slices"
	"testing"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// officeOfTests has two people who share a name, one who is called like another one's user, and one without a name.
var officeOfTests = []*apipb.Colleague{
	{User: "zhang", DisplayName: "张敏"}, {User: "wangwei", DisplayName: "王伟"}, {User: "wangwei2", DisplayName: "王伟"},
	{User: "li"}, {User: "liming", DisplayName: "li"},
}

func TestPeopleAreCalledApart(t *testing.T) {
	var names []string
	for _, one := range namedApart(officeOfTests) {
		names = append(names, one.name)
	}
	want := []string{"张敏", "王伟 (wangwei)", "王伟 (wangwei2)", "li", "li (liming)"}
	if !slices.Equal(names, want) {
		t.Errorf("people are called %q, not %q", names, want)
	}
}

func TestWhoIsMeantByWhatSomebodyTyped(t *testing.T) {
	people := namedApart(officeOfTests)
	for typed, want := range map[string]string{
		"张敏": "zhang", "zhang": "zhang", "Zhang": "zhang", "王伟 (wangwei2)": "wangwei2", "王伟": "", "li": "li", "li (liming)": "liming", "": "",
	} {
		if got, found := userNamed(people, typed); got != want || found != (want != "") {
			t.Errorf("%q means %q (%v), not %q", typed, got, found, want)
		}
	}
}

func TestAFormNamesUsersInTheOrderInWhichPeopleWereChosen(t *testing.T) {
	d := &dossier{colleagues: namedApart(officeOfTests), ticket: &deskpb.Ticket{Coordinator: "somebody-elsewhere"}}
	sent := url.Values{"task.signers": {"王伟 (wangwei)", " ", " 张敏", "li"}, "task.title": {"会签"}}
	meant, err := d.withUsers(verbNamed("addTask"), sent)
	if err != nil || !slices.Equal(meant["task.signers"], []string{"wangwei", "zhang", "li"}) || meant.Get("task.title") != "会签" {
		t.Errorf("the form means %v: %v", meant, err)
	}
	if sent["task.signers"][2] != " 张敏" {
		t.Errorf("what was typed has changed: %v", sent)
	}
	sent.Set("task.assignee", "王伟")
	var refusal *desk.Refusal
	if _, err := d.withUsers(verbNamed("addTask"), sent); !errors.As(err, &refusal) || refusal.Field != "task.assignee" {
		t.Errorf("a name that two people share is taken: %v", err)
	}
	kept, err := d.withUsers(verbNamed("classify"), url.Values{"ticket.coordinator": {"somebody-elsewhere"}})
	if err != nil || kept.Get("ticket.coordinator") != "somebody-elsewhere" {
		t.Errorf("a coordinator of another site does not stay: %v, %v", kept, err)
	}
}

func TestThereIsAPlaceForOneMoreSigner(t *testing.T) {
	many := slices.Repeat([]string{"li"}, desk.MaxSigners)
	for _, c := range []struct {
		name  string
		typed []string
		more  bool
		want  int
	}{
		{"nobody yet", nil, false, peopleRows},
		{"all places taken", []string{"a", "b", "c"}, false, 4},
		{"holes close", []string{"a", "", "c", ""}, false, peopleRows},
		{"more are asked for", []string{"a", "", ""}, true, 3 + peopleMore},
		{"as many as sign", many, true, desk.MaxSigners},
	} {
		if got := places(c.typed, c.more); len(got) != c.want {
			t.Errorf("%s: %d places %q, not %d", c.name, len(got), got, c.want)
		}
	}
}
