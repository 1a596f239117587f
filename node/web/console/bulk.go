package console

import (
	"cmp"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// pick is a ticket of a list as somebody chose it: with the etag that it had in the list.
type pick struct{ number, etag string }

func (p pick) String() string { return p.number + " " + p.etag }

func readPick(text string) pick {
	number, etag, _ := strings.Cut(text, " ")
	return pick{number, etag}
}

// bulkBar does something with many tickets of a page, and tells what became of it.
type bulkBar struct {
	May     bool      // the person may give tickets to somebody
	Heirs   []options // whom to
	Reason  string    // as it was typed
	Request string    // makes repeats of the form harmless
	Back    string    // the address of the list
	PickAll string    // the list with every ticket chosen
	Done    []string  // numbers
	Refused []refused
	Problem string // why nothing was tried

	heir   string   // as it was chosen
	chosen []string // numbers that are chosen still, for nothing was done with them
	back   *place   // of a form that was sent
}

// refused is a ticket with which it was not done, and why.
type refused struct{ Number, Link, Why string }

// complete fills in what a bar needs to be shown, and chooses again what nothing was done with.
func (b *bulkBar) complete(v *page.Visit, list listShown, at place, people colleagues) {
	b.May = v.May(desk.TicketAssign) && len(list.Rows) > 0
	all := at
	all.all = true
	b.Heirs, b.Back, b.PickAll = people.heirs(v, b.heir), at.address(), all.address()
	b.Request = rand.Text()
	for i := range list.Rows {
		list.Rows[i].Chosen = list.Rows[i].Chosen || slices.Contains(b.chosen, list.Rows[i].Number)
	}
}

// serveBulk gives the chosen tickets to a person or a group, or to the visitor. Each is a call of its own: what is refused of one
// does not stop the others.
func serveBulk(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	back := backOf(form.Get("back"))
	back.all = false
	bar := bulkBar{Reason: strings.TrimSpace(form.Get("reason")), heir: form.Get("heir"), back: &back}
	picks, to := form["pick"], readHeir(bar.heir)
	claim := form.Get("do") == "claim"
	switch {
	case len(picks) == 0:
		bar.Problem = v.Word("desk.bulk.none-chosen")
	case !claim && to == heir{}:
		bar.Problem = v.Word("desk.bulk.nobody-chosen")
		for _, text := range picks {
			bar.chosen = append(bar.chosen, readPick(text).number)
		}
	default:
		for _, text := range picks[:min(len(picks), pageSize)] {
			one := bulkStep{pick: readPick(text), heir: to, claim: claim, reason: bar.Reason, request: form.Get("request")}
			bar.note(v, one.number, one.take(v))
		}
	}
	if bar.Problem == "" && len(bar.Refused) == 0 {
		return v.Redirect(withDone(back.address(), "bulk"))
	}
	return showDesk(v, bar)
}

// note keeps what became of a ticket.
func (b *bulkBar) note(v *page.Visit, number string, err error) {
	if err == nil {
		b.Done = append(b.Done, number)
		return
	}
	b.chosen = append(b.chosen, number)
	b.Refused = append(b.Refused, refused{Number: number, Link: ticketLink(number), Why: v.Problem(err).Text})
}

// bulkStep is what is done with one of many tickets.
type bulkStep struct {
	pick
	heir
	claim   bool
	reason  string
	request string // of the form; each ticket has its own
}

// take does it. A ticket that somebody has already is transferred, which asks for a reason; any other one is dispatched.
func (s bulkStep) take(v *page.Visit) error {
	request := ""
	if s.request != "" {
		request = s.request + "." + s.number
	}
	if s.claim {
		_, err := v.API.Tickets.ClaimTicket(v.Ctx(), &apipb.ClaimTicketRequest{Number: s.number, Etag: s.etag, RequestId: request})
		return err
	}
	now, err := v.API.Tickets.GetTicket(v.Ctx(), &apipb.GetTicketRequest{Number: s.number})
	if err != nil {
		return err
	}
	if now.GetAssignee() == "" || now.GetState() == deskpb.Ticket_NEW {
		_, err = v.API.Tickets.AssignTicket(v.Ctx(), &apipb.AssignTicketRequest{
			Number: s.number, Etag: s.etag, RequestId: request, Assignee: s.user, Group: s.group, Reason: s.reason,
		})
		return err
	}
	if s.reason == "" {
		return desk.Refuse(desk.InvalidArgument, "TRANSFER_WITHOUT_REASON", "ticket %s is with %s already; say why it is given to somebody else",
			s.number, cmp.Or(now.GetAssignee(), now.GetGroup()))
	}
	_, err = v.API.Tickets.TransferTicket(v.Ctx(), &apipb.TransferTicketRequest{
		Number: s.number, Etag: s.etag, RequestId: request, Assignee: s.user, Group: s.group, Reason: s.reason,
	})
	return err
}
