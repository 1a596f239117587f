package wall

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

const (
	// worstOffices is of how many offices the latest tickets are looked for, eachOffice how many of each, mostLate how many are shown.
	worstOffices = 24
	eachOffice   = 8
	mostLate     = 8
	// mostOffices is how many offices are shown unless all are asked for.
	mostOffices = 12
)

// officeRow is how an office stands, as a line of a table.
type officeRow struct {
	Site, Name, Tier                string
	Here                            bool
	Open, Overdue, DueSoon, Transit int32
	// LatePart, SoonPart and Rest are what the open tickets come to of 100.
	LatePart, SoonPart, RestPart int32
	Oldest                       string
	Waited                       string
	Today                        string
	// Stale says since when nothing is heard of the office, whose figures are those of that time; empty while it is heard of.
	Stale string

	since time.Time
}

// officeRows are the offices with open tickets, the worst first, and those without any by name.
func officeRows(v *page.Visit, offices []*apipb.OfficeFigures) (busy, idle []officeRow) {
	sites := known(v)
	for _, office := range offices {
		row := newOfficeRow(v, office)
		if site := sites[row.Site]; site != nil {
			row.Tier = v.Word("tier." + site.GetTier().String())
		}
		row.Stale = unheard(v, sites, row.Site)
		if row.Open > 0 || row.Transit > 0 {
			busy = append(busy, row)
		} else {
			idle = append(idle, row)
		}
	}
	slices.SortStableFunc(busy, worse)
	return busy, idle
}

// unheard says since when nothing comes from an office, because a line on the way to it is cut or it is not seen; empty when something does.
func unheard(v *page.Visit, sites map[string]*apipb.KnownSite, id string) string {
	for range maxTiers {
		site := sites[id]
		if site == nil || id == v.SiteID {
			return ""
		}
		if l := lineOf(v, site); l.State == "down" || l.State == "unseen" {
			if l.Since.Clock == "" {
				return l.Word
			}
			return l.Word + v.Word("wall.since", l.Since.Clock)
		}
		id = site.GetParent()
	}
	return ""
}

// maxTiers bounds the way from an office up to this one, whatever sites say of their parents.
const maxTiers = 3

// worse puts an office before another by what is late there, by what is about to be, and by who has waited longest.
func worse(a, b officeRow) int {
	return cmp.Or(cmp.Compare(b.Overdue, a.Overdue), cmp.Compare(b.DueSoon, a.DueSoon), a.since.Compare(b.since), cmp.Compare(a.Site, b.Site))
}

func newOfficeRow(v *page.Visit, o *apipb.OfficeFigures) officeRow {
	row := officeRow{
		Site: o.GetSite(), Name: v.SiteNamed(o.GetSite()), Here: o.GetSite() == v.SiteID, Open: o.GetOpen(), Overdue: o.GetOverdue(),
		DueSoon: o.GetDueSoon(), Transit: o.GetInTransit(), Oldest: o.GetOldestNumber(), since: o.GetOldestOpenTime().AsTime(),
	}
	if row.Open > 0 {
		row.LatePart = min(row.Overdue*100/row.Open, 100)
		row.SoonPart = min(row.DueSoon*100/row.Open, 100-row.LatePart)
		row.RestPart = 100 - row.LatePart - row.SoonPart
	}
	if row.Oldest != "" {
		row.Waited = v.Span(v.Now().Sub(row.since))
	}
	if days := o.GetDays(); len(days) > 0 {
		today := days[len(days)-1]
		row.Today = fmt.Sprintf("%d / %d", today.GetOpened(), today.GetSolved())
	}
	return row
}

// ticketRow is a ticket as a leader reads it: what it is, since when it is late, and who has it.
type ticketRow struct {
	Number, Title   string
	Priority, State page.Mark
	Due             page.Deadline
	Where           string
	With            string // empty for nobody
	Opened          page.Moment

	due time.Time
}

func newTicketRow(v *page.Visit, t *deskpb.Ticket, n names) ticketRow {
	row := ticketRow{
		Number: t.GetNumber(), Title: t.GetTitle(), Priority: v.Priority(t.GetPriority()), State: v.State(t.GetState()),
		Where: v.SiteNamed(t.GetCustodianSite()), With: n.with(t), Opened: v.Time(t.GetOpenTime()),
	}
	if due := dueTime(t); due != nil {
		row.Due, row.due = v.Deadline(due), due.AsTime()
	}
	return row
}

// dueTime is when the first of a ticket's clocks ran out or, where none did, when the first will; nil when none runs.
func dueTime(t *deskpb.Ticket) *timestamppb.Timestamp {
	var breached, running *timestamppb.Timestamp
	for _, clock := range t.GetSla() {
		switch {
		case clock.GetDueTime() == nil:
		case clock.GetState() == deskpb.Sla_BREACHED && clock.GetEndTime() == nil:
			breached = earlier(breached, clock.GetDueTime())
		case clock.GetState() == deskpb.Sla_RUNNING:
			running = earlier(running, clock.GetDueTime())
		}
	}
	if breached != nil {
		return breached
	}
	return running
}

func earlier(a, b *timestamppb.Timestamp) *timestamppb.Timestamp {
	if a == nil || b.AsTime().Before(a.AsTime()) {
		return b
	}
	return a
}

// latest are the tickets that are late for longest, of the offices where most are late. Nothing when the site cannot tell.
func latest(v *page.Visit, worst []officeRow) ([]ticketRow, error) {
	var found []ticketRow
	called := namesOf(v)
	for _, office := range worst[:min(len(worst), worstOffices)] {
		if office.Overdue == 0 {
			break
		}
		answer, err := v.API.Queues.ListQueueTickets(v.Ctx(), &apipb.ListQueueTicketsRequest{Queue: "overdue", Site: office.Site, PageSize: eachOffice})
		switch status.Code(err) {
		case codes.OK:
		case codes.Unavailable, codes.Unimplemented, codes.DeadlineExceeded, codes.ResourceExhausted:
			return found, nil
		default:
			return nil, err
		}
		for _, ticket := range answer.GetTickets() {
			found = append(found, newTicketRow(v, ticket, called))
		}
	}
	slices.SortStableFunc(found, func(a, b ticketRow) int { return a.due.Compare(b.due) })
	return found[:min(len(found), mostLate)], nil
}
