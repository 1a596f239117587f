package console

import (
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// pageSize is how many tickets a page of a list has.
const pageSize = 50

// listShown is a page of tickets.
type listShown struct {
	Heads       []column
	Rows        []row
	Next, First string // the next page and the first; empty for none
	More        bool   // the page is empty or short, and there may be more on the next one
	Empty       string // what would be here, when nothing is
	Hint        string // the next step then
}

// row is a ticket in a list.
type row struct {
	Number, Title string
	Etag          string
	Pick          string // what the form of many tickets sends: number and etag; empty for who may not give tickets to somebody
	PickWord      string
	Chosen        bool
	Urgency       string // "late", "soon", or empty
	Cells         []cell
}

// listOf asks for the tickets of a place. An error of the API comes with an empty list.
func listOf(v *page.Visit, at place, columns []string, people colleagues) (listShown, error) {
	shown := listShown{Heads: columnsOf(v, columns)}
	var found *apipb.ListTicketsResponse
	var err error
	if at.queue == allTickets {
		found, err = v.API.Tickets.ListTickets(v.Ctx(), &apipb.ListTicketsRequest{Filter: at.filter, OrderBy: at.order, PageSize: pageSize, PageToken: at.after})
	} else {
		found, err = v.API.Queues.ListQueueTickets(v.Ctx(), &apipb.ListQueueTicketsRequest{Queue: at.queue, PageSize: pageSize, PageToken: at.after})
	}
	if err != nil {
		return shown, err
	}
	shown.Rows = make([]row, 0, len(found.GetTickets()))
	for _, ticket := range found.GetTickets() {
		shown.Rows = append(shown.Rows, rowOf(v, ticket, shown.Heads, people))
	}
	if at.all {
		for i := range shown.Rows {
			shown.Rows[i].Chosen = true
		}
	}
	if next := found.GetNextPageToken(); next != "" {
		shown.Next, shown.More = at.from(next).address(), len(shown.Rows) < pageSize
	}
	if at.after != "" {
		shown.First = at.from("").address()
	}
	if len(shown.Rows) == 0 {
		shown.Empty, shown.Hint = emptiness(v, at)
	}
	return shown, nil
}

// emptiness says what would be in an empty list, and the next step.
func emptiness(v *page.Visit, at place) (what, next string) {
	key, _, _ := strings.Cut(at.queue, ":")
	if at.queue == allTickets && at.filter != "" {
		key = "filter"
	}
	return v.Word("desk.empty." + key), v.Word("desk.empty-step." + key)
}

// rowOf shows a ticket in the columns that are asked for.
func rowOf(v *page.Visit, ticket *deskpb.Ticket, heads []column, people colleagues) row {
	shown := row{
		Number: ticket.GetNumber(), Title: ticket.GetTitle(), Etag: ticket.GetEtag(), Urgency: urgencyOf(ticket, v.Now()),
	}
	if v.May(desk.TicketAssign) {
		shown.Pick, shown.PickWord = pick{ticket.GetNumber(), ticket.GetEtag()}.String(), v.Word("desk.pick-one", ticket.GetNumber(), ticket.GetTitle())
	}
	shown.Cells = make([]cell, 0, len(heads))
	for _, head := range heads {
		made := head.cell(v, ticket, people)
		made.Name, made.Label = head.Name, head.Word
		shown.Cells = append(shown.Cells, made)
	}
	return shown
}

// urgencyOf tells whether a ticket is late, or due soon, as the queues count it; a clock that has just run out is late before the site
// has noted it.
func urgencyOf(ticket *deskpb.Ticket, now time.Time) string {
	next, _ := nextClock(ticket)
	ranOut := next != nil && next.GetDueTime().AsTime().Before(now)
	switch urgency := desk.TicketUrgency(ticket); {
	case urgency == desk.Overdue || ranOut:
		return "late"
	case urgency == desk.DueSoon:
		return "soon"
	}
	return ""
}

// nextClock is the clock of a ticket that runs out first, nil when none runs; paused tells that at least one stands still. Clocks of sites
// where the ticket is not are left out: nobody has to hurry for them.
func nextClock(ticket *deskpb.Ticket) (next *deskpb.Sla, paused bool) {
	for _, clock := range ticket.GetSla() {
		elsewhere := clock.GetSite() != "" && clock.GetSite() != ticket.GetCustodianSite()
		switch {
		case clock.GetEndTime() != nil || elsewhere:
		case clock.GetDueTime() == nil:
			paused = true
		case next == nil || clock.GetDueTime().AsTime().Before(next.GetDueTime().AsTime()):
			next = clock
		}
	}
	return next, paused
}
