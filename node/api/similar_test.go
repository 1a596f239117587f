package api

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	origin := a.must("POST", "/api/v1/tickets", `{"ticket":{"title":"打印机和网络都坏了","category":"硬件"}}`)
	number := origin.text("number")
	part := a.must("POST", "/api/v1/tickets/"+number+":split", `{"title":"打印机坏了","requestId":"r1"}`)
	if part.text("title") != "打印机坏了" || part.text("category") != "硬件" || part.text("number") == number {
		t.Errorf("the part is %s", part.body)
	}
	again := a.must("POST", "/api/v1/tickets/"+number+":split", `{"title":"打印机坏了","requestId":"r1"}`)
	if again.text("number") != part.text("number") {
		t.Errorf("the same request opens %s and then %s", part.text("number"), again.text("number"))
	}
	links, _ := a.must("GET", "/api/v1/tickets/"+number, "").json["links"].([]any)
	if fmt.Sprint(links) != fmt.Sprintf("[map[kind:SPLIT_INTO number:%s]]", part.text("number")) {
		t.Errorf("the origin has the links %v", links)
	}
	if got := a.call("POST", "/api/v1/tickets/"+number+":split", `{"etag":"0000000000000000"}`); got.reason() != "STALE_ETAG" {
		t.Errorf("a split of what has changed: %d %s", got.status, got.body)
	}
	if got := a.call("POST", "/api/v1/tickets/330106-20200101-0001:split", `{}`); got.status != http.StatusNotFound {
		t.Errorf("a split of nothing: %d %s", got.status, got.body)
	}
}

func TestWorkingTogether(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	number, other := a.create("断电"), a.create("打不开")
	added := a.must("POST", "/api/v1/tickets/"+number+":addTask",
		`{"task":{"kind":"COSIGN","title":"会签","mandatory":true,"signers":[{"user":"admin"}]}}`)
	if tasks, _ := added.json["tasks"].([]any); len(tasks) != 1 {
		t.Fatalf("the tasks are %v", added.json["tasks"])
	}
	if got := a.call("POST", "/api/v1/tickets/"+number+":resolve", `{"resolution":{"text":"x"}}`); got.status != 409 || got.reason() != "OPEN_TASKS" {
		t.Errorf("resolve beside an open mandatory task: %d %s", got.status, got.body)
	}
	a.must("POST", "/api/v1/tickets/"+number+":changeTask", `{"task":1,"action":"AGREE","result":"同意"}`)
	a.must("POST", "/api/v1/tickets/"+number+":link", `{"kind":"PARENT_OF","other":"`+other+`"}`)
	a.must("POST", "/api/v1/tickets/"+number+":resolve", `{"resolution":{"text":"送电"}}`)
	if child := a.must("GET", "/api/v1/tickets/"+other, ""); child.text("state") != "RESOLVED" || child.text("resolution.text") != "送电" {
		t.Errorf("the child is %s", child.body)
	}
	late := a.create("重复")
	merged := a.must("POST", "/api/v1/tickets/"+late+":merge", `{"into":"`+number+`"}`)
	if merged.text("mergedInto") != number {
		t.Errorf("the merged ticket is %s", merged.body)
	}
	if noted := a.must("POST", "/api/v1/tickets/"+late+":note", `{"text":"又一个电话"}`); noted.text("number") != number {
		t.Errorf("a note on the merged ticket is answered with %s", noted.text("number"))
	}
}

func TestSimilarTickets(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	open := func(title, application string) string {
		return a.must("POST", "/api/v1/tickets", fmt.Sprintf(`{"ticket":{"title":%q,"application":%q}}`, title, application)).text("number")
	}
	exact, near := open("打印机卡纸", "综合平台"), open("打印机不打印", "综合平台")
	open("网络中断", "综合平台")
	elsewhere := open("打印机卡纸", "人事系统")
	ended := open("打印机卡纸", "综合平台")
	a.must("POST", "/api/v1/tickets/"+ended+":cancel", `{"reason":"x"}`)
	find := func(query string) string {
		found, _ := a.must("GET", "/api/v1/tickets:similar?"+query, "").json["tickets"].([]any)
		words := ""
		for _, f := range found {
			similar := f.(map[string]any)
			words += fmt.Sprint(similar["ticket"].(map[string]any)["number"], " ", similar["likeness"], ";")
		}
		return words
	}
	title := "title=" + url.QueryEscape("打印机卡纸")
	application := "&application=" + url.QueryEscape("综合平台")
	for query, want := range map[string]string{
		title + application:                       exact + " 100;" + near + " 44;",
		title + application + "&pageSize=1":       exact + " 100;",
		title:                                     elsewhere + " 100;" + exact + " 100;" + near + " 44;",
		"title=xyz" + application:                 "",
		title + "&category=" + "x":                "",
		title + application + "&category=ignored": exact + " 100;" + near + " 44;",
	} {
		if got := find(query); got != want {
			t.Errorf("similar?%s finds %q, want %q", query, got, want)
		}
	}
	for _, query := range []string{"", title + "&pageSize=21", title + "&pageSize=-1"} {
		if got := a.call("GET", "/api/v1/tickets:similar?"+query, ""); got.status != http.StatusBadRequest {
			t.Errorf("similar?%s: status %d, want 400", query, got.status)
		}
	}
}

func TestRepeats(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	open := func(application, category string) string {
		return a.must("POST", "/api/v1/tickets",
			fmt.Sprintf(`{"ticket":{"title":"又坏了","application":%q,"category":%q}}`, application, category)).text("number")
	}
	first, second := open("综合平台", "硬件"), open("综合平台", "硬件")
	open("综合平台", "软件")
	last, alone := open("综合平台", "硬件"), open("", "")
	got := a.must("GET", "/api/v1/tickets/"+last+"/repeats?days=1", "")
	if got.json["count"] != 2.0 || fmt.Sprint(got.json["numbers"]) != fmt.Sprintf("[%s %s]", second, first) || got.json["days"] != 1.0 {
		t.Errorf("the repeats are %s", got.body)
	}
	if got := a.must("GET", "/api/v1/tickets/"+alone+"/repeats", ""); got.json["count"] != 0.0 || got.json["days"] != 90.0 {
		t.Errorf("a ticket without an application repeats %s", got.body)
	}
	if got := a.call("GET", "/api/v1/tickets/"+last+"/repeats?days=367", ""); got.status != http.StatusBadRequest {
		t.Errorf("a year and two days back: status %d, want 400", got.status)
	}
}
