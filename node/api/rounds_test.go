package api

import (
	"fmt"
	"net/url"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/tiers"
)

// machineRoom is a round of every working day.
func machineRoom() *deskpb.Round {
	return &deskpb.Round{
		Name: "机房", Title: &deskpb.Words{Zh: "机房巡检"}, Template: "machine-room", Group: "运行组", Every: 1, First: 20260101, Minute: 540,
		Calendar: policy.OfficeTime,
	}
}

// withRounds is an API whose policy has a daily round of the machine room.
func withRounds(t *testing.T) *testAPI {
	t.Helper()
	a := newTestAPI(t)
	body, err := proto.Marshal(&deskpb.PolicyDocument{Policy: &deskpb.Policy{Rounds: []*deskpb.Round{machineRoom()}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.site.Propose(t.Context(), &deskpb.Command{Kind: &deskpb.Command_PutPublication{PutPublication: &deskpb.PutPublication{
		Publication: &deskpb.Publication{
			Kind: tiers.PolicyKind, Name: tiers.PolicyName, MediaType: tiers.PolicyMediaType, Body: body, Actor: "admin",
		},
	}}}); err != nil {
		t.Fatalf("publish the policy: %v", err)
	}
	return a
}

func TestRoundsAreListed(t *testing.T) {
	a := withRounds(t)
	listed := a.call("GET", "/api/v1/rounds", "")
	rounds, _ := listed.json["rounds"].([]any)
	if listed.status != 200 || len(rounds) != 1 {
		t.Fatalf("the rounds are %d %s", listed.status, listed.body)
	}
	round := rounds[0].(map[string]any)
	if round["round"].(map[string]any)["name"] != "机房" || round["dueTime"] == nil || round["openedTime"] != nil {
		t.Errorf("the round is %v, want it due and not opened yet", round)
	}
}

func TestARoundReportPagesThroughWhatWasFound(t *testing.T) {
	a := withRounds(t)
	p := policy.Default()
	for due := range int64(5) {
		_, err := a.site.Propose(t.Context(), &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: desk.OpenRound(p, machineRoom(), due, 0)}})
		if err != nil {
			t.Fatalf("open the round for the %d. time: %v", due+1, err)
		}
	}
	var numbers []string
	token, pages := "", 0
	for {
		query := url.Values{"pageSize": {"2"}, "pageToken": {token}}
		page := a.call("GET", "/api/v1/rounds/"+url.PathEscape("机房")+"/report?"+query.Encode(), "")
		if page.status != 200 {
			t.Fatalf("page %d: %d %s", pages, page.status, page.body)
		}
		for _, finding := range page.json["findings"].([]any) {
			f := finding.(map[string]any)
			numbers = append(numbers, f["number"].(string))
			if items := f["items"].([]any); len(items) == 0 || f["state"] != "ASSIGNED" {
				t.Errorf("the finding is %v", f)
			}
		}
		pages++
		if token = page.text("nextPageToken"); token == "" {
			break
		}
	}
	if len(numbers) != 5 || pages != 3 || numbers[0] <= numbers[4] {
		t.Errorf("%d pages have the tickets %q, want five on three, the latest first", pages, numbers)
	}
	other := a.call("GET", "/api/v1/rounds/x/report?pageToken="+url.QueryEscape(a.call("GET",
		"/api/v1/rounds/"+url.PathEscape("机房")+"/report?pageSize=2", "").text("nextPageToken")), "")
	if other.status != 400 {
		t.Errorf("the token of another round's report: %d %s", other.status, other.body)
	}
	for size, want := range map[int]int{-1: 400, 0: 200, 100: 200, 101: 400} {
		path := "/api/v1/rounds/" + url.PathEscape("机房") + "/report"
		if got := a.call("GET", fmt.Sprintf("%s?pageSize=%d", path, size), ""); got.status != want {
			t.Errorf("a page of %d: %d %s, want %d", size, got.status, got.body, want)
		}
	}
}

func TestTheReportOfARoundThatThePolicyDoesNotHave(t *testing.T) {
	a := withRounds(t)
	if got := a.call("GET", "/api/v1/rounds/x/report", ""); got.status != 404 || got.reason() != "ROUND_NOT_FOUND" {
		t.Errorf("a round that is not there: %d %s", got.status, got.body)
	}
	if got := a.call("GET", "/api/v1/rounds/"+url.PathEscape("机房")+"/report", ""); got.status != 200 {
		t.Errorf("a round that was not opened yet: %d %s", got.status, got.body)
	}
	old := machineRoom()
	old.Name = "旧机房"
	if _, err := a.site.Propose(t.Context(), &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: desk.OpenRound(policy.Default(), old, 0, 0)}}); err != nil {
		t.Fatal(err)
	}
	if got := a.call("GET", "/api/v1/rounds/"+url.PathEscape(old.Name)+"/report", ""); got.status != 200 {
		t.Errorf("a round that the policy has no more, but tickets has: %d %s", got.status, got.body)
	}
}
