package wall

import (
	"net/http"
	"net/url"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// ticketsAPage is how many tickets of an office one page shows.
const ticketsAPage = 50

// officePage lists the tickets that an office holds: what is overdue, what is about to be, or all.
type officePage struct {
	page.Frame
	Queues  []choice
	Empty   string // what is said when there is no ticket
	Tickets []ticketRow
	First   string // address of the first page; empty on that
	Next    string // address of the next page; empty on the last
}

func serveOffice(v *page.Visit) error {
	if err := desk.May(v.Actor, desk.SiteRead); err != nil {
		return err
	}
	site := v.R.PathValue("site")
	if _, there := known(v)[site]; !there {
		return desk.Refuse(desk.NotFound, "SITE_UNKNOWN", "site %q is not known here", site)
	}
	queue, from := v.Query("queue"), v.Query("from")
	if queue != "due-soon" && queue != "open" {
		queue = "overdue"
	}
	answer, err := v.API.Queues.ListQueueTickets(v.Ctx(), &apipb.ListQueueTicketsRequest{
		Queue: queue, Site: site, PageSize: ticketsAPage, PageToken: from,
	})
	if err != nil {
		return err
	}
	shown := &officePage{Frame: v.Frame(v.SiteNamed(site)), Empty: v.Word("leader.office.none")}
	shown.Styles = []string{"leader.css"}
	if queue == "overdue" {
		shown.Empty = v.Word("leader.office.none.overdue")
	}
	for _, id := range []string{"overdue", "due-soon", "open"} {
		shown.Queues = append(shown.Queues, choice{Value: officePath(site, id, ""), Name: v.Word("leader.office." + id), Chosen: id == queue})
	}
	called := namesOf(v)
	for _, ticket := range answer.GetTickets() {
		shown.Tickets = append(shown.Tickets, newTicketRow(v, ticket, called))
	}
	if from != "" {
		shown.First = officePath(site, queue, "")
	}
	if next := answer.GetNextPageToken(); next != "" {
		shown.Next = officePath(site, queue, next)
	}
	return v.Render(http.StatusOK, "office.html", shown)
}

// officePath is the address of a page of an office's tickets.
func officePath(site, queue, from string) string {
	query := url.Values{"queue": {queue}}
	if from != "" {
		query.Set("from", from)
	}
	return "/leader/offices/" + url.PathEscape(site) + "?" + query.Encode()
}
