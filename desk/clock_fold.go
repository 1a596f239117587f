package desk

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// foldClocks replaces the clocks that an event names. One without a state is taken away. The record shares them with the
// event: neither changes a clock that it has.
func foldClocks(r *deskpb.Record, clocks []*deskpb.Sla) {
	for _, clock := range clocks {
		i := slices.IndexFunc(r.Ticket.Sla, func(known *deskpb.Sla) bool { return sameClock(known, clock) })
		switch {
		case clock.GetState() == deskpb.Sla_STATE_UNSPECIFIED && i >= 0:
			r.Ticket.Sla = slices.Delete(r.Ticket.Sla, i, i+1)
		case clock.GetState() == deskpb.Sla_STATE_UNSPECIFIED:
		case i >= 0:
			r.Ticket.Sla[i] = clock
		default:
			r.Ticket.Sla = append(r.Ticket.Sla, clock)
		}
	}
}

// informUpdate lets the clock of messages count from the latest reply of the desk. It follows from the clock as the last
// custodial event has it and from the latest reply, so that replies may be folded in any order.
func informUpdate(r *deskpb.Record) {
	informed := r.GetInformed() / second
	for i, clock := range r.Ticket.Sla {
		if clock.GetMetric() == deskpb.Sla_UPDATE && clock.GetEndTime() == nil && informed > clock.GetSince().GetSeconds() {
			r.Ticket.Sla[i] = proto.CloneOf(clock)
			restartUpdate(r.Ticket.Sla[i], informed, 0)
		}
	}
}

// foldReplied notes when the desk told the requester something, or the requester answered.
func foldReplied(r *deskpb.Record, e *deskpb.Event) {
	if e.GetBody().GetFromRequester() {
		r.Answered = max(r.GetAnswered(), e.GetTime())
		return
	}
	r.Informed = max(r.GetInformed(), e.GetTime())
	informUpdate(r)
}

// foldPhase begins another phase when the ticket is with another site, or open or paused otherwise than before.
func foldPhase(r *deskpb.Record, e *deskpb.Event) {
	phase := &deskpb.Phase{From: e.GetTime(), Site: r.Ticket.GetCustodianSite(), Open: isOpen(r.Ticket.GetState())}
	if r.Ticket.GetHandover().GetState() == deskpb.Handover_IN_TRANSIT {
		phase.Site = ""
	}
	if n := len(r.Pauses); n > 0 && r.Ticket.GetState() == deskpb.Ticket_ON_HOLD {
		phase.Paused = r.Pauses[n-1].GetCounts()
	}
	if n := len(r.Phases); n > 0 {
		last := r.Phases[n-1]
		if last.GetSite() == phase.Site && last.GetOpen() == phase.Open && last.GetPaused() == phase.Paused {
			return
		}
	}
	r.Phases = append(r.Phases, phase)
}

// foldHeld begins a hold.
func foldHeld(r *deskpb.Record, e *deskpb.Event) {
	r.Ticket.State = deskpb.Ticket_ON_HOLD
	r.Ticket.HoldReason = e.GetBody().GetHoldReason()
	r.HeldSince = e.GetTime()
	r.Pauses = append(r.Pauses, &deskpb.Pause{
		From: e.GetTime(), Reason: e.GetBody().GetHoldReason(), Counts: e.GetBody().GetPauses(),
	})
}

// endHold ends the hold, if there is one.
func endHold(r *deskpb.Record, at int64) {
	if r.HeldSince == 0 {
		return
	}
	r.Pauses[len(r.Pauses)-1].To = at
	sumPauses(r, r.Ticket.HoldReason)
	r.HeldSince = 0
	r.Ticket.HoldReason = ""
}

// foldArrived notes who was on the spot first; that answers the requester too.
func foldArrived(r *deskpb.Record, e *deskpb.Event) {
	if r.Ticket.ArriveTime == nil {
		r.Ticket.ArriveTime = timestamp(e.GetTime())
	}
	respond(r.Ticket, e.GetTime())
}
