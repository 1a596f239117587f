package desk

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// nextMark returns when a clock passes its next mark.
func nextMark(r *deskpb.Record, _ SiteID) (earliest int64) {
	for _, clock := range r.GetTicket().GetSla() {
		if next := markDue(clock); next != 0 && (earliest == 0 || next < earliest) {
			earliest = next
		}
	}
	return earliest
}

// markDue returns when people are told of a clock next, in microseconds since 1970, 0 for never. What is due is late in the
// second after that.
func markDue(clock *deskpb.Sla) int64 {
	if clock.GetNextMarkTime() == nil {
		return 0
	}
	at := micros(clock.GetNextMarkTime())
	if markAfter(clock) == overdue {
		at += second
	}
	return at
}

// passMarks writes down which clocks have passed a mark; of several marks of a clock, the highest.
func (w *writer) passMarks() error {
	p, err := w.policy()
	if err != nil {
		return err
	}
	for _, known := range w.ticket().GetSla() {
		now := max(w.at.Time, w.record.GetHeadTime()+1)
		if next := markDue(known); next == 0 || next > now {
			continue
		}
		clock := proto.CloneOf(known)
		change := clockChange{policy: p, here: w.here, next: w.record, at: now / second}
		change.pass(clock)
		if err := w.custodial(&deskpb.Event{
			Type: deskpb.Event_CLOCK_PASSED,
			Body: &deskpb.Body{Text: markWords(clock), Clocks: []*deskpb.Sla{clock}},
		}); err != nil {
			return err
		}
	}
	return nil
}

// pass notes the highest mark that a clock has passed. The clock of messages begins anew after the last one.
func (c *clockChange) pass(clock *deskpb.Sla) {
	if clock.GetMetric() != deskpb.Sla_UPDATE {
		m := c.meter(clock)
		clock.Mark = m.passed(clock.GetTarget(), clock.GetMark(), c.at)
		m.set(clock, false, c.at)
		return
	}
	if c.at <= clock.GetDueTime().GetSeconds() {
		restartUpdate(clock, clock.GetSince().GetSeconds(), markAfter(clock))
		return
	}
	clock.State = deskpb.Sla_BREACHED
	restartUpdate(clock, c.at, overdue)
}

// markWords tells people which mark was passed.
func markWords(clock *deskpb.Sla) string {
	words, of := "时限提醒", time.Duration(clock.GetTarget())*time.Second
	if clock.GetMark() == overdue {
		words = "已超时限"
	}
	if clock.GetTier() == "" {
		return fmt.Sprintf("%s: %s, %d %% of %s", words, clock.GetMetric(), clock.GetMark(), of)
	}
	return fmt.Sprintf("%s: %s of %s, %d %% of %s", words, clock.GetMetric(), clock.GetSite(), clock.GetMark(), of)
}
