package console

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func TestALongQueryIsCutBetweenLetters(t *testing.T) {
	for query, want := range map[string]string{
		" 王芳 ": "王芳", "": "",
		strings.Repeat("a", maxQuery+1):     strings.Repeat("a", maxQuery),
		strings.Repeat("打", 20_000):         strings.Repeat("打", maxQuery/3),
		"a" + strings.Repeat("打", maxQuery): "a" + strings.Repeat("打", (maxQuery-1)/3),
	} {
		if got := lookedFor(query); got != want {
			t.Errorf("of %.20q… with %d bytes is looked for %.20q… with %d, want %d", query, len(query), got, len(got), len(want))
		}
	}
}

func TestTheClockOfARow(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	in := func(minutes int) *timestamppb.Timestamp {
		return timestamppb.New(now.Add(time.Duration(minutes) * time.Minute))
	}
	for _, c := range []struct {
		name    string
		clocks  []*deskpb.Sla
		due     *timestamppb.Timestamp
		paused  bool
		urgency string
	}{
		{name: "no clock"},
		{name: "time enough", clocks: []*deskpb.Sla{{DueTime: in(60), Mark: 50}}, due: in(60)},
		{name: "the first to run out counts", clocks: []*deskpb.Sla{{DueTime: in(60)}, {DueTime: in(5)}, {DueTime: in(9)}}, due: in(5)},
		{name: "three quarters are gone", clocks: []*deskpb.Sla{{DueTime: in(5), Mark: 75, Since: in(-15)}, {DueTime: in(60)}}, due: in(5), urgency: "soon"},
		{name: "three quarters are gone, and it stands still", clocks: []*deskpb.Sla{{Mark: 75}}, paused: true},
		{name: "another site's clock", clocks: []*deskpb.Sla{{DueTime: in(-5), Mark: 100, Site: "330100"}, {DueTime: in(60)}}, due: in(60)},
		{name: "past its time, before anybody noted it", clocks: []*deskpb.Sla{{DueTime: in(-1), Mark: 90}}, due: in(-1), urgency: "late"},
		{name: "late, then one that is due soon", clocks: []*deskpb.Sla{{DueTime: in(-1), Mark: 100}, {DueTime: in(5), Mark: 75, Since: in(-15)}}, due: in(-1), urgency: "late"},
		{name: "an ended clock", clocks: []*deskpb.Sla{{DueTime: in(-9), Mark: 100, EndTime: in(-5)}}},
		{name: "paused", clocks: []*deskpb.Sla{{Mark: 50}}, paused: true},
		{name: "paused when it was late", clocks: []*deskpb.Sla{{Mark: 100}}, paused: true, urgency: "late"},
	} {
		ticket := &deskpb.Ticket{Sla: c.clocks}
		next, paused := nextClock(ticket)
		if !next.GetDueTime().AsTime().Equal(c.due.AsTime()) || paused != c.paused {
			t.Errorf("%s: the clock is due %v, paused %v; want %v, %v", c.name, next.GetDueTime().AsTime(), paused, c.due.AsTime(), c.paused)
		}
		if got := urgencyOf(ticket, now); got != c.urgency {
			t.Errorf("%s: the row is %q, want %q", c.name, got, c.urgency)
		}
	}
}

func TestWhereADayBegins(t *testing.T) {
	t.Parallel()
	queue := func(kind apipb.Queue_Kind, id string, count int32) *apipb.Queue {
		return &apipb.Queue{Kind: kind, Id: id, Count: count}
	}
	for _, c := range []struct {
		name   string
		queues []*apipb.Queue
		want   string
	}{
		{"own work", []*apipb.Queue{queue(apipb.Queue_MINE, "mine", 1), queue(apipb.Queue_GROUP, "group:a", 5)}, "mine"},
		{"the group's", []*apipb.Queue{queue(apipb.Queue_MINE, "mine", 0), queue(apipb.Queue_GROUP, "group:a", 0), queue(apipb.Queue_GROUP, "group:b", 2)}, "group:b"},
		{"nobody's", []*apipb.Queue{queue(apipb.Queue_MINE, "mine", 0), queue(apipb.Queue_UNASSIGNED, "unassigned", 1)}, "unassigned"},
		{"overdue is no place to begin", []*apipb.Queue{queue(apipb.Queue_MINE, "mine", 0), queue(apipb.Queue_OVERDUE, "overdue", 9)}, "mine"},
		{"without queues", nil, allTickets},
	} {
		if got := firstQueue(c.queues); got != c.want {
			t.Errorf("%s: the day begins with %q, want %q", c.name, got, c.want)
		}
	}
}

func TestAnAddressSaysThePlace(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := place{
			queue: rapid.StringN(1, 20, -1).Draw(t, "queue"), filter: rapid.String().Draw(t, "filter"),
			order: rapid.String().Draw(t, "order"), after: rapid.String().Draw(t, "after"), all: rapid.Bool().Draw(t, "all"),
		}
		if got := backOf(at.address()); got != at {
			t.Fatalf("%s is the place %+v, want %+v", at.address(), got, at)
		}
	})
	for _, elsewhere := range []string{"https://example.org/desk?queue=mine", "//example.org/desk", "/admin?queue=mine", "%"} {
		if got := backOf(elsewhere); got != (place{}) {
			t.Errorf("%s is the place %+v, want none", elsewhere, got)
		}
	}
	if got := placeOf(url.Values{"filter": {"state = NEW"}}).queue; got != allTickets {
		t.Errorf("a filter without a queue is of %q, want all tickets", got)
	}
}

func TestWhatFormsSendIsReadAgain(t *testing.T) {
	t.Parallel()
	for _, h := range []heir{{}, {group: "一线 服务台"}, {"网络组", "li@example.org"}} {
		if got := readHeir(h.String()); got != h {
			t.Errorf("%+v is read as %+v", h, got)
		}
	}
	if got := readHeir(""); got != (heir{}) {
		t.Errorf("nobody is read as %+v", got)
	}
	if got, want := readPick("330106-20261121-0042 0a1b"), (pick{"330106-20261121-0042", "0a1b"}); got != want {
		t.Errorf("a chosen ticket is read as %+v, want %+v", got, want)
	}
}

func TestWhatASearchMayMean(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		query    string
		sequence uint32
		digits   string
	}{
		{"0042", 42, "0042"},
		{"42", 42, "42"},
		{"0571-8500 0012", 0, "057185000012"},
		{"+86 (0571)", 0, "860571"},
		{"1234567", 0, "1234567"},
		{"打印", 0, ""},
		{"42a", 0, ""},
		{"0", 0, "0"},
	} {
		if got := sequenceOf(c.query); got != c.sequence {
			t.Errorf("%q is the sequence %d, want %d", c.query, got, c.sequence)
		}
		if got := digitsOf(c.query); got != c.digits {
			t.Errorf("%q is the number %q, want %q", c.query, got, c.digits)
		}
	}
}

func TestFiltersAreKeptByName(t *testing.T) {
	t.Parallel()
	var kept preferences
	var err error
	for i := range maxFilters {
		if kept, err = kept.with(savedFilter{string(rune('a' + i)), "state = NEW"}); err != nil {
			t.Fatalf("filter %d: %v", i, err)
		}
	}
	if _, err := kept.with(savedFilter{"one more", "state = NEW"}); err == nil {
		t.Errorf("%d filters are kept", maxFilters+1)
	}
	changed, err := kept.with(savedFilter{"a", "state = CLOSED"})
	if err != nil || len(changed.filters) != maxFilters || !slices.Contains(changed.filters, savedFilter{"a", "state = CLOSED"}) {
		t.Errorf("a filter of a name that is there: %v, %v", changed.filters, err)
	}
	if name, there := nameOfFilter(changed, "state = CLOSED"); !there || name != "a" {
		t.Errorf("the filter is kept under %q, %v", name, there)
	}
	for _, empty := range []savedFilter{{"", "state = NEW"}, {"b", ""}} {
		if _, err := kept.with(empty); err == nil {
			t.Errorf("%+v is kept", empty)
		}
	}
}
