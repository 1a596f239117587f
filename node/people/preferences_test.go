package people

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func filters(n int) (made []*apipb.SavedFilter) {
	for i := range n {
		made = append(made, &apipb.SavedFilter{Name: fmt.Sprint("n", i), Filter: "state = NEW"})
	}
	return made
}

func columns(n int) (made []string) {
	for i := range n {
		made = append(made, fmt.Sprint("c", i))
	}
	return made
}

func TestPreferencesOfEachForm(t *testing.T) {
	for name, c := range map[string]struct {
		given *apipb.Preferences
		field string // that is refused; empty for none
	}{
		"none":                   {nil, ""},
		"as much as is kept":     {&apipb.Preferences{Filters: filters(maxFilters), Columns: columns(maxColumns), Queue: "group:网络组"}, ""},
		"a filter that says all": {&apipb.Preferences{Filters: []*apipb.SavedFilter{{Name: "全部"}}}, ""},
		"too many filters":       {&apipb.Preferences{Filters: filters(maxFilters + 1)}, "preferences.filters"},
		"a filter without name":  {&apipb.Preferences{Filters: []*apipb.SavedFilter{{}}}, "preferences.filters.name"},
		"a long name":            {&apipb.Preferences{Filters: []*apipb.SavedFilter{{Name: strings.Repeat("名", 41)}}}, "preferences.filters.name"},
		"two of a name":          {&apipb.Preferences{Filters: []*apipb.SavedFilter{{Name: "a"}, {Name: "a"}}}, "preferences.filters.name"},
		"a long filter":          {&apipb.Preferences{Filters: []*apipb.SavedFilter{{Name: "a", Filter: strings.Repeat("x", 4097)}}}, "preferences.filters.filter"},
		"too many columns":       {&apipb.Preferences{Columns: columns(maxColumns + 1)}, "preferences.columns"},
		"a column twice":         {&apipb.Preferences{Columns: []string{"state", "state"}}, "preferences.columns"},
		"a column of two lines":  {&apipb.Preferences{Columns: []string{"a\nb"}}, "preferences.columns"},
		"a queue of two lines":   {&apipb.Preferences{Queue: "a\nb"}, "preferences.queue"},
	} {
		t.Run(name, func(t *testing.T) {
			field := ""
			var refusal *desk.Refusal
			if errors.As(checkPreferences(c.given), &refusal) {
				field = refusal.Field
			}
			if field != c.field {
				t.Errorf("the field refused is %q, want %q", field, c.field)
			}
		})
	}
}

func TestPreferencesAreOnesOwn(t *testing.T) {
	o := open(t)
	chosen := &apipb.Preferences{Filters: filters(1), Columns: []string{"state"}, Queue: "overdue"}
	if _, err := o.SetPreferences(t.Context(), agent, chosen); err != nil {
		t.Fatal(err)
	}
	own, err := o.User(t.Context(), agent, "wang")
	if err != nil || !proto.Equal(own.GetPreferences(), chosen) {
		t.Errorf("wang has %v, %v", own.GetPreferences(), err)
	}
	seen, err := o.User(t.Context(), administrator, "wang")
	if err != nil || seen.GetPreferences() != nil {
		t.Errorf("the administrator sees %v, %v", seen.GetPreferences(), err)
	}
	if _, err := o.UpdateUser(t.Context(), administrator, &apipb.UpdateUserRequest{User: &apipb.User{Name: "wang", Unit: "财政局"}}); err != nil {
		t.Fatal(err)
	}
	if own, err = o.User(t.Context(), agent, "wang"); err != nil || !proto.Equal(own.GetPreferences(), chosen) {
		t.Errorf("after a change of the account wang has %v, %v", own.GetPreferences(), err)
	}
	program := proto.CloneOf(agent)
	program.Limits = []string{"own"}
	_, err = o.SetPreferences(t.Context(), program, chosen)
	mustRefuse(t, "a program arranges the pages", err, "TOKEN_LIMITED")
}
