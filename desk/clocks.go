package desk

import (
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/calendar"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// A ticket has at most one clock of each metric from end to end, and one of each site whose tier has a target of its own.
// RESPONSE runs from the opening to the first answer, RESOLUTION to the solution, UPDATE from one message to the requester to
// the next, ON_SITE until somebody is there. The custodian alone computes clocks, by its policy, and writes them into its
// events as they are afterwards; Fold copies them. All of their times are whole seconds, which makes counting additive: a
// stretch of time counts the same however it was cut.

// addClocks completes a custodial draft with the clocks that it starts, stops, pauses or moves. next is the ticket after the
// draft but for these clocks. A draft that names clocks already keeps them.
func (w *writer) addClocks(next *deskpb.Record, draft *deskpb.Event) error {
	if len(draft.GetBody().GetClocks()) > 0 {
		return nil
	}
	sorted := w.record == nil || resorted(w.ticket(), next.GetTicket())
	if !sorted && !turned(w.record, next) {
		return nil
	}
	p, err := w.policy()
	if err != nil {
		return err
	}
	change := clockChange{policy: p, here: w.here, next: next, at: draft.GetTime() / second}
	clocks := change.existing(sorted)
	clocks = append(clocks, change.missing(sorted)...)
	switch {
	case draft.GetType() == deskpb.Event_OPENED:
		draft.Body.Opened.Ticket.Sla = clocks
		foldClocks(next, clocks)
	case len(clocks) > 0 && draft.Body == nil:
		draft.Body = &deskpb.Body{Clocks: clocks}
	case len(clocks) > 0:
		draft.Body.Clocks = clocks
	}
	return nil
}

// turned tells whether an event may start, stop or pause a clock, other than by sorting the ticket anew.
func turned(before, after *deskpb.Record) bool {
	was, is := before.GetTicket(), after.GetTicket()
	return len(before.GetPhases()) != len(after.GetPhases()) ||
		(was.GetRespondTime() == nil) != (is.GetRespondTime() == nil) ||
		(was.GetArriveTime() == nil) != (is.GetArriveTime() == nil)
}

// resorted tells whether something changed on which the targets of a ticket depend. The line and the site do not count: a
// hand-over leaves the targets as they are.
func resorted(was, is *deskpb.Ticket) bool {
	return was.GetPriority() != is.GetPriority() || was.GetSeverity() != is.GetSeverity() || was.GetMajor() != is.GetMajor() ||
		was.GetKind() != is.GetKind() || was.GetCategory() != is.GetCategory() || was.GetApplication() != is.GetApplication() ||
		was.GetVisit() != is.GetVisit() || was.GetRequester().GetClass() != is.GetRequester().GetClass() ||
		was.GetRequester().GetUnit() != is.GetRequester().GetUnit()
}

// clockChange computes the clocks of a ticket at a time.
type clockChange struct {
	policy *deskpb.Policy
	here   Here
	next   *deskpb.Record // the ticket after the event, with the clocks as they were before it
	at     int64          // seconds since 1970
}

// existing returns the clocks that the event changes. When the ticket was sorted anew, those that have not ended get the
// targets of today from their beginning on, and one for which the policy has none any more is taken away.
func (c *clockChange) existing(sorted bool) (changed []*deskpb.Sla) {
	for _, was := range c.next.GetTicket().GetSla() {
		clock := proto.CloneOf(was)
		anew := sorted && was.GetEndTime() == nil && (was.GetSite() == "" || was.GetSite() == string(c.here.Site))
		if anew {
			target := c.target(was.GetMetric(), was.GetTier(), was.GetStartTime().GetSeconds())
			if target == nil {
				changed = append(changed, &deskpb.Sla{Metric: was.GetMetric(), Tier: was.GetTier(), Site: was.GetSite()})
				continue
			}
			aim(clock, target)
		}
		c.bring(clock, anew)
		if !proto.Equal(clock, was) {
			changed = append(changed, clock)
		}
	}
	return changed
}

// missing returns the clocks that begin: those of a ticket that was sorted, and that of this site when it holds the ticket.
func (c *clockChange) missing(sorted bool) (begun []*deskpb.Sla) {
	if !isOpen(c.next.GetTicket().GetState()) {
		return nil
	}
	if sorted {
		for metric := deskpb.Sla_RESPONSE; metric <= deskpb.Sla_ON_SITE; metric++ {
			begun = c.begin(begun, metric, "", "")
		}
	}
	if holds(c.here, c.next) {
		begun = c.begin(begun, deskpb.Sla_RESOLUTION, c.here.Tier.String(), string(c.here.Site))
	}
	return begun
}

// begin adds a clock unless the ticket has it, or needs none. A clock that begins late, because the ticket is sorted otherwise
// now, counts from the beginning; only what is asked from now on, to go there or to tell the requester, counts from now.
func (c *clockChange) begin(begun []*deskpb.Sla, metric deskpb.Sla_Metric, tier, site string) []*deskpb.Sla {
	for _, known := range c.next.GetTicket().GetSla() {
		if known.GetMetric() == metric && known.GetSite() == site {
			return begun
		}
	}
	start := c.at
	if metric == deskpb.Sla_RESPONSE || metric == deskpb.Sla_RESOLUTION {
		start = c.first(site)
	}
	target := c.target(metric, tier, start)
	if target == nil || c.over(metric) {
		return begun
	}
	clock := &deskpb.Sla{Metric: metric, Tier: tier, Site: site, StartTime: seconds(start)}
	clock.Since = clock.StartTime
	aim(clock, target)
	c.bring(clock, true)
	return append(begun, clock)
}

// first returns when the ticket came to a site first; when it was opened for the whole of the tree, which has no name.
func (c *clockChange) first(site string) int64 {
	for _, phase := range c.next.GetPhases() {
		if site == "" || phase.GetSite() == site {
			return phase.GetFrom() / second
		}
	}
	return c.at
}

// over tells whether what a clock measures has happened, or will not happen any more.
func (c *clockChange) over(metric deskpb.Sla_Metric) bool {
	t := c.next.GetTicket()
	return !isOpen(t.GetState()) ||
		metric == deskpb.Sla_RESPONSE && t.GetRespondTime() != nil ||
		metric == deskpb.Sla_ON_SITE && t.GetArriveTime() != nil
}

// aim gives a clock its target.
func aim(clock *deskpb.Sla, target *deskpb.Target) {
	clock.Target, clock.Rule, clock.Calendar = target.GetWithin(), target.GetName(), target.GetCalendar()
	if clock.GetMetric() == deskpb.Sla_UPDATE || clock.GetCalendar() == "" {
		clock.Calendar = policy.AllTime
	}
}

// target returns the first target of the policy that fits the ticket and the time at which the clock begins, nil for none.
func (c *clockChange) target(metric deskpb.Sla_Metric, tier string, start int64) *deskpb.Target {
	t := c.next.GetTicket()
	if metric == deskpb.Sla_ON_SITE && !t.GetVisit() {
		return nil
	}
	for _, target := range c.policy.GetTargets() {
		if target.GetMetric() != metric || target.GetTier() != tier || !policy.Fits(target.GetMatch(), t) || !c.inTime(target, start) {
			continue
		}
		if target.GetNone() {
			return nil
		}
		return target
	}
	return nil
}

// inTime tells whether a target is for clocks that start at a time.
func (c *clockChange) inTime(target *deskpb.Target, start int64) bool {
	if target.GetWhen() == deskpb.Target_ALWAYS {
		return true
	}
	working := calendar.Working(policy.Calendar(c.policy, target.GetWhenCalendar()), start)
	return working == (target.GetWhen() == deskpb.Target_WORKING)
}

// sameClock tells whether two are states of one clock.
func sameClock(a, b *deskpb.Sla) bool {
	return a.GetMetric() == b.GetMetric() && a.GetTier() == b.GetTier() && a.GetSite() == b.GetSite()
}
