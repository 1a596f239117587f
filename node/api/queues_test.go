package api

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// queueCounts are the queues of a caller by id, as "3" or "3+" for more.
func (a *testAPI) queueCounts(as header) map[string]string {
	return a.queueCountsAt("/api/v1/queues", as)
}

func (a *testAPI) queueCountsAt(path string, as header) map[string]string {
	a.t.Helper()
	counts := map[string]string{}
	queues, _ := a.must("GET", path, "", as).json["queues"].([]any)
	for _, one := range queues {
		queue := one.(map[string]any)
		count := fmt.Sprint(queue["count"])
		if queue["more"] == true {
			count += "+"
		}
		counts[queue["id"].(string)] = count
	}
	return counts
}

// queueTickets are the numbers in a queue of a caller, in the queue's order, through all of its pages.
func (a *testAPI) queueTickets(as header, queue string, query url.Values) (numbers []string) {
	a.t.Helper()
	numbers = []string{}
	for token, pages := "", 0; ; pages++ {
		query.Set("pageToken", token)
		page := a.must("GET", "/api/v1/queues/"+url.PathEscape(queue)+"/tickets?"+query.Encode(), "", as)
		tickets, _ := page.json["tickets"].([]any)
		for _, ticket := range tickets {
			numbers = append(numbers, ticket.(map[string]any)["number"].(string))
		}
		if token = page.text("nextPageToken"); token == "" || pages > 100 {
			return numbers
		}
	}
}

// TestTheQueuesOfAllGroupsAreForThoseWhoSeeThem counts what is open with every group, for those who see it all; nobody is told of a part.
func TestTheQueuesOfAllGroupsAreForThoseWhoSeeThem(t *testing.T) {
	t.Parallel()
	a, _ := withScopes(t)
	for person, want := range map[string]string{
		"agent": "4", "agent, SITE": "4", "auditor, SITE": "4", "agent, GROUPS": "", "agent, OWN": "", "leader of 330108": "", "administrator, OWN": "", "requester": "",
	} {
		counts := a.queueCountsAt("/api/v1/queues?allGroups=true", as(person))
		if counts["group:应用组"] != want {
			t.Errorf("%s is told that %q tickets are open with another group, want %q", person, counts["group:应用组"], want)
		}
		delete(counts, "group:应用组")
		if own := a.queueCounts(as(person)); fmt.Sprint(counts) != fmt.Sprint(own) {
			t.Errorf("%s has besides the queues %v, want %v", person, counts, own)
		}
	}
}

// TestAQueueCountsAndListsWhatTheCallerSees holds the count of every queue, and its pages, against what people of each scope see.
func TestAQueueCountsAndListsWhatTheCallerSees(t *testing.T) {
	t.Parallel()
	a, numbers := withScopes(t)
	inQueue := map[string][]string{
		"mine": {assignedTo}, "group:网络组": {ofGroup}, "group:值班组": {ofMember},
		"unassigned": {ofGroup, ofOther, ofNobody, ofMember, reportedBy, signedBy, arrived},
		"open":       {ofGroup, ofOther, ofNobody, ofMember, reportedBy, signedBy, arrived, assignedTo},
		"escalated":  {passed}, "due-soon": nil, "overdue": nil, "waiting": nil, "in-transit": nil, "call-backs": nil,
	}
	for person, seen := range seenBy() {
		counts := a.queueCounts(as(person))
		if strings.HasPrefix(person, "requester") {
			if listed := a.queueTickets(as(person), "open", url.Values{}); len(counts)+len(listed) > 0 {
				t.Errorf("a %s has the queues %v, and %v in one", person, counts, listed)
			}
			continue
		}
		if len(counts) != len(inQueue) {
			t.Errorf("%s has the queues %v", person, counts)
		}
		for queue, names := range inQueue {
			want := []string{}
			for _, name := range names {
				if slices.Contains(seen, name) {
					want = append(want, numbers[name])
				}
			}
			slices.Sort(want)
			if counts[queue] != fmt.Sprint(len(want)) {
				t.Errorf("%s: queue %s counts %s, want %d", person, queue, counts[queue], len(want))
			}
			for _, size := range []string{"1", "3", "500"} {
				got := a.queueTickets(as(person), queue, url.Values{"pageSize": {size}})
				if slices.Sort(got); !slices.Equal(got, want) {
					t.Errorf("%s: queue %s in pages of %s is %v, want %v", person, queue, size, got, want)
				}
			}
		}
	}
}

// TestQueuesFollowTheWork takes tickets through the states that bring them from one queue into another.
func TestQueuesFollowTheWork(t *testing.T) {
	t.Parallel()
	a := newCastAPI(t, cast{"li": {User: "li", Role: deskpb.User_AGENT}})
	number := a.open(&deskpb.Ticket{Title: "打印机卡纸"})
	due := func(r *deskpb.Record, mark int32) {
		r.Ticket.Sla = []*deskpb.Sla{{Metric: deskpb.Sla_RESPONSE, State: deskpb.Sla_RUNNING, Mark: mark,
			Since: timestamppb.New(time.Unix(1, 0)), DueTime: timestamppb.New(time.Unix(1000-int64(mark), 0))}}
	}
	hold := func(reason string) func() {
		return func() {
			a.decide(number, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Hold{Hold: &deskpb.Hold{Reason: reason, Comment: "等"}}})
		}
	}
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"opened", func() {}, "open unassigned"},
		{"given to li", func() {
			a.decide(number, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Assign{Assign: &deskpb.Assign{Assignee: "li"}}})
		}, "mine open"},
		{"three quarters of the time gone", func() { a.alter(number, func(r *deskpb.Record) { due(r, 75) }) }, "due-soon mine open"},
		{"all the time gone", func() { a.alter(number, func(r *deskpb.Record) { due(r, 100) }) }, "mine open overdue"},
		{"answered late, and nothing else to be late with", func() {
			a.alter(number, func(r *deskpb.Record) {
				r.Ticket.RespondTime = timestamppb.New(time.Unix(2, 0))
				r.Ticket.Sla[0].EndTime, r.Ticket.Sla[0].Since = r.Ticket.RespondTime, nil
			})
		}, "mine open"},
		{"started", func() {
			a.decide(number, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Start{Start: &deskpb.Start{}}})
		}, "mine open"},
		{"waiting for somebody else", hold("waiting-vendor"), "mine open"},
		{"started again", func() {
			a.decide(number, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Resume{Resume: &deskpb.Resume{}}})
		}, "mine open"},
		{"waiting for the requester", hold("waiting-requester"), "mine open waiting"},
		{"started once more", func() {
			a.decide(number, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Resume{Resume: &deskpb.Resume{}}})
		}, "mine open"},
		{"waiting for the line", func() {
			a.decide(number, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Escalate{Escalate: &deskpb.Escalate{Reason: "网络"}}})
		}, "in-transit mine open"},
		{"sent", func() { a.site.dispatch(t, number, "330100") }, "in-transit"},
		{"taken above", func() {
			a.alter(number, func(r *deskpb.Record) { r.Ticket.Handover, r.FromSite = &deskpb.Handover{}, "" })
		}, "escalated"},
		{"solved above, to be called back about", func() {
			a.alter(number, func(r *deskpb.Record) {
				r.Ticket.State = deskpb.Ticket_RESOLVED
				r.Ticket.CallBack = &deskpb.CallBack{DueTime: timestamppb.New(time.Unix(1, 0))}
			})
		}, "call-backs"},
	} {
		step.do()
		var in []string
		for queue, count := range a.queueCounts(as("li")) {
			listed := a.queueTickets(as("li"), queue, url.Values{})
			if count != fmt.Sprint(len(listed)) {
				t.Errorf("%s: queue %s counts %s and lists %v", step.name, queue, count, listed)
			}
			if count != "0" {
				in = append(in, queue)
			}
		}
		slices.Sort(in)
		if got := strings.Join(in, " "); got != step.want {
			t.Errorf("%s: the ticket is in %q, want %q", step.name, got, step.want)
		}
	}
}

// TestAQueueBeginsWithWhatIsDueFirst mixes reasons to wait, which are parts of one queue, and tickets that are never due.
func TestAQueueBeginsWithWhatIsDueFirst(t *testing.T) {
	t.Parallel()
	a := newCastAPI(t, cast{})
	a.site.change(t, func(b *store.Batch) error {
		return b.PutBasePolicy(&deskpb.Policy{HoldReasons: []*deskpb.HoldReason{
			{Name: "r1", UntilReply: true}, {Name: "r2"}, {Name: "r3", UntilReply: true},
		}})
	})
	var want []string
	for i, reason := range []string{"r3", "r1", "r2", "r3", "r1"} {
		number := a.open(&deskpb.Ticket{Title: "等待"})
		a.alter(number, func(r *deskpb.Record) {
			r.Ticket.State, r.Ticket.HoldReason = deskpb.Ticket_ON_HOLD, reason
			if i > 0 { // the first one is never due
				r.Ticket.Sla = []*deskpb.Sla{{Since: timestamppb.New(time.Unix(1, 0)), DueTime: timestamppb.New(time.Unix(int64(100-i), 0))}}
			}
		})
		if reason != "r2" {
			want = append([]string{number}, want...)
		}
	}
	if got := a.queueTickets(as("admin"), "waiting", url.Values{"pageSize": {"1"}}); !slices.Equal(got, want) {
		t.Errorf("waiting are %v, want %v", got, want)
	}
	if got := a.queueCounts(as("admin"))["waiting"]; got != "4" {
		t.Errorf("%s wait for the requester, want 4", got)
	}
}

// TestCountingByLookingEnds has a caller who sees some of many tickets.
func TestCountingByLookingEnds(t *testing.T) {
	t.Parallel()
	a := newCastAPI(t, cast{"li": {User: "li", Role: deskpb.User_AGENT, Scope: deskpb.User_OWN}})
	a.site.change(t, func(b *store.Batch) error {
		for i := range maxLooked + 1 {
			err := b.AddTicket(&deskpb.Record{Ticket: &deskpb.Ticket{
				Number: fmt.Sprintf("330106-20261121-%04d", i+1), State: deskpb.Ticket_NEW, HomeSite: "330106", CustodianSite: "330106",
				Assignee: map[bool]string{true: "li", false: "wang"}[i%10 == 0],
			}})
			if err != nil {
				return err
			}
		}
		return nil
	})
	counts := a.queueCounts(as("li"))
	if counts["open"] != "30+" || counts["mine"] != "31" {
		t.Errorf("li counts %s of the open ones and %s own ones, want 30+ and 31", counts["open"], counts["mine"])
	}
	if got := a.queueCounts(as("admin"))["open"]; got != fmt.Sprint(maxLooked+1) {
		t.Errorf("the administrator counts %s, want all", got)
	}
}

func TestQueuesOfOtherOfficesAndOfNoKind(t *testing.T) {
	t.Parallel()
	a, numbers := withScopes(t)
	got := a.queueTickets(as("agent"), "open", url.Values{"site": {"330100"}})
	if !slices.Contains(got, numbers[passed]) || slices.Contains(got, numbers[ofGroup]) {
		t.Errorf("330100 holds %v", got)
	}
	for target, field := range map[string]string{
		"/api/v1/queues/open/tickets?site=330100&pageToken=AAAAAAAAAAAAAAAA": "pageToken",
		"/api/v1/queues/all/tickets":                                         "queue",
		"/api/v1/queues/group:/tickets":                                      "queue",
		"/api/v1/queues/mine/tickets?site=330100":                            "site",
		"/api/v1/queues/mine/tickets?pageSize=-1":                            "pageSize",
	} {
		if refused := a.call("GET", target, "", as("agent")); refused.status != 400 || !strings.Contains(refused.body, field) {
			t.Errorf("GET %s: %d %s, want a refusal of %s", target, refused.status, refused.body, field)
		}
	}
}
