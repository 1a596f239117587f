package desk

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// instantLayout prints a time as finely as it is stamped.
const instantLayout = time.RFC3339Nano

// moment turns microseconds since 1970 into a time in UTC.
func moment(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

func timestamp(micros int64) *timestamppb.Timestamp { return timestamppb.New(moment(micros)) }

func micros(t *timestamppb.Timestamp) int64 { return t.AsTime().UnixMicro() }

// target returns the time allowed for a priority of 1 to 5, round the clock.
func target(metric deskpb.Sla_Metric, priority int32) time.Duration {
	response := [...]time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, 4 * time.Hour, 8 * time.Hour}
	resolution := [...]time.Duration{4 * time.Hour, 8 * time.Hour, 24 * time.Hour, 72 * time.Hour, 120 * time.Hour}
	if metric == deskpb.Sla_RESPONSE {
		return response[priority-1]
	}
	return resolution[priority-1]
}

// startedClocks returns the end-to-end clocks of a ticket opened at a time (microseconds since 1970).
func startedClocks(priority int32, opened int64) []*deskpb.Sla {
	var clocks []*deskpb.Sla
	for _, metric := range []deskpb.Sla_Metric{deskpb.Sla_RESPONSE, deskpb.Sla_RESOLUTION} {
		allowed := target(metric, priority)
		clocks = append(clocks, &deskpb.Sla{
			Metric:  metric,
			Target:  int64(allowed / time.Second),
			DueTime: timestamp(opened + allowed.Microseconds()),
			State:   deskpb.Sla_RUNNING,
		})
	}
	return clocks
}

// stopClock ends the clock if it runs: met when the time (microseconds since 1970) is not after the due time.
func stopClock(t *deskpb.Ticket, metric deskpb.Sla_Metric, at int64) {
	for _, clock := range t.Sla {
		if clock.Metric != metric || clock.State != deskpb.Sla_RUNNING {
			continue
		}
		clock.State = deskpb.Sla_MET
		if at > micros(clock.DueTime) {
			clock.State = deskpb.Sla_BREACHED
		}
	}
}

// rerunClock lets an ended clock run again with the due time that it had.
func rerunClock(t *deskpb.Ticket, metric deskpb.Sla_Metric) {
	for _, clock := range t.Sla {
		if clock.Metric == metric {
			clock.State = deskpb.Sla_RUNNING
		}
	}
}

// beginHold pauses the resolution clock; the response clock runs on, since nobody has answered yet.
func beginHold(r *deskpb.Record, at int64) {
	r.HeldSince = at
	for _, clock := range r.Ticket.Sla {
		if clock.Metric == deskpb.Sla_RESOLUTION && clock.State == deskpb.Sla_RUNNING {
			clock.State = deskpb.Sla_PAUSED
		}
	}
}

// endHold lets paused clocks run again, due later by as long as the hold lasted. Without a hold it does nothing.
func endHold(r *deskpb.Record, at int64) {
	for _, clock := range r.Ticket.Sla {
		if clock.State == deskpb.Sla_PAUSED {
			clock.State = deskpb.Sla_RUNNING
			clock.DueTime = timestamp(micros(clock.DueTime) + at - r.HeldSince)
		}
	}
	r.HeldSince = 0
	r.Ticket.HoldReason = ""
}
