package wall

import (
	"fmt"
	"math"
	"time"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// nothing stands where a figure is not known, or where there is nothing to count yet.
const nothing = "—"

// sums is what the figures of some offices come to.
type sums struct {
	open, overdue, dueSoon, inTransit                      int
	opened, solved, solvedLate, solvedFirst, rated, scores int // of the days that were added
	oldest                                                 time.Time
	oldestNumber, oldestSite                               string
}

// add counts an office as it stands now.
func (s *sums) add(o *apipb.OfficeFigures) {
	s.open += int(o.GetOpen())
	s.overdue += int(o.GetOverdue())
	s.dueSoon += int(o.GetDueSoon())
	s.inTransit += int(o.GetInTransit())
	if o.GetOldestNumber() == "" {
		return
	}
	if at := o.GetOldestOpenTime().AsTime(); s.oldestNumber == "" || at.Before(s.oldest) {
		s.oldest, s.oldestNumber, s.oldestSite = at, o.GetOldestNumber(), o.GetSite()
	}
}

// addDay counts what happened on a day.
func (s *sums) addDay(d *apipb.DayFigures) {
	s.opened += int(d.GetOpened())
	s.solved += int(d.GetSolved())
	s.solvedLate += int(d.GetSolvedLate())
	s.solvedFirst += int(d.GetSolvedFirstLine())
	s.rated += int(d.GetRated())
	s.scores += int(d.GetScoreSum())
}

// of sums offices with their days.
func of(offices []*apipb.OfficeFigures) (s sums) {
	for _, office := range offices {
		s.add(office)
		for _, day := range office.GetDays() {
			s.addDay(day)
		}
	}
	return s
}

// firstLine is the share of the solved tickets that the first line solved.
func (s *sums) firstLine() string { return share(s.solvedFirst, s.solved) }

// satisfaction is the mean score, of 5.
func (s *sums) satisfaction() string {
	if s.rated == 0 {
		return nothing
	}
	return fmt.Sprintf("%.1f", float64(s.scores)/float64(s.rated))
}

// share is a part of a whole in whole percents. It is 100 for the whole alone.
func share(part, whole int) string {
	if whole <= 0 {
		return nothing
	}
	return fmt.Sprintf("%d%%", part*100/whole)
}

// waiting is how long a ticket has waited, in the largest unit alone, so that it is read from afar.
func waiting(v *page.Visit, since time.Time) (number, unit string) {
	switch waited := v.Now().Sub(since); {
	case waited <= 59*time.Minute:
		return fmt.Sprint(int(math.Ceil(max(waited, 0).Minutes()))), v.Word("wall.unit.minutes")
	case waited < 48*time.Hour:
		return fmt.Sprint(int(waited.Hours())), v.Word("wall.unit.hours")
	default:
		return fmt.Sprint(int(waited.Hours() / 24)), v.Word("wall.unit.days")
	}
}

// figure is a number that a leader looks at first.
type figure struct {
	Name   string
	Value  string
	Unit   string
	Note   string // what stands below it, smaller
	Ticket string // the ticket that it is about; empty for none
	Tone   string // class: wait, bad, or none where there is no number; mostly empty
}

// fiveFigures are the numbers around the picture; known is false while nobody can tell them.
func fiveFigures(v *page.Visit, s sums, known bool) []figure {
	today := figure{Name: v.Word("wall.today"), Value: fmt.Sprintf("%d / %d", s.opened, s.solved), Note: v.Word("wall.today.note", s.open)}
	late := figure{Name: v.Word("wall.overdue"), Value: fmt.Sprint(s.overdue), Note: v.Word("wall.overdue.note", s.dueSoon)}
	first := figure{Name: v.Word("wall.first-line"), Value: s.firstLine(), Note: v.Word("wall.first-line.note", s.solvedFirst, s.solved)}
	longest := figure{Name: v.Word("wall.longest"), Value: nothing, Note: v.Word("wall.longest.none")}
	rated := figure{Name: v.Word("wall.satisfaction"), Value: s.satisfaction(), Note: v.Word("wall.satisfaction.none")}
	if s.overdue > 0 {
		late.Tone = "bad"
	}
	if s.solved == 0 {
		first.Note = v.Word("wall.first-line.none")
	}
	if s.oldestNumber != "" {
		longest.Value, longest.Unit = waiting(v, s.oldest)
		longest.Note = v.SiteNamed(s.oldestSite)
	}
	if s.rated > 0 {
		rated.Unit, rated.Note = "/ 5", v.Word("wall.satisfaction.note", s.rated)
	}
	five := []figure{today, late, first, longest, rated}
	for i := range five {
		if !known {
			five[i] = figure{Name: five[i].Name, Value: nothing, Note: v.Word("wall.unknown")}
		}
		if five[i].Value == nothing {
			five[i].Tone = "none"
		}
	}
	return five
}
