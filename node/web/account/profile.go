package account

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// profilePage says who the visitor is here, and what the visitor may do.
type profilePage struct {
	shelf
	Display   string
	Facts     []fact
	Rights    []right
	Directory string // who keeps the account; empty for this site itself
	Themes    []theme
}

// fact is a name with its value.
type fact struct{ Name, Value string }

// right is an area with what the visitor may do in it.
type right struct {
	Name    string // of the area, as permissions have it
	Area    string // the same in words
	Words   string
	Verbs   []string
	Changes bool // some of them change something
}

// theme is a way that the pages can look, by the name that the address for choosing one takes.
type theme struct {
	Name, Word string
	Here       bool
}

func serveMe(v *page.Visit) error {
	caller, err := v.Caller()
	if err != nil {
		return err
	}
	user := caller.GetUser()
	shown := profilePage{
		shelf: newShelf(v, v.Word("me.title")), Display: cmp.Or(user.GetDisplayName(), user.GetName()), Facts: profileFacts(v, user),
		Rights: rightsOf(v, caller.GetPermissions()),
	}
	if user.GetSource() != apipb.User_LOCAL {
		shown.Directory = user.GetSource().String()
	}
	for _, name := range []string{"machine", "light", "dark"} {
		shown.Themes = append(shown.Themes, theme{Name: name, Word: v.Word("me.theme." + name), Here: cmp.Or(shown.Theme, "machine") == name})
	}
	return v.Render(http.StatusOK, "me.html", shown)
}

func profileFacts(v *page.Visit, user *apipb.User) []fact {
	lines := make([]string, 0, len(user.GetLines()))
	for _, line := range user.GetLines() {
		lines = append(lines, v.Word("line."+line.String()))
	}
	scope, allLines := v.Word("me.scope."+user.GetScope().String()), v.Word("me.lines.all")
	if user.GetRole() == apipb.User_REQUESTER {
		scope, allLines = v.Word("me.scope.OWN"), "" // who works on no line needs none
	}
	all := []fact{
		{v.Word("sign-in.user"), user.GetName()},
		{v.Word("me.role"), v.Word("user-role." + user.GetRole().String())},
		{v.Word("me.scope"), scope},
		{v.Word("me.unit"), user.GetUnit()},
		{v.Word("me.phone"), user.GetPhone()},
		{v.Word("me.email"), user.GetEmail()},
		{v.Word("me.groups"), strings.Join(user.GetMemberOf(), v.Word("me.comma"))},
		{v.Word("me.lines"), cmp.Or(strings.Join(lines, v.Word("me.comma")), allLines)},
	}
	kept := all[:0]
	for _, f := range all {
		if f.Value != "" {
			kept = append(kept, f)
		}
	}
	return kept
}

// rightsOf sorts what the visitor may do by area, in the order of the documentation, and puts it into words.
func rightsOf(v *page.Visit, permissions []string) []right {
	found := byArea(permissions)
	for i := range found {
		found[i].Area, found[i].Words = v.Word("me.area."+found[i].Name), v.Word("me.may.read")
		if found[i].Changes {
			found[i].Words = v.Word("me.may.change")
		}
	}
	return found
}

// byArea sorts permissions by area; areas without any are left out.
func byArea(permissions []string) (found []right) {
	for _, area := range desk.Areas() {
		made := right{Name: string(area)}
		for _, permission := range permissions {
			if verb := desk.Verb(permission); verb.Area() == area {
				made.Verbs, made.Changes = append(made.Verbs, permission), made.Changes || verb.Changes()
			}
		}
		if len(made.Verbs) > 0 {
			found = append(found, made)
		}
	}
	return found
}
