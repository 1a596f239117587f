package api

import (
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

const (
	usualDays, maxDays = 1, 31
	// maxOffices bounds the offices of one call.
	maxOffices = 500
	// maxTiers bounds how far a tree is climbed whose sites name each other as parents.
	maxTiers = 16

	dayLayout = "20060102"
)

// GetFigures never waits for the log: its figures may be those of a moment ago.
func (q *queues) GetFigures(ctx context.Context, r *apipb.GetFiguresRequest) (*apipb.GetFiguresResponse, error) {
	days, err := bounded("days", r.GetDays(), usualDays, maxDays)
	if err != nil {
		return nil, err
	}
	now := q.clock().In(q.zone)
	answer := &apipb.GetFiguresResponse{Time: timestamppb.New(now), Today: now.Format(dayLayout)}
	err = q.backend.Read(ctx, true, func(reader *store.Reader) error {
		sight, err := sightOf(ctx, q.backend.Site(), reader)
		if err != nil {
			return err
		}
		sites, err := q.offices(reader, r.GetSites())
		if err != nil {
			return err
		}
		for _, site := range sites {
			if err := ctx.Err(); err != nil {
				return err
			}
			office, err := officeFigures(reader, sight, site, midnights(now, int(days)))
			if err != nil {
				return fmt.Errorf("read the figures of %s: %w", site, err)
			}
			answer.Offices = append(answer.Offices, office)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// offices returns the sites that are asked for, each once: this one when none is named.
func (q *queues) offices(reader *store.Reader, asked []string) ([]desk.SiteID, error) {
	here := q.backend.Site()
	if len(asked) == 0 {
		return []desk.SiteID{here}, nil
	}
	if len(asked) > maxOffices {
		return nil, desk.RefuseField("sites", "%d are too many; name at most %d, or * for all", len(asked), maxOffices)
	}
	below, err := officesBelow(reader, here)
	if err != nil {
		return nil, err
	}
	var sites []desk.SiteID
	for _, name := range asked {
		known := desk.SiteID(name) == here || slices.Contains(below, desk.SiteID(name))
		switch {
		case name == "*":
			sites = append(append(sites, here), below...)
		case known:
			sites = append(sites, desk.SiteID(name))
		default:
			return nil, desk.RefuseField("sites", "%.40q is not %s and no office below it; list the sites, or use * for all", name, here)
		}
	}
	return each(sites), nil
}

// each are the sites without repetitions, in their order.
func each(sites []desk.SiteID) (once []desk.SiteID) {
	known := map[desk.SiteID]bool{}
	for _, site := range sites {
		if !known[site] {
			once, known[site] = append(once, site), true
		}
	}
	return once
}

// officesBelow returns the sites below one that the directory knows, by id.
func officesBelow(reader *store.Reader, here desk.SiteID) ([]desk.SiteID, error) {
	directory, err := reader.Directory()
	if err != nil {
		return nil, fmt.Errorf("read the directory: %w", err)
	}
	parents := map[desk.SiteID]desk.SiteID{}
	for _, info := range directory {
		site := desk.SiteID(info.GetId())
		if parents[site], err = tiers.ParentOf(reader, site); err != nil {
			return nil, err
		}
	}
	var below []desk.SiteID
	for _, info := range directory {
		above := parents[desk.SiteID(info.GetId())]
		for range maxTiers {
			if above == here || above == "" {
				break
			}
			above = parents[above]
		}
		if site := desk.SiteID(info.GetId()); above == here && site != here {
			below = append(below, site)
		}
	}
	return below, nil
}

// midnights returns when the days begin of which today is the last, and when that one ends.
func midnights(now time.Time, days int) []time.Time {
	begun := make([]time.Time, 0, days+1)
	for i := range days + 1 {
		begun = append(begun, time.Date(now.Year(), now.Month(), now.Day()-days+1+i, 0, 0, 0, 0, now.Location()))
	}
	return begun
}

// officeFigures reads how an office stands, and what it did on the days that begin at the midnights; the last one ends them.
func officeFigures(reader *store.Reader, sight sight, site desk.SiteID, midnights []time.Time) (*apipb.OfficeFigures, error) {
	office := &apipb.OfficeFigures{Site: string(site)}
	for _, kept := range []struct {
		list  store.Work
		count *int32
	}{
		{store.WorkOpen, &office.Open}, {store.WorkOverdue, &office.Overdue}, {store.WorkDueSoon, &office.DueSoon},
		{store.WorkLeaving, &office.InTransit},
	} {
		n, err := reader.WorkCount(kept.list, string(site))
		if err != nil {
			return nil, err
		}
		*kept.count = int32(n)
	}
	if err := addOldest(reader, sight, office); err != nil {
		return nil, err
	}
	var err error
	office.Days, err = dayFigures(reader, site, midnights)
	return office, err
}

// addOldest names the ticket that an office has had open longest; only since when to a caller who does not see it.
func addOldest(reader *store.Reader, sight sight, office *apipb.OfficeFigures) error {
	rows, err := reader.Work(store.WorkQuery{List: store.WorkOpen, Values: []string{office.GetSite()}, Limit: 1})
	if err != nil || len(rows.Numbers) == 0 {
		return err
	}
	page, err := reader.Records(rows)
	if err != nil {
		return err
	}
	oldest := page.Records[0]
	office.OldestOpenTime = oldest.GetTicket().GetOpenTime()
	if sight.sees(oldest) {
		office.OldestNumber = oldest.GetTicket().GetNumber()
	}
	return nil
}

// dayFigures adds up the figures of the days.
func dayFigures(reader *store.Reader, site desk.SiteID, midnights []time.Time) ([]*apipb.DayFigures, error) {
	last := len(midnights) - 1
	sums := make([]store.Figures, last)
	day := 0
	err := reader.EachFigures(site, midnights[0].UnixMicro(), midnights[last].UnixMicro(), func(quarter int64, f store.Figures) {
		for quarter >= midnights[day+1].UnixMicro() {
			day++
		}
		sums[day].Add(f)
	})
	if err != nil {
		return nil, err
	}
	var days []*apipb.DayFigures
	for i, sum := range sums {
		days = append(days, &apipb.DayFigures{
			Day: midnights[i].Format(dayLayout), Opened: int32(sum.Opened), Solved: int32(sum.Solved), SolvedLate: int32(sum.SolvedLate),
			SolvedFirstLine: int32(sum.SolvedFirstLine), Rated: int32(sum.Rated), ScoreSum: int32(sum.ScoreSum),
		})
	}
	return days, nil
}
