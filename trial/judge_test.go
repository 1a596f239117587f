package trial

import (
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/tierdesk/tierdesk/testbed"
)

// Histories that no desk with one node could have, and their legal neighbours.
func TestTheModelJudges(t *testing.T) {
	shows := func(assignee string, urged int) response { return response{shows: &face{assignee, urged}} }
	to := func(name string) request { return request{verb: assign, to: name} }
	ifStill := func(expect, name string) request {
		return request{verb: assign, to: name, conditional: true, expect: expect}
	}
	type op struct {
		in             request
		out            response
		call, returned time.Duration
	}
	for _, c := range []struct {
		name  string
		ops   []op
		legal bool
	}{
		{"a read of what was written", []op{{to("a"), shows("a", 0), 1, 2}, {request{}, shows("a", 0), 3, 4}}, true},
		{"a stale read", []op{{to("a"), shows("a", 0), 1, 2}, {request{}, shows("", 0), 3, 4}}, false},
		{"an old read beside the write", []op{{to("a"), shows("a", 0), 1, 4}, {request{}, shows("", 0), 2, 3}}, true},
		{"two reads that go back", []op{
			{to("a"), shows("a", 0), 1, 9}, {request{}, shows("a", 0), 2, 3}, {request{}, shows("", 0), 4, 5},
		}, false},
		{"an open write that took effect late", []op{
			{to("a"), response{}, 1, never}, {request{}, shows("", 0), 5, 6}, {request{}, shows("a", 0), 7, 8},
		}, true},
		{"a write that was never asked for", []op{{request{}, shows("b", 0), 1, 2}}, false},
		{"a condition that held twice", []op{
			{ifStill("", "a"), shows("a", 0), 1, 2}, {ifStill("", "b"), shows("b", 0), 3, 4},
		}, false},
		{"a condition that did not hold", []op{
			{ifStill("", "a"), shows("a", 0), 1, 2}, {ifStill("", "b"), response{refused: true}, 3, 4},
		}, true},
		{"a refusal without a reason", []op{{ifStill("", "a"), response{refused: true}, 1, 2}}, false},
		{"an urge that counted twice", []op{{request{verb: urge}, response{}, 1, 2}, {request{}, shows("", 2), 3, 4}}, false},
		{"a write that was lost", []op{
			{to("a"), shows("a", 0), 1, 2}, {request{verb: urge}, shows("", 1), 3, 4},
		}, false},
	} {
		var operations []porcupine.Operation
		for i, o := range c.ops {
			operations = append(operations, porcupine.Operation{
				ClientId: i, Input: o.in, Output: o.out, Call: int64(o.call), Return: int64(o.returned),
			})
		}
		if legal := porcupine.CheckOperations(model(), operations); legal != c.legal {
			t.Errorf("%s: legal is %v, want %v", c.name, legal, c.legal)
		}
	}
}

func TestTheLedgerJudges(t *testing.T) {
	kept := story{title: "open", texts: []string{"", "said"}}
	opened := asked{id: "open", verb: "create", ticket: "1", outcome: testbed.Done}
	for _, c := range []struct {
		name    string
		asked   asked
		stories map[string]story
		want    string // "": nothing is wrong
	}{
		{"kept", opened, map[string]story{"1": kept}, ""},
		{"lost", opened, nil, "is lost"},
		{"doubled", opened, map[string]story{"1": kept, "2": kept}, "done 2 times"},
		{"under another number", opened, map[string]story{"2": kept}, "it was done on 2"},
		{"left open and done", asked{id: "open", verb: "create", outcome: testbed.Unknown}, map[string]story{"1": kept}, ""},
		{"left open and not done", asked{id: "open", verb: "create", outcome: testbed.Unknown}, nil, ""},
		{"done against the answer", asked{id: "open", verb: "create", outcome: testbed.NotDone}, map[string]story{"1": kept}, "not done; it was"},
		{"refused", asked{id: "open", verb: "create", outcome: testbed.Refused, refusal: "401"}, nil, "401"},
		{"asked by nobody", asked{id: "said", verb: "note", ticket: "1", outcome: testbed.Done}, map[string]story{"1": kept}, "nobody asked"},
		{"a lost note", asked{id: "more", verb: "note", ticket: "1", outcome: testbed.Done}, nil, "is lost"},
		{"a note twice", asked{id: "said", verb: "note", ticket: "1", outcome: testbed.Done},
			map[string]story{"1": {title: "open", texts: []string{"said", "said"}}}, "done 2 times"},
	} {
		wrong, _, _ := (&ledger{all: []asked{c.asked}}).judge(c.stories)
		if all := strings.Join(wrong, "\n"); (c.want == "") != (all == "") || !strings.Contains(all, c.want) {
			t.Errorf("%s: found %q, want %q", c.name, all, c.want)
		}
	}
}

func TestTheOrderOfNumbersIsJudged(t *testing.T) {
	create := func(ticket string, call, returned time.Duration) asked {
		return asked{verb: "create", ticket: ticket, outcome: testbed.Done, call: call, returned: returned}
	}
	for _, c := range []struct {
		name  string
		all   []asked
		wrong int
	}{
		{"one after the other", []asked{create("9-0001", 1, 2), create("9-0002", 3, 4)}, 0},
		{"beside each other", []asked{create("9-0002", 1, 3), create("9-0001", 2, 4)}, 0},
		{"given out again", []asked{create("9-0001", 1, 2), create("9-0001", 3, 4)}, 1},
		{"back", []asked{create("9-0002", 1, 2), create("9-0001", 3, 4)}, 1},
		{"a wider sequence", []asked{create("9-9999", 1, 2), create("9-10000", 3, 4)}, 0},
		{"a new day", []asked{create("9-20261122-10000", 1, 2), create("9-20261123-0001", 3, 4)}, 0},
	} {
		if wrong := (&ledger{all: c.all}).judgeNumbers(); len(wrong) != c.wrong {
			t.Errorf("%s: found %q, want %d complaints", c.name, wrong, c.wrong)
		}
	}
}
