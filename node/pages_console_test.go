package node

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	rowNumber  = regexp.MustCompile(`<tr id="row-([^"]+)"`)
	narrowLink = regexp.MustCompile(`href="([^"]+)" data-key="f"`)
)

// rowsOf are the tickets of a list, in the order of their numbers.
func rowsOf(page string) (numbers []string) {
	for _, found := range rowNumber.FindAllStringSubmatch(page, -1) {
		numbers = append(numbers, found[1])
	}
	slices.Sort(numbers)
	return numbers
}

// TestAQueueIsNarrowedDownByAFilter follows from each queue the way to a filter, which shows the tickets of the queue.
func TestAQueueIsNarrowedDownByAFilter(t *testing.T) {
	_, _, li, wang := deskOf(t)
	mine, given, held := li.open("打印机不出纸"), li.open("登录很慢"), li.open("发票金额录入错误")
	li.open("没有人管")
	does := func(v *visitor, number, verb string, body map[string]any) {
		v.call("/api/v1/tickets/"+number+":"+verb, v.token(), body)
	}
	does(li, mine, "claim", map[string]any{})
	does(wang, given, "assign", map[string]any{"group": "网络组"})
	does(wang, held, "assign", map[string]any{"assignee": "wang"})
	does(wang, held, "start", map[string]any{})
	does(wang, held, "hold", map[string]any{"reason": "waiting-requester", "comment": "等截图"})

	for _, queue := range []string{"mine", "group:网络组", "unassigned", "waiting", "open", "escalated", "in-transit"} {
		page := li.mustSee("/desk?queue=" + queue)
		link := narrowLink.FindStringSubmatch(page)
		if link == nil {
			t.Errorf("the queue %s leads to no filter: %s", queue, page)
			continue
		}
		narrowed := li.mustSee(html.UnescapeString(link[1]), "去掉此条件")
		if got, want := rowsOf(narrowed), rowsOf(page); !slices.Equal(got, want) {
			t.Errorf("the queue %s has the tickets %v, its filter %v", queue, want, got)
		}
	}
	if page := li.mustSee("/desk?queue=all"); narrowLink.MatchString(page) {
		t.Error("all tickets, which have a filter, lead to another one")
	}
}

// TestALongJournalBeginsWithTheProblem leaves entries of a long journal out, but never what the ticket is about, and folds a long text.
func TestALongJournalBeginsWithTheProblem(t *testing.T) {
	_, _, li, _ := deskOf(t)
	number := li.open("缴款码无法生成")
	short := li.mustSee("/t/" + number)
	if strings.Contains(short, "最新记录") || strings.Contains(short, "t-first") {
		t.Errorf("a journal of one entry has a way to its end: %s", short)
	}
	long := strings.Repeat("日志一行\n", 30)
	for i := range 55 {
		text := fmt.Sprintf("备注%02d。", i)
		if i == 54 {
			text = long
		}
		li.call("/api/v1/tickets/"+number+":note", li.token(), map[string]any{"text": text})
	}
	page := li.mustSee("/t/"+number, `<ol class="t-first"><li class="say words"`, "查看更早的记录（还有 5 条）", "最新记录", "备注05。", "展开全文")
	if strings.Contains(page, "备注04。") {
		t.Errorf("the journal shows more than its newest entries: %s", page)
	}
	if got := strings.Count(page, "日志一行"); got != 30+8 {
		t.Errorf("a text of 30 lines shows %d of them, want all and the first 8", got)
	}
	all := li.mustSee("/t/"+number+"?show=100", "备注04。", "t-first")
	if strings.Contains(all, "查看更早的记录") || strings.Count(all, `class="say words"`) != 1 {
		t.Errorf("the whole journal has older entries, or begins twice: %s", all)
	}
}
