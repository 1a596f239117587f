package api

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// putCustomer writes a requester's record down as the site's log would.
func putCustomer(b *store.Batch, c *deskpb.PutRequester, at desk.Stamp) error {
	before, err := b.Customer(c.Customer.GetId())
	if err != nil {
		return err
	}
	policy, err := tiers.Policy(b.Reader)
	if err != nil {
		return err
	}
	return b.PutCustomer(desk.Customer(policy, before, c.Customer, at.Time))
}

// change changes the site's state beside its log.
func (s *memorySite) change(t *testing.T, change func(*store.Batch) error) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.store.NewBatch()
	defer b.Discard()
	if err := change(b); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(s.store.Applied()+1, 1); err != nil {
		t.Fatal(err)
	}
}

func (s *memorySite) giveSurveyKey(t *testing.T) {
	t.Helper()
	s.change(t, func(b *store.Batch) error {
		site, err := b.Site()
		if err != nil {
			return err
		}
		site.SurveyKey = make([]byte, desk.SurveyKeySize)
		return b.PutSite(site)
	})
}

func (a *testAPI) resolved(title string) string {
	a.t.Helper()
	number := a.create(title)
	a.must("POST", "/api/v1/tickets/"+number+":resolve", `{"resolution":{"text":"已重启"}}`)
	return number
}

// TestASurvey follows a link from the desk to the requester, who is not signed in.
func TestASurvey(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	nobody := header{"Authorization", ""}
	number := a.resolved("打印机卡纸")
	if got := a.call("POST", "/api/v1/tickets/"+number+":survey", ""); got.status != 503 || got.reason() != "NO_SURVEY_KEY" {
		t.Errorf("a survey before the site has a key: %d %s", got.status, got.body)
	}
	a.site.giveSurveyKey(t)
	open := a.create("还没解决")
	if got := a.call("POST", "/api/v1/tickets/"+open+":survey", ""); got.status != 409 || got.reason() != "WRONG_STATE" {
		t.Errorf("a survey of an open ticket: %d %s", got.status, got.body)
	}
	if got := a.call("POST", "/api/v1/tickets/"+number+":survey", "", nobody); got.status != 401 {
		t.Errorf("a link for who is not signed in: %d", got.status)
	}
	made := a.must("POST", "/api/v1/tickets/"+number+":survey", "")
	link := made.text("url")
	if page := made.text("page"); page != surveyPage+strings.TrimPrefix(link, surveyPath) {
		t.Errorf("the page of %s is %s", link, page)
	}
	if until, err := time.Parse(time.RFC3339, made.text("expireTime")); err != nil || time.Until(until).Round(time.Hour) != 7*24*time.Hour {
		t.Errorf("the link holds until %s, want a week", made.text("expireTime"))
	}
	shown := a.must("GET", link, "", nobody)
	if shown.text("title") != "打印机卡纸" || shown.text("state") != "RESOLVED" || strings.Contains(shown.body, number) {
		t.Errorf("the requester sees %s, want title and state alone", shown.body)
	}
	if got := a.call("POST", link, `{"satisfaction":{"score":7}}`, nobody); got.status != 400 {
		t.Errorf("seven of five: %d %s", got.status, got.body)
	}
	if got := a.must("POST", link, `{"satisfaction":{"score":4,"comment":"快"}}`, nobody); got.json["satisfaction"].(map[string]any)["score"] != 4.0 {
		t.Errorf("the answer is shown as %s", got.body)
	}
	journal := a.must("GET", "/api/v1/tickets/"+number+"/journal", "").body
	if !strings.Contains(journal, "RATED") {
		t.Errorf("the journal does not know of the rating: %s", journal)
	}
	secret := strings.TrimPrefix(link, surveyPath)
	for name, text := range map[string]string{"journal": journal, "log": a.log.String()} {
		if strings.Contains(text, secret) {
			t.Errorf("the %s holds the secret of the link", name)
		}
	}
	for _, forged := range []string{secret[:len(secret)-1] + "A", "x", url.PathEscape("一")} {
		if got := a.call("GET", surveyPath+forged, "", nobody); got.status != 404 || got.reason() != "UNKNOWN_SURVEY" {
			t.Errorf("the link %q: %d %s", forged, got.status, got.body)
		}
	}
	old := desk.SurveyToken(make([]byte, desk.SurveyKeySize), desk.TicketNumber(number), time.Now().Add(-time.Second).UnixMicro())
	if got := a.call("POST", surveyPath+old, `{"satisfaction":{"score":1}}`, nobody); got.status != 409 || got.reason() != "SURVEY_OVER" {
		t.Errorf("a link whose time is over: %d %s", got.status, got.body)
	}
}

func TestRequesters(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	made := a.must("POST", "/api/v1/requesters", `{"requester":{"name":"陈静","unit":"财政局","phones":["0571-8765 4321"],"class":"vip"}}`)
	id := made.text("id")
	if id == "" || made.text("etag") == "" || len(made.json["calls"].([]any)) != 2 {
		t.Fatalf("the requester is %s", made.body)
	}
	if got := a.must("GET", "/api/v1/requesters/"+id, ""); got.text("unit") != "财政局" {
		t.Errorf("read again it is %s", got.body)
	}
	for search, want := range map[string]int{"": 1, "0571-87": 1, "陈": 1, "财政": 1, "李": 0, "1387": 0} {
		list := a.must("GET", "/api/v1/requesters?search="+url.QueryEscape(search), "")
		if got := len(list.json["requesters"].([]any)); got != want {
			t.Errorf("%q finds %d, want %d: %s", search, got, want, list.body)
		}
	}
	ticket := a.must("POST", "/api/v1/tickets", `{"ticket":{"title":"无法登录","requester":{"phone":"057187654321"}}}`)
	if ticket.text("requester.name") != "陈静" || ticket.text("requester.class") != "vip" || ticket.text("requester.id") != id {
		t.Errorf("a call from the known number is by %s", ticket.body)
	}
	a.create("另一张")
	history := a.must("GET", "/api/v1/tickets?filter="+url.QueryEscape(fmt.Sprintf("requester.id = %q", id)), "")
	if got := history.json["tickets"].([]any); len(got) != 1 {
		t.Errorf("the history has %d tickets, want 1", len(got))
	}
	body, err := json.Marshal(map[string]any{"requester": map[string]any{"name": "陈静", "unit": "国库"}, "etag": made.text("etag")})
	if err != nil {
		t.Fatal(err)
	}
	if got := a.must("POST", "/api/v1/requesters/"+id, string(body)); got.text("unit") != "国库" || got.text("class") != "vip" {
		t.Errorf("changed it is %s", got.body)
	}
	if got := a.call("POST", "/api/v1/requesters/"+id, `{"requester":{"name":"x"},"etag":"no"}`); got.status != 400 {
		t.Errorf("an etag that is none: %d %s", got.status, got.body)
	}
	if got := a.call("DELETE", "/api/v1/requesters/"+id, "", header{"Authorization", "Bearer li"}); got.status != 403 || got.reason() != "PERMISSION_DENIED" {
		t.Errorf("an agent forgets a requester: %d %s", got.status, got.body)
	}
	if got := a.call("GET", "/api/v1/requesters/nobody", ""); got.status != 404 {
		t.Errorf("a requester who is not there: %d", got.status)
	}
}

func TestTheWorkListOfCallBacks(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	var numbers []string
	for i := range 3 {
		number := a.resolved(fmt.Sprint("第", i))
		a.must("POST", "/api/v1/tickets/"+number+":close", "")
		numbers = append(numbers, number)
	}
	made := a.must("POST", "/api/v1/requesters", `{"requester":{"name":"陈静"}}`)
	list := func(query string) (got []string, next string) {
		t.Helper()
		page := a.must("GET", "/api/v1/callBacks?"+query, "")
		for _, call := range page.json["calls"].([]any) {
			entry := answer{json: call.(map[string]any)}
			got = append(got, entry.text("ticket.number")+entry.text("requester.id"))
		}
		return got, page.text("nextPageToken")
	}
	if got, _ := list("due=2026-11-20T00:00:00Z"); len(got) != 0 {
		t.Errorf("before anything is due there is %v", got)
	}
	first, next := list("due=2026-12-31T00:00:00Z&pageSize=2")
	second, last := list("due=2026-12-31T00:00:00Z&pageSize=2&pageToken=" + url.QueryEscape(next))
	want := append(append([]string{}, numbers...), made.text("id"))
	if got := append(first, second...); strings.Join(got, " ") != strings.Join(want, " ") || last != "" {
		t.Errorf("in pages of two these are due: %v and %v, then %q; want %v", first, second, last, want)
	}
	a.must("POST", "/api/v1/tickets/"+numbers[0]+":callBack", `{"outcome":"CONTENT","satisfaction":{"score":5}}`)
	if got, _ := list("due=2026-12-31T00:00:00Z"); len(got) != 3 || got[0] != numbers[1] {
		t.Errorf("after one call these are due: %v", got)
	}
	if got := a.call("POST", "/api/v1/callBacks:customer", `{"requester":"`+made.text("id")+`","kind":"WELCOME","outcome":"CONTENT"}`); got.status != 200 {
		t.Errorf("the customer's call: %d %s", got.status, got.body)
	}
	if got := a.call("GET", "/api/v1/callBacks?due=soon", ""); got.status != 400 {
		t.Errorf("a time that is none: %d %s", got.status, got.body)
	}
}

// recordCall writes a customer's call down as the site's log would.
func recordCall(b *store.Batch, c *deskpb.PutCustomerCall, at desk.Stamp) error {
	known, err := b.Customer(c.GetCustomer())
	if err != nil {
		return err
	}
	policy, err := tiers.Policy(b.Reader)
	if err != nil {
		return err
	}
	called, err := desk.Called(policy, known, c.GetCall(), at.Time)
	if err != nil {
		return err
	}
	return b.PutCustomer(called)
}

func TestUnits(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	unit := a.must("POST", "/api/v1/requesters", `{"requester":{"name":"财政局","kind":"UNIT","class":"vip","phones":["0571-100"]}}`)
	person := a.must("POST", "/api/v1/requesters", `{"requester":{"name":"陈静","unit":"财政局"}}`)
	if unit.text("kind") != "UNIT" || person.text("kind") != "PERSON" {
		t.Errorf("the unit is %s, the person %s", unit.body, person.body)
	}
	for query, want := range map[string]string{
		"kind=UNIT": "财政局", "kind=PERSON": "陈静", "kind=UNIT&search=0571": "财政局", "kind=PERSON&search=0571": "", "kind=UNIT&search=财": "财政局",
	} {
		var got string
		for _, found := range a.must("GET", "/api/v1/requesters?"+query, "").json["requesters"].([]any) {
			got += found.(map[string]any)["name"].(string)
		}
		if got != want {
			t.Errorf("%s lists %q, want %q", query, got, want)
		}
	}
	for _, requester := range []string{`{"id":"` + person.text("id") + `"}`, `{"name":"李雷","phone":"0571100"}`} {
		ticket := a.must("POST", "/api/v1/tickets", `{"ticket":{"title":"无法登录","requester":`+requester+`}}`)
		if ticket.text("requester.unit") != "财政局" || ticket.text("requester.class") != "vip" {
			t.Errorf("the ticket of %s is by %s", requester, ticket.body)
		}
	}
	a.create("另一张")
	history := a.must("GET", "/api/v1/tickets?filter="+url.QueryEscape(`requester.unit = "财政局"`), "")
	if got := history.json["tickets"].([]any); len(got) != 2 {
		t.Errorf("the history of the unit has %d tickets, want those of its 2 people", len(got))
	}
	if got := a.call("GET", "/api/v1/requesters?kind=9", ""); got.status != 400 {
		t.Errorf("people of no kind: %d %s", got.status, got.body)
	}
}
