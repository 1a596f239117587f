package node

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/retell"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// everything prints what the site knows of the ticket. The first line has its number.
func (s *retelling) everything(site *storySite) (string, error) {
	ticket, err := site.ticket(s.number)
	if err != nil {
		return "", err
	}
	pauses, err := site.pauses(s.number)
	head, rest, more := strings.Cut(retell.Ticket(ticket, pauses, site.id), "\n")
	if !more {
		return head, err
	}
	return head + "\n" + s.named(rest), err
}

// journal prints a ticket's events, all of them or those that the requester sees.
func (s *retelling) journal(site *storySite, all bool) (string, error) {
	events, err := site.events(s.number)
	var lines []string
	for _, event := range events {
		if all || event.GetVisibility() == deskpb.Event_EVERYONE {
			lines = append(lines, s.named(retell.Event(event.Event, s.number)))
		}
	}
	return strings.Join(lines, "\n"), err
}

// inbox prints the notices of a person since the last look.
func (s *retelling) inbox(t *testing.T, site *storySite, d *datadriven.TestData) (string, error) {
	var user string
	d.ScanArgs(t, "of", &user)
	answer := &apipb.ListNoticesResponse{}
	if err := site.get(user, "/api/v1/notices?pageSize=500", answer); err != nil {
		return "", err
	}
	whose := site.id + "/" + user
	var lines []string
	for _, n := range answer.Notices[:len(answer.Notices)-s.noticed[whose]] {
		lines = append(lines, s.named(retell.Notice(n.Kind, n.Ticket, n.Title, n.Text)))
	}
	s.noticed[whose] = len(answer.Notices)
	slices.Reverse(lines)
	return strings.Join(lines, "\n"), nil
}

// numbered puts the numbers of tickets in the place of their names.
func (s *retelling) numbered(text string) string {
	for _, name := range s.longestFirst() {
		text = strings.ReplaceAll(text, "@"+name, s.names[name])
	}
	return text
}

// named puts the names of tickets in the place of their numbers.
func (s *retelling) named(text string) string {
	for _, name := range s.longestFirst() {
		text = strings.ReplaceAll(text, s.names[name], "@"+name)
	}
	return text
}

func (s *retelling) longestFirst() []string {
	return slices.SortedFunc(maps.Keys(s.names), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
}

// people reads names that are separated by commas.
func persons(t *testing.T, d *datadriven.TestData, argument string) []string {
	var names string
	d.ScanArgs(t, argument, &names)
	return strings.Split(names, ",")
}

// localTime reads a time as people in Hangzhou say it.
func localTime(t *testing.T, d *datadriven.TestData, argument string) (time.Time, error) {
	var text string
	d.ScanArgs(t, argument, &text)
	return time.ParseInLocation("2006-01-02T15:04", text, retell.Zone())
}

// written lists the events that the site itself has written.
func (s *storySite) written() (own []desk.Sealed, err error) {
	var page store.Page
	err = s.node.store.View(func(r *store.Reader) (err error) {
		page, err = r.Tickets(store.Query{Index: store.ByNumber, Limit: storyTickets})
		return err
	})
	for _, record := range page.Records {
		events, eventsErr := s.events(record.GetTicket().GetNumber())
		err = cmp.Or(err, eventsErr)
		for _, event := range events {
			if event.GetId().GetSite() == s.id {
				own = append(own, event)
			}
		}
	}
	return own, err
}

// storyTickets is more than any story has tickets.
const storyTickets = 1000

// events lists a ticket's events in the order of its journal.
func (s *storySite) events(number string) (events []desk.Sealed, err error) {
	err = s.node.store.View(func(r *store.Reader) (err error) {
		events, err = r.Events(desk.TicketNumber(number))
		return err
	})
	return events, err
}

// pauses lists when a ticket's clocks were stopped, which the API shows only in its explanation of them.
func (s *storySite) pauses(number string) (pauses []*deskpb.Pause, err error) {
	err = s.node.store.View(func(r *store.Reader) error {
		record, err := r.Ticket(desk.TicketNumber(number))
		pauses = record.GetPauses()
		return err
	})
	return pauses, err
}
