package wall

import (
	"cmp"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

const (
	// mostMoves bounds what the wall tells of what just happened.
	mostMoves = 12
	// changedTickets is how many tickets are asked for at once, the ones that changed last first, and changedPages how often: what changed
	// them may be a reminder, which is no step. mostSteps bounds the steps of each that are looked through.
	changedTickets = mostMoves + 4
	changedPages   = 8
	mostSteps      = 500
	// movesFor is how long a step counts as something that just happened.
	movesFor = 24 * time.Hour
)

// move is a step of a ticket in the tree of sites. It names no ticket: a wall stands where everybody sees it.
type move struct {
	Kind  string // as events name it, with CLOSED also for what the requester closes and RETURNED for all that goes home
	Where string // the site, or the way from one to another
	Clock string
	Key   string // tells it from all others

	at time.Time
}

// recent are the latest steps of the last day that this node knows of, the latest first; told is false while nobody can tell.
func recent(v *page.Visit) (moves []move, told bool, err error) {
	since := v.Now().Add(-movesFor)
	asked := &apipb.ListTicketsRequest{OrderBy: "updateTime desc", PageSize: changedTickets, Consistency: "stale"}
	for range changedPages {
		answer, err := v.API.Tickets.ListTickets(v.Ctx(), asked)
		if told, err := understood(err); !told {
			return nil, false, err
		}
		for _, ticket := range answer.GetTickets() {
			changed := ticket.GetUpdateTime().AsTime()
			if changed.Before(since) || len(moves) == mostMoves && changed.Before(moves[mostMoves-1].at) {
				return moves, true, nil // what changed earlier took no later step
			}
			steps, told, err := stepsOf(v, ticket.GetNumber(), since)
			if !told {
				return nil, false, err
			}
			moves = newest(append(moves, steps...))
		}
		if asked.PageToken = answer.GetNextPageToken(); asked.PageToken == "" {
			break
		}
	}
	return moves, true, nil
}

// stepsOf are the steps of a ticket after a time; told is false while nobody can tell.
func stepsOf(v *page.Visit, number string, since time.Time) (steps []move, told bool, err error) {
	journal, err := v.API.Tickets.ListJournal(v.Ctx(), &apipb.ListJournalRequest{Number: number, PageSize: mostSteps, Consistency: "stale"})
	if told, err := understood(err); !told {
		return nil, false, err
	}
	for _, m := range movesOf(journal.GetEntries(), v.SiteNamed) {
		if m.at.After(since) {
			m.Clock = v.Moment(m.at).Clock
			steps = append(steps, m)
		}
	}
	return steps, true, nil
}

// newest puts the latest steps first and leaves out those that the wall does not tell.
func newest(moves []move) []move {
	slices.SortStableFunc(moves, func(a, b move) int { return cmp.Or(b.at.Compare(a.at), cmp.Compare(b.Key, a.Key)) })
	return moves[:min(len(moves), mostMoves)]
}

// understood tells whether a service has answered. That it cannot at the moment is no error.
func understood(err error) (bool, error) {
	switch status.Code(err) {
	case codes.OK:
		return true, nil
	case codes.Unavailable, codes.Unimplemented, codes.DeadlineExceeded, codes.ResourceExhausted, codes.NotFound:
		return false, nil
	}
	return false, err
}

// movesOf finds the steps in the tree among the entries of a ticket's journal, which stand in their order.
func movesOf(entries []*apipb.JournalEntry, named func(site string) string) (moves []move) {
	home, from := false, ""
	for _, entry := range entries {
		m := move{Kind: entry.GetType(), Where: named(entry.GetSite()), at: entry.GetTime().AsTime(), Key: entry.GetId()}
		switch entry.GetType() {
		case "OPENED", "ESCALATED", "RETURNED", "RESOLVED", "REOPENED", "CLOSED", "CANCELED":
		case "CONFIRMED":
			m.Kind = "CLOSED"
		case "ESCALATION_QUEUED", "RETURN_QUEUED":
			home = entry.GetType() == "RETURN_QUEUED"
			continue
		case "DISPATCHED":
			from = entry.GetSite()
			m.Kind, m.Where = "ESCALATED", way(named(from), named(receiver(entry)))
			if home {
				m.Kind = "RETURNED"
			}
		case "ACCEPTED", "REFUSED":
			if from != "" {
				m.Where = way(named(from), m.Where)
			}
		default:
			continue
		}
		moves = append(moves, m)
	}
	return moves
}

// way leads from one site to another.
func way(from, to string) string { return from + " → " + to }

// receiver is the site to which an entry hands a ticket over.
func receiver(entry *apipb.JournalEntry) string {
	at := slices.IndexFunc(entry.GetChanges(), func(c *apipb.Change) bool { return c.GetField() == "custodianSite" })
	if at < 0 {
		return ""
	}
	return entry.GetChanges()[at].GetAfter()
}
