package desk

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

const aDay = 24 * 60 * minute

func TestPhoneDigits(t *testing.T) {
	for phone, want := range map[string]string{
		"0571-8765 4321":    "057187654321",
		"(0571) 87654321":   "057187654321",
		"+86 138 0000 0001": "13800000001",
		" +86-13800000001":  "13800000001",
		"008613800000001":   "13800000001",
		"8600123":           "8600123",
		"无":                 "",
	} {
		if got := PhoneDigits(phone); got != want {
			t.Errorf("the digits of %q are %q, want %q", phone, got, want)
		}
	}
}

func TestWhoIsNewIsSoUntilTheLastWelcome(t *testing.T) {
	p := policy.Default()
	for name, c := range map[string]struct {
		class string
		days  int64
		want  string
	}{
		"on the first day":             {ClassNew, 0, ClassNew},
		"before the third call-back":   {ClassNew, 14, ClassNew},
		"after two weeks and a day":    {ClassNew, 15, ClassNormal},
		"a VIP customer":               {ClassVIP, 1, ClassVIP},
		"who is said to be normal":     {ClassNormal, 1, ClassNormal},
		"of whom nothing is said":      {"", 1, ClassNew},
		"of whom nothing is said, old": {"", 400, ClassNormal},
	} {
		customer := &deskpb.Customer{Class: c.class, Since: morning}
		if got := ClassOf(p, customer, morning+c.days*aDay); got != c.want {
			t.Errorf("%s is %s, want %s", name, got, c.want)
		}
	}
}

// calls says what is still to be made of a customer, and when.
func calls(c *deskpb.Customer) map[deskpb.CustomerCall_Kind]int64 {
	open := map[deskpb.CustomerCall_Kind]int64{}
	for _, call := range c.GetCalls() {
		if call.GetDone() == 0 {
			open[call.GetKind()] = call.GetDue()
		}
	}
	return open
}

func made(kind deskpb.CustomerCall_Kind, outcome deskpb.CallBack_Outcome) *deskpb.CustomerCall {
	return &deskpb.CustomerCall{Kind: kind, Outcome: outcome, Actor: "lin"}
}

// A new customer is called on days 3, 8 and 15; what falls on a weekend waits until the office opens on Monday.
func TestNewCustomersAreWelcomedThreeTimes(t *testing.T) {
	p := policy.Default()
	begin := at(t, "2026-11-18 10:00:00") // a Wednesday
	c := Customer(p, nil, &deskpb.Customer{Id: "c1", Name: "陈静"}, begin)
	if c.GetClass() != ClassNew || c.GetSince() != begin {
		t.Fatalf("a customer of whom nothing is said is %q since %s", c.GetClass(), moment(c.GetSince()))
	}
	for _, want := range []string{"2026-11-23 09:00:00", "2026-11-26 10:00:00", "2026-12-03 10:00:00"} {
		due := calls(c)[deskpb.CustomerCall_WELCOME]
		if due != at(t, want) || len(calls(c)) != 1 {
			t.Fatalf("the welcome is due at %s of %v, want %s alone", moment(due), calls(c), want)
		}
		var err error
		if c, err = Called(p, c, made(deskpb.CustomerCall_WELCOME, deskpb.CallBack_CONTENT), due); err != nil {
			t.Fatal(err)
		}
	}
	if len(calls(c)) != 0 || len(c.GetCalls()) != 3 {
		t.Errorf("after three welcomes these are kept: %v", c.GetCalls())
	}
	if _, err := Called(p, c, made(deskpb.CustomerCall_WELCOME, deskpb.CallBack_CONTENT), morning); reason(err) != "NO_CALL_BACK" {
		t.Errorf("a fourth welcome comes to %v", err)
	}
}

func TestVIPCustomersAreCalledMonthlyAndVisitedQuarterly(t *testing.T) {
	p := policy.Default()
	begin := at(t, "2026-11-30 10:00:00")
	c := Customer(p, nil, &deskpb.Customer{Id: "c1", Name: "陈静", Class: ClassVIP}, begin)
	open := calls(c)
	// December 30 is a Wednesday; February has no 30th, and its 28th is a Sunday.
	if open[deskpb.CustomerCall_REGULAR] != at(t, "2026-12-30 10:00:00") || open[deskpb.CustomerCall_VISIT] != at(t, "2027-03-01 09:00:00") {
		t.Fatalf("the call-backs are due at %s and %s", moment(open[deskpb.CustomerCall_REGULAR]), moment(open[deskpb.CustomerCall_VISIT]))
	}
	changed := Customer(p, c, &deskpb.Customer{Id: "c1", Name: "陈静", Class: ClassVIP, Phones: []string{"1"}}, begin+aDay)
	if got := calls(changed); got[deskpb.CustomerCall_REGULAR] != open[deskpb.CustomerCall_REGULAR] {
		t.Errorf("another telephone number moves the call-back to %s", moment(got[deskpb.CustomerCall_REGULAR]))
	}
	if string(changed.GetEtag()) == string(c.GetEtag()) {
		t.Error("another telephone number leaves the etag as it was")
	}
	normal := Customer(p, changed, &deskpb.Customer{Id: "c1", Name: "陈静", Class: ClassNormal}, begin+aDay)
	if got := calls(normal); len(got) != 0 {
		t.Errorf("who is VIP no more is still called: %v", got)
	}
}

func TestACustomerWhoIsNotReachedIsCalledAgain(t *testing.T) {
	p := policy.Default()
	c := Customer(p, nil, &deskpb.Customer{Id: "c1", Name: "陈静", Class: ClassVIP}, morning)
	for attempt := range 3 {
		due := calls(c)[deskpb.CustomerCall_VISIT]
		var err error
		if c, err = Called(p, c, made(deskpb.CustomerCall_VISIT, deskpb.CallBack_NOT_REACHED), due); err != nil {
			t.Fatal(err)
		}
		next := calls(c)[deskpb.CustomerCall_VISIT]
		if soon := next < due+5*aDay; soon != (attempt < 2) {
			t.Errorf("after attempt %d at %s the next one is at %s", attempt+1, moment(due), moment(next))
		}
	}
}

func TestTheCallsOfACustomerStayBounded(t *testing.T) {
	p := policy.Default()
	rapid.Check(t, func(t *rapid.T) {
		c := Customer(p, nil, &deskpb.Customer{Id: "c1", Name: "x", Class: ClassVIP}, morning)
		now := morning
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now += rapid.Int64Range(1, 40*aDay).Draw(t, "time")
			class := rapid.SampledFrom([]string{ClassVIP, ClassVIP, ClassNew, ClassNormal}).Draw(t, "class")
			kind := deskpb.CustomerCall_Kind(rapid.IntRange(1, 3).Draw(t, "kind"))
			before := proto.CloneOf(c)
			next := Customer(p, c, &deskpb.Customer{Id: "c1", Name: "x", Class: class}, now)
			if rapid.Bool().Draw(t, "call") {
				outcome := deskpb.CallBack_Outcome(rapid.IntRange(1, 3).Draw(t, "outcome"))
				called, err := Called(p, c, made(kind, outcome), now)
				if refusal := new(Refusal); err != nil && !errors.As(err, &refusal) {
					t.Fatal(err)
				}
				if called != nil {
					next = called
				}
			}
			if !proto.Equal(before, c) {
				t.Fatal("the stored customer was changed")
			}
			c = next
			if open := calls(c); len(c.GetCalls()) > keptCalls+len(open) || len(c.GetCalls()) < len(open) {
				t.Fatalf("%d call-backs are kept beside %d to be made", len(c.GetCalls()), len(open))
			}
			if due, kind := NextCall(c); due != 0 && calls(c)[kind] != due {
				t.Fatalf("the next call-back is said to be %s at %s of %v", kind, moment(due), calls(c))
			}
		}
	})
}

func TestTheFormOfACustomer(t *testing.T) {
	for name, c := range map[string]struct {
		customer *deskpb.Customer
		field    string
	}{
		"the least":               {&deskpb.Customer{Id: "c1", Name: "陈静"}, ""},
		"nobody":                  {&deskpb.Customer{Id: "c1"}, "requester.name"},
		"no id":                   {&deskpb.Customer{Name: "陈静"}, "requester.id"},
		"a class of its own":      {&deskpb.Customer{Id: "c1", Name: "陈静", Class: "gold"}, "requester.class"},
		"neither person nor unit": {&deskpb.Customer{Id: "c1", Name: "陈静", Kind: 3}, "requester.kind"},
		"too many telephones":     {&deskpb.Customer{Id: "c1", Name: "陈静", Phones: strings.Split("1,2,3,4,5,6", ",")}, "requester.phones"},
		"since before 1970":       {&deskpb.Customer{Id: "c1", Name: "陈静", Since: -1}, "requester.since"},
	} {
		t.Run(name, func(t *testing.T) {
			refusal := &Refusal{}
			err := CheckCustomer(c.customer)
			if _ = errors.As(err, &refusal); (err == nil) != (c.field == "") || refusal.Field != c.field {
				t.Errorf("it comes to %v, want the field %q refused", err, c.field)
			}
		})
	}
}

func TestARecordFillsTheRequesterIn(t *testing.T) {
	known := &deskpb.Customer{Id: "c1", Name: "陈静", Unit: "财政局", Phones: []string{"0571-1234"}, Email: "c@x", User: "chen", Class: ClassVIP}
	whole := &deskpb.Requester{Name: "陈静", Unit: "财政局", Phone: "0571-1234", Email: "c@x", User: "chen", Id: "c1", Class: ClassVIP}
	for name, c := range map[string]struct {
		said, want *deskpb.Requester
		refused    string
	}{
		"by id":               {&deskpb.Requester{Id: "c1"}, whole, ""},
		"by digits":           {&deskpb.Requester{Phone: "0571 1234"}, &deskpb.Requester{Name: "陈静", Unit: "财政局", Phone: "0571 1234", Email: "c@x", User: "chen", Id: "c1", Class: ClassVIP}, ""},
		"what is said counts": {&deskpb.Requester{Id: "c1", Phone: "999", Unit: "国库"}, &deskpb.Requester{Name: "陈静", Unit: "国库", Phone: "999", Email: "c@x", User: "chen", Id: "c1", Class: ClassVIP}, ""},
		"a colleague":         {&deskpb.Requester{Name: "王芳", Phone: "0571-1234"}, &deskpb.Requester{Name: "王芳", Phone: "0571-1234"}, ""},
		"an id of elsewhere":  {&deskpb.Requester{Id: "c9", Name: "李雷"}, &deskpb.Requester{Name: "李雷"}, ""},
		"a slip":              {&deskpb.Requester{Id: "c9"}, nil, "INVALID_FIELD"},
		"nobody":              {nil, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			tree := newTree()
			tree.office(county).customers = map[string]*deskpb.Customer{"c1": known}
			d, err := tree.do(county, &deskpb.TicketCommand{Actor: agent("lin"), Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{
				Ticket: &deskpb.Ticket{Title: "t", Requester: proto.CloneOf(c.said)},
			}}})
			if reason(err) != c.refused {
				t.Fatalf("it comes to %v, want %q", err, c.refused)
			}
			if c.refused != "" {
				return
			}
			if got := d.Record.GetTicket().GetRequester(); !proto.Equal(got, c.want) {
				t.Errorf("the requester is %v, want %v", got, c.want)
			}
		})
	}
}

// Who turns out to be the requester is filled in too, and sets the clocks; the home's record stays named at a site without it.
func TestARequesterWhoIsFoundLaterIsFilledIn(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	o := s.tree.office(county)
	o.customers = map[string]*deskpb.Customer{"c1": {Id: "c1", Name: "陈静", Unit: "财政局", Class: ClassVIP}}
	o.policy.Targets = append([]*deskpb.Target{{
		Name: "vip", Metric: deskpb.Sla_RESOLUTION, Within: 60, Match: &deskpb.Match{Classes: []string{ClassVIP}},
	}}, o.policy.GetTargets()...)
	requester := func(r *deskpb.Requester) *deskpb.TicketCommand {
		return classifyCommand(&deskpb.Ticket{Requester: r}, "requester")
	}
	s.do(county, requester(&deskpb.Requester{Id: "c1"}))
	want := &deskpb.Requester{Id: "c1", Name: "陈静", Unit: "财政局", Class: ClassVIP}
	if got := s.ticket(county).GetRequester(); !proto.Equal(got, want) {
		t.Fatalf("the requester is %v, want %v", got, want)
	}
	due := slices.ContainsFunc(s.ticket(county).GetSla(), func(clock *deskpb.Sla) bool { return clock.GetRule() == "vip" })
	if !due {
		t.Errorf("the clocks are %v, want one by the rule for VIP customers", s.ticket(county).GetSla())
	}
	if _, err := s.tree.do(county, by(agent("lin"), s.number, requester(&deskpb.Requester{Id: "c9"}))); reason(err) != "INVALID_FIELD" {
		t.Errorf("a record that nobody has comes to %v", err)
	}
	s.escalateToCity()
	want.Phone = "110"
	s.do(city, requester(want))
	if got := s.ticket(city).GetRequester(); !proto.Equal(got, want) {
		t.Errorf("at the city the requester became %v, want %v", got, want)
	}
}
