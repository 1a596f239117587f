package desk

import (
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// afterVerbs are the verbs for the time after the fact, and what the requester answers.
var afterVerbs = []string{"call back", "rate", "answer", "hold for requester"}

// drawAfter makes one of them up, nil for another verb.
func drawAfter(t *rapid.T, verb string) *deskpb.TicketCommand {
	switch verb {
	case "call back":
		outcome := deskpb.CallBack_Outcome(rapid.IntRange(1, 3).Draw(t, "outcome"))
		if outcome == deskpb.CallBack_NOT_REACHED {
			return callBackCommand(outcome, 0)
		}
		return callBackCommand(outcome, rapid.Int32Range(0, 5).Draw(t, "score"))
	case "rate":
		return rateCommand(rapid.Int32Range(1, 5).Draw(t, "score"))
	case "answer":
		return answerCommand()
	case "hold for requester":
		return holdCommand("waiting-requester", "请提供截图")
	}
	return nil
}

func callBackCommand(outcome deskpb.CallBack_Outcome, score int32) *deskpb.TicketCommand {
	record := &deskpb.RecordCallBack{Outcome: outcome, Comment: "电话回访"}
	if score != 0 {
		record.Satisfaction = &deskpb.Satisfaction{Score: score}
	}
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_RecordCallBack{RecordCallBack: record}}
}

func rateCommand(score int32) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Rate{Rate: &deskpb.Rate{Satisfaction: &deskpb.Satisfaction{Score: score}}}}
}

func answerCommand() *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Reply{Reply: &deskpb.Reply{Text: "截图如下", FromRequester: true}}}
}

func holdCommand(reason, comment string) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Hold{Hold: &deskpb.Hold{Reason: reason, Comment: comment}}}
}

func tickOf(number TicketNumber) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Number: string(number), Actor: &deskpb.Actor{}, Verb: &deskpb.TicketCommand_Tick{Tick: &deskpb.Tick{}}}
}

// at reads a time in Beijing, in microseconds since 1970.
func at(t testing.TB, text string) int64 {
	t.Helper()
	read, err := time.ParseInLocation("2006-01-02 15:04:05", text, time.FixedZone("CST", int(beijing)))
	if err != nil {
		t.Fatal(err)
	}
	return read.UnixMicro()
}

func (s *stage) ticket(site SiteID) *deskpb.Ticket {
	return s.tree.office(site).records[s.number].GetTicket()
}

// refused has the command refused for a reason.
func (s *stage) refused(site SiteID, want string, command *deskpb.TicketCommand) {
	s.t.Helper()
	if command.Actor == nil {
		command = by(agent("lin"), s.number, command)
	}
	if _, err := s.tree.do(site, command); reason(err) != want {
		s.t.Errorf("%s at %s comes to %q (%v), want %s", verbName(command), site, reason(err), err, want)
	}
}

// The public holidays are those that the State Council announced for 2026: National Day from October 1 to 7, with September
// 20 and October 10 as working days.
func TestWorkingDaysAfterTheResolution(t *testing.T) {
	p := policy.Default()
	for name, c := range map[string]struct {
		calendar string
		from     string
		days     int32
		want     string
	}{
		"within a week":                      {policy.OfficeTime, "2026-11-16 10:00:00", 3, "2026-11-19 10:00:00"},
		"over a weekend":                     {policy.OfficeTime, "2026-11-20 10:00:00", 3, "2026-11-25 10:00:00"},
		"from a Saturday":                    {policy.OfficeTime, "2026-11-21 16:00:05", 1, "2026-11-23 16:00:05"},
		"at night":                           {policy.OfficeTime, "2026-11-16 23:59:59", 1, "2026-11-17 23:59:59"},
		"over National Day to a make-up day": {policy.OfficeTime, "2026-09-30 10:00:00", 3, "2026-10-10 10:00:00"},
		"a make-up Sunday":                   {policy.OfficeTime, "2026-09-19 08:00:00", 1, "2026-09-20 08:00:00"},
		"round the clock":                    {policy.AllTime, "2026-09-30 10:00:00", 3, "2026-10-03 10:00:00"},
		"no calendar at all":                 {"", "2026-09-30 10:00:00", 3, "2026-10-03 10:00:00"},
	} {
		t.Run(name, func(t *testing.T) {
			got := workingDaysAfter(policy.Calendar(p, c.calendar), at(t, c.from)+7, c.days)
			if want := at(t, c.want) + 7; got != want {
				t.Errorf("%d working days after %s it is %s, want %s", c.days, c.from, moment(got), moment(want))
			}
		})
	}
	if never := workingDaysAfter(&deskpb.Calendar{Name: "empty"}, morning, 1); never != 0 {
		t.Errorf("a calendar without working days comes to %s, want never", moment(never))
	}
}

func TestAResolvedTicketClosesByItself(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.do(county, sampleCommand("resolve"))
	resolved := micros(s.ticket(county).GetResolveTime())
	want := at(t, "2026-11-25 16:00:00") + resolved - morning // Saturday: Monday, Tuesday, Wednesday
	if got := micros(s.ticket(county).GetAutoCloseTime()); got != want {
		t.Fatalf("resolved on a Saturday at %s it closes at %s, want %s", moment(resolved), moment(got), moment(want))
	}
	if next := NextTime(s.tree.office(county).records[s.number], county); next != want {
		t.Errorf("something is due at %s, want the closing at %s", moment(next), moment(want))
	}
	s.tree.now = want - 2*stampStep
	s.refused(county, "NOT_DUE", tickOf(s.number))
	closed := s.do(county, tickOf(s.number))
	if e := closed.Events[0]; e.GetType() != deskpb.Event_CLOSED || e.GetActor() != "" || e.GetBody().GetText() == "" {
		t.Errorf("the tick wrote %v, want a CLOSED of nobody that says why", e.Event)
	}
	if got := s.ticket(county); got.GetState() != deskpb.Ticket_CLOSED || got.GetAutoCloseTime() != nil {
		t.Errorf("afterwards the ticket is %s and closes at %v", got.GetState(), got.GetAutoCloseTime())
	}
	s.refused(county, "NOT_DUE", tickOf(s.number))
}

func TestATicketThatIsTakenUpAgainStaysOpen(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.do(county, sampleCommand("resolve"))
	s.do(county, sampleCommand("reopen"))
	if got := s.ticket(county).GetAutoCloseTime(); got != nil {
		t.Errorf("a reopened ticket closes by itself at %v", got)
	}
}

func TestATicketResolvedElsewhereClosesByItselfAtHome(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.escalateToCity()
	s.do(city, by(agent("wang"), s.number, sampleCommand("resolve")))
	resolved := micros(s.ticket(city).GetResolveTime())
	if got := s.ticket(city).GetAutoCloseTime(); got != nil {
		t.Errorf("it closes by itself at the city at %v", got)
	}
	s.tree.now += 24 * 60 * minute // the line is slow, which the requester need not wait for
	s.drain()
	want := workingDaysAfter(policy.Calendar(policy.Default(), policy.OfficeTime), resolved, 3)
	if got := micros(s.ticket(county).GetAutoCloseTime()); got != want {
		t.Errorf("back home it closes at %s, want %s, counted from the resolution", moment(got), moment(want))
	}
	if next := NextTime(s.tree.office(city).records[s.number], city); next != 0 {
		t.Errorf("at the city something is due at %s", moment(next))
	}
	if err := s.tree.agree(s.number); err != nil {
		t.Error(err)
	}
}

func TestAMajorIncidentClosesByItselfOnlyAfterItsReview(t *testing.T) {
	s := &stage{t: t, tree: newTree()}
	s.number = TicketNumber(s.do(county, &deskpb.TicketCommand{Actor: agent("lin"), Verb: &deskpb.TicketCommand_Create{
		Create: &deskpb.Create{Ticket: &deskpb.Ticket{Title: "全网中断", Major: true}},
	}}).Record.GetTicket().GetNumber())
	s.do(county, sampleCommand("resolve"))
	if got := s.ticket(county).GetAutoCloseTime(); got != nil {
		t.Fatalf("without a review it closes at %v", got)
	}
	s.do(county, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Review{Review: &deskpb.Review{Text: "双路供电"}}})
	if s.ticket(county).GetAutoCloseTime() == nil {
		t.Error("after the review it does not close by itself")
	}
}

func TestWhoIsCalledBack(t *testing.T) {
	hundred, none := int32(100), int32(0)
	for name, c := range map[string]struct {
		percent int32
		ticket  *deskpb.Ticket
		score   int32
		want    bool
	}{
		"everybody":                       {hundred, &deskpb.Ticket{Title: "t"}, 5, true},
		"nobody":                          {none, &deskpb.Ticket{Title: "t"}, 5, false},
		"a major incident always":         {none, &deskpb.Ticket{Title: "t", Major: true, Review: "r"}, 5, true},
		"a VIP customer always":           {none, &deskpb.Ticket{Title: "t", Requester: &deskpb.Requester{Class: ClassVIP}}, 5, true},
		"a complaint always":              {none, &deskpb.Ticket{Title: "t"}, 2, true},
		"who is only just content is not": {none, &deskpb.Ticket{Title: "t"}, 3, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := &stage{t: t, tree: newTree()}
			s.tree.office(county).policy.CallBacks.Percent = c.percent
			s.tree.office(county).policy.Closing.ReviewMajor = false
			s.number = TicketNumber(s.do(county, &deskpb.TicketCommand{Actor: agent("lin"), Verb: &deskpb.TicketCommand_Create{
				Create: &deskpb.Create{Ticket: c.ticket},
			}}).Record.GetTicket().GetNumber())
			s.do(county, sampleCommand("resolve"))
			s.do(county, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Confirm{Confirm: &deskpb.Confirm{
				Satisfaction: &deskpb.Satisfaction{Score: c.score}}}})
			call := s.ticket(county).GetCallBack()
			if (call != nil) != c.want {
				t.Fatalf("the call-back is %v, planned: want %t", call, c.want)
			}
			// One working hour after a Saturday evening is Monday at ten.
			if c.want && micros(call.GetDueTime()) != at(t, "2026-11-23 10:00:00") {
				t.Errorf("it is due at %s", instant(call.GetDueTime()))
			}
		})
	}
}

func TestTheSampleIsAsLargeAsThePolicySays(t *testing.T) {
	drawn := 0
	for i := range uint32(10000) {
		if sampled(string(Number{Site: county, Day: "20261121", Sequence: i + 1}.TicketNumber()), 30) {
			drawn++
		}
	}
	if drawn < 2850 || drawn > 3150 {
		t.Errorf("of 10000 tickets %d are called back, want about 3000", drawn)
	}
}

// closedTicket is a ticket of the county that was confirmed; its requester is to be called back.
func closedTicket(t *testing.T) *stage {
	s := newStage(t, deskpb.Ticket_CLOSED)
	s.reach(county)
	return s
}

func TestWhoIsNotReachedIsCalledAgainUntilTheAttemptsAreOver(t *testing.T) {
	s := closedTicket(t)
	for attempt := uint32(1); attempt <= 3; attempt++ {
		s.tree.now += 60 * minute
		before := s.tree.now + stampStep
		s.do(county, callBackCommand(deskpb.CallBack_NOT_REACHED, 0))
		call := s.ticket(county).GetCallBack()
		if call.GetAttempts() != attempt || call.GetDone() != (attempt == 3) || call.GetActor() != "lin" {
			t.Fatalf("after attempt %d the call-back is %v", attempt, call)
		}
		if due := micros(call.GetDueTime()); attempt < 3 && due != at(t, "2026-11-23 09:00:00") {
			t.Errorf("a day after %s it is due at %s, want Monday when the office opens", moment(before), moment(due))
		}
	}
}

func TestADissatisfiedRequesterHasTheTicketTakenUpAgain(t *testing.T) {
	for name, command := range map[string]*deskpb.TicketCommand{
		"who says so":           callBackCommand(deskpb.CallBack_DISSATISFIED, 0),
		"who gives two of five": callBackCommand(deskpb.CallBack_CONTENT, 2),
	} {
		t.Run(name, func(t *testing.T) {
			s := closedTicket(t)
			s.do(county, command)
			got := s.ticket(county)
			if got.GetState() != deskpb.Ticket_NEW || got.GetReopenCount() != 1 || !got.GetCallBack().GetDone() || got.GetCallBack().GetDueTime() != nil {
				t.Errorf("the ticket is %s, reopened %d times, call-back %v", got.GetState(), got.GetReopenCount(), got.GetCallBack())
			}
		})
	}
	s := closedTicket(t)
	s.drain()
	s.do(city, by(agent("wang"), s.number, callBackCommand(deskpb.CallBack_DISSATISFIED, 0)))
	s.drain()
	if got := s.ticket(county); got.GetState() != deskpb.Ticket_NEW || got.GetWishes()[0].GetState() != deskpb.Wish_GRANTED {
		t.Errorf("called back by the city the ticket is %s with the wishes %v", got.GetState(), got.GetWishes())
	}
	if err := s.tree.agree(s.number); err != nil {
		t.Error(err)
	}
}

func TestAfterItsReopenWindowATicketIsCalledBackAndStaysClosed(t *testing.T) {
	s := closedTicket(t)
	s.tree.now += 8 * 24 * 60 * minute
	s.do(county, callBackCommand(deskpb.CallBack_DISSATISFIED, 1))
	got := s.ticket(county)
	if got.GetState() != deskpb.Ticket_CLOSED || got.GetCallBack().GetOutcome() != deskpb.CallBack_DISSATISFIED || got.GetSatisfaction().GetScore() != 1 {
		t.Errorf("the ticket is %s, call-back %v, rated %v", got.GetState(), got.GetCallBack(), got.GetSatisfaction())
	}
}

func TestATicketThatIsClosedAgainIsCalledBackAgain(t *testing.T) {
	s := closedTicket(t)
	s.do(county, callBackCommand(deskpb.CallBack_DISSATISFIED, 0))
	s.do(county, sampleCommand("resolve"))
	s.do(county, sampleCommand("close"))
	if call := s.ticket(county).GetCallBack(); call.GetDone() || call.GetDueTime() == nil || call.GetAttempts() != 0 {
		t.Errorf("the call-back is %v, want a new one that is due", call)
	}
}

func TestARatingMayBeChangedForTwelveHours(t *testing.T) {
	s := closedTicket(t) // confirmed with five: the first rating
	first := s.tree.now
	rate := func(score int32, want string) {
		t.Helper()
		_, err := s.tree.do(county, by(agent("lin"), s.number, rateCommand(score)))
		if reason(err) != want {
			t.Fatalf("%s after the first rating, %d comes to %v, want %q", moment(s.tree.now).Sub(moment(first)), score, err, want)
		}
	}
	rate(4, "")
	s.tree.now = first + 12*60*minute - stampStep
	rate(3, "")
	rate(5, "RATING_FINAL")
	if got := s.ticket(county).GetSatisfaction().GetScore(); got != 3 {
		t.Errorf("the score is %d, want the last one that was taken, 3", got)
	}
	s.do(county, sampleCommand("reopen"))
	s.refused(county, "WRONG_STATE", rateCommand(1))
	s.do(county, sampleCommand("resolve"))
	s.tree.now += 13 * 60 * minute
	rate(5, "") // the first one of this resolution, however late
	rate(4, "RATING_FINAL")
}

func TestAComplaintIsCalledBack(t *testing.T) {
	s := newStage(t, deskpb.Ticket_RESOLVED)
	s.reach(county)
	s.do(county, rateCommand(3))
	if call := s.ticket(county).GetCallBack(); call != nil {
		t.Errorf("after a rating of three a call-back is planned: %v", call)
	}
	s.do(county, rateCommand(1))
	if call := s.ticket(county).GetCallBack(); call.GetDueTime() == nil || call.GetDone() {
		t.Errorf("after a rating of one the call-back is %v", call)
	}
	if got := s.ticket(county).GetState(); got != deskpb.Ticket_RESOLVED {
		t.Errorf("a rating alone makes the ticket %s", got)
	}
}

func TestARatingByTheSurveysLinkIsTheRequesters(t *testing.T) {
	s := closedTicket(t)
	rated := s.do(county, &deskpb.TicketCommand{Number: string(s.number), Actor: &deskpb.Actor{}, Verb: rateCommand(4).Verb})
	if e := rated.Events[0]; !e.GetBody().GetFromRequester() || e.GetActor() != "" || e.GetVisibility() != deskpb.Event_EVERYONE {
		t.Errorf("it is written as %v", e.Event)
	}
	if e := s.do(county, rateCommand(4)).Events[0]; e.GetBody().GetFromRequester() {
		t.Error("what the desk writes down counts as said by the link")
	}
	s.refused(county, "PERMISSION_DENIED", &deskpb.TicketCommand{Number: string(s.number), Actor: &deskpb.Actor{}, Verb: sampleCommand("close").Verb})
}

func TestTheFormOfCallBacksAndRatings(t *testing.T) {
	for name, c := range map[string]struct {
		command *deskpb.TicketCommand
		field   string
	}{
		"no outcome":                 {callBackCommand(deskpb.CallBack_OUTCOME_UNSPECIFIED, 0), "outcome"},
		"an unknown outcome":         {callBackCommand(9, 0), "outcome"},
		"a score of who was away":    {callBackCommand(deskpb.CallBack_NOT_REACHED, 5), "satisfaction"},
		"a score of six":             {callBackCommand(deskpb.CallBack_CONTENT, 6), "satisfaction.score"},
		"content without a score":    {callBackCommand(deskpb.CallBack_CONTENT, 0), ""},
		"a rating without a score":   {rateCommand(0), "satisfaction.score"},
		"a negative rating":          {rateCommand(-1), "satisfaction.score"},
		"the best rating":            {rateCommand(5), ""},
		"a rating that says nothing": {&deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Rate{}}, "satisfaction.score"},
	} {
		t.Run(name, func(t *testing.T) {
			err := checkForm(c.command)
			refusal := &Refusal{}
			_ = errors.As(err, &refusal)
			if c.field == "" && err != nil || c.field != "" && refusal.Field != c.field {
				t.Errorf("it comes to %v, want the field %q refused", err, c.field)
			}
		})
	}
}

func TestTheRequestersAnswerEndsTheHold(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.do(county, answerCommand())
	s.refused(county, "INVALID_FIELD", holdCommand("waiting-requester", " "))
	s.do(county, holdCommand("waiting-requester", "请提供截图"))
	s.tree.now += 90 * minute
	s.do(county, sampleCommand("reply"))
	if got := s.ticket(county); got.GetState() != deskpb.Ticket_ON_HOLD {
		t.Fatalf("a reply of the desk makes the ticket %s", got.GetState())
	}
	resumed := s.do(county, answerCommand())
	if got := resumed.Record.GetTicket(); got.GetState() != deskpb.Ticket_NEW || got.GetAssignee() != "" || got.GetRespondTime() == nil {
		t.Errorf("after the answer the ticket is %s of %q, answered at %v", got.GetState(), got.GetAssignee(), got.GetRespondTime())
	}
	if got := resumed.Record.GetTicket().GetPaused()["waiting-requester"]; got != 90*60+2 {
		t.Errorf("the hold is reported with %d seconds, want an hour and a half and two steps", got)
	}
	s.do(county, sampleCommand("start"))
	s.do(county, holdCommand("waiting-vendor", ""))
	s.do(county, answerCommand())
	if got := s.ticket(county); got.GetState() != deskpb.Ticket_ON_HOLD || got.GetHoldReason() != "waiting-vendor" {
		t.Errorf("an answer makes a ticket that waits for the vendor %s", got.GetState())
	}
}

func TestAnAnswerFromElsewhereEndsTheHold(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.escalateToCity()
	s.do(city, by(agent("wang"), s.number, sampleCommand("start")))
	s.do(county, answerCommand()) // on its way while the city puts the ticket on hold
	s.do(city, by(agent("wang"), s.number, holdCommand("waiting-requester", "请提供截图")))
	s.drain()
	if got := s.ticket(city); got.GetState() != deskpb.Ticket_ON_HOLD {
		t.Fatalf("an answer from before the hold makes the ticket %s", got.GetState())
	}
	s.do(county, answerCommand())
	s.drain()
	for _, site := range []SiteID{county, city, province} {
		if got := s.ticket(site); got.GetState() != deskpb.Ticket_IN_PROGRESS || got.GetAssignee() != "wang" {
			t.Errorf("at %s the ticket is %s of %q after the answer", site, got.GetState(), got.GetAssignee())
		}
	}
	if err := s.tree.agree(s.number); err != nil {
		t.Error(err)
	}
}

func TestHoldReasonsAndCodesOfAClosedList(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	p := proto.CloneOf(s.tree.office(county).policy)
	s.tree.office(county).policy = p
	s.do(county, holdCommand("等待天气", ""))
	if got := s.tree.office(county).records[s.number].GetPauses()[0]; !got.GetCounts() {
		t.Error("a reason that the policy does not know does not stop the clocks")
	}
	s.do(county, sampleCommand("resume"))
	p.HoldReasons = append(p.HoldReasons, &deskpb.HoldReason{Name: "lunch"})
	s.do(county, holdCommand("lunch", ""))
	if got := s.tree.office(county).records[s.number].GetPauses()[1]; got.GetCounts() {
		t.Error("a reason that does not pause stops the clocks")
	}
	s.do(county, sampleCommand("resume"))
	if paused := s.ticket(county).GetPaused(); len(paused) != 1 || paused["等待天气"] == 0 {
		t.Errorf("paused is reported as %v, want 等待天气 alone", paused)
	}
	p.Closing.ClosedLists = true
	s.refused(county, "INVALID_FIELD", holdCommand("等待天气", ""))
	for name, c := range map[string]struct {
		required bool
		solution *deskpb.Resolution
		want     string
	}{
		"an unknown code":              {false, &deskpb.Resolution{Code: "x", Text: "y"}, "INVALID_FIELD"},
		"a code without its cause":     {false, &deskpb.Resolution{Code: "bug-fixed", Text: "y"}, "INVALID_FIELD"},
		"no code where one must stand": {true, &deskpb.Resolution{Text: "y"}, "INVALID_FIELD"},
	} {
		p.Closing.CodeRequired = c.required
		if _, err := s.tree.do(county, by(agent("lin"), s.number, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Resolve{
			Resolve: &deskpb.Resolve{Resolution: c.solution}}})); reason(err) != c.want {
			t.Errorf("%s comes to %v, want %s", name, err, c.want)
		}
	}
	p.Closing.CodeRequired = false
	s.do(county, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Resolve{Resolve: &deskpb.Resolve{
		Resolution: &deskpb.Resolution{Code: "bug-fixed", Text: "补丁", RootCause: "空指针"}}}})
}
