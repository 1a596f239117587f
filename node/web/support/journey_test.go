package support

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func TestTheRouteOfAProblem(t *testing.T) {
	tree := []*apipb.KnownSite{
		{Id: "330000"}, {Id: "330100", Parent: "330000"}, {Id: "330106", Parent: "330100"}, {Id: "330200", Parent: "330000"},
		{Id: "1", Parent: "2"}, {Id: "2", Parent: "1"},
	}
	for home, want := range map[string][]string{
		"330106": {"330106", "330100", "330000"},
		"330100": {"330100", "330000"},
		"330000": {"330000"},
		"330199": nil,
		"1":      {"1", "2", "1"}, // a tree that is told wrongly ends all the same
	} {
		var got []string
		for _, site := range route(tree, home) {
			got = append(got, site.GetId())
		}
		if !slices.Equal(got, want) {
			t.Errorf("from %s it goes %v, want %v", home, got, want)
		}
	}
}

func TestTheStopsOfAProblem(t *testing.T) {
	way := []*apipb.KnownSite{{Id: "county"}, {Id: "city"}, {Id: "province"}}
	at := func(site string) *apipb.Station { return &apipb.Station{Site: site} }
	back := []*apipb.Step{{At: at("county")}, {At: at("city")}, {At: at("county")}}
	for name, c := range map[string]struct {
		problem *apipb.Problem
		want    string
	}{
		"new":                {&apipb.Problem{Now: at("county")}, "county here, city ahead, province ahead"},
		"going up":           {&apipb.Problem{Now: at("county"), Handover: deskpb.Handover_QUEUED, ToSite: "city"}, "county here, city next, province ahead"},
		"back":               {&apipb.Problem{Now: at("county"), Steps: back}, "county here, city been, province ahead"},
		"back and done":      {&apipb.Problem{Now: at("county"), Steps: back, State: deskpb.Ticket_CLOSED}, "county end, city been"},
		"done where it came": {&apipb.Problem{Now: at("county"), State: deskpb.Ticket_CLOSED}, "county end"},
		"canceled on top":    {&apipb.Problem{Now: at("city"), Steps: back[:2], State: deskpb.Ticket_CANCELED}, "county been, city end"},
	} {
		c.problem.HomeSite = "county"
		var got []string
		for _, stop := range stopsOn(way, c.problem) {
			got = append(got, stop.site.GetId()+" "+stop.state)
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: the stops are %q, want %q", name, got, c.want)
		}
	}
}

func TestWhatIsSearchedForFitsAFilter(t *testing.T) {
	var kept []rune
	for _, r := range "票\"据\\\n打印" {
		if searchable(r) >= 0 {
			kept = append(kept, r)
		}
	}
	if string(kept) != "票据打印" {
		t.Errorf("%q is searched for", string(kept))
	}
}

func TestNumbersAreKnown(t *testing.T) {
	for text, want := range map[string]bool{
		"330106-20261121-0042": true, "330106-20261121-0042abc": true, "打印机": false, "330106-2026-1": false, "330106-20261121-0042 x": false,
	} {
		if got := numberForm.MatchString(text); got != want {
			t.Errorf("%q is a number: %v, want %v", text, got, want)
		}
	}
}

func TestParagraphs(t *testing.T) {
	if got := paragraphs(" 一 \n\n 二\n"); !slices.Equal(got, []string{"一", "二"}) {
		t.Errorf("the lines are %q", got)
	}
	if got := paragraphs("\n \n"); got != nil {
		t.Errorf("nothing has the lines %q", got)
	}
}

func TestDialled(t *testing.T) {
	for text, want := range map[string]string{"0571-8506 0106": "057185060106", "+86 138": "+86138"} {
		var dial []rune
		for _, r := range text {
			if kept := dialled(r); kept >= 0 {
				dial = append(dial, kept)
			}
		}
		if string(dial) != want {
			t.Errorf("%q dials %q, want %q", text, string(dial), want)
		}
	}
}

func TestAFileGoesOnWithTheWordsItCameWith(t *testing.T) {
	you, desk := message{Own: true, Who: "您"}, message{Who: "西湖区 陈洁"}
	for name, c := range map[string]struct {
		before, next message
		after        time.Duration
		want         bool
	}{
		"sent together":      {you, you, time.Second, true},
		"later":              {you, you, inOneBreath, false},
		"answered at once":   {you, desk, time.Second, false},
		"by another of them": {desk, message{Who: "西湖区 张敏"}, time.Second, false},
	} {
		if got := goesOn(c.before, c.next, c.after); got != c.want {
			t.Errorf("%s: it goes on: %v, want %v", name, got, c.want)
		}
	}
}

func TestALongMessageIsFolded(t *testing.T) {
	long := strings.Repeat("字", shownLength)
	for name, c := range map[string]struct {
		lines []string
		shown int // lines at first
		left  int
	}{
		"nothing":                     {nil, 0, 0},
		"a short one":                 {[]string{"打不开"}, 1, 0},
		"a little more than is shown": {[]string{long, "又一行"}, 2, 0},
		"one line":                    {[]string{long + long}, 1, shownLength},
		"a line that just fits":       {[]string{long, long}, 1, shownLength},
		"many lines":                  {[]string{"一", "二", long, long}, 3, shownLength + 2},
	} {
		shown, more, left := folded(c.lines)
		if len(shown) != c.shown || left != c.left || (left > 0) != (len(more) > 0) {
			t.Errorf("%s: %d lines are shown and %d characters left in %d lines, want %d and %d", name, len(shown), left, len(more), c.shown, c.left)
		}
	}
}

// TestFoldingLosesNothing puts the two parts of a message together again.
func TestFoldingLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune("a字é")), 100, 400, -1), 1, 8).Draw(t, "lines")
		shown, more, left := folded(lines)
		whole := func(parts ...[]string) string {
			return strings.ReplaceAll(strings.Join(slices.Concat(parts...), ""), "…", "")
		}
		if got, want := whole(shown, more), whole(lines); got != want {
			t.Fatalf("folded and unfolded it is %q, want %q", got, want)
		}
		if rest := utf8.RuneCountInString(whole(more)); rest != left {
			t.Fatalf("%d characters are folded, and it says %d", rest, left)
		}
	})
}
