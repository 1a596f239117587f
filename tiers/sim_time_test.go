package tiers

import (
	"context"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// simTicks is for how many tickets of a site time is kept at once.
const simTicks = 16

// simRounds is one in how many times the sites look at their rounds too.
const simRounds = 20

// keepTime has every site that is led do what is due on its tickets, and now and then open the rounds that are due.
func (w *simWorld) keepTime() {
	rounds := w.rng.IntN(simRounds) == 0
	for _, s := range w.living("") {
		if !s.led() {
			continue
		}
		now := time.Now().UnixMicro()
		for _, number := range simDue(s, now) {
			w.propose(s, &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: &deskpb.TicketCommand{
				Number: number, Actor: &deskpb.Actor{}, Verb: &deskpb.TicketCommand_Tick{Tick: &deskpb.Tick{}},
			}}}, number)
		}
		if !rounds {
			continue
		}
		for _, round := range simRead(s, func(r *store.Reader) ([]Round, error) { return Rounds(r, now) }) {
			if round.Mark == 0 || round.Due != 0 && round.Due <= now {
				w.propose(s, &deskpb.Command{Kind: &deskpb.Command_OpenRound{OpenRound: &deskpb.OpenRound{
					Round: round.Name, Due: round.Due,
				}}}, round.Name)
			}
		}
	}
}

// propose has a site decide a command of its own, and notes what stands against it.
func (w *simWorld) propose(s *simSite, c *deskpb.Command, about string) {
	switch result, _, err := s.propose(context.Background(), c); {
	case err != nil:
		w.recorder.note("%s: %s %s: %s", s.name, simKind(c), about, err)
	case result.Refusal != nil:
		w.recorder.note("%s: %s %s: %s", s.name, simKind(c), about, result.Refusal.Reason)
	}
}

// simDue lists the tickets of a site on which something is due, the earliest first.
func simDue(s *simSite, now int64) []string {
	return simRead(s, func(r *store.Reader) (due []string, err error) {
		err = r.EachTimer(func(timer store.Timer) bool {
			if timer.Time > now || len(due) == simTicks {
				return false
			}
			due = append(due, string(timer.Number))
			return true
		})
		return due, err
	})
}

// checkTick holds when nothing is due any more after what was due was done.
func (r *simRecorder) checkTick(s *simSite, at desk.Stamp, d *desk.Decision) {
	if next := desk.NextTime(d.Record, s.id); next != 0 && next <= at.Time {
		r.fail(17, "something is due on ticket %s at %s at %d, before the tick at %d that did it", d.Record.Ticket.Number, s.name, next, at.Time)
	}
}

// checkTimers holds when a site knows of each of its tickets when something is due on it.
func (w *simWorld) checkTimers(s *simSite) {
	timers := simRead(s, func(r *store.Reader) (map[string]int64, error) {
		timers := make(map[string]int64)
		err := r.EachTimer(func(timer store.Timer) bool {
			timers[string(timer.Number)] = timer.Time
			return true
		})
		return timers, err
	})
	for _, number := range simNumbers(s) {
		record := simRead(s, func(r *store.Reader) (*deskpb.Record, error) { return r.Ticket(desk.TicketNumber(number)) })
		if next := desk.NextTime(record, s.id); next != timers[number] {
			w.recorder.violate(17, "%s will look at ticket %s at %d, and something is due at %d", s.name, number, timers[number], next)
		}
	}
}
