package policy

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// publicHolidays are the public holidays 法定节假日 of China and, behind a plus, the make-up working days 调休, as the State
// Council announced them. The days agree with those of chinese-days 1.5.7, which is under the MIT License.
const publicHolidays = `2024 元旦 0101
2024 春节 0210-0217 +0204 +0218
2024 清明 0404-0406 +0407
2024 劳动节 0501-0505 +0428 +0511
2024 端午 0610
2024 中秋 0915-0917 +0914
2024 国庆节 1001-1007 +0929 +1012
2025 元旦 0101
2025 春节 0128-0204 +0126 +0208
2025 清明 0404-0406
2025 劳动节 0501-0505 +0427
2025 端午 0531-0602
2025 国庆节 1001-1005 1007-1008 +0928 +1011
2025 中秋 1006
2026 元旦 0101-0103 +0104
2026 春节 0215-0223 +0214 +0228
2026 清明 0404-0406
2026 劳动节 0501-0505 +0509
2026 端午 0619-0621
2026 中秋 0925-0927
2026 国庆节 1001-1007 +0920 +1010`

// chinaOffset is the offset of Asia/Shanghai from UTC since 1992, in seconds.
const chinaOffset = 8 * hour

func defaultCalendars() []*deskpb.Calendar {
	office := &deskpb.Calendar{
		Name: OfficeTime, Title: words("上班时间", "Office hours"), TimeZone: "Asia/Shanghai",
		Shifts: []*deskpb.ZoneShift{{Offset: chinaOffset}},
		Dates:  holidayRules(publicHolidays),
	}
	for weekday := range int32(5) {
		office.Weekdays = append(office.Weekdays, &deskpb.Weekday{Day: weekday + 1, Segments: []*deskpb.Segment{
			{From: 9 * 60, To: 12 * 60}, {From: 13*60 + 30, To: 17*60 + 30},
		}})
	}
	return []*deskpb.Calendar{
		{Name: AllTime, Title: words("全天候", "Round the clock"), Always: true, TimeZone: "Asia/Shanghai",
			Shifts: []*deskpb.ZoneShift{{Offset: chinaOffset}}},
		office,
	}
}

// holidayRules reads lines of a year, the name of a holiday, its days and its make-up working days. The rules are in the
// order of their dates.
func holidayRules(table string) []*deskpb.DateRule {
	var rules []*deskpb.DateRule
	for line := range strings.Lines(table) {
		words := strings.Fields(line)
		for _, days := range words[2:] {
			first, last, _ := strings.Cut(strings.TrimPrefix(days, "+"), "-")
			if last == "" {
				last = first
			}
			for at := dateOf(words[0] + first); at <= dateOf(words[0]+last); at = dayAfter(at) {
				rules = append(rules, &deskpb.DateRule{Date: at, Name: words[1], Working: strings.HasPrefix(days, "+")})
			}
		}
	}
	slices.SortFunc(rules, func(a, b *deskpb.DateRule) int { return cmp.Compare(a.GetDate(), b.GetDate()) })
	return rules
}

// dateOf reads yyyymmdd.
func dateOf(digits string) int32 {
	date, err := strconv.ParseInt(digits, 10, 32)
	if err != nil {
		return 0
	}
	return int32(date)
}

// dayAfter returns the day behind a date, both as in DateRule.date.
func dayAfter(date int32) int32 { return dateNumber(dayOf(date).AddDate(0, 0, 1)) }
