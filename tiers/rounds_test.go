package tiers

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

const (
	roundHour = int64(time.Hour / time.Microsecond)
	roundDay  = 24 * roundHour
)

// roundOffice is a county with a daily round at noon UTC from 2026-11-20 on, and a clock that the test sets.
func roundOffice(t *testing.T) (o *office, now *int64) {
	t.Helper()
	at := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC).UnixMicro()
	o = newOffice(t, county, func() int64 { return at })
	setRounds(t, o, &deskpb.Round{
		Name: "机房", Title: &deskpb.Words{Zh: "机房巡检"}, Group: "运行组", Every: 1, First: 20261120, Minute: 12 * 60, Template: "machine-room",
	})
	return o, &at
}

func setRounds(t *testing.T, o *office, rounds ...*deskpb.Round) {
	t.Helper()
	body, err := proto.Marshal(&deskpb.PolicyDocument{Policy: &deskpb.Policy{
		Calendars: []*deskpb.Calendar{{Name: "utc", Always: true}}, Rounds: rounds,
	}})
	if err != nil {
		t.Fatal(err)
	}
	refusal := o.publish(t, &deskpb.Publication{Kind: PolicyKind, Name: PolicyName, MediaType: PolicyMediaType, Body: body, Actor: "admin"})
	if refusal != nil {
		t.Fatalf("publish the policy: %s", refusal.Message)
	}
}

// runRounds does what DueRounds asks for, as a timekeeper would, and returns it.
func runRounds(t *testing.T, o *office, now int64) []*deskpb.OpenRound {
	t.Helper()
	due := read(o, func(r *store.Reader) ([]*deskpb.OpenRound, error) { return DueRounds(r, now) })
	for _, c := range due {
		if _, err := openRound(o, c); err != nil {
			t.Fatalf("open %v: %v", c, err)
		}
	}
	return due
}

func openRound(o *office, c *deskpb.OpenRound) (decision *desk.Decision, err error) {
	err = o.log(func(b *store.Batch, at desk.Stamp) (err error) {
		decision, err = OpenRound(b, c, at)
		return err
	})
	return decision, err
}

func roundTitles(o *office) []string {
	page := read(o, func(r *store.Reader) (store.Page, error) { return r.RoundTickets("机房", nil, 100) })
	var titles []string
	for _, record := range page.Records {
		titles = append(titles, record.GetTicket().GetTitle())
	}
	return titles
}

func TestARoundIsOpenedWhenItIsDue(t *testing.T) {
	o, now := roundOffice(t)
	// What was due before the site heard of the round is not made up for.
	if due := runRounds(t, o, *now); len(due) != 1 || due[0].Due != 0 {
		t.Fatalf("of a new round the log is asked %v", due)
	}
	if due := runRounds(t, o, *now); len(due) != 0 {
		t.Fatalf("before the round is due the log is asked %v", due)
	}
	*now += 4 * roundHour
	due := runRounds(t, o, *now)
	if len(due) != 1 || due[0].Due != *now {
		t.Fatalf("at noon the log is asked %v", due)
	}
	if titles := roundTitles(o); !slices.Equal(titles, []string{"机房巡检 20261121"}) {
		t.Fatalf("the round has the tickets %q", titles)
	}
	if d, err := openRound(o, due[0]); d != nil || err != nil {
		t.Errorf("the same due time again comes to %v, %v", d, err)
	}
	record := read(o, func(r *store.Reader) (store.Page, error) { return r.RoundTickets("机房", nil, 1) }).Records[0]
	if got := record.GetTicket(); got.GetGroup() != "运行组" || len(got.GetChecklist()) == 0 || got.GetState() != deskpb.Ticket_ASSIGNED {
		t.Errorf("the ticket is %v for %q with the checklist %v", got.GetState(), got.GetGroup(), got.GetChecklist())
	}
}

func TestOfMissedRoundsOnlyTheLatestIsOpened(t *testing.T) {
	o, now := roundOffice(t)
	runRounds(t, o, *now)
	*now += 3*roundDay + 5*roundHour
	runRounds(t, o, *now)
	if titles := roundTitles(o); !slices.Equal(titles, []string{"机房巡检 20261124"}) {
		t.Fatalf("after three days without a leader the round has the tickets %q", titles)
	}
	record := read(o, func(r *store.Reader) (store.Page, error) { return r.RoundTickets("机房", nil, 1) }).Records[0]
	if words := record.GetTicket().GetDescription(); !strings.Contains(words, " 3 times") {
		t.Errorf("the ticket does not say that three rounds were missed: %q", words)
	}
	if due := runRounds(t, o, *now); len(due) != 0 {
		t.Errorf("then the log is asked %v", due)
	}
}

func TestARoundThatIsNotDueIsRefused(t *testing.T) {
	o, now := roundOffice(t)
	runRounds(t, o, *now)
	for name, c := range map[string]struct {
		command *deskpb.OpenRound
		want    string
	}{
		"too early":     {&deskpb.OpenRound{Round: "机房", Due: *now + 4*roundHour}, "ROUND_NOT_DUE"},
		"no such round": {&deskpb.OpenRound{Round: "天台", Due: *now}, "ROUND_NOT_FOUND"},
	} {
		_, err := openRound(o, c.command)
		if refusal, ok := errors.AsType[*desk.Refusal](err); !ok || refusal.Reason != c.want {
			t.Errorf("%s: it comes to %v, want %s", name, err, c.want)
		}
	}
}

func TestARoundThatThePolicyDropsIsForgotten(t *testing.T) {
	o, now := roundOffice(t)
	runRounds(t, o, *now)
	setRounds(t, o)
	if due := runRounds(t, o, *now); len(due) != 1 || due[0].Due != 0 {
		t.Fatalf("of a dropped round the log is asked %v", due)
	}
	if marks := read(o, (*store.Reader).RoundMarks); len(marks) != 0 {
		t.Errorf("the marks are %v", marks)
	}
	if due := runRounds(t, o, *now); len(due) != 0 {
		t.Errorf("then the log is asked %v", due)
	}
}

func TestARecoveringSiteOpensNoRounds(t *testing.T) {
	o, now := roundOffice(t)
	runRounds(t, o, *now)
	*now += roundDay
	for recovering, want := range map[bool]int{true: 0, false: 1} {
		err := o.log(func(b *store.Batch, at desk.Stamp) error {
			site, err := b.Site()
			if err != nil {
				return err
			}
			if site.Recovering = 0; recovering {
				site.Recovering = at.Time
			}
			return b.PutSite(site)
		})
		if err != nil {
			t.Fatal(err)
		}
		due := read(o, func(r *store.Reader) ([]*deskpb.OpenRound, error) { return DueRounds(r, *now) })
		if len(due) != want {
			t.Errorf("recovering %t, the log is asked %v, want %d", recovering, due, want)
		}
	}
}

func TestRoundsAreListedWithTheirTimes(t *testing.T) {
	o, now := roundOffice(t)
	list := func() []Round { return read(o, func(r *store.Reader) ([]Round, error) { return Rounds(r, *now) }) }
	if got := list()[0]; got.Mark != 0 || got.Due != *now+4*roundHour {
		t.Errorf("a round that the site has not heard of is marked %d and due at %d", got.Mark, got.Due)
	}
	runRounds(t, o, *now)
	*now += roundDay
	if got := list()[0]; got.Due != *now-20*roundHour {
		t.Errorf("a round that waits was due at %d, want %d", got.Due, *now-20*roundHour)
	}
	runRounds(t, o, *now)
	if got := list()[0]; got.Mark != *now-20*roundHour || got.Due != *now+4*roundHour {
		t.Errorf("an opened round is marked %d and due at %d", got.Mark, got.Due)
	}
}

func TestALostMarkDoesNotDoubleARound(t *testing.T) {
	o, now := roundOffice(t)
	runRounds(t, o, *now)
	before := read(o, (*store.Reader).RoundMarks)[0]
	*now += roundDay
	runRounds(t, o, *now)
	if err := o.log(func(b *store.Batch, _ desk.Stamp) error { return b.PutRoundMark(before) }); err != nil {
		t.Fatal(err)
	}
	if due := runRounds(t, o, *now); len(due) != 1 {
		t.Fatalf("without its mark the log is asked %v", due)
	}
	if titles := roundTitles(o); len(titles) != 1 {
		t.Errorf("the round has the tickets %q, want one", titles)
	}
}
