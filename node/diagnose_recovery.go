package node

import (
	"fmt"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// diagnoseRecovery tells whether the site decides, and what of its past it still waits for.
func (b *backend) diagnoseRecovery() (checks []*apipb.Check, err error) {
	err = b.site.View(func(r *store.Reader) error {
		site, err := r.Site()
		if err != nil || site == nil {
			return err
		}
		missing, err := b.unsettled(r)
		if err != nil {
			return err
		}
		lacking, looked, err := lackingEvents(r)
		if err != nil {
			return err
		}
		for _, check := range []*apipb.Check{judgeLife(site, missing, b.node.zone), judgeLacking(lacking, looked)} {
			if check != nil {
				checks = append(checks, about("", "recovery", check))
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look at the recovery: %w", err)
	}
	return checks, nil
}

// judgeLife judges whether this is the copy of the site that lives, and how far its recovery is.
func judgeLife(site *deskpb.Site, missing []string, zone *time.Location) *apipb.Check {
	switch {
	case site.Frozen != "":
		return failure("if the other copy shall live, stop this one and move its data away; if this one shall, run tierdesk site recover here",
			"the site decides nothing any more: %s", strings.TrimRight(site.Frozen, "."))
	case site.Restored:
		return warning("wait; if it lasts, look at the node's log", "the site was restored and is taking another incarnation")
	case site.Recovering != 0 && len(missing) == 0:
		return warning("wait; at a province that was rebuilt, start an office below it",
			"the site recovers since %s; it was compared with every neighbour that it knows, and is about to be done or waits for the first one to call",
			since(site, zone))
	case site.Recovering != 0:
		return warning("see that the lines to them are up; a ticket that cannot wait is taken with tierdesk site override",
			"the site recovers since %s and was not compared to the end with %s: tickets from before that they may know more of "+
				"take notes, replies and urges only", since(site, zone), strings.Join(missing, ", "))
	case len(site.Past) > 0:
		return fine("the site is in its life %016x, number %d, and recovered", site.Incarnation, len(site.Past)+1)
	default:
		return fine("the site is in its first life")
	}
}

func since(site *deskpb.Site, zone *time.Location) string {
	return time.UnixMicro(site.Recovering).In(zone).Format(time.DateTime)
}

const (
	// mostLooked bounds the open tickets that are looked at, and lookedAtOnce those that are read together.
	mostLooked   = 5000
	lookedAtOnce = 500
)

// lackingEvents counts the open tickets that cannot be decided here because events of theirs are missing, among the most
// urgent ones of each state.
func lackingEvents(r *store.Reader) (lacking, looked int, err error) {
	for _, state := range []deskpb.Ticket_State{
		deskpb.Ticket_NEW, deskpb.Ticket_ASSIGNED, deskpb.Ticket_IN_PROGRESS, deskpb.Ticket_ON_HOLD, deskpb.Ticket_RESOLVED,
	} {
		query := store.Query{Index: store.ByState, Value: state.String(), Limit: lookedAtOnce}
		for looked < mostLooked {
			page, err := r.Tickets(query)
			if err != nil {
				return 0, 0, err
			}
			looked += len(page.Records)
			for _, record := range page.Records {
				if record.Detached > 0 {
					lacking++
				}
			}
			if query.After = page.Next; query.After == nil {
				break
			}
		}
	}
	return lacking, looked, nil
}

// judgeLacking judges the tickets that wait for events of theirs; nil when none does.
func judgeLacking(lacking, looked int) *apipb.Check {
	if lacking == 0 {
		return nil
	}
	return warning("they are fetched when the lines are compared again; see that all lines are up and what is set aside with tierdesk site parked",
		"%d of %d open tickets cannot be decided here, because something that happened to them is missing", lacking, looked)
}
