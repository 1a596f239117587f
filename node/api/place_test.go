package api

import (
	"strings"
	"testing"
)

// TestFieldAt points at a place by the sign ‸, which is taken out before the body is read.
func TestFieldAt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, field string }{
		{`{‸"colour":1}`, "colour"},
		{`{"text":‸5}`, "text"},
		{`{"request_id": ‸5}`, "requestId"},
		{`{"ticket":{"title":"打印","requester":{"name":‸7}}}`, "ticket.requester.name"},
		{`{"ticket":{"tags":["a",‸1]}}`, "ticket.tags[1]"},
		{`{"ticket":{"tags":[["x"],‸1]}}`, "ticket.tags[1]"},
		{`{"ticket":{"tags":["a"],"impact":‸"x"}}`, "ticket.impact"},
		{`{"ticket":{"sla":[{},{"metric":‸1}]}}`, "ticket.sla[1].metric"},
		{`{"ticket":‸{"title":"x"}}`, "ticket"},
		{`{"ticket":{"impact":‸NaN}}`, "ticket.impact"},
		{`{"":{"a":‸1}}`, "a"},
		{`{"text":"a"} ‸{"text":"b"}`, ""},
		{`‸[1]`, ""},
		{`[{"a":‸1}]`, "a"},
		{`‸`, ""},
		{strings.Repeat(`{"a":`, 20) + `‸1`, "a.a.a.a.a.a.a.a"},
	} {
		before, after, _ := strings.Cut(c.body, "‸")
		if got := fieldAt([]byte(before+after), len(before)); got != c.field {
			t.Errorf("%s: field %q, want %q", c.body, got, c.field)
		}
	}
}

// TestOffsetOf counts characters, not bytes, within a line.
func TestOffsetOf(t *testing.T) {
	t.Parallel()
	body := "{\"标题\":\n  \"打印\", x}"
	for _, c := range []struct{ line, column, want int }{
		{1, 1, 0}, {1, 4, 5}, {2, 1, 11}, {2, 4, 14}, {2, 9, strings.Index(body, "x")}, {9, 1, len(body)}, {2, 99, len(body)},
	} {
		if got := offsetOf([]byte(body), c.line, c.column); got != c.want {
			t.Errorf("line %d, column %d is byte %d, want %d", c.line, c.column, got, c.want)
		}
	}
}
