package api

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// Tickets of the scope tests, by names.
const (
	ofGroup     = "held here, with the network group"
	ofOther     = "held here, with another group"
	ofNobody    = "held here, with no group"
	ofMember    = "held here, with a group whose policy names the people"
	reportedBy  = "reported by the people"
	assignedTo  = "assigned to the people"
	signedBy    = "to be signed by the people"
	arrived     = "of another office, held here"
	passed      = "of this office, held above"
	elsewhere   = "of another office, held elsewhere"
	belowOffice = "of an office below the people's, held elsewhere"
)

// scopes are people of each scope. Everybody is called the same as far as tickets name people.
func scopes() cast {
	of := func(role deskpb.User_Role, scope deskpb.User_Scope, offices ...string) *deskpb.Actor {
		return &deskpb.Actor{User: "wang", Role: role, Scope: scope, Groups: []string{"网络组"}, Offices: offices}
	}
	return cast{
		"requester":          of(deskpb.User_REQUESTER, deskpb.User_SCOPE_UNSPECIFIED),
		"requester, SUBTREE": of(deskpb.User_REQUESTER, deskpb.User_SUBTREE),
		"agent, OWN":         of(deskpb.User_AGENT, deskpb.User_OWN),
		"agent, GROUPS":      of(deskpb.User_AGENT, deskpb.User_GROUPS),
		"agent, SITE":        of(deskpb.User_AGENT, deskpb.User_SITE),
		"agent":              of(deskpb.User_AGENT, deskpb.User_SCOPE_UNSPECIFIED),
		"leader of 330108":   of(deskpb.User_LEADER, deskpb.User_SUBTREE, "330108"),
		"auditor, SITE":      of(deskpb.User_AUDITOR, deskpb.User_SITE),
		"administrator, OWN": of(deskpb.User_ADMINISTRATOR, deskpb.User_OWN),
	}
}

// seenBy says who sees what.
func seenBy() map[string][]string {
	own := []string{reportedBy, assignedTo, signedBy}
	groups := append([]string{ofGroup, ofNobody, ofMember}, own...)
	site := append([]string{ofOther, arrived, passed}, groups...)
	// What has come from another office has no group yet.
	groups = append(groups, arrived)
	return map[string][]string{
		"requester":          {reportedBy},
		"requester, SUBTREE": {reportedBy},
		"agent, OWN":         own,
		"agent, GROUPS":      groups,
		"agent, SITE":        site,
		"agent":              append([]string{elsewhere, belowOffice}, site...),
		"leader of 330108":   append([]string{elsewhere, belowOffice}, groups...),
		"auditor, SITE":      site,
		"administrator, OWN": own,
	}
}

// withScopes is an API with these people and tickets; numbers are by the tickets' names.
func withScopes(t testing.TB) (a *testAPI, numbers map[string]string) {
	t.Helper()
	a = newCastAPI(t, scopes())
	a.site.change(t.(*testing.T), func(b *store.Batch) error {
		return b.PutBasePolicy(&deskpb.Policy{Groups: []*deskpb.Team{
			{Name: "网络组"}, {Name: "应用组"}, {Name: "值班组", Members: []string{"wang"}},
		}})
	})
	numbers = map[string]string{}
	for _, name := range []string{ofGroup, ofOther, ofNobody, ofMember, reportedBy, assignedTo, signedBy, arrived, passed, elsewhere, belowOffice} {
		numbers[name] = a.open(&deskpb.Ticket{Title: "打印机卡纸", Application: "预算系统"})
		a.alter(numbers[name], func(r *deskpb.Record) { place(r, name) })
	}
	return a, numbers
}

// place puts a ticket where its name says.
func place(r *deskpb.Record, name string) {
	t := r.Ticket
	t.Group = "应用组"
	switch name {
	case ofGroup:
		t.Group = "网络组"
	case ofNobody:
		t.Group = ""
	case ofMember:
		t.Group = "值班组"
	case reportedBy:
		t.Requester = &deskpb.Requester{User: "wang"}
	case assignedTo:
		t.Assignee = "wang"
	case signedBy:
		t.Tasks = []*deskpb.Task{{Id: 1, Kind: deskpb.Task_APPROVAL, Site: "330106", Signers: []*deskpb.Signer{{User: "wang"}}}}
	case arrived:
		t.HomeSite, t.Group = "330105", ""
		r.Path = []string{"330105", "330100", "330000"}
	case passed:
		t.CustodianSite = "330100"
	case elsewhere:
		t.HomeSite, t.CustodianSite = "330108", "330100"
		r.Path = []string{"330108", "330100", "330000"}
	case belowOffice:
		t.HomeSite, t.CustodianSite = "33010801", "330100"
		r.Path = []string{"33010801", "330108", "330100"}
	}
}

// TestWhatIsNotSeenIsNotThere makes every call about one ticket, over both transports, for every scope: where the ticket is not seen
// the answer is the one about a number that nobody knows, word for word.
func TestWhatIsNotSeenIsNotThere(t *testing.T) {
	t.Parallel()
	a, numbers := withScopes(t)
	calls := onTicket()
	for method, sample := range readsOfTicket() {
		calls[method] = sample.request
	}
	reads := readsOfTicket()
	unknown := strings.Repeat("9", len(numbers[ofGroup]))
	for _, transport := range a.transports(t) {
		for who := range scopes() {
			for method, request := range calls {
				s := setting{number: unknown, other: numbers[ofGroup], attachment: "none", user: "wang"}
				want := transport.call(t, who, method, request(s))
				for name, number := range numbers {
					_, isRead := reads[method]
					seen := slices.Contains(seenBy()[who], name)
					if seen && !isRead {
						continue // what verbs come to is another matrix
					}
					s.number = number
					got := transport.call(t, who, method, request(s))
					same := got.code == want.code && got.reason == want.reason && got.message == strings.ReplaceAll(want.message, unknown, number)
					if same == seen && want.code != codes.PermissionDenied {
						t.Errorf("%s, over %s: %s of a ticket %s: %s; of an unknown one: %s; seen is %v",
							who, transport.name, method, name, got, want, seen)
					}
				}
			}
		}
	}
}

// TestAnotherTicketThatIsNotSeen names tickets that are not seen from one that is: nothing tells them from unknown numbers.
func TestAnotherTicketThatIsNotSeen(t *testing.T) {
	t.Parallel()
	a, numbers := withScopes(t)
	const who, unknown = "agent, GROUPS", "330106-20200101-9999"
	hidden := numbers[ofOther]
	a.alter(numbers[ofNobody], func(r *deskpb.Record) { r.Ticket.MergedInto = hidden })
	for _, transport := range a.transports(t) {
		for name, request := range map[string]func(other string) (string, proto.Message){
			"linked": func(other string) (string, proto.Message) {
				return "Tickets/LinkTicket", &apipb.LinkTicketRequest{Number: numbers[ofGroup], Kind: deskpb.TicketLink_RELATED, Other: other}
			},
			"merged": func(other string) (string, proto.Message) {
				return "Tickets/MergeTicket", &apipb.MergeTicketRequest{Number: numbers[ofGroup], Into: other}
			},
			"followed": func(other string) (string, proto.Message) {
				return "Tickets/CreateTicket", &apipb.CreateTicketRequest{
					Ticket: &deskpb.Ticket{Title: "又坏了"}, Origin: &deskpb.TicketLink{Kind: deskpb.TicketLink_FOLLOWS, Number: other},
				}
			},
		} {
			method, about := request(hidden)
			got := transport.call(t, who, method, about)
			_, about = request(unknown)
			want := transport.call(t, who, method, about)
			if got.code != want.code || got.reason != want.reason || got.message != strings.ReplaceAll(want.message, unknown, hidden) || got.code == codes.OK {
				t.Errorf("%s over %s: %s; an unknown one: %s", name, transport.name, got, want)
			}
		}
		noted := transport.call(t, who, "Tickets/NoteTicket", &apipb.NoteTicketRequest{Number: numbers[ofNobody], Text: "又一个电话"})
		if ticket, _ := noted.answer.(*deskpb.Ticket); ticket.GetNumber() == hidden {
			t.Errorf("a note on a merged ticket is answered with the ticket %s, which is not seen", hidden)
		}
	}
}

// TestListsHoldWhatIsSeen pages through all lists of tickets in every order.
func TestListsHoldWhatIsSeen(t *testing.T) {
	t.Parallel()
	a, numbers := withScopes(t)
	for who, names := range seenBy() {
		var want []string
		for _, name := range names {
			want = append(want, numbers[name])
		}
		slices.Sort(want)
		queries := []string{"", "orderBy=updateTime"}
		if !strings.HasPrefix(who, "requester") {
			queries = append(queries, "orderBy=number", "orderBy=number+desc", "orderBy=priority&filter=state+%3D+NEW")
		}
		for _, query := range queries {
			if got := a.pages(who, "/api/v1/tickets?pageSize=1&"+query, numbers); !slices.Equal(got, want) {
				t.Errorf("%s lists by %q %v, want %v", who, query, got, want)
			}
		}
		for name, number := range numbers {
			got := a.must("GET", "/api/v1/tickets?filter="+url.QueryEscape(fmt.Sprintf("number = %q", number)), "", as(who)).json["tickets"].([]any)
			if seen := slices.Contains(names, name); (len(got) == 1) != seen {
				t.Errorf("%s finds %d tickets by the number of one %s; seen is %v", who, len(got), name, seen)
			}
		}
		if strings.HasPrefix(who, "requester") {
			continue
		}
		similar := a.must("GET", "/api/v1/tickets:similar?pageSize=20&title="+url.QueryEscape("打印机卡纸"), "", as(who)).json["tickets"].([]any)
		if len(similar) != len(want) {
			t.Errorf("%s finds %d tickets alike, want %d", who, len(similar), len(want))
		}
	}
}

// pages reads a list to its end. No token gives a number away that the caller did not see on a page.
func (a *testAPI) pages(who, target string, numbers map[string]string) (listed []string) {
	a.t.Helper()
	for token := ""; ; {
		page := a.must("GET", target+"&pageToken="+url.QueryEscape(token), "", as(who))
		for _, ticket := range page.json["tickets"].([]any) {
			listed = append(listed, ticket.(map[string]any)["number"].(string))
		}
		if token = page.text("nextPageToken"); token == "" {
			slices.Sort(listed)
			return listed
		}
		opened, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			a.t.Fatal(err)
		}
		for name, number := range numbers {
			if strings.Contains(string(opened), number) && !slices.Contains(seenBy()[who], name) {
				a.t.Errorf("a token for %s tells of a ticket %s", who, name)
			}
		}
	}
}

// TestCountsAreOfWhatIsSeen: repeats, notices and call-backs count and list what the caller sees.
func TestCountsAreOfWhatIsSeen(t *testing.T) {
	t.Parallel()
	a, numbers := withScopes(t)
	last := a.open(&deskpb.Ticket{Title: "打印机卡纸", Application: "预算系统"})
	for who, want := range map[string]float64{"agent, GROUPS": 7, "agent": 11} {
		if got := a.must("GET", "/api/v1/tickets/"+last+"/repeats", "", as(who)).json["count"]; got != want {
			t.Errorf("%s counts %v repeats, want %v", who, got, want)
		}
	}
	a.site.change(t, func(b *store.Batch) error {
		for i, name := range []string{ofOther, ofGroup} {
			err := b.AddNotice(&deskpb.Notice{User: "wang", Ticket: numbers[name], Title: name, Time: int64(i), Key: name})
			if err != nil {
				return err
			}
		}
		return nil
	})
	for who, want := range map[string]int{"agent, GROUPS": 1, "agent": 2, "requester": 0} {
		got := a.must("GET", "/api/v1/notices", "", as(who))
		if list := got.json["notices"].([]any); len(list) != want || got.json["unread"] != float64(want) {
			t.Errorf("%s is shown %s, want %d notices", who, got.body, want)
		}
	}
	for _, name := range []string{ofOther, ofGroup} {
		a.alter(numbers[name], func(r *deskpb.Record) {
			r.Ticket.CallBack = &deskpb.CallBack{DueTime: r.Ticket.OpenTime}
		})
	}
	a.site.change(t, func(b *store.Batch) error {
		return b.PutCustomer(&deskpb.Customer{Id: "c1", Name: "许晴", Calls: []*deskpb.CustomerCall{{Kind: deskpb.CustomerCall_WELCOME, Due: 1}}})
	})
	for who, want := range map[string]int{"agent, GROUPS": 2, "agent": 3} {
		if got := a.must("GET", "/api/v1/callBacks", "", as(who)); len(got.json["calls"].([]any)) != want {
			t.Errorf("%s has to call %s, want %d calls", who, got.body, want)
		}
		if got := a.queueCounts(as(who))["call-backs"]; got != fmt.Sprint(want) {
			t.Errorf("%s is told of %s calls to make, want %d", who, got, want)
		}
	}
}

// TestARequestersListCostsLittle reads the three tickets of a requester among many of others by the few rows of their own.
func TestARequestersListCostsLittle(t *testing.T) {
	t.Parallel()
	query := store.Query{Index: store.ByGroup, Value: "网络组", Descending: true}
	who := sight{actor: &deskpb.Actor{User: "wang", Role: deskpb.User_REQUESTER}}
	got, err := who.narrowed(query)
	if err != nil || got.Index != store.ByRequester || got.Value != "wang" || !got.Descending {
		t.Errorf("a requester's list is read by %+v, %v", got, err)
	}
	for _, index := range []store.Index{store.ByNumber, store.ByState} {
		if _, err := who.narrowed(store.Query{Index: index}); err == nil {
			t.Errorf("a requester's list may be read by index %d, which holds everybody's", index)
		}
	}
	who.actor.Role = deskpb.User_AGENT
	if got, err := who.narrowed(query); err != nil || got.Index != query.Index {
		t.Errorf("an agent's list is read by %+v, %v; want as asked", got, err)
	}
	if desk.May(&deskpb.Actor{User: "wang", Role: deskpb.User_REQUESTER}, desk.TicketList) != nil {
		t.Error("a requester may not list tickets")
	}
}

// TestWhoSeesAllSeesEach: what is taken to see everything sees every one of these tickets.
func TestWhoSeesAllSeesEach(t *testing.T) {
	t.Parallel()
	for who, actor := range scopes() {
		if all, every := desk.SeesAll(actor), len(seenBy()[who]) == len(seenBy()["agent"]) && len(actor.Offices) == 0; all != every {
			t.Errorf("%s is taken to see everything: %v, want %v", who, all, every)
		}
	}
}
