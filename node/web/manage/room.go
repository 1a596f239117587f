package manage

import (
	"embed"
	"net/http"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

//go:embed templates words.yaml
var files embed.FS

// Room has the pages of this package.
func Room() page.Room {
	routes := []page.Route{{Pattern: "GET /admin", Serve: serveFirst}}
	return page.Room{
		Files: files,
		Routes: slices.Concat(routes, siteRoutes(), treeRoutes(), peopleRoutes(), personRoutes(), dutyRoutes(), groupRoutes(), rosterRoutes(), policyRoutes(),
			backupRoutes(), auditRoutes(), publicationRoutes()),
		Doors: []page.Door{{
			Path: "/admin", Word: "admin", Icon: "settings",
			Open: func(a *deskpb.Actor) bool { return a != nil && desk.May(a, desk.UserList) == nil },
		}},
	}
}

// section is a page of the room that stands in its navigation, for those who may do the verb.
type section struct {
	path, word, icon string
	verb             desk.Verb
	make             string // the page that makes one of what it shows; empty for none
}

// sections are in the order of the navigation.
func sections() []section {
	return []section{
		{"/admin/site", "admin.site", "server", desk.SiteRead, ""},
		{"/admin/tree", "admin.tree", "binary-tree", desk.TreeRead, ""},
		{"/admin/people", "admin.people", "users", desk.UserList, "/admin/new/person"},
		{"/admin/groups", "admin.groups", "address-book", desk.PolicyRead, "/admin/new/group"},
		{"/admin/duty", "admin.duty", "clock", desk.DutyRead, ""},
		{"/admin/rosters", "admin.rosters", "calendar-event", desk.PolicyRead, "/admin/new/roster"},
		{"/admin/policy", "admin.policy", "adjustments", desk.PolicyRead, ""},
		{"/admin/publications", "admin.publications", "speakerphone", desk.PublicationRead, ""},
		{"/admin/backups", "admin.backups", "archive", desk.SiteDiagnose, ""},
		{"/admin/audit", "admin.audit", "shield-check", desk.AuditRead, ""},
	}
}

// serveFirst leads to the first page that the visitor may see.
func serveFirst(v *page.Visit) error {
	for _, s := range sections() {
		if v.May(s.verb) {
			return v.Redirect(s.path)
		}
	}
	return desk.Refuse(desk.PermissionDenied, "PERMISSION_DENIED", "%s may look after nothing here", v.Actor.GetUser())
}

// shelf is the frame of a page of this room, with the ways to the others beside it.
type shelf struct {
	page.Frame
	Sections []page.DoorShown
}

func newShelf(v *page.Visit, title string) shelf {
	s := shelf{Frame: v.Frame(title)}
	s.Styles = append(s.Styles, "manage.css")
	s.Scripts = append(s.Scripts, "manage.js")
	for _, to := range sections() {
		if v.May(to.verb) {
			here := v.R.URL.Path == to.path || strings.HasPrefix(v.R.URL.Path, to.path+"/") || v.R.URL.Path == to.make
			s.Sections = append(s.Sections, page.DoorShown{Path: to.path, Word: v.Word(to.word), Icon: to.icon, Here: here})
		}
	}
	return s
}

// choice is one of several values that a form offers.
type choice struct {
	Value, Word, Hint string
	Chosen            bool
}

// choices offers values under words; those of chosen are.
func choices(values []string, word func(string) string, chosen ...string) []choice {
	var offered []choice
	for _, value := range values {
		offered = append(offered, choice{Value: value, Word: word(value), Chosen: slices.Contains(chosen, value)})
	}
	return offered
}

// refused tells whether an error is for whoever filled in a form, and what it says: the form is shown again with it. Anything else
// is told as a page.
func refused(v *page.Visit, err error) (page.Problem, bool) {
	problem := v.Problem(err)
	return problem, problem.Status == http.StatusBadRequest || problem.Status == http.StatusConflict
}
