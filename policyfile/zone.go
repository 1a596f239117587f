package policyfile

import (
	"fmt"
	"sort"
	"time"
	_ "time/tzdata" // a machine may have no time zones of its own

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Offsets of a time zone are written down from the first to the last year.
const (
	firstYear = 2020
	lastYear  = 2050
)

// zoneShifts writes down the offsets of a time zone.
func zoneShifts(name string) ([]*deskpb.ZoneShift, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("%.40q is no time zone; write one such as Asia/Shanghai", name)
	}
	const day = 24 * 3600
	offsetAt := func(second int64) int32 {
		_, offset := time.Unix(second, 0).In(zone).Zone()
		return int32(offset)
	}
	at := time.Date(firstYear, time.January, 1, 0, 0, 0, 0, time.UTC).Unix()
	end := time.Date(lastYear, time.January, 1, 0, 0, 0, 0, time.UTC).Unix()
	shifts := []*deskpb.ZoneShift{{Offset: offsetAt(at)}}
	for ; at < end; at += day {
		before, after := offsetAt(at), offsetAt(at+day)
		if before == after {
			continue
		}
		from := sort.Search(day, func(second int) bool { return offsetAt(at+int64(second)) == after })
		shifts = append(shifts, &deskpb.ZoneShift{From: at + int64(from), Offset: after})
	}
	return shifts, nil
}
