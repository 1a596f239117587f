package trial

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tierdesk/tierdesk/testbed"
)

// asked is a write and what its caller was told of it.
type asked struct {
	id      string // the request id, which is also the ticket's title or the entry's text
	verb    string
	ticket  string // its number; of a create that was not answered ""
	outcome testbed.Outcome
	refusal string // why it was refused
	// Since the trial began. An open write returned never.
	call, returned time.Duration
}

// ledger is all writes of a trial as their callers know them.
type ledger struct {
	mu  sync.Mutex // guards all
	all []asked
}

func (l *ledger) enter(a asked) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, a)
}

// count is how many creates, or other writes, had each outcome.
func (l *ledger) count(create bool) (counts [testbed.Unknown + 1]int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.all {
		if (a.verb == "create") == create {
			counts[a.outcome]++
		}
	}
	return counts
}

// story is what a site tells of one ticket.
type story struct {
	title   string
	ticket  string // JSON
	journal []string
	texts   []string // of the journal's entries, in order
}

func (s story) equal(other story) bool {
	return s.ticket == other.ticket && slices.Equal(s.journal, other.journal)
}

// check holds a ledger to its promises and reports what is broken.
func (l *ledger) check(t *testing.T, stories map[string]story) (lost, doubled int) {
	t.Helper()
	wrong, lost, doubled := l.judge(stories)
	wrong.report(t)
	return lost, doubled
}

// judge holds a ledger against the stories of a site: what was acknowledged is there once, under the number that the
// caller got; what was left open at most once; what was not done, never; and nothing else is there.
func (l *ledger) judge(stories map[string]story) (wrong complaints, lost, doubled int) {
	numbers, texts := map[string][]string{}, map[string][]string{} // tickets by title, and by an entry's text
	for number, s := range stories {
		numbers[s.title] = append(numbers[s.title], number)
		for _, text := range s.texts {
			texts[text] = append(texts[text], number)
		}
	}
	for _, a := range l.all {
		there := texts[a.id]
		if a.verb == "create" {
			there = numbers[a.id]
			delete(numbers, a.id)
		}
		switch {
		case a.outcome == testbed.Refused && !strings.Contains(a.refusal, "STALE_ETAG"):
			wrong.add("%s %s on %q: %s", a.verb, a.id, a.ticket, a.refusal)
		case len(there) > 1:
			doubled++
			wrong.add("%s %s (%s) was done %d times: on %q", a.verb, a.id, a.outcome, len(there), there)
		case a.outcome == testbed.Done && len(there) == 0:
			lost++
			wrong.add("%s %s was acknowledged as done on %s and is lost", a.verb, a.id, a.ticket)
		case a.outcome == testbed.Done && there[0] != a.ticket:
			wrong.add("%s %s was acknowledged as done on %s; it was done on %s", a.verb, a.id, a.ticket, there[0])
		case (a.outcome == testbed.NotDone || a.outcome == testbed.Refused) && len(there) > 0:
			wrong.add("%s %s was answered as %s; it was done on %s", a.verb, a.id, a.outcome, there[0])
		}
	}
	for title, strays := range numbers {
		wrong.add("nobody asked for %q: %q", title, strays)
	}
	return wrong, lost, doubled
}

// checkNumbers reports numbers of tickets that are out of order.
func (l *ledger) checkNumbers(t *testing.T) {
	t.Helper()
	l.judgeNumbers().report(t)
}

// judgeNumbers holds the numbers of tickets to the order of time: who was answered before another one asked has the lower
// number.
func (l *ledger) judgeNumbers() (wrong complaints) {
	creates := slices.DeleteFunc(slices.Clone(l.all), func(a asked) bool { return a.verb != "create" || a.outcome != testbed.Done })
	byReturn := slices.Clone(creates)
	slices.SortFunc(byReturn, func(a, b asked) int { return cmp.Compare(a.returned, b.returned) })
	slices.SortFunc(creates, func(a, b asked) int { return cmp.Compare(a.call, b.call) })
	var highest asked
	for _, a := range creates {
		for len(byReturn) > 0 && byReturn[0].returned < a.call {
			if beyond(byReturn[0].ticket, highest.ticket) {
				highest = byReturn[0]
			}
			byReturn = byReturn[1:]
		}
		if !beyond(a.ticket, highest.ticket) {
			wrong.add("%s got the number %s, after %s was answered with %s", a.id, a.ticket, highest.id, highest.ticket)
		}
	}
	return wrong
}

// beyond tells whether a ticket number of the same site comes after another one: each day begins anew, and sequences grow in width.
func beyond(number, other string) bool {
	day, sequence := cutNumber(number)
	otherDay, otherSequence := cutNumber(other)
	return cmp.Or(cmp.Compare(day, otherDay), cmp.Compare(len(sequence), len(otherSequence)), cmp.Compare(sequence, otherSequence)) > 0
}

// cutNumber parts the sequence from the site and the day before it.
func cutNumber(number string) (day, sequence string) {
	at := strings.LastIndexByte(number, '-') + 1
	return number[:at], number[at:]
}

// agree waits until all nodes have applied the same log and nothing is added to it, and holds every ticket and journal of
// each node, as it has them itself, against those of the first.
func agree(ctx context.Context, t *testing.T, site *testbed.Site) map[string]story {
	t.Helper()
	ready(ctx, t, site)
	atRest(ctx, t, site)
	caller, err := site.Administrator(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var wrong complaints
	defer func() { wrong.report(t) }()
	var first map[string]story
	for i, spec := range site.Specs() {
		told, err := tell(ctx, caller, spec.URL())
		if err != nil {
			t.Fatalf("read all of %s: %v", spec.Node, err)
		}
		if i == 0 {
			first = told
			continue
		}
		if len(told) != len(first) {
			wrong.add("%s has %d tickets, n1 has %d", spec.Node, len(told), len(first))
		}
		for number, s := range first {
			if other, known := told[number]; !known || !s.equal(other) {
				wrong.add("%s tells of %s:\n%s\n%q\nn1 tells:\n%s\n%q", spec.Node, number, other.ticket, other.journal, s.ticket, s.journal)
			}
		}
	}
	return first
}

// atRest waits until all nodes say twice that they have applied the same.
func atRest(ctx context.Context, t *testing.T, site *testbed.Site) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var before uint64
	for {
		var applied []uint64
		var errs error
		for _, spec := range site.Specs() {
			standing, err := site.Standing(ctx, spec.Node)
			applied, errs = append(applied, standing.AppliedIndex), errors.Join(errs, err)
		}
		same := errs == nil && len(slices.Compact(slices.Clone(applied))) == 1
		if same && applied[0] == before {
			return
		}
		before = applied[0]
		if ctx.Err() != nil {
			t.Fatalf("the nodes of the site do not come to rest: applied %d, %v", applied, errs)
		}
		sleep(ctx, 200*time.Millisecond)
	}
}

// readers is how many journals are asked for at once.
const readers = 8

// tell reads every ticket and journal that one node has, by number.
func tell(ctx context.Context, caller *testbed.Caller, server string) (map[string]story, error) {
	var mu sync.Mutex // guards stories
	stories := map[string]story{}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	err := pages(ctx, caller, server+"/api/v1/tickets?orderBy=number", "tickets", func(raw json.RawMessage) error {
		var ticket struct{ Number, Title string }
		if err := json.Unmarshal(raw, &ticket); err != nil {
			return err
		}
		told := story{title: ticket.Title, ticket: compact(raw)}
		group.Go(func() error {
			err := pages(groupCtx, caller, server+"/api/v1/tickets/"+ticket.Number+"/journal?", "entries", func(raw json.RawMessage) error {
				var entry struct{ Text string }
				told.journal = append(told.journal, compact(raw))
				err := json.Unmarshal(raw, &entry)
				told.texts = append(told.texts, entry.Text)
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			if _, twice := stories[ticket.Number]; twice {
				err = errors.Join(err, fmt.Errorf("the list has %s twice", ticket.Number))
			}
			stories[ticket.Number] = told
			return err
		})
		return nil
	})
	return stories, errors.Join(err, group.Wait())
}

// pages reads a list to its end, as the node has it.
func pages(ctx context.Context, caller *testbed.Caller, address, field string, take func(json.RawMessage) error) error {
	token := ""
	for {
		answer := caller.Call(ctx, http.MethodGet, address, "&consistency=stale&pageSize=500&pageToken="+url.QueryEscape(token), nil)
		if answer.Outcome != testbed.Done {
			return answer.Err()
		}
		var page map[string]json.RawMessage
		if err := answer.Decode(&page); err != nil {
			return err
		}
		var items []json.RawMessage
		if err := errors.Join(json.Unmarshal(page[field], &items), json.Unmarshal(page["nextPageToken"], &token)); err != nil {
			return fmt.Errorf("%s: %w", address, err)
		}
		for _, item := range items {
			if err := take(item); err != nil {
				return err
			}
		}
		if token == "" {
			return nil
		}
	}
}

// compact takes the spaces out of JSON, which may differ from one answer to the next.
func compact(raw json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return string(raw)
	}
	return b.String()
}
