package desk

import (
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/desk/retell"
)

// maxDue bounds how often something may be due while time passes in a story.
const maxDue = 10_000

// roundOf is an inspection round of a site.
type roundOf struct {
	site SiteID
	name string
}

// dueThing is something that time brings at an office.
type dueThing struct {
	time int64
	site SiteID
	what *deskpb.TicketCommand
}

// begin sets the clock to a local time in Hangzhou and has the story told in people's words.
func (s *story) begin(d *datadriven.TestData) error {
	at, err := s.localArgument(d, "at")
	s.tree.now, s.told = at, true
	return err
}

func (s *story) localArgument(d *datadriven.TestData, name string) (int64, error) {
	var text string
	d.ScanArgs(s.t, name, &text)
	at, err := time.ParseInLocation("2006-01-02T15:04", text, retell.Zone())
	return at.UnixMicro(), err
}

// pass lets time pass. What is due at a site meanwhile is done there at its time, as its timekeeper would, and told to the
// others before anything else. While the lines are down nobody is told.
func (s *story) pass(d *datadriven.TestData) (string, error) {
	until := s.tree.now
	if d.HasArg("minutes") {
		var minutes int64
		d.ScanArgs(s.t, "minutes", &minutes)
		until += minutes * minute
	} else {
		var err error
		if until, err = s.localArgument(d, "until"); err != nil {
			return "", err
		}
	}
	if err := s.letPass(until, d.HasArg("alone")); err != nil {
		return "", err
	}
	return s.happened("")
}

// letPass moves the clocks to a time, and does what is due on the way in the order of its times.
func (s *story) letPass(until int64, alone bool) error {
	for range maxDue {
		next := s.nextDue()
		if next.what == nil || next.time > until {
			s.tree.now = max(s.tree.now, until)
			return nil
		}
		s.tree.now = max(s.tree.now, next.time-stampStep)
		d, err := s.tree.do(next.site, next.what)
		if err != nil {
			return fmt.Errorf("what is due on %q at %s at %s: %w", next.what.GetNumber(), next.site, moment(next.time), err)
		}
		if name := next.what.GetCreate().GetTicket().GetRound(); name != "" {
			s.rounds[roundOf{next.site, name}] = s.tree.now
			s.number = TicketNumber(d.Record.GetTicket().GetNumber())
			s.names[name] = s.number
		}
		if alone {
			continue
		}
		if err := s.tree.drain(); err != nil {
			return err
		}
	}
	return errors.New("time does not pass: something is due again and again")
}

// nextDue finds what is due first, at the first of the offices where several things are due at once.
func (s *story) nextDue() (next dueThing) {
	sooner := func(at int64) bool { return at != 0 && (next.what == nil || at < next.time) }
	for _, o := range s.tree.offices {
		site := o.here.Site
		for _, number := range o.numbers() {
			if at := NextTime(o.records[number], site); sooner(at) {
				tick := &deskpb.TicketCommand{Actor: &deskpb.Actor{}, Number: string(number), Verb: &deskpb.TicketCommand_Tick{Tick: &deskpb.Tick{}}}
				next = dueThing{at, site, tick}
			}
		}
		for _, round := range o.policy.GetRounds() {
			mark, known := s.rounds[roundOf{site, round.GetName()}]
			if at := RoundDue(o.policy, round, mark); known && sooner(at) {
				next = dueThing{at, site, OpenRound(o.policy, policy.Round(o.policy, round.GetName()), at, 0)}
			}
		}
	}
	return next
}

// noticeRounds has each office take notice of the rounds of its policy: those that are new are due from now on.
func (s *story) noticeRounds() {
	for _, o := range s.tree.offices {
		for _, round := range o.policy.GetRounds() {
			key := roundOf{o.here.Site, round.GetName()}
			if _, known := s.rounds[key]; !known {
				s.rounds[key] = s.tree.now
			}
		}
	}
}
