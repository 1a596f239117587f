package api

import (
	"encoding/binary"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"go.einride.tech/aip/filtering"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// list makes one call of ListTickets.
func (a *testAPI) list(filter, order string, size int, token string) answer {
	a.t.Helper()
	query := url.Values{"filter": {filter}, "orderBy": {order}, "pageSize": {fmt.Sprint(size)}, "pageToken": {token}}
	return a.call("GET", "/api/v1/tickets?"+query.Encode(), "")
}

// listAll goes through all pages and returns the numbers, and how many pages there were.
func (a *testAPI) listAll(filter, order string, size int) (numbers []string, pages int) {
	a.t.Helper()
	token := ""
	for {
		page := a.list(filter, order, size, token)
		if page.status != 200 {
			a.t.Fatalf("list %q by %q: %d %s", filter, order, page.status, page.body)
		}
		tickets, _ := page.json["tickets"].([]any)
		if len(tickets) > size {
			a.t.Fatalf("list %q by %q: a page of %d tickets, asked for %d", filter, order, len(tickets), size)
		}
		for _, ticket := range tickets {
			numbers = append(numbers, ticket.(map[string]any)["number"].(string))
		}
		if pages++; pages > 2000 {
			a.t.Fatalf("list %q by %q: the pages do not end", filter, order)
		}
		if token = page.text("nextPageToken"); token == "" {
			return numbers, pages
		}
	}
}

// TestPaging goes through a thousand tickets by every order and finds each that fits exactly once.
func TestPaging(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	const count = 1000
	assignees := []string{"li", "wang", "zhao"}
	titles := map[string]string{}
	var all []string
	for i := range count {
		title := fmt.Sprintf("工单 %d", i)
		body := fmt.Sprintf(`{"ticket":{"title":%q,"assignee":%q,"group":"g%d","category":"打印","urgency":%d,
			"requester":{"user":"u%d","name":"报告人 %d"}}}`, title, assignees[i%3], i%7, i%3+1, i%50, i)
		number := a.must("POST", "/api/v1/tickets", body).text("number")
		titles[number] = title
		all = append(all, number)
	}
	everyNth := func(n, rest int) []string {
		var found []string
		for i := rest; i < count; i += n {
			found = append(found, all[i])
		}
		return found
	}
	for _, c := range []struct {
		filter, order string
		size          int
		want          []string
		ordered       bool // want is in the list's order; backwards when the order ends in desc
	}{
		{"", "", 37, all, true},
		{"", "updateTime desc", 500, all, true},
		{"", "updateTime", 64, all, true},
		{"", "number", 99, all, true},
		{"", "number desc", 100, all, true},
		{"assignee = li", "", 10, everyNth(3, 0), true},
		{"assignee = li", "updateTime", 10, everyNth(3, 0), true},
		{`assignee = "wang" AND group = g3`, "", 5, everyNth(21, 10), true},
		{"requester.user = u7", "updateTime", 3, everyNth(50, 7), true},
		{`requester.name = "报告人 12"`, "", 5, []string{all[12]}, true},
		{"custodianSite = 330106 AND category = 打印", "", 200, all, true},
		{"state = ASSIGNED", "priority", 33, all, false},
		{"state = ASSIGNED AND priority = 2", "priority", 33, everyNth(3, 0), false},
		{"priority <= 2", "number", 50, everyNth(3, 0), true},
		{"state = NEW", "", 50, nil, true},
		{"number = " + all[77], "", 50, []string{all[77]}, true},
		{"number = " + all[77] + " AND assignee = li", "", 50, nil, true},
		{`title : "单 99"`, "number", 50, append([]string{all[99]}, all[990:]...), true},
	} {
		got, pages := a.listAll(c.filter, c.order, c.size)
		if fewest := (count + c.size - 1) / c.size; c.filter == "" && pages != fewest {
			t.Errorf("all by %q in pages of %d: %d pages, want %d", c.order, c.size, pages, fewest)
		}
		want := slices.Clone(c.want)
		switch {
		case !c.ordered:
			slices.Sort(got)
		case c.order == "" || strings.HasSuffix(c.order, "desc"):
			slices.Reverse(want)
		}
		if !slices.Equal(got, want) {
			t.Errorf("list %q by %q in pages of %d: %d tickets, want %d; first %v, want %v",
				c.filter, c.order, c.size, len(got), len(want), head(got), head(want))
		}
	}
	priorities, _ := a.listAll("state = ASSIGNED", "priority", 50)
	if first := a.must("GET", "/api/v1/tickets/"+priorities[0], ""); first.json["priority"] != 2.0 {
		t.Errorf("by priority the first has %v, want the most pressing, 2", first.json["priority"])
	}
}

func head(numbers []string) []string { return numbers[:min(3, len(numbers))] }

// TestAPageLooksAtABoundedNumberOfRows asks for what only the oldest of 1,500 tickets has.
func TestAPageLooksAtABoundedNumberOfRows(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	rare := a.create("稀有")
	for range 1500 {
		a.create("寻常")
	}
	page := a.list("title = 稀有", "", 10, "")
	if tickets, _ := page.json["tickets"].([]any); len(tickets) != 0 || page.text("nextPageToken") == "" {
		t.Errorf("the first page looked further than %d rows: %s", scanRows, page.body)
	}
	found, pages := a.listAll("title = 稀有", "", 10)
	if !slices.Equal(found, []string{rare}) || pages != 2 {
		t.Errorf("found %v in %d pages, want %s in 2", found, pages, rare)
	}
}

// TestAPageReadsNoMoreThanItNeeds counts the rows that are read for a page where only some tickets are NEW.
func TestAPageReadsNoMoreThanItNeeds(t *testing.T) {
	t.Parallel()
	const rows = 3000
	for _, c := range []struct {
		filter  string
		size    int
		every   int
		found   int
		behind  int // rows that the position to go on from has passed
		amounts []int
	}{
		{"", 50, 1, 50, 50, []int{50}},
		{"", 500, 7, 500, 500, []int{500}},
		{"state = NEW", 50, 1, 50, 50, []int{50}},
		{"state = NEW", 500, 1, 500, 500, []int{500}},
		{"state = NEW", 10, 3, 10, 28, []int{10, 20}},
		{"state = NEW", 300, 2, 300, 599, []int{300, 200, 200}},
		{"state = NEW", 50, rows, 1, scanRows, []int{50, 100, 200, 200, 200, 200, 50}},
		{"state = NEW", 500, rows, 1, rows, []int{500, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200}},
	} {
		wanted, err := compileFilter(filterFields(), c.filter)
		if err != nil {
			t.Fatal(err)
		}
		var amounts []int
		read := func(q store.Query) (page store.Page, _ error) {
			amounts = append(amounts, q.Limit)
			row := 0
			if q.After != nil {
				row = int(binary.BigEndian.Uint32(q.After))
			}
			for end := min(rows, row+q.Limit); row < end; {
				ticket := &deskpb.Ticket{State: deskpb.Ticket_CLOSED}
				if row%c.every == 0 {
					ticket.State = deskpb.Ticket_NEW
				}
				row++
				page.Records = append(page.Records, &deskpb.Record{Ticket: ticket})
				page.Cursors = append(page.Cursors, binary.BigEndian.AppendUint32(nil, uint32(row)))
			}
			if row < rows {
				page.Next = binary.BigEndian.AppendUint32(nil, uint32(row))
			}
			return page, nil
		}
		fits := func(record *deskpb.Record) bool { return wanted.matches(record.GetTicket()) }
		found, next, err := scan(t.Context(), read, store.Query{}, fits, c.size)
		if err != nil {
			t.Fatal(err)
		}
		behind := rows
		if next != nil {
			behind = int(binary.BigEndian.Uint32(next))
		}
		if len(found) != c.found || behind != c.behind || !slices.Equal(amounts, c.amounts) {
			t.Errorf("a page of %d of %q where every %dth row is NEW: %d tickets in %d rows, read by %v; want %d in %d, by %v",
				c.size, c.filter, c.every, len(found), behind, amounts, c.found, c.behind, c.amounts)
		}
	}
}

func TestPageTokensBelongToTheirList(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	for i := range 10 {
		a.create(fmt.Sprint(i))
	}
	token := a.list("state = NEW", "updateTime desc", 3, "").text("nextPageToken")
	if again := a.list("state = NEW", " updateTime  desc ", 5, token); again.status != 200 {
		t.Errorf("the token with another page size: %d %s", again.status, again.body)
	}
	for name, got := range map[string]answer{
		"another filter": a.list("state = NEW AND line = FIRST", "updateTime desc", 3, token),
		"another order":  a.list("state = NEW", "updateTime", 3, token),
		"cut off":        a.list("state = NEW", "updateTime desc", 3, token[:len(token)-2]),
		"made longer":    a.list("state = NEW", "updateTime desc", 3, token+"AA"),
		"not base64":     a.list("state = NEW", "updateTime desc", 3, "!"+token),
		"of users":       a.list("state = NEW", "updateTime desc", 3, pageScope{"users"}.seal([]byte("li"))),
	} {
		if got.status != 400 || got.field() != "pageToken" {
			t.Errorf("a token that is %s: %d %s", name, got.status, got.body)
		}
	}
}

func TestThePlannerTakesTheIndexWithTheFewestRows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		filter, order string
		want          store.Query
	}{
		{"", "", store.Query{Index: store.ByUpdate, Descending: true}},
		{"", "updateTime", store.Query{Index: store.ByUpdate}},
		{"", "number desc", store.Query{Index: store.ByNumber, Descending: true}},
		{"state = NEW", "priority", store.Query{Index: store.ByState, Value: "NEW"}},
		{"state = NEW", "", store.Query{Index: store.ByUpdate, Descending: true}},
		{"custodianSite = 330100 AND assignee = li", "", store.Query{Index: store.ByAssignee, Value: "li", Descending: true}},
		{"assignee = li AND custodianSite = 330100", "updateTime", store.Query{Index: store.ByAssignee, Value: "li"}},
		{"assignee = li AND requester.user = u1", "", store.Query{Index: store.ByRequester, Value: "u1", Descending: true}},
		{"requester.name = 张三", "", store.Query{Index: store.ByUpdate, Descending: true}},
		{"assignee != li", "", store.Query{Index: store.ByUpdate, Descending: true}},
		{`assignee = ""`, "", store.Query{Index: store.ByUpdate, Descending: true}},
		{"assignee = li", "number", store.Query{Index: store.ByNumber}},
	} {
		compiled, err := compileFilter(filterFields(), c.filter)
		if err != nil {
			t.Fatal(err)
		}
		got, err := planQuery(compiled, c.order)
		if err != nil || got.Index != c.want.Index || got.Value != c.want.Value || got.Descending != c.want.Descending {
			t.Errorf("filter %q by %q: %+v %v, want %+v", c.filter, c.order, got, err, c.want)
		}
	}
	if _, err := planQuery(nil, "priority"); err == nil || !strings.Contains(err.Error(), "state = ") {
		t.Errorf("priority without a state: %v", err)
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	ticket := sample()
	for _, c := range []struct {
		filter string
		want   bool
	}{
		{"", true},
		{"  ", true},
		{"state=IN_PROGRESS", true},
		{"state = IN_PROGRESS AND line = SECOND", true},
		{"state != NEW", true},
		{"state = NEW", false},
		{"handover.state = QUEUED", true},
		{"kind = INCIDENT AND channel = EMAIL", true},
		{"priority <= 2", true},
		{"priority < 2", false},
		{"priority >= 2 AND priority > 1", true},
		{"priority > -1", true},
		{"severity != 1", false},
		{"major = true", true},
		{"major != true", false},
		{`assignee = "li"`, true},
		{`assignee = 'li'`, true},
		{"assignee = li-2", false},
		{"group = 网络组", true},
		{"number = 330106-20261121-0042", true},
		{"number = 330106-20261121-0042-K7Q", false},
		{"requester.user = zhang.san", true},
		{`requester.name = "张 三"`, true},
		{"homeSite = 330106 AND custodianSite = 330100", true},
		{`title : "vpn"`, true},
		{"title : VPN", true},
		{"title : 打印", false},
		{`title = "VPN \"断开\" 了"`, true},
		{"updateTime >= 2026-11-21T08:00:00+08:00", true},
		{`updateTime > "2026-11-21T00:00:00Z"`, false},
		{"openTime < 2026-11-21T00:00:00Z", false}, // it has none
		{`category = "AND"`, false},
	} {
		compiled, err := compileFilter(filterFields(), c.filter)
		if err != nil {
			t.Errorf("filter %q: %v", c.filter, err)
			continue
		}
		if got := compiled.matches(ticket); got != c.want {
			t.Errorf("filter %q: %v, want %v", c.filter, got, c.want)
		}
	}
}

func TestFiltersThatAreRefused(t *testing.T) {
	t.Parallel()
	for filter, words := range map[string]string{
		"colour = red":                   "known are application, assignee, category",
		"state = SLEEPING":               "known are NEW, ASSIGNED, IN_PROGRESS",
		"state = STATE_UNSPECIFIED":      "known are NEW",
		"state = new":                    "known are NEW",
		"state < NEW":                    "use = or !=",
		"state":                          "state = value",
		"state =":                        "ends where a value should stand",
		"state = NEW AND":                "ends where a condition should stand",
		"AND state = NEW":                "does not begin with a field",
		"= NEW":                          "does not begin with a field",
		"state = NEW OR state = CLOSED":  "OR is not supported",
		"NOT state = NEW":                "NOT is not supported",
		"-state = NEW":                   "NOT is not supported",
		"(state = NEW)":                  "parentheses are not supported",
		"duration(openTime) = 1":         "unknown field \"duration\"",
		"title(x)":                       "functions such as title(…) are not supported",
		"state = NEW line = FIRST":       "join conditions by AND",
		"state = NEW and line = FIRST":   "join conditions by AND",
		"title = 打印机 卡纸":                 "double quotes",
		"title = a=b":                    "double quotes",
		`title = "open`:                  "quotation mark without its partner",
		`title = "\q"`:                   "escape",
		"priority = high":                "not a whole number",
		"priority : 1":                   "use =, !=, <, <=, > or >=",
		"major = yes":                    "true or false",
		"major > true":                   "use = or !=",
		"updateTime > yesterday":         "2026-11-21T08:00:00+08:00",
		"assignee : li":                  "use = or !=",
		strings.Repeat("a", maxFilter+1): "longer than 4096 bytes",
		strings.TrimSuffix(strings.Repeat("line = FIRST AND ", maxConditions+1), "AND "): "more than 32 conditions",
	} {
		_, err := compileFilter(filterFields(), filter)
		if err == nil {
			t.Errorf("filter %.60q is taken", filter)
			continue
		}
		if !strings.HasPrefix(err.Error(), "filter: ") || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "\n") {
			t.Errorf("filter %.60q: %q, want one line with %q", filter, err, words)
		}
	}
}

// FuzzFilter: no text breaks the compiler or the filter that it makes.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		"", "state = NEW AND priority <= 2", `title : "a\"b"`, "number = 330106-20261121-0042", "NOT a", "((", "a.b.c = 1", "\xff",
		"state = NEW AND AND", "a = 'x", "updateTime > 2026-11-21T08:00:00+08:00", "a = 0x1F", "title = \\", "￿",
	} {
		f.Add(seed)
	}
	fields, ticket := filterFields(), sample()
	f.Fuzz(func(t *testing.T, text string) {
		compiled, err := compileFilter(fields, text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "filter: ") {
				t.Errorf("filter %q: the refusal %q does not name the field", text, err)
			}
			return
		}
		compiled.matches(ticket)
		compiled.matches(&deskpb.Ticket{})
		if _, err := planQuery(compiled, ""); err != nil {
			t.Errorf("filter %q has no plan: %v", text, err)
		}
		for _, c := range compiled {
			if !c.op.IsComparator() || c.op == filtering.TokenTypeWhitespace {
				t.Errorf("filter %q: %q is no operator", text, c.op)
			}
		}
	})
}
