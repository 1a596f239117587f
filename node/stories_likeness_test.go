package node

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// asExpected returns what was expected when the output says that, with times that may differ by a minute and the events of one
// ticket mixed otherwise with those of another; the output as it is when it says something else.
func asExpected(output, expected string) string {
	if !strings.HasSuffix(output, "\n") && output != "" {
		output += "\n"
	}
	times := regexp.MustCompile(`\d\d-\d\d \d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	said, wanted := byTicket(output), byTicket(expected)
	if times.ReplaceAllString(said, "T") != times.ReplaceAllString(wanted, "T") {
		return output
	}
	heard := times.FindAllString(said, -1)
	for i, want := range times.FindAllString(wanted, -1) {
		if momentOf(heard[i]).Sub(momentOf(want)).Abs() > time.Minute {
			return output
		}
	}
	return expected
}

// byTicket puts the lines of events first, those of each ticket together and in their order.
func byTicket(text string) string {
	event := regexp.MustCompile(`^\d\d-\d\d \d\d:\d\d \S+ [A-Z_]+( of \S+)?`)
	lines := strings.SplitAfter(text, "\n")
	ticket := func(line string) string {
		if of := event.FindStringSubmatch(line); of != nil {
			return of[1]
		}
		return "~" // behind all events
	}
	slices.SortStableFunc(lines, func(a, b string) int { return cmp.Compare(ticket(a), ticket(b)) })
	return strings.Join(lines, "")
}

// momentOf reads a time of a story. Those without a year are only held against each other.
func momentOf(text string) time.Time {
	for _, layout := range []string{"01-02 15:04", time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at
		}
	}
	return time.Time{}
}

func TestWhatStoriesTakeForTheSame(t *testing.T) {
	const expected = `11-23 09:00 city RESOLVED
11-23 09:00 city WISHED of @乙
11-23 09:07 city CLOCK_PASSED RESPONSE 50%
= CALL RESOLVED at city, FIRST line
`
	for _, c := range []struct {
		name, said string
		same       bool
	}{
		{"the same words", expected, true},
		{"a minute later", strings.Replace(expected, "09:07", "09:08", 1), true},
		{"two minutes later", strings.Replace(expected, "09:07", "09:09", 1), false},
		{"another day", strings.Replace(expected, "11-23 09:07", "11-24 09:07", 1), false},
		{"another ticket's event first", strings.Replace(expected, "city RESOLVED\n11-23 09:00 city WISHED of @乙\n", "city WISHED of @乙\n11-23 09:00 city RESOLVED\n", 1), true},
		{"a later event of the same ticket first", "11-23 09:07 city CLOCK_PASSED RESPONSE 50%\n" + strings.Replace(expected, "11-23 09:07 city CLOCK_PASSED RESPONSE 50%\n", "", 1), false},
		{"an event less", strings.Replace(expected, "11-23 09:00 city WISHED of @乙\n", "", 1), false},
		{"another state", strings.Replace(expected, "CALL RESOLVED", "CALL CLOSED", 1), false},
		{"nothing", "", false},
	} {
		if same := asExpected(c.said, expected) == expected; same != c.same {
			t.Errorf("%s: taken for the same = %v, want %v", c.name, same, c.same)
		}
	}
}
