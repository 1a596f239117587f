package manage

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// nobody is behind the pages of these tests.
type nobody struct{}

func (nobody) Invoke(context.Context, string, any, any, ...grpc.CallOption) error {
	return status.Error(codes.Unimplemented, "nothing is served")
}

func (nobody) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Error(codes.Unimplemented, "nothing is served")
}

func (nobody) Authenticate(context.Context, string, string) (*deskpb.Actor, error) { return nil, nil }
func (nobody) Site() *apipb.GetSiteResponse                                        { return nil }
func (nobody) Sites() *apipb.ListSitesResponse                                     { return nil }

func china() *time.Location { return time.FixedZone("CST", 8*3600) }

// newVisit is a visit at noon of a day in a language.
func newVisit(t *testing.T, lang string) *page.Visit {
	t.Helper()
	k, err := page.New(page.Options{
		API: nobody{}, Files: http.NotFoundHandler(), People: nobody{}, Standing: nobody{}, Logger: slog.New(slog.DiscardHandler),
		SiteID: "330000", SiteName: "浙江省", Tier: apipb.Site_PROVINCE, Zone: china(),
		Now: func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, china()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Add(http.NewServeMux(), Room()); err != nil {
		t.Fatal(err)
	}
	return k.Visit(t.Context(), httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/?lang="+lang, nil))
}

func TestTheTreeIsLaidOutFromTheTop(t *testing.T) {
	t.Parallel()
	places := []*apipb.Place{
		{Site: "330000", Name: "浙江省", Tier: apipb.Site_PROVINCE, Phase: apipb.Place_PLACED},
		{Site: "330100", Name: "杭州市", Tier: apipb.Site_CITY, Parent: "330000", Phase: apipb.Place_PLACED},
		{Site: "330106", Name: "西湖区", Tier: apipb.Site_COUNTY, Parent: "330100", Phase: apipb.Place_LEAVING, NextParent: "330200", Tickets: 3, Holder: "330100"},
		{Site: "330200", Name: "宁波市", Tier: apipb.Site_CITY, Parent: "330000", Phase: apipb.Place_CLOSED},
		{Site: "339999", Tier: apipb.Site_COUNTY, Parent: "of nobody", Phase: apipb.Place_PLACED},
	}
	sites := []*apipb.KnownSite{{Id: "330100", Alive: true, Nodes: []*apipb.Node{{}, {}, {}}}}
	type row struct {
		name  string
		depth int
		state string
		city  bool
		place string
	}
	want := []row{
		{"浙江省", 0, "未见", false, ""},
		{"杭州市", 1, "在线", true, ""},
		{"西湖区", 2, "未见", false, "正在划归 330200，还有 3 张工单在 330100"},
		{"宁波市", 1, "已撤并", false, "已撤并"},
		{"339999", 0, "未见", false, ""},
	}
	var got []row
	for _, o := range offices(newVisit(t, "zh"), sites, places) {
		got = append(got, row{o.Name, o.Depth, o.State.Word, o.City, o.Place})
	}
	if !slices.Equal(got, want) {
		t.Errorf("the tree is\n%v, want\n%v", got, want)
	}
}

// A tree that has a circle, as it may for a moment on the way, is shown without those in it and not for ever.
func TestACircleInTheTreeEnds(t *testing.T) {
	t.Parallel()
	places := []*apipb.Place{{Site: "a", Parent: "b"}, {Site: "b", Parent: "a"}, {Site: "c", Parent: "c"}}
	if got := offices(newVisit(t, "zh"), nil, places); len(got) != 1 || got[0].ID != "c" {
		t.Errorf("the circle is shown as %v", got)
	}
}

func TestAMonthStartsOnMonday(t *testing.T) {
	t.Parallel()
	office := &deskpb.Calendar{
		Name: "office", Shifts: []*deskpb.ZoneShift{{Offset: 8 * 3600}},
		Dates: []*deskpb.DateRule{
			{Date: 20261001, Name: "国庆节"},
			{Date: 20261010, Name: "国庆节调休", Working: true, Segments: []*deskpb.Segment{{From: 540, To: 720}}},
		},
	}
	for day := int32(1); day <= 5; day++ {
		office.Weekdays = append(office.Weekdays, &deskpb.Weekday{Day: day, Segments: []*deskpb.Segment{{From: 510, To: 720}, {From: 840, To: 1440}}})
	}
	weeks := monthOf(office, time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), 20261002)
	if len(weeks) != 5 || weeks[0][2].Day != 0 || weeks[0][3].Day != 1 || weeks[4][5].Day != 31 || weeks[4][6].Day != 0 {
		t.Fatalf("October 2026, which begins on a Thursday, has the weeks %v", weeks)
	}
	for day, want := range map[*dayCell]dayCell{
		&weeks[0][3]: {Day: 1, Name: "国庆节", Special: true},
		&weeks[0][4]: {Day: 2, Working: true, Today: true, Times: []string{"08:30–12:00", "14:00–24:00"}},
		&weeks[1][5]: {Day: 10, Name: "国庆节调休", Working: true, Special: true, Times: []string{"09:00–12:00"}},
		&weeks[1][6]: {Day: 11},
	} {
		if day.Day != want.Day || day.Name != want.Name || day.Working != want.Working || day.Special != want.Special || day.Today != want.Today ||
			!slices.Equal(day.Times, want.Times) {
			t.Errorf("the day is %+v, want %+v", *day, want)
		}
	}
}

func TestWeeksAreSaidShortly(t *testing.T) {
	t.Parallel()
	c := &deskpb.Calendar{}
	for day := int32(1); day <= 6; day++ {
		to := int32(1050)
		if day == 6 {
			to = 720
		}
		c.Weekdays = append(c.Weekdays, &deskpb.Weekday{Day: day, Segments: []*deskpb.Segment{{From: 510, To: to}}})
	}
	if got := weekShown(newVisit(t, "zh"), c); got != "周一至周五 08:30–17:30; 周六 08:30–12:00" {
		t.Errorf("the week is said as %q", got)
	}
}

// TestTheBuiltInPolicyIsReadable shows every section of the policy that each site begins with, with as many fields as the head has.
func TestTheBuiltInPolicyIsReadable(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"zh", "en"} {
		v := newVisit(t, lang)
		sections := policySections(v, policy.Default())
		if len(sections) < 10 {
			t.Errorf("%s: the policy is shown in %d sections only", lang, len(sections))
		}
		for _, section := range sections {
			if sectionName(v, section.Key) == section.Key {
				t.Errorf("%s: the section %s has no name", lang, section.Key)
			}
			for _, row := range section.Rows {
				if len(row) != len(section.Head) {
					t.Errorf("%s: a row of %s has %d fields under %d heads", lang, section.Key, len(row), len(section.Head))
				}
			}
		}
	}
}

func TestLayersTellWhatTheySay(t *testing.T) {
	t.Parallel()
	for source, want := range map[string][]string{
		"targets: []\ngroups:\n- name: net\nlocked: [targets]\n": {"targets", "groups"}, "": nil, "- a\n": nil, "a: [": nil,
	} {
		if got := sectionsOf(source); !slices.Equal(got, want) {
			t.Errorf("the sections of %q are %q, want %q", source, got, want)
		}
	}
}

func TestDifferencesAreRead(t *testing.T) {
	t.Parallel()
	got := diffLines(newVisit(t, "zh"), "--- now\n+++ applied\n@@ -1,2 +1,2 @@\n same\n-old\n+new\n")
	want := []diffLine{{Text: "@@ -1,2 +1,2 @@", Kind: "place"}, {Text: " same"}, {"-old", "taken", "删除："}, {"+new", "added", "新增："}}
	if !slices.Equal(got, want) {
		t.Errorf("the difference is %+v, want %+v", got, want)
	}
}

func TestTheLogIsAskedInItsLanguage(t *testing.T) {
	t.Parallel()
	for want, search := range map[string]auditSearch{
		`actor = "li" AND action = "user.update" AND outcome = "DONE"`: {user: "li", Action: "user.update", Outcome: "DONE"},
		`actorName = "李 明"`:     {Actor: "李 明", name: "李 明"},
		`object = "a\" OR \"b"`: {Object: `a" OR "b`},
		`time >= "2026-11-20T16:00:00Z" AND time < "2026-11-22T16:00:00Z"`: {From: "2026-11-21", To: "2026-11-22"},
	} {
		search.readDays(newVisit(t, "zh"))
		if got := search.filter(); got != want || search.WrongFrom != "" || search.WrongTo != "" {
			t.Errorf("%+v asks %q, want %q", search, got, want)
		}
	}
}

func TestDaysThatAreNoneAreToldBesideTheirFields(t *testing.T) {
	t.Parallel()
	const noDay, crossed = "不是日期，请写成 2026-11-21 这样", "截止日期早于起始日期，请修改其中一个"
	for typed, want := range map[[2]string][2]string{
		{"2026-11-21", "2026-11-21"}: {},
		{"", "2026-11-21"}:           {},
		{"yesterday", ""}:            {noDay, ""},
		{"2026-11-21", "2026-11-31"}: {"", noDay},
		{"21.11.2026", "昨天"}:         {noDay, noDay},
		{"2026-11-22", "2026-11-21"}: {"", crossed},
		{"yesterday", "2026-11-21"}:  {noDay, ""},
	} {
		search := auditSearch{From: typed[0], To: typed[1]}
		search.readDays(newVisit(t, "zh"))
		if got := [2]string{search.WrongFrom, search.WrongTo}; got != want || search.From != typed[0] || search.To != typed[1] {
			t.Errorf("%q is told %q, want %q", typed, got, want)
		}
	}
}

// TestTheSearchOffersEveryAction holds the list of actions against the words of the log.
func TestTheSearchOffersEveryAction(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../../desk/audit/words.go")
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, found := range regexp.MustCompile(`= "([a-z-]+\.[a-z-]+)"`).FindAllStringSubmatch(string(source), -1) {
		known = append(known, found[1])
	}
	if len(known) < 30 || !slices.Equal(auditActions(), known) {
		t.Errorf("the search offers %q, want %q", auditActions(), known)
	}
	for _, lang := range []string{"zh", "en"} {
		v := newVisit(t, lang)
		for _, action := range known {
			if actionShown(v, action) == action {
				t.Errorf("the action %s has no words in %s", action, lang)
			}
		}
	}
}

func TestBytesAreReadable(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 5 << 20: "5.0 MiB", 3 << 30: "3.0 GiB"} {
		if got := bytesShown(n); got != want {
			t.Errorf("%d bytes are %q, want %q", n, got, want)
		}
	}
}
