package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestEveryVerb drives tickets through their life, one verb after the other.
func TestEveryVerb(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	type step struct {
		verb, body string
		field      string // of the answer
		want       string
	}
	stories := map[string][]step{
		"solved here": {
			{"assign", `{"assignee":"li","group":"桌面组","reason":"值班"}`, "state", "ASSIGNED"},
			{"start", `{}`, "state", "IN_PROGRESS"},
			{"hold", `{"reason":"等待用户","comment":"明天再来"}`, "holdReason", "等待用户"},
			{"resume", `{"comment":"用户已回复"}`, "state", "IN_PROGRESS"},
			{"note", `{"text":"已更换硒鼓"}`, "state", "IN_PROGRESS"},
			{"reply", `{"text":"请再试一次"}`, "state", "IN_PROGRESS"},
			{"urge", `{"reason":"开庭在即"}`, "state", "IN_PROGRESS"},
			{"resolve", `{"resolution":{"code":"FIXED","text":"更换硒鼓","rootCause":"老化"}}`, "resolution.text", "更换硒鼓"},
			{"reopen", `{"reason":"又卡纸"}`, "state", "IN_PROGRESS"},
			{"resolve", `{"resolution":{"code":"FIXED"}}`, "state", "RESOLVED"},
			{"confirm", `{"satisfaction":{"score":5,"comment":"很快"}}`, "state", "CLOSED"},
		},
		"escalated and withdrawn": {
			{"escalate", `{"reason":"需要市级支持"}`, "handover.state", "QUEUED"},
			{"withdraw", `{"reason":"自行解决"}`, "handover.state", "NONE"},
			{"resolve", `{"resolution":{"text":"重启"}}`, "state", "RESOLVED"},
			{"close", `{"comment":"办结"}`, "state", "CLOSED"},
		},
		"not needed":        {{"cancel", `{"reason":"重复报告"}`, "state", "CANCELED"}},
		"without any body":  {{"start", ``, "state", "IN_PROGRESS"}},
		"body of a space":   {{"start", ` `, "state", "IN_PROGRESS"}},
		"starter takes it":  {{"start", `{}`, "assignee", "admin"}},
		"escalation toSite": {{"escalate", `{"reason":"x"}`, "handover.toSite", "330100"}},
	}
	for name, steps := range stories {
		t.Run(name, func(t *testing.T) {
			number := a.create(name)
			for _, s := range steps {
				got := a.call("POST", "/api/v1/tickets/"+number+":"+s.verb, s.body)
				if got.status != http.StatusOK || got.text(s.field) != s.want {
					t.Fatalf("%s: status %d, %s is %q, want %q\n%s", s.verb, got.status, s.field, got.text(s.field), s.want, got.body)
				}
				if etag := got.header.Get("ETag"); etag != `"`+got.text("etag")+`"` || got.text("etag") == "" {
					t.Errorf("%s: ETag header %s, etag field %s", s.verb, etag, got.text("etag"))
				}
			}
		})
	}
}

func TestReturnIsRefusedWhereNobodyEscalated(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	got := a.call("POST", "/api/v1/tickets/"+a.create("x")+":return", `{"reason":"不属于我们"}`)
	if got.status != http.StatusConflict || got.json["code"] != 9.0 {
		t.Errorf("return of a ticket that nobody escalated: %d %s", got.status, got.body)
	}
}

// TestElsewhere plays the verbs on a ticket that this site has handed over.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	number := a.create("服务器宕机")
	a.must("POST", "/api/v1/tickets/"+number+":escalate", `{"reason":"x"}`)
	a.site.dispatch(t, number, "330100")
	for _, c := range []struct {
		verb, body string
		status     int
		reason     string
	}{
		{"note", `{"text":"备注"}`, 200, ""},
		{"reply", `{"text":"回复"}`, 200, ""},
		{"urge", `{}`, 200, ""},
		{"cancel", `{"reason":"不需要了"}`, 200, ""},
		{"start", `{}`, 409, "IN_TRANSIT"},
		{"assign", `{"assignee":"li"}`, 409, "IN_TRANSIT"},
		{"resolve", `{"resolution":{"code":"FIXED"}}`, 409, "IN_TRANSIT"},
	} {
		got := a.call("POST", "/api/v1/tickets/"+number+":"+c.verb, c.body)
		if got.status != c.status || got.reason() != c.reason {
			t.Errorf("%s: status %d, reason %q, want %d, %q\n%s", c.verb, got.status, got.reason(), c.status, c.reason, got.body)
		}
	}
	if wishes, _ := a.must("GET", "/api/v1/tickets/"+number, "").json["wishes"].([]any); len(wishes) != 1 {
		t.Errorf("the wish to cancel is not in the ticket: %v", wishes)
	}
}

// TestTheTicketsForm holds what clients in any language rely on.
func TestTheTicketsForm(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	number := a.create("打印机卡纸")
	got := a.must("GET", "/api/v1/tickets/"+number, "")
	for field, want := range map[string]any{
		"number": number, "kind": "CALL", "state": "NEW", "title": "打印机卡纸", "description": "", "channel": "PHONE",
		"custodyTerm": 1.0, "priority": 3.0, "major": false, "urgeCount": 0.0, "homeSite": "330106", "line": "FIRST",
	} {
		if got.json[field] != want {
			t.Errorf("%s is %#v, want %#v", field, got.json[field], want)
		}
	}
	if got.text("handover.state") != "NONE" {
		t.Errorf("a ticket that goes nowhere shows handover %v", got.json["handover"])
	}
	if tags, ok := got.json["tags"].([]any); !ok || len(tags) != 0 {
		t.Errorf("no tags are shown as %v, want an empty list", got.json["tags"])
	}
	if _, there := got.json["closeTime"]; there {
		t.Errorf("a ticket that is not closed shows closeTime %v", got.json["closeTime"])
	}
	if stale := a.must("GET", "/api/v1/tickets/"+number+"?consistency=stale", ""); stale.text("number") != number {
		t.Errorf("a stale read gives %s", stale.body)
	}
	missing := a.call("GET", "/api/v1/tickets/330106-20260101-0001", "")
	if missing.status != 404 || missing.reason() != "TICKET_NOT_FOUND" || !strings.Contains(missing.text("message"), "330106-20260101-0001") {
		t.Errorf("an unknown number: %d %s", missing.status, missing.body)
	}
}

func TestEtagsGuardAgainstLostUpdates(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	number := a.create("x")
	path := "/api/v1/tickets/" + number
	old := a.must("GET", path, "").header.Get("ETag")
	current := a.must("POST", path+":start", `{}`, header{"If-Match", old}).header.Get("ETag")
	if current == old {
		t.Fatalf("the etag %s did not change with the ticket", old)
	}
	hold := `{"reason":"等待备件"%s}`
	for name, stale := range map[string]answer{
		"header":                 a.call("POST", path+":hold", fmt.Sprintf(hold, ""), header{"If-Match", old}),
		"body":                   a.call("POST", path+":hold", fmt.Sprintf(hold, `,"etag":`+old)),
		"body before the header": a.call("POST", path+":hold", fmt.Sprintf(hold, `,"etag":`+old), header{"If-Match", current}),
	} {
		if stale.status != 409 || stale.json["code"] != 10.0 || stale.reason() != "STALE_ETAG" {
			t.Errorf("stale etag in the %s: %d %s", name, stale.status, stale.body)
		}
	}
	if noted := a.must("POST", path+":note", `{"text":"a"}`).header.Get("ETag"); noted != current {
		t.Errorf("a note changed the etag from %s to %s", current, noted)
	}
	a.must("POST", path+":hold", fmt.Sprintf(hold, `,"etag":`+current))
	a.must("POST", path+":resume", `{}`, header{"If-Match", "*"})
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	create := `{"ticket":{"title":"打印机卡纸"},"requestId":"r-1"}`
	first := a.must("POST", "/api/v1/tickets", create)
	number, path := first.text("number"), "/api/v1/tickets/"+first.text("number")
	if again := a.must("POST", "/api/v1/tickets", create); again.text("number") != number {
		t.Errorf("the same request made tickets %s and %s", number, again.text("number"))
	}
	other := a.call("POST", "/api/v1/tickets", `{"ticket":{"title":"别的"},"requestId":"r-1"}`)
	if other.status != 409 || other.json["code"] != 6.0 || other.reason() != "REQUEST_ID_REUSED" {
		t.Errorf("another body under the same request id: %d %s", other.status, other.body)
	}
	if li := a.must("POST", "/api/v1/tickets", create, header{"Authorization", "Bearer li"}); li.text("number") == number {
		t.Errorf("the request id of one person is taken for another's")
	}
	etag := first.text("etag")
	a.must("POST", path+":start", `{"requestId":"r-1","etag":"`+etag+`"}`) // another method: another scope
	repeated := a.must("POST", path+":start", `{"requestId":"r-1","etag":"`+etag+`"}`)
	if repeated.text("state") != "IN_PROGRESS" {
		t.Errorf("a repetition with the etag of the first try: %s", repeated.body)
	}
	a.must("POST", path+":start", `{"requestId":"r-1"}`) // the etag is no part of what is asked
	a.must("POST", path+":urge", `{"requestId":"u-1"}`)
	if urged := a.must("POST", path+":urge", `{"requestId":"u-1"}`); urged.json["urgeCount"] != 1.0 {
		t.Errorf("urging twice under one request id counts %v", urged.json["urgeCount"])
	}
	long := a.call("POST", path+":urge", `{"requestId":"`+strings.Repeat("x", 129)+`"}`)
	if long.status != 400 || long.field() != "requestId" {
		t.Errorf("a request id of 129 characters: %d %s", long.status, long.body)
	}
}

func TestJournalPages(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	number := a.create("x")
	path := "/api/v1/tickets/" + number
	a.must("POST", path+":start", `{}`)
	for i := range 20 {
		a.must("POST", path+":note", fmt.Sprintf(`{"text":"第 %d 步"}`, i))
	}
	var types, texts []string
	token := ""
	for pages := 0; ; pages++ {
		page := a.must("GET", path+"/journal?pageSize=7&pageToken="+token, "")
		entries, _ := page.json["entries"].([]any)
		for _, e := range entries {
			entry := e.(map[string]any)
			types = append(types, entry["type"].(string))
			texts = append(texts, entry["text"].(string))
			if !strings.HasPrefix(entry["id"].(string), "330106-") || entry["custodyTerm"] != 1.0 || entry["actor"] != "admin" {
				t.Fatalf("entry %v", entry)
			}
			if changes := entry["changes"].([]any); (len(changes) > 0) == (entry["type"] == "NOTED") {
				t.Errorf("a step of type %s has changes %v", entry["type"], changes)
			}
		}
		if token = page.text("nextPageToken"); token == "" {
			break
		}
		if pages > 5 {
			t.Fatal("the pages do not end")
		}
	}
	if len(types) != 22 || types[0] != "OPENED" || types[1] != "STARTED" || texts[21] != "第 19 步" {
		t.Errorf("the journal's pages give %v %v", types, texts)
	}
	own := a.must("GET", path+"/journal?pageSize=7", "").text("nextPageToken")
	if foreign := a.call("GET", "/api/v1/tickets/"+a.create("y")+"/journal?pageToken="+own, ""); foreign.status != 400 || foreign.field() != "pageToken" {
		t.Errorf("a token of another ticket's journal: %d %s", foreign.status, foreign.body)
	}
	if missing := a.call("GET", "/api/v1/tickets/330106-20260101-0001/journal", ""); missing.status != 404 {
		t.Errorf("the journal of an unknown number: %d", missing.status)
	}
}
