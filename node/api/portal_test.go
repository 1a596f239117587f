package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// nobody is the header of a call without a token.
func nobody() header { return header{"Authorization", ""} }

const problems = "/api/v1/portal/problems"

// newPortalAPI is a site with a key for links, whose portal has a clock of the test's.
func newPortalAPI(t *testing.T) (*testAPI, *time.Time) {
	a := newCastAPI(t, everyRole())
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	a.server.portal.clock = func() time.Time { return now }
	return a, &now
}

// report has a guest report a problem.
func (a *testAPI) report(request string) answer {
	a.t.Helper()
	return a.call("POST", problems, fmt.Sprintf(
		`{"requestId":%q,"title":"票据打印错位","description":"整体下移一行","name":"王丽","phone":"138-1234-5678"}`, request), nobody())
}

func TestAGuestReportsAndFollowsAProblem(t *testing.T) {
	t.Parallel()
	a, now := newPortalAPI(t)
	made := a.report("r1")
	number, link := made.text("number"), problems+"/"+made.text("token")
	if made.status != http.StatusOK || number == "" {
		t.Fatalf("reporting comes to %d %s", made.status, made.body)
	}
	if again := a.report("r1"); again.text("number") != number {
		t.Errorf("the same request reports %s beside %s", again.text("number"), number)
	}
	if got := a.must("GET", "/api/v1/tickets/"+number, ""); got.text("channel") != "PORTAL" || got.text("requester.name") != "王丽" {
		t.Errorf("the desk has %s", got.body)
	}
	a.must("POST", link+":act", `{"verb":"REPLY","text":"换了一台也是"}`, nobody())
	a.must("POST", link+":act", `{"verb":"URGE"}`, nobody())
	a.must("POST", link+"/attachments?name=a.txt", "text", nobody())
	seen := a.must("GET", link, "", nobody())
	messages := seen.json["messages"].([]any)
	if len(messages) != 2 || !messages[0].(map[string]any)["own"].(bool) {
		t.Fatalf("the guest sees %v, want the own words and the own file", messages)
	}
	file := messages[1].(map[string]any)["id"].(string)
	if got := a.must("GET", link+"/attachments/"+file, "", nobody()); got.body != "text" {
		t.Errorf("the file comes back as %q", got.body)
	}
	a.decide(number, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Resolve{Resolve: &deskpb.Resolve{
		Resolution: &deskpb.Resolution{Code: "solved", Text: "重装驱动"}}}})
	if got := a.must("POST", link+":act", `{"verb":"CONFIRM"}`, nobody()); got.text("state") != "CLOSED" || got.text("solution") != "重装驱动" {
		t.Errorf("confirmed, the guest sees %s", got.body)
	}
	if got := a.must("POST", link+":act", `{"verb":"RATE","satisfaction":{"score":5}}`, nobody()); got.json["satisfaction"].(map[string]any)["score"] != 5.0 {
		t.Errorf("rated, the guest sees %s", got.body)
	}
	*now = now.Add(guestLinkLife + time.Second)
	if got := a.call("GET", link, "", nobody()); got.reason() != "LINK_OVER" {
		t.Errorf("after two hours the link comes to %d %s", got.status, got.body)
	}
	if got := a.call("POST", link+"/attachments?name=a.txt", "text", nobody()); got.reason() != "LINK_OVER" {
		t.Errorf("after two hours a file comes to %d %s", got.status, got.body)
	}
}

// TestAGuestSeesTheOutsideOfAProblem reads a ticket with everything inside by a link, and as the desk previews it.
func TestAGuestSeesTheOutsideOfAProblem(t *testing.T) {
	t.Parallel()
	a, _ := newPortalAPI(t)
	number := a.worked()
	link := problems + "/" + a.must("POST", problems+":open", fmt.Sprintf(`{"number":%q,"phone":"13812345678"}`, number), nobody()).text("token")
	progress := "/api/v1/tickets/" + number + "/progress"
	for name, got := range map[string]answer{
		"a guest":       a.must("GET", link, "", nobody()),
		"the requester": a.must("GET", progress, "", as("requester")),
		"the desk":      a.must("GET", progress, "", as("agent")),
	} {
		for _, secret := range []string{inside, "13812345678", "zhang@example.cn"} {
			if strings.Contains(got.body, secret) {
				t.Errorf("%s is shown %q: %s", name, secret, got.body)
			}
		}
		if !strings.Contains(got.body, "马上来") || !strings.Contains(got.body, "已修好") {
			t.Errorf("%s is not shown the reply and the solution: %s", name, got.body)
		}
	}
	if got := a.call("GET", "/api/v1/tickets/"+number, "", nobody()); got.status != http.StatusUnauthorized {
		t.Errorf("without a token the ticket comes to %d", got.status)
	}
	if other := a.open(&deskpb.Ticket{Title: "别人的"}); a.call("GET", "/api/v1/tickets/"+other+"/progress", "", as("requester")).status != http.StatusNotFound {
		t.Error("a requester follows another one's ticket")
	}
}

func TestWhoGuessesNumbersLearnsNothing(t *testing.T) {
	t.Parallel()
	a, now := newPortalAPI(t)
	number := a.report("").text("number")
	open := func(number, phone string) answer {
		return a.call("POST", problems+":open", fmt.Sprintf(`{"number":%q,"phone":%q}`, number, phone), nobody())
	}
	wrong, unknown := open(number, "13900000000"), open("330106-20261121-9999", "13900000000")
	if wrong.body != unknown.body || wrong.reason() != "UNKNOWN_PAIR" {
		t.Errorf("a wrong telephone number is answered\n%s\nan unknown ticket\n%s", wrong.body, unknown.body)
	}
	for range 30 {
		if got := open(number, "13812345678"); got.status != http.StatusOK {
			t.Fatalf("the right pair counts as a wrong one: %s", got.body)
		}
	}
	for range 9 {
		open(number, "13900000000")
	}
	got := open(number, "13812345678")
	if got.status != http.StatusTooManyRequests || got.reason() != "TOO_MANY_TRIES" || got.header.Get("Retry-After") == "" {
		t.Errorf("after ten wrong ones the right one comes to %d %s, Retry-After %q", got.status, got.body, got.header.Get("Retry-After"))
	}
	*now = now.Add(15 * time.Minute)
	if got := open(number, "13812345678"); got.status != http.StatusOK {
		t.Errorf("a quarter of an hour later the right one comes to %s", got.body)
	}
	for i := range 20 {
		open(fmt.Sprintf("330106-20261121-8%03d", i), "13900000000")
	}
	if got := open("330106-20261121-7000", "13900000000"); got.reason() != "TOO_MANY_TRIES" {
		t.Errorf("twenty wrong numbers of one address do not stop it: %s", got.body)
	}
}

func TestGuestsReportSoManyProblems(t *testing.T) {
	t.Parallel()
	a, now := newPortalAPI(t)
	for i := range 20 {
		if got := a.report(""); got.status != http.StatusOK {
			t.Fatalf("problem %d comes to %s", i+1, got.body)
		}
	}
	if got := a.report(""); got.status != http.StatusTooManyRequests || got.reason() != "TOO_MANY_REPORTS" {
		t.Errorf("the 21st problem comes to %d %s", got.status, got.body)
	}
	*now = now.Add(10 * time.Minute)
	if got := a.report(""); got.status != http.StatusOK {
		t.Errorf("ten minutes later a problem comes to %s", got.body)
	}
}

func TestWhatAGuestMustSay(t *testing.T) {
	t.Parallel()
	a, _ := newPortalAPI(t)
	for body, field := range map[string]string{
		`{"name":"王丽","phone":"13812345678"}`:                                                            "title",
		`{"title":"x","phone":"13812345678"}`:                                                            "name",
		`{"title":"x","name":"王丽"}`:                                                                      "phone",
		`{"title":"x","name":"王丽","phone":"8002"}`:                                                       "phone",
		`{"title":"` + strings.Repeat("长", desk.MaxTitle+1) + `","name":"王","phone":"13812345678"}`:      "title",
		`{"title":"x","name":"王丽","phone":"13812345678","requestId":"` + strings.Repeat("r", 200) + `"}`: "requestId",
	} {
		if got := a.call("POST", problems, body, nobody()); got.status != http.StatusBadRequest || got.field() != field {
			t.Errorf("%.80s comes to %d about %q, want %q: %s", body, got.status, got.field(), field, got.body)
		}
	}
}

func TestThePolicyShutsGuestsOut(t *testing.T) {
	t.Parallel()
	a, _ := newPortalAPI(t)
	number := a.report("").text("number")
	a.must("POST", "/api/v1/policy", `{"source":"portal: {guests: false, contacts: [{title: 服务台, phone: 0571-85060106}]}"}`)
	site := a.must("GET", "/api/v1/portal", "", nobody())
	if site.json["guests"] != false || !strings.Contains(site.body, "0571-85060106") {
		t.Errorf("the support site says %s", site.body)
	}
	if got := a.report(""); got.reason() != "NO_GUESTS" {
		t.Errorf("reporting comes to %s", got.body)
	}
	if got := a.call("POST", problems+":open", fmt.Sprintf(`{"number":%q,"phone":"13812345678"}`, number), nobody()); got.reason() != "UNKNOWN_PAIR" {
		t.Errorf("following comes to %s", got.body)
	}
}

func TestTheSupportSiteShowsNotices(t *testing.T) {
	t.Parallel()
	a, _ := newPortalAPI(t)
	for _, body := range []string{
		`{"kind":"notice","name":"a","title":"周六停电","mediaType":"text/plain","body":"eA=="}`,
		`{"kind":"notice","name":"b","title":"页面","mediaType":"text/html","body":"eA=="}`,
		`{"kind":"manual","name":"c","title":"手册","mediaType":"text/plain","body":"eA=="}`,
	} {
		a.must("POST", "/api/v1/publications", body)
	}
	notices := a.must("GET", "/api/v1/portal", "", nobody()).json["notices"].([]any)
	if len(notices) != 1 || notices[0].(map[string]any)["title"] != "周六停电" || notices[0].(map[string]any)["text"] != "x" {
		t.Errorf("the notices are %v, want the one of plain words", notices)
	}
}

// TestTheSupportSiteTellsOutages tells the applications in which a major incident is open, and nothing else of it.
func TestTheSupportSiteTellsOutages(t *testing.T) {
	t.Parallel()
	a, _ := newPortalAPI(t)
	const known = "budget"
	a.must("POST", "/api/v1/policy", body(t, "source", "applications: [{name: budget, title: 预算一体化}, {name: pay, title: 集中支付}]\n"))
	solved := a.open(&deskpb.Ticket{Title: "很早的故障", Application: known})
	for _, ticket := range []*deskpb.Ticket{
		{Title: "先报的", Application: known}, {Title: "后报的", Application: known}, {Title: "没有应用的"}, {Title: "别处的", Application: "no-application"},
	} {
		number := a.open(ticket)
		a.alter(number, func(r *deskpb.Record) { r.Ticket.Major, r.Ticket.Application = true, ticket.GetApplication() })
	}
	a.open(&deskpb.Ticket{Title: "普通的", Application: known})
	a.alter(solved, func(r *deskpb.Record) { r.Ticket.Major, r.Ticket.State = true, deskpb.Ticket_RESOLVED })
	got := a.must("GET", "/api/v1/portal", "", nobody())
	told := got.json["outages"].([]any)
	if len(told) != 1 || told[0].(map[string]any)["application"].(map[string]any)["name"] != known {
		t.Errorf("the outages are %v, want %s alone", told, known)
	}
	for _, secret := range []string{"先报的", "后报的", "没有应用的"} {
		if strings.Contains(got.body, secret) {
			t.Errorf("everybody is told %q: %s", secret, got.body)
		}
	}
}

// TestTheStepsOfAProblem tells a ticket's way as its requester reads it.
func TestTheStepsOfAProblem(t *testing.T) {
	t.Parallel()
	a, _ := newPortalAPI(t)
	number := a.inState(deskpb.Ticket_CLOSED, "agent")
	seen := a.must("GET", "/api/v1/tickets/"+number+"/progress", "", as("requester"))
	var kinds []string
	for _, step := range seen.json["steps"].([]any) {
		kinds = append(kinds, step.(map[string]any)["kind"].(string))
	}
	if want := []string{"RECEIVED", "ASSIGNED", "STARTED", "SOLVED", "CLOSED"}; !slices.Equal(kinds, want) {
		t.Errorf("the steps are %v, want %v", kinds, want)
	}
}
