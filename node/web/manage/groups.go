package manage

import (
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
	"github.com/tierdesk/tierdesk/policyfile"
)

func groupRoutes() []page.Route {
	return []page.Route{
		{Pattern: "GET /admin/groups", Serve: serveGroups},
		{Pattern: "GET /admin/new/group", Serve: serveNewGroup},
		{Pattern: "POST /admin/new/group", Serve: serveGroupForm},
		{Pattern: "GET /admin/groups/{name}", Serve: serveGroup},
		{Pattern: "POST /admin/groups/{name}", Serve: serveGroupForm},
		{Pattern: "GET /admin/groups/{name}/remove", Serve: groupPart().serveRemoval},
		{Pattern: "POST /admin/groups/{name}/remove", Serve: groupPart().serveRemoval},
	}
}

// groupsPage lists the groups of the policy.
type groupsPage struct {
	shelf
	shut
	Groups []groupRow
	Away   []awayRow
}

type groupRow struct {
	Name, Title, Path                     string
	Members, Manager, Lines, Method, From string
	Count                                 int
	Whose                                 string // of which sites above members are; empty for none
	Roster, RosterPath                    string
	Open                                  *openTickets // nil for a visitor who does not see all of them
}

// openTickets are those that are with a group here.
type openTickets struct {
	Count int32
	Queue string // the address of the queue on the desk
}

// openOfGroups counts the open tickets of groups, as they are kept.
func openOfGroups(v *page.Visit) (map[string]*openTickets, error) {
	counted := map[string]*openTickets{}
	if !v.May(desk.TicketList) {
		return counted, nil
	}
	queues, err := v.API.Queues.ListQueues(v.Ctx(), &apipb.ListQueuesRequest{AllGroups: true})
	for _, queue := range queues.GetQueues() {
		if queue.GetKind() == apipb.Queue_GROUP && !queue.GetMore() {
			counted[queue.GetGroup()] = &openTickets{Count: queue.GetCount(), Queue: "/desk?" + url.Values{"queue": {queue.GetId()}}.Encode()}
		}
	}
	return counted, err
}

func serveGroups(v *page.Visit) error {
	h, err := readHolding(v)
	if err != nil {
		return err
	}
	people, err := readColleagues(v, h)
	if err != nil {
		return err
	}
	open, err := openOfGroups(v)
	if err != nil {
		return err
	}
	shown := groupsPage{shelf: newShelf(v, v.Word("admin.groups")), shut: groupPart().shut(v, h), Away: groupPart().takenAway(v, h)}
	for _, group := range h.GetPolicy().GetGroups() {
		row := groupRow{
			Name: group.GetName(), Title: titled(v, group.GetTitle(), group.GetName()), Path: groupPart().pathOf(group.GetName()),
			Members: strings.Join(people.names(group.GetMembers()), v.Word("admin.comma")), Count: len(group.GetMembers()),
			Lines: linesShown(v, group.GetLines()), Method: v.Word("admin.method." + group.GetMethod().String()),
			From: groupPart().originOf(v, h, group.GetName()).shown(v), Open: open[group.GetName()],
			Whose: strings.Join(people.whose(group.GetMembers()), v.Word("admin.comma")),
		}
		if group.GetManager() != "" {
			row.Manager = people.find(group.GetManager()).Name
		}
		if group.GetRoster() != "" {
			row.Roster, row.RosterPath = titleOf(v, h.GetPolicy().GetRosters(), group.GetRoster()), rosterPart().pathOf(group.GetRoster())
		}
		shown.Groups = append(shown.Groups, row)
	}
	return v.Render(http.StatusOK, "groups.html", shown)
}

func linesShown(v *page.Visit, lines []deskpb.Ticket_Line) string {
	var words []string
	for _, line := range lines {
		words = append(words, v.Word("line."+line.String()))
	}
	return strings.Join(words, v.Word("admin.comma"))
}

// groupPage is one group, with a form for those who may change it.
type groupPage struct {
	shelf
	shut
	groupForm
	Action     string // where the form is sent to
	Remove     string // the page that asks about removing; empty for nothing to remove
	RemoveWord string
	From       string
	FromAbove  bool // this site says nothing of its own about it yet
	Facts      []fact
	ByAccount  []colleague // who is in it because the account says so
}

func serveGroup(v *page.Visit) error {
	h, err := readHolding(v)
	if err != nil {
		return err
	}
	group := policy.Group(h.GetPolicy(), v.R.PathValue("name"))
	if group == nil {
		return groupPart().notThere(v.R.PathValue("name"))
	}
	people, err := readColleagues(v, h)
	if err != nil {
		return err
	}
	return showGroup(v, h, people, http.StatusOK, newGroupForm(v, h, people, group, false))
}

func serveNewGroup(v *page.Visit) error {
	h, people, err := groupPart().toChange(v)
	if err != nil {
		return err
	}
	return showGroup(v, h, people, http.StatusOK, newGroupForm(v, h, people, &deskpb.Team{}, true))
}

func showGroup(v *page.Visit, h *holding, people colleagues, code int, form groupForm) error {
	shown := groupPage{shut: groupPart().shut(v, h), groupForm: form, Action: groupPart().make}
	if form.New {
		shown.shelf = newShelf(v, v.Word("admin.groups.new"))
		return v.Render(code, "group.html", shown)
	}
	group := policy.Group(h.GetPolicy(), form.Called)
	from := groupPart().originOf(v, h, form.Called)
	shown.shelf = newShelf(v, titled(v, group.GetTitle(), form.Called))
	shown.Action, shown.From, shown.FromAbove = groupPart().pathOf(form.Called), from.shown(v), !from.own
	if shown.Edit {
		shown.Remove, shown.RemoveWord = shown.Action+"/remove", v.Word(removeWord(from))
	} else {
		shown.Facts = groupFacts(v, h, people, group)
	}
	members, err := membersByAccount(v, people, group)
	if err != nil {
		return err
	}
	shown.ByAccount = members
	return v.Render(code, "group.html", shown)
}

// removeWord is on the button that leads to the page about removing.
func removeWord(from origin) string {
	if from.own && from.above {
		return "admin.part.restore-button"
	}
	return "admin.part.remove-button"
}

// membersByAccount are the people who are in a group because their accounts say so, and not the policy.
func membersByAccount(v *page.Visit, people colleagues, group *deskpb.Team) (found []colleague, err error) {
	duty, err := v.API.Duties.ListDuty(v.Ctx(), &apipb.ListDutyRequest{Group: group.GetName()})
	if err != nil {
		return nil, err
	}
	for _, one := range duty.GetGroups() {
		for _, member := range one.GetMembers() {
			if !slices.Contains(group.GetMembers(), member.GetUser()) {
				found = append(found, people.find(member.GetUser()))
			}
		}
	}
	return found, nil
}

func groupFacts(v *page.Visit, h *holding, people colleagues, group *deskpb.Team) (facts []fact) {
	manager := ""
	if group.GetManager() != "" {
		manager = people.find(group.GetManager()).Name
	}
	for _, one := range []fact{
		{v.Word("admin.column.members"), strings.Join(people.names(group.GetMembers()), v.Word("admin.comma"))},
		{v.Word("admin.column.manager"), manager},
		{v.Word("admin.column.lines"), linesShown(v, group.GetLines())},
		{v.Word("admin.column.method"), v.Word("admin.method." + group.GetMethod().String())},
		{v.Word("admin.column.accept"), span(v, group.GetAcceptWithin())},
		{v.Word("admin.column.roster"), titleOf(v, h.GetPolicy().GetRosters(), group.GetRoster())},
	} {
		if one.Value != "" {
			facts = append(facts, one)
		}
	}
	return facts
}

// serveGroupForm shows what a form about a group would change, or the form again.
func serveGroupForm(v *page.Visit) error {
	typed, err := v.Form()
	if err != nil {
		return err
	}
	h, people, err := groupPart().toChange(v)
	if err != nil {
		return err
	}
	name := v.R.PathValue("name")
	known := policy.Group(h.GetPolicy(), name)
	if name != "" && known == nil {
		return groupPart().notThere(name)
	}
	form := typedGroupForm(v, h, people, known, typed)
	if form.again = typed.Get("do") == "form" || typed.Get("do") == "more"; form.again || len(form.Problems) > 0 {
		return showGroup(v, h, people, form.status(), form)
	}
	made := form.made
	d := draft{
		title: v.Word("admin.part.changes", titled(v, made.GetTitle(), made.GetName())), path: v.R.URL.Path, part: groupPart(),
		says: groupChanges(v, h, people, known, made), typed: typed,
		lay: func(own []byte) ([]byte, error) { return policyfile.PutGroup(own, made) },
		beside: func(source, path string) string {
			layer, _ := policyfile.Read([]byte(source))
			at := slices.IndexFunc(layer.GetGroups(), func(g *deskpb.Team) bool { return g.GetName() == made.GetName() })
			return groupField(path, at)
		},
		again: func(problems map[string]string) error {
			form.Problems = problems
			return showGroup(v, h, people, http.StatusBadRequest, form)
		},
	}
	if known != nil {
		d.says = append(d.says, overAbove(v, groupPart().originOf(v, h, name))...)
	}
	return d.serve(v, h)
}

// overAbove says what it means to say something of one's own about an entry of a site above.
func overAbove(v *page.Visit, from origin) []string {
	if from.own {
		return nil
	}
	return []string{v.Word("admin.part.over", from.shown(v))}
}

// groupField is the input that a path of the policy speaks of, for the group at a place of the layer.
func groupField(path string, at int) string {
	rest, found := strings.CutPrefix(path, "groups["+strconv.Itoa(at)+"]")
	if !found {
		return ""
	}
	switch rest {
	case ".accept_within":
		return "accept"
	case ".roster":
		return "roster"
	}
	return "name"
}

// groupLoss says what goes with a group, and what still names it.
func groupLoss(v *page.Visit, p *deskpb.Policy, name string) []string {
	group := policy.Group(p, name)
	says := []string{v.Word("admin.groups.loss", len(group.GetMembers()))}
	var named []string
	for _, rule := range p.GetDispatch() {
		if rule.GetGroup() == name {
			named = append(named, rule.GetName())
		}
	}
	if len(named) > 0 {
		says = append(says, v.Word("admin.groups.loss-dispatch", strings.Join(named, v.Word("admin.comma"))))
	}
	named = nil
	for _, application := range p.GetApplications() {
		if application.GetGroup() == name {
			named = append(named, titled(v, application.GetTitle(), application.GetName()))
		}
	}
	if len(named) > 0 {
		says = append(says, v.Word("admin.groups.loss-applications", strings.Join(named, v.Word("admin.comma"))))
	}
	return append(says, ticketsLeft(v, name))
}

// ticketsLeft says what becomes of the open tickets of a group that goes.
func ticketsLeft(v *page.Visit, group string) string {
	open, err := openOfGroups(v)
	switch left := open[group]; {
	case err != nil || left == nil:
		return v.Word("admin.groups.loss-tickets")
	case left.Count == 0:
		return v.Word("admin.groups.loss-idle")
	default:
		return v.Word("admin.groups.loss-open", left.Count)
	}
}
