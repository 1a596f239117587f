package wall

import (
	"cmp"
	"slices"
	"time"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// trendDay is what happened on a day at the offices that are looked at.
type trendDay struct {
	Day                        string // "11-21", or what the API calls it when that is no date
	Date                       string // for machines
	Opened, Solved, SolvedLate int
}

// busy tells whether anything happened on the day.
func (d trendDay) busy() bool { return d.Opened > 0 || d.Solved > 0 || d.SolvedLate > 0 }

// trend sums the offices by day, the earliest first.
func trend(offices []*apipb.OfficeFigures) []trendDay {
	days := map[string]*trendDay{}
	for _, office := range offices {
		for _, told := range office.GetDays() {
			day := days[told.GetDay()]
			if day == nil {
				day = newTrendDay(told.GetDay())
				days[told.GetDay()] = day
			}
			day.Opened += int(told.GetOpened())
			day.Solved += int(told.GetSolved())
			day.SolvedLate += int(told.GetSolvedLate())
		}
	}
	found := make([]trendDay, 0, len(days))
	for _, day := range days {
		found = append(found, *day)
	}
	slices.SortFunc(found, func(a, b trendDay) int { return cmp.Compare(a.Date, b.Date) })
	return found
}

func newTrendDay(name string) *trendDay {
	at, err := time.Parse("20060102", name)
	if err != nil {
		return &trendDay{Day: name, Date: name}
	}
	return &trendDay{Day: at.Format("01-02"), Date: at.Format(time.DateOnly)}
}
