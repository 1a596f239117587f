package manage

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

func dutyRoutes() []page.Route {
	return []page.Route{
		{Pattern: "GET /admin/duty", Serve: serveDuty},
		{Pattern: "POST /admin/duty", Serve: serveSetDuty},
	}
}

// Bounds of the people that are shown at once: of each group on the page of all groups, and of one group, or found, on a page.
const (
	dutyOfEach = 8
	dutyPageOf = 50
)

// dutyPage shows who of each group is on duty: the first ones of every group, everybody of one group page by page, or those who were
// looked for.
type dutyPage struct {
	shelf
	Query  string // what is looked for in names; empty for everybody
	Only   string // the title of the group whose page it is; empty for that of all groups
	Group  string // its name
	Groups []dutyGroup
	Here   string // the address to which forms are sent, which leads back to this page
	Hours  []choice
	Pager  pager
}

type dutyGroup struct {
	Name, Title, Roster string
	On, Of              int
	Members             []dutyMember
	Left                int    // members that are not shown
	All                 string // the address of the page with all of them
}

type dutyMember struct {
	User, Name string
	State      page.Mark
	On         bool
	Hand       string // that somebody said so by hand, and until when; empty for the roster's word
	Set        bool   // whether the visitor may say otherwise
}

func serveDuty(v *page.Visit) error {
	shown := dutyPage{shelf: newShelf(v, v.Word("admin.duty")), Query: strings.TrimSpace(v.Query("q")), Group: v.Query("group"), Here: dutyAddress(v)}
	answer, err := v.API.Duties.ListDuty(v.Ctx(), &apipb.ListDutyRequest{Group: shown.Group})
	if err != nil {
		return err
	}
	inForce, err := v.API.Policies.GetPolicy(v.Ctx(), &apipb.GetPolicyRequest{Consistency: "stale"})
	if err != nil {
		return err
	}
	rosters := map[string]string{}
	for _, roster := range inForce.GetPolicy().GetRosters() {
		rosters[roster.GetName()] = titled(v, roster.GetTitle(), roster.GetName())
	}
	for _, hours := range []int{4, 8, 24} {
		shown.Hours = append(shown.Hours, choice{Value: strconv.Itoa(hours), Word: v.Word("admin.duty.hours", hours)})
	}
	for _, group := range answer.GetGroups() {
		shown.add(v, group, rosters)
	}
	if v.Partial() {
		return v.Render(http.StatusOK, "duty-found", shown)
	}
	return v.Render(http.StatusOK, "duty.html", shown)
}

// add shows a group with those of its members who are wanted, as many as fit: those on duty first.
func (p *dutyPage) add(v *page.Visit, group *apipb.DutyGroup, rosters map[string]string) {
	made := dutyGroup{
		Name: group.GetName(), Title: titled(v, group.GetTitle(), group.GetName()), Of: len(group.GetMembers()), Roster: v.Word("admin.duty.always"),
		All: "/admin/duty?" + url.Values{"group": {group.GetName()}}.Encode(),
	}
	if group.GetRoster() != "" {
		made.Roster = v.Word("admin.duty.by-roster", cmp.Or(rosters[group.GetRoster()], group.GetRoster()))
	}
	wanted := wantedMembers(group.GetMembers(), p.Query)
	for _, member := range group.GetMembers() {
		if member.GetOn() {
			made.On++
		}
	}
	from, most := 0, dutyOfEach
	if p.Group != "" {
		p.Only = made.Title
		from, most = p.page(v, len(wanted)), dutyPageOf
	}
	part := wanted[from:min(from+most, len(wanted))]
	for _, member := range part {
		made.Members = append(made.Members, newDutyMember(v, member))
	}
	if p.Group == "" {
		made.Left = len(wanted) - len(part)
		if p.Query != "" {
			made.All += "&" + url.Values{"q": {p.Query}}.Encode()
		}
	}
	if p.Query == "" || len(wanted) > 0 {
		p.Groups = append(p.Groups, made)
	}
}

// page is where the page of a group begins that the address names, among so many members; one that is not there is the first.
func (p *dutyPage) page(v *page.Visit, members int) (from int) {
	after := v.Query("after")
	from, err := strconv.Atoi(after)
	if err != nil || from < 0 || from >= members {
		after, from = "", 0
	}
	next := ""
	if from+dutyPageOf < members {
		next = strconv.Itoa(from + dutyPageOf)
	}
	query := url.Values{"group": {p.Group}}
	if p.Query != "" {
		query.Set("q", p.Query)
	}
	p.Pager = newPager(v, "/admin/duty", query, after, next)
	return from
}

// wantedMembers are those whose name or account holds what is looked for, those on duty first.
func wantedMembers(members []*apipb.DutyMember, query string) []*apipb.DutyMember {
	wanted := slices.Clone(members)
	if query = strings.ToLower(query); query != "" {
		wanted = slices.DeleteFunc(wanted, func(m *apipb.DutyMember) bool {
			return !strings.Contains(strings.ToLower(m.GetDisplayName()+"\n"+m.GetUser()), query)
		})
	}
	slices.SortStableFunc(wanted, func(a, b *apipb.DutyMember) int {
		switch {
		case a.GetOn() == b.GetOn():
			return 0
		case a.GetOn():
			return -1
		}
		return 1
	})
	return wanted
}

// dutyAddress is the page of which the request asks for one, or sends a form of it.
func dutyAddress(v *page.Visit) string {
	query := url.Values{}
	for _, name := range []string{"group", "q", "after"} {
		if value := v.Query(name); value != "" {
			query.Set(name, value)
		}
	}
	return (&url.URL{Path: "/admin/duty", RawQuery: query.Encode()}).String()
}

func newDutyMember(v *page.Visit, member *apipb.DutyMember) dutyMember {
	made := dutyMember{
		User: member.GetUser(), Name: cmp.Or(member.GetDisplayName(), member.GetUser()), On: member.GetOn(),
		State: page.Mark{Word: v.Word("admin.duty.off"), Shape: "○", Tone: "off"},
		Set:   v.May(desk.DutySetOthers) || v.May(desk.DutySet) && member.GetUser() == v.Actor.GetUser(),
	}
	if member.GetOn() {
		made.State = page.Mark{Word: v.Word("admin.duty.on"), Shape: "●", Tone: "good"}
	}
	if member.GetByHand() {
		made.Hand = v.Word("admin.duty.hand")
		if until := v.Time(member.GetUntil()); until.Clock != "" {
			made.Hand = v.Word("admin.duty.hand-until", until.Clock)
		}
	}
	return made
}

// dutyHours are for how long somebody can be set on or off duty by hand, in hours; 0 for until further notice.
func dutyHours() map[string]time.Duration {
	return map[string]time.Duration{"": 0, "4": 4 * time.Hour, "8": 8 * time.Hour, "24": 24 * time.Hour}
}

func serveSetDuty(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	length, known := dutyHours()[form.Get("hours")]
	if !known {
		return desk.RefuseField("hours", "%.20q is not 4, 8, 24 or nothing", form.Get("hours"))
	}
	asked := &apipb.SetDutyRequest{User: form.Get("user"), On: form.Get("on") == "yes"}
	if length > 0 {
		asked.Until = timestamppb.New(v.Now().Add(length))
	}
	if _, err := v.API.Duties.SetDuty(v.Ctx(), asked); err != nil {
		return err
	}
	return v.Redirect(doneAt(dutyAddress(v), "admin-duty"))
}

// doneAt is an address with the word of what was done.
func doneAt(address, done string) string {
	if strings.Contains(address, "?") {
		return address + "&done=" + done
	}
	return address + "?done=" + done
}
