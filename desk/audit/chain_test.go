package audit

import (
	"crypto/ed25519"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

const firstLife, secondLife = 0xa, 0xb

// chain makes a whole log of n entries of one life.
func chain(n int) [][]byte {
	var rows [][]byte
	for i := range n {
		rows = link(rows, &deskpb.AuditEntry{
			Incarnation: firstLife, Actor: "li", Action: UpdateUser, Object: fmt.Sprintf("user-%d", i), Outcome: deskpb.AuditEntry_DONE,
		})
	}
	return rows
}

// link appends an entry to a log.
func link(rows [][]byte, e *deskpb.AuditEntry) [][]byte {
	e.Sequence, e.Time = uint64(len(rows)+1), int64(len(rows)+1)*1000
	if len(rows) > 0 {
		e.Previous = Hash(rows[len(rows)-1])
	}
	raw, err := Encode(e)
	if err != nil {
		panic(err)
	}
	return append(rows, raw)
}

// relink makes a log anew of changed entries, as somebody would who can write the store.
func relink(rows [][]byte, change func(e *deskpb.AuditEntry)) (forged [][]byte) {
	for _, raw := range rows {
		e, err := Decode(raw)
		if err != nil {
			panic(err)
		}
		change(e)
		e.Previous = nil
		forged = link(forged, e)
	}
	return forged
}

// checkpoint signs the state after an entry with a key of its own.
func checkpoint(t *testing.T, rows [][]byte, sequence int, witnessed bool) Held {
	t.Helper()
	e, err := Decode(rows[sequence-1])
	if err != nil {
		t.Fatal(err)
	}
	c := &deskpb.AuditCheckpoint{
		Site: "330106", Node: "n1", Incarnation: e.Incarnation, Time: e.Time + 1, Sequence: uint64(sequence), Hash: Hash(rows[sequence-1]),
	}
	sign(t, c)
	return Held{AuditCheckpoint: c, Witnessed: witnessed}
}

func sign(t *testing.T, c *deskpb.AuditCheckpoint) {
	t.Helper()
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	message, err := CheckpointBytes(c)
	if err != nil {
		t.Fatal(err)
	}
	if c.PublicKey, err = x509.MarshalPKIXPublicKey(public); err != nil {
		t.Fatal(err)
	}
	c.Signature = ed25519.Sign(key, message)
}

// row is an entry as it stands in a store.
type row struct {
	sequence uint64
	raw      []byte
}

func stored(rows [][]byte) (all []row) {
	for i, raw := range rows {
		all = append(all, row{uint64(i + 1), raw})
	}
	return all
}

// walked goes through rows as a site's verification does, which knows how far the log is said to be.
func walked(rows []row, last int, hash []byte, held ...Held) Report {
	w := &Walk{Lives: []uint64{firstLife, secondLife}}
	w.Hold(held)
	for _, r := range rows {
		w.Next(r.sequence, r.raw)
	}
	w.End(uint64(last), hash)
	return w.Report()
}

func TestAWholeLogIsWhole(t *testing.T) {
	rows := chain(20)
	r := walked(stored(rows), 20, Hash(rows[19]), checkpoint(t, rows, 5, true), checkpoint(t, rows, 20, false))
	if len(r.Problems) > 0 || len(r.Remarks) > 0 || r.Entries != 20 || r.Checkpoints != 2 || r.Witnessed != 1 {
		t.Errorf("a whole log is reported as %+v", r)
	}
	if r := walked(nil, 0, nil); len(r.Problems) > 0 {
		t.Errorf("an empty log is reported as %+v", r)
	}
}

// TestTamperingIsFound plays what somebody can do who writes the store of a site, and what gives it away.
func TestTamperingIsFound(t *testing.T) {
	const n = 12
	whole := chain(n)
	end := Hash(whole[n-1])
	flip := func(i int, in string) []row {
		rows := slices.Clone(whole)
		rows[i-1] = slices.Clone(rows[i-1])
		rows[i-1][strings.Index(string(rows[i-1]), in)] ^= 1
		return stored(rows)
	}
	for name, c := range map[string]struct {
		rows []row
		last int
		hash []byte
		held []Held
		want []string
	}{
		"a flipped byte of text":            {rows: flip(7, "li"), want: []string{"entry 7 does not fit: entry 8 names the hash of another one"}},
		"a flipped byte of the tie":         {rows: flip(7, string(Hash(whole[5]))), want: []string{"entry 7 does not fit: neither the entry before nor the one behind"}},
		"a flipped byte of the first entry": {rows: flip(1, "li"), want: []string{"entry 1 does not fit"}},
		"a flipped byte of the last entry":  {rows: flip(n, "li"), want: []string{"entry 12 does not fit: it is not the last entry"}},
		"a removed entry":                   {rows: slices.Delete(stored(whole), 4, 5), want: []string{"entry 5 is missing"}},
		"removed entries":                   {rows: slices.Delete(stored(whole), 4, 7), want: []string{"entries 5 to 7 are missing"}},
		"a removed beginning":               {rows: stored(whole)[3:], want: []string{"entries 1 to 3 are missing"}},
		"an inserted entry": {rows: stored(slices.Insert(slices.Clone(whole), 6, whole[6])), last: n + 1,
			want: []string{"entry 8 does not fit: it says that it is entry 7"}},
		"two swapped entries": {rows: stored(swapped(whole, 3, 4)),
			want: []string{"entry 4 does not fit: it says that it is entry 5", "entry 5 does not fit: it says that it is entry 4"}},
		"a truncated end": {rows: stored(whole[:9]), last: n, hash: end, want: []string{"entries 10 to 12 are missing at the end"}},
		"a truncated end whose standing was put back": {rows: stored(whole[:9]), last: 9, hash: Hash(whole[8]), held: []Held{checkpoint(t, whole, n, false)},
			want: []string{"entries 10 to 12 are missing at the end: the checkpoint of"}},
		"an emptied log": {rows: []row{}, hash: []byte{}, held: []Held{checkpoint(t, whole, n, true)}, want: []string{"entries 1 to 12 are missing at the end: the checkpoint of"}},
		"a life that the site never had": {rows: stored(relink(whole, func(e *deskpb.AuditEntry) { e.Incarnation = 0xc })), hash: []byte{},
			want: []string{"entry 1 does not fit: it is of life 000000000000000c, which the site never had"}},
		"a life that no entry begins": {rows: stored(relink(whole, func(e *deskpb.AuditEntry) {
			if e.Sequence > 6 {
				e.Incarnation = secondLife
			}
		})), hash: []byte{}, want: []string{"entry 7 does not fit: it is of life 000000000000000b of the site, which no entry begins"}},
	} {
		t.Run(name, func(t *testing.T) {
			last, hash := c.last, c.hash
			if last == 0 {
				last = n
			}
			if hash == nil {
				hash = end
			}
			if len(hash) == 0 && len(c.rows) > 0 {
				hash = Hash(c.rows[len(c.rows)-1].raw)
			}
			if len(c.rows) == 0 {
				last = 0
			}
			r := walked(c.rows, last, hash, c.held...)
			for i, want := range c.want {
				if len(r.Problems) <= i || !strings.Contains(r.Problems[i], want) {
					t.Fatalf("the problems are %q, want %q", r.Problems, c.want)
				}
			}
		})
	}
}

func swapped(rows [][]byte, i, j int) [][]byte {
	rows = slices.Clone(rows)
	rows[i], rows[j] = rows[j], rows[i]
	return rows
}

// TestARewrittenLogIsFoundByTheWitness rewrites a whole log, its end and its own checkpoints: nothing at the site denies it.
func TestARewrittenLogIsFoundByTheWitness(t *testing.T) {
	honest := chain(12)
	forged := relink(honest, func(e *deskpb.AuditEntry) {
		if e.Sequence == 4 {
			e.Actor = "wang"
		}
	})
	own := checkpoint(t, forged, 10, false)
	if r := walked(stored(forged), 12, Hash(forged[11]), own); len(r.Problems) > 0 {
		t.Errorf("the site alone cannot know, but reports %q", r.Problems)
	}
	r := walked(stored(forged), 12, Hash(forged[11]), own, checkpoint(t, honest, 10, true))
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0], "entry 10 does not fit") || !strings.Contains(r.Problems[0], "the parent keeps") {
		t.Errorf("with a checkpoint that the parent keeps the problems are %q", r.Problems)
	}
	if r := walked(stored(forged), 12, Hash(forged[11]), checkpoint(t, honest, 3, true)); len(r.Problems) > 0 {
		t.Errorf("a checkpoint before the change fits, but the problems are %q", r.Problems)
	}
}

// TestALogThatClaimsAnotherLifeIsFoundByTheParent rewrites a whole log as that of another life, of which the parent keeps nothing.
func TestALogThatClaimsAnotherLifeIsFoundByTheParent(t *testing.T) {
	honest := chain(12)
	forged := relink(honest, func(e *deskpb.AuditEntry) { e.Incarnation = secondLife })
	restored := link(slices.Clone(honest[:7]), &deskpb.AuditEntry{Incarnation: secondLife, Action: Recover, Outcome: deskpb.AuditEntry_DONE})
	back := link(slices.Clone(forged), &deskpb.AuditEntry{Incarnation: firstLife, Action: Recover, Outcome: deskpb.AuditEntry_DONE})
	const denied = "the log ends in life 000000000000000b of the site, but the parent has met it last in life 000000000000000a"
	for name, c := range map[string]struct {
		rows     [][]byte
		accepted uint64
		want     string
	}{
		"rewritten as another life":                 {forged, firstLife, denied},
		"rewritten as another life, and none known": {forged, 0, ""},
		"the life that the parent knows":            {honest, firstLife, ""},
		"gone on in a life that the parent knows":   {restored, secondLife, ""},
		"gone on in a life that it does not know":   {restored, firstLife, denied},
		"rewritten, and led back to the known life": {back, firstLife, "entry 12 does not fit"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, from := range []int{0, 6, min(11, len(c.rows))} {
				w := &Walk{Lives: []uint64{firstLife, secondLife}, Accepted: c.accepted}
				if from > 0 {
					w.Begin(uint64(from), c.rows[from-1])
				}
				w.Hold([]Held{checkpoint(t, honest, 12, true)})
				for i := from; i < len(c.rows); i++ {
					w.Next(uint64(i+1), c.rows[i])
				}
				w.End(uint64(len(c.rows)), Hash(c.rows[len(c.rows)-1]))
				problems := w.Report().Problems
				named := slices.ContainsFunc(problems, func(p string) bool { return strings.HasPrefix(p, c.want) })
				if c.want == "" && len(problems) > 0 || c.want != "" && !named {
					t.Errorf("from entry %d the problems are %q, want %q", from+1, problems, c.want)
				}
			}
		})
	}
}

// TestALogGoesOnInAnotherLife has a log go on from a backup: what the life before wrote afterwards is lost, and remarked.
func TestALogGoesOnInAnotherLife(t *testing.T) {
	before := chain(10)
	after := link(slices.Clone(before[:7]), &deskpb.AuditEntry{Incarnation: secondLife, Action: Recover, Reason: "restored", Outcome: deskpb.AuditEntry_DONE})
	for range 4 {
		after = link(after, &deskpb.AuditEntry{Incarnation: secondLife, Action: SignIn, Outcome: deskpb.AuditEntry_DONE})
	}
	r := walked(stored(after), 12, Hash(after[11]), checkpoint(t, before, 6, true), checkpoint(t, before, 10, true), checkpoint(t, after, 12, true))
	if len(r.Problems) > 0 || r.Witnessed != 2 {
		t.Errorf("a log that goes on after a restore is reported as %+v", r)
	}
	if len(r.Remarks) != 1 || !strings.Contains(r.Remarks[0], "life 000000000000000a") {
		t.Errorf("the remarks are %q, want one about the life that was lost", r.Remarks)
	}
}

func TestACheckpointMustBeSigned(t *testing.T) {
	rows := chain(5)
	forged := checkpoint(t, rows, 5, false)
	forged.Signature = slices.Clone(forged.Signature)
	forged.Signature[3] ^= 1
	r := walked(stored(rows), 5, Hash(rows[4]), forged)
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0], "its signature is not of its public key") || r.Checkpoints != 0 {
		t.Errorf("a checkpoint with another signature is reported as %+v", r)
	}
}

// TestAnyFlippedByteIsFoundAtItsEntry changes one byte anywhere in a log.
func TestAnyFlippedByteIsFoundAtItsEntry(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "entries")
		rows := chain(n)
		end := Hash(rows[n-1])
		i := rapid.IntRange(0, n-1).Draw(t, "entry")
		at := rapid.IntRange(0, len(rows[i])-1).Draw(t, "byte")
		rows[i] = slices.Clone(rows[i])
		rows[i][at] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		r := walked(stored(rows), n, end)
		if want := fmt.Sprintf("entry %d does not fit", i+1); len(r.Problems) != 1 || !strings.HasPrefix(r.Problems[0], want) {
			t.Fatalf("after a change of byte %d of entry %d of %d the problems are %q", at, i+1, n, r.Problems)
		}
	})
}

// TestAWalkInPartsFindsTheSame walks in parts of any length, each beginning with the entry where the one before ended.
func TestAWalkInPartsFindsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 20).Draw(t, "entries")
		rows := chain(n)
		end := Hash(rows[n-1])
		i := rapid.IntRange(0, n-1).Draw(t, "entry")
		at := rapid.IntRange(0, len(rows[i])-1).Draw(t, "byte")
		rows[i] = slices.Clone(rows[i])
		rows[i][at] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		part := rapid.IntRange(1, n).Draw(t, "part")
		var problems []string
		for from := 0; from < n; {
			w := &Walk{Lives: []uint64{firstLife}}
			if from > 0 {
				w.Begin(uint64(from), rows[from-1])
			}
			to := from
			for to < n && (to < from+part || w.Unsettled()) {
				w.Next(uint64(to+1), rows[to])
				to++
			}
			if to == n {
				w.End(uint64(n), end)
			}
			for _, p := range w.Report().Problems {
				if !slices.Contains(problems, p) {
					problems = append(problems, p)
				}
			}
			from = to
		}
		if want := fmt.Sprintf("entry %d does not fit", i+1); !slices.ContainsFunc(problems, func(p string) bool { return strings.HasPrefix(p, want) }) {
			t.Fatalf("in parts of %d, after a change of byte %d of entry %d of %d the problems are %q", part, at, i+1, n, problems)
		}
	})
}

// The bytes of entries and of what is signed are kept for ever: they do not change.
func TestGoldenBytes(t *testing.T) {
	e := &deskpb.AuditEntry{
		Sequence: 2, Time: 5, Previous: []byte{1}, Incarnation: 7, Node: "n1", Actor: "li", Role: deskpb.User_ADMINISTRATOR, Address: "::1",
		Session: "s", Action: UpdateUser, Object: "wang", Outcome: deskpb.AuditEntry_DONE, Reason: "r", Count: 3,
		Changes: []*deskpb.AuditChange{{Field: "role", Before: "AGENT", After: "LEADER"}},
	}
	raw, err := Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	const entry = "080210051a01012107000000000000002a026e3132026c6938034203" + "3a3a314a017352" + "0b757365722e7570646174655a0477616e676001" + "6a0172" +
		"72150a04726f6c6512054147454e541a064c4541444552" + "7803"
	if got := fmt.Sprintf("%x", raw); got != entry {
		t.Errorf("an entry is %s, want %s", got, entry)
	}
	signed, err := CheckpointBytes(&deskpb.AuditCheckpoint{
		Site: "330106", Incarnation: 7, Node: "n1", Time: 5, Sequence: 2, Hash: []byte{1}, Certificates: [][]byte{{2}}, Signature: []byte{3}, PublicKey: []byte{4},
	})
	if err != nil {
		t.Fatal(err)
	}
	const bytes = "tierdesk audit checkpoint\x00\n\x06330106\x11\x07\x00\x00\x00\x00\x00\x00\x00\x1a\x02n1 \x05(\x022\x01\x01"
	if string(signed) != bytes {
		t.Errorf("what a checkpoint signs is %q, want %q", signed, bytes)
	}
}

func FuzzDecode(f *testing.F) {
	for _, raw := range chain(3) {
		f.Add(raw)
	}
	f.Add([]byte{})
	f.Add([]byte{8, 1, 8, 2})
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := Decode(raw)
		if err != nil {
			return
		}
		again, err := Encode(e)
		if err != nil || string(again) != string(raw) {
			t.Errorf("%x decodes, but encodes as %x: %v", raw, again, err)
		}
		if !LineOf(e.Sequence, raw).Honest() {
			t.Errorf("the line of %x is not honest", raw)
		}
	})
}

func TestALineThatSaysSomethingElseIsNotHonest(t *testing.T) {
	l := LineOf(1, chain(1)[0])
	l.Actor = "wang"
	if l.Honest() {
		t.Error("a line with another actor than its bytes passes for honest")
	}
}

func TestAnEntryIsFitted(t *testing.T) {
	long := &deskpb.AuditEntry{Object: strings.Repeat("长", 400), Reason: "a\xffb"}
	for i := range 300 {
		long.Changes = append(long.Changes, &deskpb.AuditChange{Field: fmt.Sprint(i), After: strings.Repeat("x", 1000)})
	}
	e := Fit(long)
	if len(e.Object) > maxText || !strings.HasSuffix(e.Object, "长…") || e.Reason != "a�b" {
		t.Errorf("texts are fitted as %q and %q", e.Object, e.Reason)
	}
	if last := e.Changes[len(e.Changes)-1]; len(e.Changes) != maxChanges || last.After != "201 more fields" || len(e.Changes[0].After) > maxText {
		t.Errorf("%d changes are left, the last one %v", len(e.Changes), last)
	}
	if _, err := proto.Marshal(e); err != nil {
		t.Errorf("a fitted entry cannot be encoded: %v", err)
	}
}

// BenchmarkWalk measures what an entry takes to be verified, its hash and its form.
func BenchmarkWalk(b *testing.B) {
	rows := chain(1000)
	for b.Loop() {
		w := &Walk{Lives: []uint64{firstLife}}
		for i, raw := range rows {
			w.Next(uint64(i+1), raw)
		}
		w.End(1000, Hash(rows[999]))
		if r := w.Report(); len(r.Problems) > 0 {
			b.Fatal(r.Problems)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(rows)), "ns/entry")
}
