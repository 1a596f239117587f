package api

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// fillAudit writes n entries into the audit log: every third is a refusal, and the actors take turns.
func (s *memorySite) fillAudit(t testing.TB, n int) {
	t.Helper()
	b := s.store.NewBatch()
	defer b.Discard()
	for i := range n {
		sequence, hash, err := b.AuditStanding()
		if err != nil {
			t.Fatal(err)
		}
		e := &deskpb.AuditEntry{
			Sequence: sequence + 1, Time: 1_795_305_600_000_000 + int64(i)*1_000_000, Previous: hash, Incarnation: 7, Actor: []string{"li", "wang"}[i%2], ActorName: []string{"李明", ""}[i%2],
			Action: audit.UpdateUser, Object: fmt.Sprint("user-", i), Outcome: deskpb.AuditEntry_DONE, Address: "10.0.0.7",
		}
		if i%3 == 0 {
			e.Outcome, e.Reason = deskpb.AuditEntry_REFUSED, "不许"
		}
		raw, err := audit.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.PutAudit(store.AuditRow{Sequence: e.Sequence, Raw: raw}, audit.Hash(raw)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Commit(s.store.Applied()+1, 1); err != nil {
		t.Fatal(err)
	}
}

// changeAudit puts other bytes in the place of an entry's.
func (s *memorySite) changeAudit(t testing.TB, sequence uint64, change func(raw []byte)) {
	t.Helper()
	b := s.store.NewBatch()
	defer b.Discard()
	rows, err := b.AuditEntries(sequence-1, 1)
	if err != nil {
		t.Fatal(err)
	}
	last, hash, err := b.AuditStanding()
	if err != nil {
		t.Fatal(err)
	}
	change(rows[0].Raw)
	if err := b.PutAudit(rows[0], nil); err != nil {
		t.Fatal(err)
	}
	ends, err := b.AuditEntries(last-1, 1) // PutAudit has moved the end; it is put back
	if err != nil {
		t.Fatal(err)
	}
	if err := b.PutAudit(ends[0], hash); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(s.store.Applied()+1, 1); err != nil {
		t.Fatal(err)
	}
}

// auditPages reads a list to its end and returns the sequences in it, and how many pages it took.
func (a *testAPI) auditPages(query url.Values) (sequences []int, pages int) {
	a.t.Helper()
	for {
		page := a.must("GET", "/api/v1/audit?"+query.Encode(), "")
		pages++
		entries, _ := page.json["entries"].([]any)
		for _, e := range entries {
			sequences = append(sequences, int(e.(map[string]any)["sequence"].(float64)))
		}
		token := page.text("nextPageToken")
		if token == "" {
			return sequences, pages
		}
		query.Set("pageToken", token)
	}
}

func TestTheAuditLogIsListed(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	a.site.fillAudit(t, 30)
	count := func(from, to, step int) (all []int) {
		for i := from; i != to && (step > 0) == (i < to); i += step {
			all = append(all, i)
		}
		return all
	}
	for name, c := range map[string]struct {
		query url.Values
		want  []int
		pages int
	}{
		"from the beginning":  {url.Values{}, count(1, 31, 1), 1},
		"in pages":            {url.Values{"pageSize": {"10"}}, count(1, 31, 1), 3},
		"the newest first":    {url.Values{"newestFirst": {"true"}, "pageSize": {"7"}}, count(30, 0, -1), 5},
		"behind an entry":     {url.Values{"after": {"28"}}, []int{29, 30}, 1},
		"of an actor":         {url.Values{"filter": {"actor = wang"}}, count(2, 31, 2), 1},
		"of a name":           {url.Values{"filter": {`actorName = "李明"`}}, count(1, 31, 2), 1},
		"refusals in pages":   {url.Values{"filter": {"outcome = REFUSED"}, "pageSize": {"3"}}, count(1, 31, 3), 4},
		"of one object":       {url.Values{"filter": {`object = user-4 AND action = user.update AND address = 10.0.0.7`}}, []int{5}, 1},
		"within a time":       {url.Values{"filter": {`time >= 2026-11-22T00:00:03Z AND time < 2026-11-22T00:00:06Z`}}, []int{4, 5, 6}, 1},
		"nothing of a nobody": {url.Values{"filter": {`actor = nobody`}}, nil, 1},
	} {
		sequences, pages := a.auditPages(c.query)
		if !slices.Equal(sequences, c.want) || pages > c.pages {
			t.Errorf("%s: %v in %d pages, want %v in %d", name, sequences, pages, c.want, c.pages)
		}
	}
}

func TestAFilterOfTheAuditLogSaysWhatItTakes(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	for filter, words := range map[string]string{
		"colour = red": "known are", "actor > li": "use =", "time = 2026-11-22T00:00:03Z": ">= or <", "time >= yesterday": "2026-11-21",
		"outcome = MAYBE": "DONE or REFUSED", "actor": "operator", "actor = a OR actor = b": "OR",
	} {
		refused := a.call("GET", "/api/v1/audit?filter="+url.QueryEscape(filter), "")
		if refused.status != 400 || !strings.Contains(refused.body, words) {
			t.Errorf("filter %s: %d %s, want 400 with %q", filter, refused.status, refused.body, words)
		}
	}
	for _, token := range []string{"x", base64.RawURLEncoding.EncodeToString(make([]byte, 12)), pageScope{"audit", "", "false"}.seal([]byte{1, 2})} {
		if refused := a.call("GET", "/api/v1/audit?pageToken="+token, ""); refused.status != 400 {
			t.Errorf("page token %q: %d %s", token, refused.status, refused.body)
		}
	}
}

// TestAnExportOfTheAuditLogIsToldBefore: no entry, no data.
func TestAnExportOfTheAuditLogIsToldBefore(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	a.site.fillAudit(t, 5)
	a.must("GET", "/api/v1/audit?raw=true", "")
	a.must("GET", "/api/v1/audit", "")
	var told []string
	a.site.set(func() {
		for _, e := range a.site.audited {
			told = append(told, e.Actor+" "+e.Action)
		}
		a.site.auditing = errors.New("no leader")
	})
	if want := []string{"admin audit.export", "admin audit.read"}; !slices.Equal(told, want) {
		t.Errorf("the audit log is told %q, want %q", told, want)
	}
	if refused := a.call("GET", "/api/v1/audit?raw=true", ""); refused.status < 500 || strings.Contains(refused.body, "user-1") {
		t.Errorf("an export that nobody writes down answers %d %s", refused.status, refused.body)
	}
}

func TestAWholeAuditLogIsVerified(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	a.site.fillAudit(t, 40)
	whole := a.must("GET", "/api/v1/audit:verify", "")
	if problems, _ := whole.json["problems"].([]any); len(problems) > 0 || whole.json["entries"] != 40.0 || whole.json["nextSequence"] != 0.0 {
		t.Errorf("a whole log is reported as %s", whole.body)
	}
	if rest := a.must("GET", "/api/v1/audit:verify?fromSequence=31", ""); rest.json["entries"] != 10.0 || strings.Contains(rest.body, "does not fit") {
		t.Errorf("its end is reported as %s", rest.body)
	}
	a.site.set(func() { a.site.auditing = errors.New("the line is down") })
	if alone := a.must("GET", "/api/v1/audit:verify", ""); !strings.Contains(alone.body, "the parent could not be asked") {
		t.Errorf("without the parent it is reported as %s", alone.body)
	}
}

func TestAChangedEntryIsNamed(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	a.site.fillAudit(t, 40)
	a.site.changeAudit(t, 17, func(raw []byte) { raw[len(raw)-3] ^= 1 })
	for _, from := range []string{"1", "17", "18"} {
		if report := a.must("GET", "/api/v1/audit:verify?fromSequence="+from, ""); !strings.Contains(report.body, "entry 17 does not fit") {
			t.Errorf("from entry %s it is reported as %s", from, report.body)
		}
	}
	a.site.changeAudit(t, 9, func(raw []byte) { raw[0] = 0xff })
	if sequences, _ := a.auditPages(url.Values{"filter": {"actor = nobody"}}); !slices.Equal(sequences, []int{9}) {
		t.Errorf("an entry that cannot be read is not on every list: %v", sequences)
	}
}

// TestTheParentsCheckpointsAreHeldAgainstTheLog has the parent keep a checkpoint of a log that was rewritten since.
func TestTheParentsCheckpointsAreHeldAgainstTheLog(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	a.site.fillAudit(t, 10)
	a.site.set(func() {
		a.site.witnessed = &Witness{Life: 7, Checkpoints: []*deskpb.AuditCheckpoint{{Site: "330106", Node: "n1", Incarnation: 7, Sequence: 6, Hash: make([]byte, 32)}}}
	})
	if report := a.must("GET", "/api/v1/audit:verify", ""); !strings.Contains(report.body, "entry 6 does not fit") || !strings.Contains(report.body, "the parent keeps") {
		t.Errorf("it is reported as %s", report.body)
	}
}

// TestTheLogIsOfTheLifeThatTheParentKnows holds a log against the life of the site that the parent has accepted.
func TestTheLogIsOfTheLifeThatTheParentKnows(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	a.site.fillAudit(t, 10)
	for name, c := range map[string]struct {
		witness         *Witness
		problem, remark string
	}{
		"the same":           {&Witness{Life: 7}, "", ""},
		"another one":        {&Witness{Life: 8}, "the log ends in life 0000000000000007 of the site, but the parent has met it last in life 0000000000000008", ""},
		"none yet":           {&Witness{}, "", "the parent has not met this site yet"},
		"there is no parent": {nil, "", ""},
	} {
		a.site.set(func() { a.site.witnessed = c.witness })
		for _, from := range []string{"1", "8"} {
			report := a.must("GET", "/api/v1/audit:verify?fromSequence="+from, "")
			problems, remarks := fmt.Sprint(report.json["problems"]), fmt.Sprint(report.json["remarks"])
			if !strings.Contains(problems, c.problem) || c.problem == "" && strings.Contains(problems, "life") {
				t.Errorf("%s: the problems from entry %s are %s, want %q", name, from, problems, c.problem)
			}
			if !strings.Contains(remarks, c.remark) || c.remark == "" && strings.Contains(remarks, "met") {
				t.Errorf("%s: the remarks from entry %s are %s, want %q", name, from, remarks, c.remark)
			}
		}
	}
}

func TestCheckpointsAreListed(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	b := a.site.store.NewBatch()
	for i, site := range []string{"330106", "330106", "330199"} {
		c := &deskpb.PutCheckpoint{Witnessed: i == 0, Checkpoint: &deskpb.AuditCheckpoint{Site: site, Sequence: uint64(i + 1), Hash: []byte{1}}}
		if err := b.AddCheckpoint(c, int64(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Commit(a.site.store.Applied()+1, 1); err != nil {
		t.Fatal(err)
	}
	own, _ := a.must("GET", "/api/v1/audit/checkpoints", "").json["checkpoints"].([]any)
	if len(own) != 2 || own[0].(map[string]any)["witnessed"] != true || own[1].(map[string]any)["sequence"] != 2.0 {
		t.Errorf("the site's own checkpoints are %v", own)
	}
	below, _ := a.must("GET", "/api/v1/audit/checkpoints?site=330199", "").json["checkpoints"].([]any)
	if len(below) != 1 || below[0].(map[string]any)["raw"] == "" {
		t.Errorf("those of the site below are %v", below)
	}
}
