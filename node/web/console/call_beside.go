package console

import (
	"cmp"
	"net/http"
	"unicode/utf8"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

const (
	similarShown = 5
	// similarFrom is how many characters of a title make looking for similar ones worth while.
	similarFrom = 2
)

// beside is what stands beside the form while somebody types: what would become of the call, and open tickets that are about the same.
type beside struct {
	page.Frame
	Outcome *outcome // nil while the ticket could not be opened as it is
	Similar []callerTicket
	Looked  bool // whether there are words to compare
}

// outcome is what a ticket would be if it were opened now.
type outcome struct {
	Priority page.Mark
	Levels   string // impact and urgency, in words
	Group    string
	Assignee string
	Clocks   []outcomeClock
}

// outcomeClock is a time in which something would have to happen.
type outcomeClock struct {
	Word string
	Due  page.Deadline
	At   page.Moment
}

// serveBeside is the part beside the form. Words that are not finished yet are no mistake: nothing is said of them.
func serveBeside(v *page.Visit) error {
	values, err := v.Form()
	if err != nil {
		return err
	}
	return v.Render(http.StatusOK, "new-beside", besideOf(v, callForm{values}))
}

func besideOf(v *page.Visit, form callForm) beside {
	looked := utf8.RuneCountInString(form.text("title")) >= similarFrom
	shown := beside{Frame: v.Frame(""), Outcome: outcomeOf(v, form), Looked: looked}
	if looked {
		shown.Similar = similarTo(v, form)
	}
	return shown
}

// outcomeOf previews the ticket. A title that is not there yet changes nothing of it.
func outcomeOf(v *page.Visit, form callForm) *outcome {
	asked := form.ticket()
	if asked.GetTemplate() == "" {
		asked.Title = cmp.Or(asked.GetTitle(), "…")
	}
	ticket, err := v.API.Tickets.PreviewTicket(v.Ctx(), &apipb.PreviewTicketRequest{Ticket: asked})
	if err != nil {
		return nil
	}
	shown := &outcome{
		Priority: v.Priority(ticket.GetPriority()), Assignee: ticket.GetAssignee(), Group: ticket.GetGroup(),
		Levels: v.Word("new.levels", v.Word("new.level."+levelName(ticket.GetImpact())), v.Word("new.level."+levelName(ticket.GetUrgency()))),
	}
	if people, err := colleaguesOf(v); err == nil {
		shown.Group = people.group(shown.Group)
		shown.Assignee = people.person(shown.Assignee)
	}
	for _, clock := range ticket.GetSla() {
		if clock.GetTier() != "" || clock.GetDueTime() == nil {
			continue // what each tier promises the other is of no use to who calls
		}
		shown.Clocks = append(shown.Clocks, outcomeClock{
			Word: v.Word("new.metric." + clock.GetMetric().String()), Due: v.Deadline(clock.GetDueTime()), At: v.Time(clock.GetDueTime()),
		})
	}
	return shown
}

// levelName is a level as the words name it.
func levelName(level int32) string {
	if level < 1 || level > 3 {
		return "2"
	}
	return string('0' + rune(level))
}

// similarTo are open tickets that are about the same; none when they cannot be looked for, which keeps nobody from typing on.
func similarTo(v *page.Visit, form callForm) (shown []callerTicket) {
	found, err := v.API.Tickets.FindSimilarTickets(v.Ctx(), &apipb.FindSimilarTicketsRequest{
		Title: form.text("title"), Application: form.text("application"), PageSize: similarShown,
	})
	if err != nil {
		return nil
	}
	for _, similar := range found.GetTickets() {
		one := callerTicketOf(v, similar.GetTicket())
		one.Likeness = similar.GetLikeness()
		shown = append(shown, one)
	}
	return shown
}
