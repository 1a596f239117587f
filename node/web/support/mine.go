package support

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// pageOfMine is how many tickets one page lists.
const pageOfMine = 20

// row is a ticket of the visitor's in a list.
type row struct {
	Number, Title, Path, Where string
	Mark                       page.Mark
	Updated                    page.Moment
	Asks                       bool // it waits for the visitor
}

// minePage lists the visitor's tickets.
type minePage struct {
	page.Frame
	Rows []row
	Next string // the next page's address; empty for none
}

// serveMine lists the visitor's tickets. Who has no account looks one up.
func serveMine(v *page.Visit) error {
	if v.Actor == nil {
		return v.Redirect("/help/find")
	}
	rows, next, err := ownTickets(v, "", pageOfMine, v.Query("page"))
	if err != nil {
		return err
	}
	p := minePage{Frame: frame(v, v.Word("help.mine")), Rows: rows}
	if next != "" {
		p.Next = "/help/mine?page=" + next
	}
	return v.Render(http.StatusOK, "help-mine.html", p)
}

// ownTickets are those that the visitor reported, the latest changed first; with words those whose titles have them.
func ownTickets(v *page.Visit, words string, most int32, token string) (rows []row, next string, err error) {
	filter := fmt.Sprintf("requester.user = %q", v.Actor.GetUser())
	if words != "" {
		filter += " AND title : " + strconv.Quote(strings.Map(searchable, words))
	}
	list, err := v.API.Tickets.ListTickets(v.Ctx(), &apipb.ListTicketsRequest{Filter: filter, PageSize: most, PageToken: token})
	if err != nil {
		return nil, "", err
	}
	for _, t := range list.GetTickets() {
		r := row{
			Number: t.GetNumber(), Title: t.GetTitle(), Path: "/help/t/" + t.GetNumber(), Mark: v.State(t.GetState()), Updated: v.Time(t.GetUpdateTime()),
			Asks: t.GetState() == deskpb.Ticket_RESOLVED,
		}
		if move := v.Move(t); move.Word != "" && r.Mark.Tone != "good" {
			r.Mark = move
		}
		r.Where = v.SiteNamed(t.GetCustodianSite())
		rows = append(rows, r)
	}
	return rows, list.GetNextPageToken(), nil
}

// searchable drops what a filter cannot quote.
func searchable(r rune) rune {
	if r == '"' || r == '\\' || r < ' ' {
		return -1
	}
	return r
}
