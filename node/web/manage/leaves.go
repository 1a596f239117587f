package manage

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// mostLeft is how many open tickets of somebody who leaves are counted.
const mostLeft = 100

// leaving is what somebody leaves behind whose account ends: in sentences, and where it is put right.
type leaving struct {
	says []string
	ways []page.DoorShown
}

// leaves finds out what a person leaves behind: open tickets, and what the policy says of the person.
func leaves(v *page.Visit, user string) (left leaving, err error) {
	if err := left.tickets(v, user); err != nil {
		return left, err
	}
	inForce, err := v.API.Policies.GetPolicy(v.Ctx(), &apipb.GetPolicyRequest{})
	if err != nil {
		return left, err
	}
	left.places(v, inForce.GetPolicy(), user)
	return left, nil
}

// tickets says how many tickets are open here with a user.
func (l *leaving) tickets(v *page.Visit, user string) error {
	if !v.May(desk.TicketList) {
		return nil
	}
	filter := fmt.Sprintf("assignee = %q AND custodianSite = %q AND state != RESOLVED AND state != CLOSED AND state != CANCELED", user, v.SiteID)
	open, err := v.API.Tickets.ListTickets(v.Ctx(), &apipb.ListTicketsRequest{Filter: filter, PageSize: mostLeft})
	if err != nil {
		return err
	}
	switch n := len(open.GetTickets()); {
	case n == 0 && open.GetNextPageToken() == "":
		l.says = append(l.says, v.Word("admin.leaves.none"))
		return nil
	case open.GetNextPageToken() != "":
		l.says = append(l.says, v.Word("admin.leaves.many", n))
	default:
		l.says = append(l.says, v.Word("admin.leaves.tickets", n))
	}
	l.ways = append(l.ways, page.DoorShown{Path: "/desk?" + url.Values{"queue": {"all"}, "filter": {filter}}.Encode(), Word: v.Word("admin.leaves.look")})
	return nil
}

// places says which groups and rosters name a user.
func (l *leaving) places(v *page.Visit, p *deskpb.Policy, user string) {
	found := map[string][]string{}
	add := func(word string, of part, e entry) {
		title := titled(v, e.GetTitle(), e.GetName())
		found[word] = append(found[word], title)
		way := page.DoorShown{Path: of.pathOf(e.GetName()), Word: title}
		if !slices.Contains(l.ways, way) {
			l.ways = append(l.ways, way)
		}
	}
	for _, group := range p.GetGroups() {
		if slices.Contains(group.GetMembers(), user) {
			add("member", groupPart(), group)
		}
		if group.GetManager() == user {
			add("manager", groupPart(), group)
		}
	}
	for _, roster := range p.GetRosters() {
		if slices.ContainsFunc(roster.GetShifts(), func(shift *deskpb.Shift) bool { return slices.Contains(shift.GetPeople(), user) }) {
			add("roster", rosterPart(), roster)
		}
	}
	for _, word := range []string{"member", "manager", "roster"} {
		if titles := found[word]; len(titles) > 0 {
			l.says = append(l.says, v.Word("admin.leaves."+word, strings.Join(titles, v.Word("admin.comma"))))
		}
	}
}
