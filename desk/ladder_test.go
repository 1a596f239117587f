package desk

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// ladderOffice is a tree whose county has a group by hand and a ladder of four rungs, the last of them for the breach.
func ladderOffice() *tree {
	tr := newTree()
	o := tr.office(county)
	o.managers = []UserID{"sun"}
	o.policy.Groups = []*deskpb.Team{{Name: "网络组", Members: []string{"lin", "wang"}, Manager: "zhou"}}
	o.policy.Dispatch = []*deskpb.DispatchRule{{Name: "all", Group: "网络组"}}
	o.policy.Targets = []*deskpb.Target{{Name: "day", Metric: deskpb.Sla_RESOLUTION, Within: 24 * 60 * 60}}
	o.policy.Ladders = []*deskpb.Ladder{{Name: "all", Rungs: []*deskpb.Rung{
		{Who: deskpb.Rung_GROUP, Times: 2, Every: 10 * 60},
		{Who: deskpb.Rung_GROUP_MANAGER, Times: 1, Every: 20 * 60},
		{Who: deskpb.Rung_INCIDENT_MANAGER, Times: 2, Every: 30 * 60},
		{Who: deskpb.Rung_PARENT_MANAGER, Times: 1, Every: 30 * 60, Mark: 100},
	}}}
	return tr
}

// tickUntil carries out what is due at an office as time goes on, and returns what people were told: minutes after the beginning,
// level, and who.
func tickUntil(t testing.TB, tr *tree, number TicketNumber, begin, end int64) (told []string) {
	t.Helper()
	o := tr.office(county)
	seen := len(o.journal(number))
	for next := NextTime(o.records[number], county); next != 0 && next <= end; next = NextTime(o.records[number], county) {
		tr.now = max(tr.now, next-1_000_000) // a stamp lets a second pass
		must(t, tr, county, tickCommand(number))
	}
	for _, event := range o.journal(number)[seen:] {
		if event.GetType() != deskpb.Event_REMINDED {
			continue
		}
		who := strings.Join(event.GetBody().GetTold(), "+")
		if event.GetTo() != "" {
			who += "@" + event.GetTo()
		}
		told = append(told, fmt.Sprintf("%d:%d:%s", (event.GetTime()-begin)/minute, event.GetBody().GetLevel(), who))
	}
	return told
}

func TestALadderTellsOneRungAfterTheOther(t *testing.T) {
	tr := ladderOffice()
	number := TicketNumber(must(t, tr, county, createCommand("网络中断")).GetNumber())
	opened := tr.now
	got := tickUntil(t, tr, number, opened, opened+48*60*minute)
	want := []string{"10:1:lin+wang", "20:1:lin+wang", "40:2:zhou", "70:3:sun", "100:3:sun", "1440:4:@330100"}
	if !slices.Equal(got, want) {
		t.Errorf("people are told %q, want %q", got, want)
	}
	r := tr.office(county).records[number]
	if r.GetTicket().GetLadderLevel() != 4 || r.GetTicket().GetCustodianSite() != string(county) {
		t.Errorf("level %d at %s, want 4 and the ticket where it was", r.GetTicket().GetLadderLevel(), r.GetTicket().GetCustodianSite())
	}
}

func TestALadderRestsWhileSomebodyWorks(t *testing.T) {
	tr := ladderOffice()
	number := TicketNumber(must(t, tr, county, createCommand("网络中断")).GetNumber())
	opened := tr.now
	if got := tickUntil(t, tr, number, opened, opened+15*minute); !slices.Equal(got, []string{"10:1:lin+wang"}) {
		t.Fatalf("people are told %q, want the group once", got)
	}
	must(t, tr, county, by(agent("lin"), number, sampleCommand("claim")))
	if got := tickUntil(t, tr, number, opened, opened+600*minute); len(got) != 0 {
		t.Errorf("lin has claimed the ticket; people are told %q, want nobody", got)
	}
	tr.now = opened + 600*minute
	must(t, tr, county, by(agent("lin"), number, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Transfer{
		Transfer: &deskpb.Transfer{Group: "桌面组", Reason: "不属网络"},
	}}))
	began := tr.now
	// The other group has no members, so its turn passes to the incident managers at once.
	got := tickUntil(t, tr, number, began, began+40*minute)
	if want := []string{"10:3:sun", "40:3:sun"}; !slices.Equal(got, want) {
		t.Errorf("after a transfer people are told %q, want %q", got, want)
	}
}

// After the site was down nobody is told of each reminder that was missed.
func TestALateLadderDoesNotMakeUpForLostTime(t *testing.T) {
	tr := ladderOffice()
	number := TicketNumber(must(t, tr, county, createCommand("网络中断")).GetNumber())
	opened := tr.now
	tr.now += 23 * 60 * minute
	must(t, tr, county, tickCommand(number))
	got := tickUntil(t, tr, number, opened, tr.now+minute)
	if r := tr.office(county).records[number]; len(got) != 0 || r.GetReminders() != 1 {
		t.Errorf("a day late people are told %d times and then %q, want once", r.GetReminders(), got)
	}
}

func TestTheParentHearsOfABreach(t *testing.T) {
	tr := ladderOffice()
	tr.office(city).managers = []UserID{"zheng"}
	number := TicketNumber(must(t, tr, county, createCommand("网络中断")).GetNumber())
	tickUntil(t, tr, number, tr.now, tr.now+25*60*minute)
	if err := tr.drain(); err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, event := range tr.office(city).journal(number) {
		told = append(told, hears(t, tr.office(city), number, event)...)
	}
	if !slices.Equal(told, []string{"zheng"}) {
		t.Errorf("at the city %q hear of the ticket, want its manager once", told)
	}
}

// A mark is passed once: a ladder that began anew since does not go up for it again.
func TestARungBeginsWithItsMarkAndNotLater(t *testing.T) {
	tr := ladderOffice()
	tr.office(county).policy.Ladders[0].Rungs = []*deskpb.Rung{
		{Who: deskpb.Rung_GROUP, Times: 1, Every: 10 * 60}, {Who: deskpb.Rung_INCIDENT_MANAGER, Times: 1, Every: 60, Mark: 50},
	}
	number := TicketNumber(must(t, tr, county, createCommand("网络中断")).GetNumber())
	opened := tr.now
	got := tickUntil(t, tr, number, opened, opened+13*60*minute)
	if want := []string{"10:1:lin+wang", "720:2:sun"}; !slices.Equal(got, want) {
		t.Fatalf("until the clock is half way people are told %q, want %q", got, want)
	}
	must(t, tr, county, by(agent("lin"), number, sampleCommand("start")))
	if got := tickUntil(t, tr, number, opened, opened+25*60*minute); len(got) != 0 {
		t.Errorf("while lin works, and the clock passes 75, 90 and 100, people are told %q, want nobody", got)
	}
}

func TestAGroupHearsByThoseOnDuty(t *testing.T) {
	for _, c := range []struct {
		name string
		off  []UserID
		want []string
	}{
		{"all are on duty", nil, []string{"lin", "wang"}},
		{"one is off duty", []UserID{"lin"}, []string{"wang"}},
		{"nobody is on duty: better all than nobody", []UserID{"lin", "wang"}, []string{"lin", "wang"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := ladderOffice()
			o := tr.office(county)
			o.duty = map[UserID]*deskpb.SetDuty{}
			for _, user := range c.off {
				o.duty[user] = &deskpb.SetDuty{On: false}
			}
			command := createCommand("网络中断")
			command.Actor = agent("qian")
			d, err := tr.do(county, command)
			if err != nil {
				t.Fatal(err)
			}
			if got := whoHears(t, o, d); !slices.Equal(got, c.want) {
				t.Errorf("of a ticket for the group %q hear, want %q", got, c.want)
			}
		})
	}
}

// hears returns who of an office is told of an event.
func hears(t testing.TB, o *office, number TicketNumber, event Sealed) (people []string) {
	t.Helper()
	notices, err := Notices(o.here, o, News{Event: event, After: o.records[number], Time: event.GetTime()})
	if err != nil {
		t.Fatal(err)
	}
	for _, notice := range notices {
		people = append(people, notice.GetUser())
	}
	return people
}

// Whatever happens to a ticket and however late its ticks come: each rung is told at most as often as the ladder says since people had to
// take the ticket up, levels only rise meanwhile, and two reminders are never less than a minute apart.
func TestEverybodyIsToldAsOftenAsTheLadderSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := ladderOffice()
		o := tr.office(county)
		number := TicketNumber(openAt(t, tr).GetNumber())
		verbs := []string{"claim", "decline", "start", "hold", "resume", "assign", "assign group", "transfer", "resolve", "reopen"}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			tr.now += rapid.Int64Range(0, 90).Draw(t, "minutes") * minute
			command := by(agent("lin"), number, sampleCommand(rapid.SampledFrom(verbs).Draw(t, "verb")))
			if next := NextTime(o.records[number], county); next != 0 && next <= tr.now && rapid.Bool().Draw(t, "tick") {
				command = tickCommand(number)
			}
			if _, err := tr.do(county, command); err != nil && strings.HasPrefix(reason(err), "FAULT") {
				t.Fatal(err)
			}
		}
		checkReminders(t, o.policy.GetLadders()[0], o.journal(number))
	})
}

func checkReminders(t *rapid.T, ladder *deskpb.Ladder, events []Sealed) {
	times, level, last := map[uint32]uint32{}, uint32(0), int64(0)
	for _, event := range events {
		body := event.GetBody()
		if event.GetType() != deskpb.Event_REMINDED {
			if body.GetRemindTime() != 0 && event.GetType() != deskpb.Event_CLOCK_PASSED {
				times, level = map[uint32]uint32{}, 0
			}
			continue
		}
		if body.GetRemindTime() == 0 || len(body.GetTold()) == 0 && event.GetTo() == "" {
			continue // beside the ladder, or its end
		}
		times[body.GetLevel()]++
		rung := ladder.GetRungs()[body.GetLevel()-1]
		if body.GetLevel() < level || times[body.GetLevel()] > rung.GetTimes() || event.GetTime()-last < minute {
			t.Fatalf("level %d is told the %d. time, after level %d and %s", body.GetLevel(), times[body.GetLevel()], level,
				moment(event.GetTime()).Sub(moment(last)))
		}
		level, last = body.GetLevel(), event.GetTime()
	}
}

func TestUrgesNeedACoolDown(t *testing.T) {
	tr := ladderOffice()
	o := tr.office(county)
	o.policy.Urging = &deskpb.Urging{CoolDown: 15 * 60, ClimbEvery: 3, RefuseOnHold: true}
	tr.office(city).policy.Urging = o.policy.Urging
	number := TicketNumber(must(t, tr, county, createCommand("网络中断")).GetNumber())
	must(t, tr, county, by(agent("qian"), number, sampleCommand("urge")))
	if err := tr.drain(); err != nil {
		t.Fatal(err)
	}
	for _, site := range []SiteID{county, city} {
		_, err := tr.do(site, by(agent("qian"), number, sampleCommand("urge")))
		if reason(err) != "URGED_LATELY" || !strings.Contains(err.Error(), "2026-11-21T08:15:02Z") {
			t.Errorf("urged at %s again: %v; want a refusal that says from when on it may be", site, err)
		}
	}
	var told []string
	for range 3 {
		tr.now += 15 * minute
		must(t, tr, county, by(agent("qian"), number, sampleCommand("urge")))
		journal := o.journal(number)
		told = append(told, strings.Join(journal[len(journal)-1].GetBody().GetTold(), "+"))
	}
	// The third urge of the ticket reaches the first rung, the group, which is told anyway; so the sixth is needed for its manager.
	if want := []string{"lin+wang", "lin+wang", "lin+wang"}; !slices.Equal(told, want) {
		t.Errorf("urges tell %q, want %q", told, want)
	}
	for range 2 {
		tr.now += 15 * minute
		must(t, tr, county, by(agent("qian"), number, sampleCommand("urge")))
	}
	journal := o.journal(number)
	if told := journal[len(journal)-1].GetBody().GetTold(); !slices.Equal(told, []string{"lin", "wang", "zhou"}) {
		t.Errorf("the sixth urge tells %q, want the group and its manager", told)
	}
	must(t, tr, county, by(agent("lin"), number, sampleCommand("hold")))
	tr.now += 15 * minute
	if _, err := tr.do(county, by(agent("qian"), number, sampleCommand("urge"))); reason(err) != "ON_HOLD" {
		t.Errorf("urged on hold: %v, want ON_HOLD", err)
	}
}

func TestWithoutACoolDownAnUrgeMayFollowAtOnce(t *testing.T) {
	tr := ladderOffice()
	tr.office(county).policy.Urging = &deskpb.Urging{}
	number := TicketNumber(must(t, tr, county, createCommand("网络中断")).GetNumber())
	for range 3 {
		tr.now -= 1_000_000 // all in one moment
		must(t, tr, county, by(agent("qian"), number, sampleCommand("urge")))
	}
}

// A storm of urges from two sites that do not hear of each other tells each person once in a cool-down.
func TestAStormOfUrgesTellsEachPersonOncePerCoolDown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := ladderOffice()
		o := tr.office(county)
		number := TicketNumber(openAt(t, tr).GetNumber())
		if err := tr.drain(); err != nil {
			t.Fatal(err)
		}
		heard := map[string][]int64{}
		hear := func(before *deskpb.Record, event Sealed) {
			notices, err := Notices(o.here, o, News{Event: event, Before: before, After: o.records[number], Time: event.GetTime()})
			if err != nil {
				t.Fatal(err)
			}
			for _, notice := range notices {
				heard[notice.GetUser()] = append(heard[notice.GetUser()], event.GetTime())
			}
		}
		for range rapid.IntRange(1, 40).Draw(t, "urges") {
			tr.now += rapid.Int64Range(0, 6).Draw(t, "minutes") * minute
			site := rapid.SampledFrom([]SiteID{county, city, province}).Draw(t, "site")
			before := o.records[number]
			d, err := tr.do(site, by(agent("qian"), number, sampleCommand("urge")))
			if err == nil && site == county {
				hear(before, d.Events[0])
			}
			for rapid.Bool().Draw(t, "deliver") && len(tr.lines[cityToCounty]) > 0 {
				before, seen := o.records[number], len(o.events[number])
				if err := tr.deliver(cityToCounty); err != nil {
					t.Fatal(err)
				}
				if len(o.events[number]) > seen {
					hear(before, o.events[number][seen])
				}
			}
			for len(tr.lines[provinceToCity]) > 0 {
				if err := tr.deliver(provinceToCity); err != nil {
					t.Fatal(err)
				}
			}
		}
		for person, times := range heard {
			slices.Sort(times)
			for i := 1; i < len(times); i++ {
				if apart := times[i] - times[i-1]; apart < 15*minute {
					t.Fatalf("%s is told twice within %s", person, moment(apart).Sub(moment(0)))
				}
			}
		}
	})
}
