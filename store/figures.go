package store

import (
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// Quarter is the time that one row of figures is about, in microseconds: days of all zones begin at full quarters of an hour.
const Quarter int64 = 15 * 60 * 1_000_000

// Figures count what happened to the tickets that were opened at one site. A ticket that was reopened counts as not solved.
type Figures struct {
	Opened int64
	// Solved counts the tickets by when they were solved; so do all below.
	Solved          int64
	SolvedLate      int64 // after the time of a resolution clock had run out
	SolvedFirstLine int64 // by the first line, and no other one ever had the ticket
	Rated           int64
	ScoreSum        int64 // of those that were rated
}

// numberOfFigures is how many numbers a row of figures has.
const numberOfFigures = 6

func (f Figures) numbers() []int64 {
	return []int64{f.Opened, f.Solved, f.SolvedLate, f.SolvedFirstLine, f.Rated, f.ScoreSum}
}

func figuresOfNumbers(n []int64) Figures {
	return Figures{Opened: n[0], Solved: n[1], SolvedLate: n[2], SolvedFirstLine: n[3], Rated: n[4], ScoreSum: n[5]}
}

// Add adds others to the figures.
func (f *Figures) Add(others Figures) {
	f.Opened += others.Opened
	f.Solved += others.Solved
	f.SolvedLate += others.SolvedLate
	f.SolvedFirstLine += others.SolvedFirstLine
	f.Rated += others.Rated
	f.ScoreSum += others.ScoreSum
}

// negative is what takes the figures away again.
func (f Figures) negative() Figures {
	return Figures{-f.Opened, -f.Solved, -f.SolvedLate, -f.SolvedFirstLine, -f.Rated, -f.ScoreSum}
}

// share is what a ticket adds to the figures of its home: by the quarters in which it was opened and solved. It follows from the
// record alone, so that whatever a ticket added can be taken away again.
type share struct {
	home           string // empty for none
	opened, solved int64  // when the quarters begin, microseconds since 1970; solved counts only with figures
	figures        Figures
}

func shareOf(record *deskpb.Record) share {
	t := record.GetTicket()
	if t.GetHomeSite() == "" {
		return share{}
	}
	s := share{home: t.GetHomeSite(), opened: quarterOf(micros(t.GetOpenTime()))}
	done := t.GetState() == deskpb.Ticket_RESOLVED || t.GetState() == deskpb.Ticket_CLOSED
	if !done || t.GetResolveTime() == nil {
		return s
	}
	s.solved = quarterOf(micros(t.GetResolveTime()))
	s.figures.Solved = 1
	if late(t) {
		s.figures.SolvedLate = 1
	}
	if record.GetHighestLine() == deskpb.Ticket_FIRST {
		s.figures.SolvedFirstLine = 1
	}
	if score := t.GetSatisfaction().GetScore(); score > 0 {
		s.figures.Rated, s.figures.ScoreSum = 1, int64(score)
	}
	return s
}

// quarterOf returns when the quarter of an hour began that a time lies in.
func quarterOf(at int64) int64 {
	begun := at % Quarter
	if begun < 0 {
		begun += Quarter
	}
	return at - begun
}

// late tells whether a ticket was solved when the time of a resolution clock had run out.
func late(t *deskpb.Ticket) bool {
	for _, clock := range t.GetSla() {
		if clock.GetMetric() == deskpb.Sla_RESOLUTION && clock.GetState() == deskpb.Sla_BREACHED {
			return true
		}
	}
	return false
}

func figuresKey(home string, quarter int64) keys.Key {
	return keys.Build(familyFigures).Text(home).Int64(quarter).Key()
}

// moveShare takes away what a ticket added to the figures before, and adds what it adds now.
func (s sums) moveShare(was, is share) {
	if was == is {
		return
	}
	s.addShare(was, Figures.negative)
	s.addShare(is, func(f Figures) Figures { return f })
}

func (s sums) addShare(added share, signed func(Figures) Figures) {
	if added.home == "" {
		return
	}
	s.add(figuresKey(added.home, added.opened), signed(Figures{Opened: 1}).numbers())
	if added.figures.Solved != 0 {
		s.add(figuresKey(added.home, added.solved), signed(added.figures).numbers())
	}
}

// EachFigures shows the figures of a home site for each quarter of an hour in which something happened, from a time on and before
// another one, earliest first. All times are in microseconds since 1970.
func (r *Reader) EachFigures(home desk.SiteID, from, before int64, visit func(quarter int64, f Figures)) error {
	prefix := keys.Build(familyFigures).Text(string(home)).Key()
	over := between(figuresKey(string(home), from), figuresKey(string(home), before))
	return r.scan(over, func(row, value []byte) (bool, error) {
		d := keys.Decode(row[len(prefix):])
		quarter := d.Int64()
		if err := d.Done(); err != nil {
			return false, &corruptError{path: r.path, cause: fmt.Errorf("row %x: %w", row, err)}
		}
		numbers, err := r.decodeNumbers(row, value, numberOfFigures)
		if err == nil {
			visit(quarter, figuresOfNumbers(numbers))
		}
		return true, err
	})
}
