package live

import (
	"net/http"
	"unicode/utf8"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// serveLine tells how the line stands, for the head of a page that is open.
func serveLine(v *page.Visit) error {
	if v.Actor.GetRole() == deskpb.User_REQUESTER {
		return desk.Refuse(desk.PermissionDenied, "NOT_PERMITTED", "requesters do not see how the lines of the site stand")
	}
	return v.Render(http.StatusOK, "line.html", v.Frame(""))
}

// presenceShown is who else is at a ticket.
type presenceShown struct{ Others []otherShown }

type otherShown struct {
	Text    string // "李工 正在输入…"
	Initial string // of the name
	Writing bool
}

// mostShown bounds the people that are named.
const mostShown = 5

// servePresence tells who else looks at a ticket or writes on it. Those who report problems are not told.
func (r *room) servePresence(v *page.Visit) error {
	number := v.R.PathValue("number")
	if err := admit(v, number); err != nil {
		return err
	}
	var shown presenceShown
	for _, sign := range r.Present.At(number, v.Actor.GetUser()) {
		if len(shown.Others) == mostShown {
			break
		}
		first, size := utf8.DecodeRuneInString(sign.Name)
		if size == 0 {
			first = '?'
		}
		shown.Others = append(shown.Others, otherShown{
			Text: v.Word("live."+string(sign.Doing), sign.Name), Initial: string(first), Writing: sign.Doing == Writing,
		})
	}
	return v.Render(http.StatusOK, "presence.html", shown)
}

// longestName bounds a name that is passed on, in bytes.
const longestName = 128

// serveSign takes a sign that the visitor is at a ticket. Only those who may take part in the work are seen there.
func (r *room) serveSign(v *page.Visit) error {
	number := v.R.PathValue("number")
	if err := admit(v, number); err != nil {
		return err
	}
	form, err := v.Form()
	if err != nil {
		return err
	}
	doing := Doing(form.Get("doing"))
	if doing != Viewing && doing != Writing && doing != Gone {
		return desk.RefuseField("doing", "%.20q is none of viewing, writing and gone", string(doing))
	}
	if v.May(desk.TicketNote) {
		r.note(Sign{Ticket: number, User: v.Actor.GetUser(), Name: nameOf(v), Doing: doing})
	}
	v.W.WriteHeader(http.StatusNoContent)
	return nil
}

// note takes a sign here, and passes it on to the other nodes.
func (r *room) note(s Sign) {
	if r.Present.Note(s) {
		r.Hub.Tell(News{Presence: []string{s.Ticket}})
	}
	r.Spread(s)
}

// nameOf is how people call the visitor.
func nameOf(v *page.Visit) string {
	name := v.Actor.GetUser()
	if caller, err := v.Caller(); err == nil && caller.GetUser().GetDisplayName() != "" {
		name = caller.GetUser().GetDisplayName()
	}
	for len(name) > longestName {
		_, last := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-last]
	}
	return name
}

// admit refuses visitors who do not see a ticket, or only as the ones who reported it.
func admit(v *page.Visit, number string) error {
	if v.Actor.GetRole() == deskpb.User_REQUESTER {
		return desk.Refuse(desk.PermissionDenied, "NOT_PERMITTED", "requesters do not see who works on a ticket at this moment")
	}
	_, err := v.API.Tickets.GetTicket(v.Ctx(), &apipb.GetTicketRequest{Number: number, Consistency: "stale"})
	return err
}
