package console

import (
	"slices"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// way is how a ticket came to where it stays.
type way string

// The ways from one stay to the next. The zero way is that of the first stay.
const (
	wayUp    way = "up"    // escalated 升级
	wayBack  way = "back"  // returned 退回
	wayHome  way = "home"  // solved, and sent home to be confirmed
	wayTaken way = "taken" // taken by an operator without a hand-over
	wayMoved way = "moved" // it followed its office to another place in the tree
)

// stay is one station of a ticket's journey: a line of a site that worked on it, works on it, or is next.
type stay struct {
	Site    string
	Line    deskpb.Ticket_Line // none where a solved ticket only passes on its way home
	Way     way
	Reason  string // why it came, in somebody's words
	Who     string // the last assignee there
	Arrived time.Time
	Left    time.Time // zero while the ticket is there
	Ended   bool      // the ticket was closed or canceled there
	Here    bool      // the ticket is there, or waits there to leave
	Ahead   bool      // it was not there yet
	Leaving *leaving  // where it goes from here; nil for nowhere
}

// leaving is a hand-over that is not over.
type leaving struct {
	To     string
	Line   deskpb.Ticket_Line
	Way    way
	Reason string
	Since  time.Time
	Sent   bool // it is on its way; false while it waits for the line
}

// journeyOf tells where a ticket has been, in order of time, where it is, and which sites above it could still get it. Entries are its
// journal, oldest first; those that count for nothing are left out. Sites are those of the tree, as far as they are known.
func journeyOf(ticket *deskpb.Ticket, entries []*apipb.JournalEntry, sites []*apipb.KnownSite) []stay {
	j := journey{home: ticket.GetHomeSite(), way: wayUp}
	for _, entry := range entries {
		if !entry.GetSuperseded() {
			j.read(entry)
		}
	}
	if len(j.stays) == 0 {
		j.arrive(ticket.GetCustodianSite(), ticket.GetLine(), "", ticket.GetOpenTime().AsTime())
	}
	j.end(ticket)
	return append(j.stays, j.ahead(ticket, sites)...)
}

// journey is a ticket's way as far as its journal was read.
type journey struct {
	home   string
	stays  []stay
	line   deskpb.Ticket_Line // that has the ticket
	way    way                // of the latest hand-over
	reason string             // of the latest hand-over
	solved bool
}

func (j *journey) last() *stay {
	if len(j.stays) == 0 {
		return &stay{} // what is said of no stay is lost
	}
	return &j.stays[len(j.stays)-1]
}

func (j *journey) arrive(site string, line deskpb.Ticket_Line, by way, at time.Time) {
	if previous := j.last(); previous.Left.IsZero() {
		previous.Left = at
	}
	j.stays = append(j.stays, stay{Site: site, Line: workedBy(site, j.home, line, by), Way: by, Reason: j.reason, Arrived: at})
	j.reason = ""
}

// workedBy is the line of a stay: none at a site through which a solved ticket only passes on its way home.
func workedBy(site, home string, line deskpb.Ticket_Line, by way) deskpb.Ticket_Line {
	if by == wayHome && site != home {
		return deskpb.Ticket_LINE_UNSPECIFIED
	}
	return line
}

// read goes on by one step.
func (j *journey) read(entry *apipb.JournalEntry) {
	at := entry.GetTime().AsTime()
	if after, changed := changeOf(entry, "line"); changed {
		j.line = deskpb.Ticket_Line(deskpb.Ticket_Line_value[after])
	}
	switch entry.GetType() {
	case "OPENED":
		j.arrive(entry.GetSite(), j.line, "", at)
	case "ESCALATION_QUEUED":
		j.way, j.reason = wayUp, entry.GetText()
	case "RELOCATION_QUEUED":
		j.way, j.reason = wayMoved, entry.GetText()
	case "RETURN_QUEUED":
		j.way, j.reason = wayBack, entry.GetText()
		if j.solved {
			j.way = wayHome
		}
	case "DISPATCHED":
		j.last().Left = at
	case "REFUSED": // it never left, for who looks at it now
		j.last().Left = time.Time{}
	case "ACCEPTED":
		j.arrive(entry.GetSite(), j.line, j.way, at)
	case "RECLAIMED":
		j.reason = entry.GetText()
		j.arrive(entry.GetSite(), j.line, wayTaken, at)
	case "ESCALATED":
		j.reason = entry.GetText()
		j.arrive(entry.GetSite(), j.line, wayUp, at)
	case "RETURNED":
		j.reason = entry.GetText()
		j.arrive(entry.GetSite(), j.line, wayBack, at)
	}
	j.readState(entry, at)
	if who, changed := changeOf(entry, "assignee"); changed && who != "" {
		j.last().Who = who
	}
}

// readState notes whether the ticket is solved or ended. A closed ticket leaves the place where it was closed.
func (j *journey) readState(entry *apipb.JournalEntry, at time.Time) {
	state, changed := changeOf(entry, "state")
	if !changed {
		return
	}
	last := j.last()
	j.solved = state == deskpb.Ticket_RESOLVED.String()
	switch ended := state == deskpb.Ticket_CLOSED.String() || state == deskpb.Ticket_CANCELED.String(); {
	case ended:
		last.Ended, last.Left = true, at
	case last.Ended:
		last.Ended, last.Left = false, time.Time{}
	}
}

// end says of the last stay what the ticket says of now.
func (j *journey) end(ticket *deskpb.Ticket) {
	last := j.last()
	handover := ticket.GetHandover()
	last.Here = handover.GetState() != deskpb.Handover_IN_TRANSIT
	if handover.GetState() != deskpb.Handover_NONE {
		last.Leaving = &leaving{
			To: handover.GetToSite(), Line: handover.GetToLine(), Way: j.way, Reason: handover.GetReason(), Since: handover.GetSince().AsTime(),
			Sent: handover.GetState() == deskpb.Handover_IN_TRANSIT,
		}
	}
}

// ahead returns what may follow: the site that a hand-over goes to and, while the ticket is not solved, those above.
func (j *journey) ahead(ticket *deskpb.Ticket, sites []*apipb.KnownSite) (next []stay) {
	at := j.last().Site
	if leaving := j.last().Leaving; leaving != nil {
		line := workedBy(leaving.To, ticket.GetHomeSite(), leaving.Line, leaving.Way)
		next = append(next, stay{Site: leaving.To, Line: line, Way: leaving.Way, Ahead: true})
		if leaving.Way != wayUp {
			return next
		}
		at = leaving.To
	}
	switch ticket.GetState() {
	case deskpb.Ticket_RESOLVED, deskpb.Ticket_CLOSED, deskpb.Ticket_CANCELED:
		return next
	}
	for range sites { // a tree has no more floors than sites
		here := slices.IndexFunc(sites, func(s *apipb.KnownSite) bool { return s.GetId() == at })
		if here < 0 || sites[here].GetParent() == "" {
			break
		}
		at = sites[here].GetParent()
		next = append(next, stay{Site: at, Way: wayUp, Ahead: true})
	}
	return next
}

// changeOf returns what a step made of a field, and whether it changed it.
func changeOf(entry *apipb.JournalEntry, field string) (after string, changed bool) {
	for _, change := range entry.GetChanges() {
		if change.GetField() == field {
			return change.GetAfter(), true
		}
	}
	return "", false
}
