package desk

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// Classes of customers 客户类别.
const (
	ClassNormal = "normal"
	ClassVIP    = "vip"
	ClassNew    = "new"
)

const (
	maxPhones    = 5
	keptCalls    = 20 // of the call-backs of a customer that were made
	customerEtag = 8  // bytes
)

// CheckCustomer refuses a customer whose words break a limit.
func CheckCustomer(c *deskpb.Customer) error {
	err := cmp.Or(
		given("requester.id", c.GetId()), oneLine("requester.id", c.GetId(), MaxUser),
		given("requester.name", c.GetName()), oneLine("requester.name", c.GetName(), MaxShort),
		oneLine("requester.unit", c.GetUnit(), MaxShort),
		oneLine("requester.email", c.GetEmail(), MaxShort),
		oneLine("requester.user", c.GetUser(), MaxUser),
		checkList("requester.phones", c.GetPhones(), maxPhones, MaxShort),
		text("requester.note", c.GetNote()))
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"", ClassNormal, ClassVIP, ClassNew}, c.GetClass()) {
		return RefuseField("requester.class", "%q is unknown; use %s, %s or %s", c.GetClass(), ClassNormal, ClassVIP, ClassNew)
	}
	if _, known := deskpb.Customer_Kind_name[int32(c.GetKind())]; !known {
		return RefuseField("requester.kind", "%d is unknown; use PERSON or UNIT", c.GetKind())
	}
	if c.GetSince() < 0 || c.GetSince() > maxTime {
		return RefuseField("requester.since", "it does not lie between 1970 and 9999")
	}
	return nil
}

// PhoneDigits returns what tells one telephone number from another: its digits, without the country code of China.
func PhoneDigits(phone string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, phone)
	if plain := strings.TrimSpace(phone); strings.HasPrefix(plain, "+86") {
		return strings.TrimPrefix(digits, "86")
	}
	return strings.TrimPrefix(digits, "0086")
}

// ClassOf returns the class of a customer at a time, in microseconds since 1970: who is new is so until the last welcome
// call-back was due.
func ClassOf(p *deskpb.Policy, c *deskpb.Customer, at int64) string {
	if settled(c) {
		return c.GetClass()
	}
	var last int64
	for _, days := range p.GetCallBacks().GetWelcomeDays() {
		last = max(last, int64(days))
	}
	if at >= c.GetSince()+last*day {
		return ClassNormal
	}
	return ClassNew
}

// ClassWithin returns the class of a person at a time: the person's own, or, unless that is VIP or normal, the unit's when
// that is VIP or normal. Either may be unknown (nil); somebody of whom only the unit is known has the unit's class.
func ClassWithin(p *deskpb.Policy, person, unit *deskpb.Customer, at int64) string {
	if unit != nil && !settled(person) && (person == nil || settled(unit)) {
		return ClassOf(p, unit, at)
	}
	return ClassOf(p, person, at)
}

// settled tells whether somebody has a class that time does not change.
func settled(c *deskpb.Customer) bool { return c.GetClass() == ClassVIP || c.GetClass() == ClassNormal }

// Customer completes a customer that is to be stored at a time: its kind, since when, the etag, and the call-backs that are due next.
// before is what is stored of the same customer, nil for a new one; its call-backs stay.
func Customer(p *deskpb.Policy, before, asked *deskpb.Customer, at int64) *deskpb.Customer {
	c := proto.CloneOf(asked)
	c.Kind = cmp.Or(c.GetKind(), before.GetKind(), deskpb.Customer_PERSON)
	c.Since = cmp.Or(c.GetSince(), before.GetSince(), at)
	c.Class = cmp.Or(c.GetClass(), before.GetClass(), ClassNew)
	c.UpdateTime = at
	c.Calls = nil
	for _, call := range before.GetCalls() {
		c.Calls = append(c.Calls, proto.CloneOf(call))
	}
	return planCalls(p, c, at)
}

// Called records a call-back that was due. Who was not reached is called again a day later, as often as the policy says.
// It refuses a kind that the customer has no call-back of.
func Called(p *deskpb.Policy, before *deskpb.Customer, made *deskpb.CustomerCall, at int64) (*deskpb.Customer, error) {
	c := proto.CloneOf(before)
	i := slices.IndexFunc(c.Calls, func(call *deskpb.CustomerCall) bool { return call.Done == 0 && call.Kind == made.GetKind() })
	if i < 0 {
		return nil, Refuse(FailedPrecondition, "NO_CALL_BACK", "no %s call-back of %s is to be made", made.GetKind(), c.GetName())
	}
	call := c.Calls[i]
	call.Attempts++
	call.Actor, call.Outcome, call.Comment = made.GetActor(), made.GetOutcome(), made.GetComment()
	call.Satisfaction = proto.CloneOf(made.GetSatisfaction())
	if made.GetOutcome() == deskpb.CallBack_NOT_REACHED && call.Attempts < p.GetCallBacks().GetAttempts() {
		call.Due = inWorkingTime(callCalendar(p), at+day)
	} else {
		call.Done = at
	}
	return planCalls(p, c, at), nil
}

// CheckCustomerCall refuses a record of a call-back whose words break a limit.
func CheckCustomerCall(v *deskpb.PutCustomerCall) error {
	call := v.GetCall()
	if _, known := deskpb.CustomerCall_Kind_name[int32(call.GetKind())]; !known || call.GetKind() == deskpb.CustomerCall_KIND_UNSPECIFIED {
		return RefuseField("kind", "%d is unknown; use WELCOME, REGULAR or VISIT", call.GetKind())
	}
	return cmp.Or(given("requester", v.GetCustomer()), checkOutcome("outcome", call.GetOutcome(), call.GetSatisfaction()),
		text("comment", call.GetComment()), oneLine("actor", call.GetActor(), MaxUser))
}

// NextCall returns when the customer is called next, in microseconds since 1970, and for what kind; 0 for never.
func NextCall(c *deskpb.Customer) (due int64, kind deskpb.CustomerCall_Kind) {
	for _, call := range c.GetCalls() {
		if call.GetDone() == 0 && (due == 0 || call.GetDue() < due) {
			due, kind = call.GetDue(), call.GetKind()
		}
	}
	return due, kind
}

// planCalls keeps what is to be called in step with the customer's class, one call-back of a kind at a time, forgets the
// oldest ones that were made, and renews the etag. The next ones come first, by due time, then those that were made, by time.
func planCalls(p *deskpb.Policy, c *deskpb.Customer, at int64) *deskpb.Customer {
	for _, kind := range []deskpb.CustomerCall_Kind{deskpb.CustomerCall_WELCOME, deskpb.CustomerCall_REGULAR, deskpb.CustomerCall_VISIT} {
		waits := func(call *deskpb.CustomerCall) bool { return call.GetDone() == 0 && call.GetKind() == kind }
		due := nextCallOf(p, c, kind, at)
		if !kindApplies(c, kind) {
			c.Calls = slices.DeleteFunc(c.Calls, waits)
		} else if due != 0 && !slices.ContainsFunc(c.Calls, waits) {
			c.Calls = append(c.Calls, &deskpb.CustomerCall{Kind: kind, Due: due})
		}
	}
	slices.SortStableFunc(c.Calls, func(a, b *deskpb.CustomerCall) int {
		return cmp.Or(cmp.Compare(a.GetDone(), b.GetDone()), cmp.Compare(a.GetDue(), b.GetDue()), cmp.Compare(a.GetKind(), b.GetKind()))
	})
	oldest := slices.IndexFunc(c.Calls, func(call *deskpb.CustomerCall) bool { return call.GetDone() != 0 })
	if over := len(c.Calls) - oldest - keptCalls; oldest >= 0 && over > 0 {
		c.Calls = slices.Delete(c.Calls, oldest, oldest+over)
	}
	c.Etag = etagOfCustomer(c)
	return c
}

// kindApplies tells whether a class is called for a kind: VIP customers regularly, others to welcome them.
func kindApplies(c *deskpb.Customer, kind deskpb.CustomerCall_Kind) bool {
	if kind == deskpb.CustomerCall_WELCOME {
		return c.GetClass() == ClassNew
	}
	return c.GetClass() == ClassVIP
}

// nextCallOf returns when a call-back of a kind is due that is planned now, 0 for never: on the next welcome day, or so
// many months after the last one.
func nextCallOf(p *deskpb.Policy, c *deskpb.Customer, kind deskpb.CustomerCall_Kind, at int64) int64 {
	var due int64
	switch kind {
	case deskpb.CustomerCall_WELCOME:
		for _, days := range slices.Sorted(slices.Values(p.GetCallBacks().GetWelcomeDays())) {
			if due = c.GetSince() + int64(days)*day; due > at {
				return inWorkingTime(callCalendar(p), due)
			}
		}
		return 0
	case deskpb.CustomerCall_REGULAR:
		due = monthsAfter(at, p.GetCallBacks().GetVipMonths())
	case deskpb.CustomerCall_VISIT:
		due = monthsAfter(at, p.GetCallBacks().GetVisitMonths())
	}
	if due == 0 {
		return 0
	}
	return inWorkingTime(callCalendar(p), due)
}

// monthsAfter returns the same day so many months later, or the last one of a shorter month; 0 for no months.
func monthsAfter(at int64, months int32) int64 {
	if months <= 0 {
		return 0
	}
	from := moment(at)
	first := time.Date(from.Year(), from.Month(), 1, from.Hour(), from.Minute(), from.Second(), from.Nanosecond(), time.UTC)
	last := first.AddDate(0, int(months)+1, -1).Day()
	return first.AddDate(0, int(months), min(from.Day(), last)-1).UnixMicro()
}

func callCalendar(p *deskpb.Policy) *deskpb.Calendar {
	return policy.Calendar(p, p.GetCallBacks().GetCalendar())
}

// etagOfCustomer names what is stored of the customer.
func etagOfCustomer(c *deskpb.Customer) []byte {
	hash := sha256.New()
	fmt.Fprintf(hash, "%q %d %q %q %q %q %q %q %d %q %d", c.GetId(), c.GetKind(), c.GetName(), c.GetUnit(), c.GetPhones(), c.GetEmail(), c.GetUser(),
		c.GetClass(), c.GetSince(), c.GetNote(), c.GetUpdateTime())
	for _, call := range c.GetCalls() {
		fmt.Fprintf(hash, " %d %d %d %d", call.GetKind(), call.GetDue(), call.GetDone(), call.GetAttempts())
	}
	return hash.Sum(nil)[:customerEtag]
}
