package audit

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// mostFindings bounds the problems, and the remarks, that a walk keeps; it counts the others.
const mostFindings = 50

// Held is a checkpoint that a log is held against.
type Held struct {
	*deskpb.AuditCheckpoint
	// Witnessed tells that the parent keeps it, where nobody of the site can change it.
	Witnessed bool
}

// Report is what a walk has found so far.
type Report struct {
	Entries     uint64 // looked at
	Sequence    uint64 // the last one
	Hash        []byte // of its bytes
	Checkpoints int    // that fit
	Witnessed   int    // those of them that the parent keeps
	// Problems say what does not fit, with the entry where; the log was changed, or a disk was. Remarks say what proves nothing
	// either way.
	Problems, Remarks []string
}

// Walk goes through a log in order, entry by entry, and finds what does not fit. The zero Walk begins with the first entry.
//
// Each entry names the hash of the one before. When two neighbours do not agree, the earlier one was changed, unless the later one
// does not agree with the entry behind it either: then the later one was, in what it says of the entry before.
type Walk struct {
	// Lives are the incarnations that the site had; empty when nobody knows them.
	Lives []uint64
	// Accepted is the incarnation in which the parent has met the site last, which nobody of the site can change; 0 when nobody said.
	Accepted uint64
	// Vouch is for signatures; nil when no authority is at hand.
	Vouch Voucher

	report  Report
	begun   bool
	last    uint64 // sequence of the entry before
	hash    []byte // of the entry before; nil when it is missing
	life    uint64 // incarnation that the next entry should have; 0 while nobody knows
	pending bool   // the entry before does not agree with the one before it, and nobody is blamed yet
	blamed  uint64 // the entry that was blamed last
	held    []Held // by sequence; those that were passed are gone
	more    [2]int // problems and remarks that found no room
}

// Begin has the walk go on behind an entry whose bytes are known; nothing is said about that entry itself.
func (w *Walk) Begin(sequence uint64, raw []byte) {
	w.last, w.hash, w.begun = sequence, Hash(raw), true
	if e, err := Decode(raw); err == nil {
		w.life = e.Incarnation
	}
	w.report.Sequence, w.report.Hash = sequence, w.hash
}

// BeginWithout has the walk go on behind an entry that is missing.
func (w *Walk) BeginWithout(sequence uint64) { w.last = sequence }

// Hold has the entries that come held against checkpoints of the log. Those for entries before Begin are passed over.
func (w *Walk) Hold(checkpoints []Held) {
	for _, c := range checkpoints {
		if c.GetSequence() > w.last {
			w.held = append(w.held, c)
		}
	}
	slices.SortStableFunc(w.held, func(a, b Held) int { return cmp.Compare(a.GetSequence(), b.GetSequence()) })
}

// Next looks at the entry that stands under a sequence.
func (w *Walk) Next(sequence uint64, raw []byte) {
	switch {
	case sequence <= w.last:
		w.problem("entry %d does not fit: it stands there behind entry %d", sequence, w.last)
		return
	case sequence > w.last+1:
		w.gap(w.last+1, sequence-1)
	}
	e, err := Decode(raw)
	switch {
	case err != nil:
		w.blame(sequence, "its %d bytes are not those of an entry", len(raw))
	case e.Sequence != sequence:
		w.blame(sequence, "it says that it is entry %d", e.Sequence)
	}
	agrees := e == nil || w.agrees(sequence, e)
	switch {
	case w.pending && !agrees:
		w.blame(w.last, "neither the entry before nor the one behind agrees with it")
	case w.pending:
		w.blameBefore()
	}
	w.pending = !agrees && w.blamed != w.last
	switch {
	case e == nil:
	case agrees:
		w.lives(sequence, e)
	default:
		w.life = e.Incarnation // what the entry before says of its life may be what was changed
	}
	w.last, w.hash, w.begun = sequence, Hash(raw), true
	w.report.Entries++
	w.report.Sequence, w.report.Hash = sequence, w.hash
	w.meet(e)
}

// Unsettled tells that the last entry does not agree with the one before it, and only the next one shows which of them was changed.
func (w *Walk) Unsettled() bool { return w.pending }

// End says that the log has no more entries, and how far the site says that it is: the hash is nil when nobody said.
func (w *Walk) End(sequence uint64, hash []byte) {
	whole := hash == nil || sequence == w.last && bytes.Equal(hash, w.hash)
	switch {
	case hash != nil && sequence > w.last:
		w.problem("entries %d to %d are missing at the end: the site says that entry %d is the last", w.last+1, sequence, sequence)
	case !whole && w.blamed != w.last:
		w.blame(w.last, "it is not the last entry of which the site keeps the hash")
		w.pending = false
	}
	if w.pending {
		w.blameBefore()
		w.pending = false
	}
	for _, c := range w.held {
		if !w.begun || c.GetIncarnation() == w.life {
			w.problem("entries %d to %d are missing at the end: %s names entry %d", w.last+1, c.GetSequence(), describe(c), c.GetSequence())
		} else {
			w.foreign(c)
		}
	}
	w.held = nil
	if w.begun && w.Accepted != 0 && w.life != w.Accepted {
		w.problem("the log ends in life %016x of the site, but the parent has met it last in life %016x: it was rewritten, "+
			"or the site began another life and has not met its parent since", w.life, w.Accepted)
	}
}

// Report tells what was found so far.
func (w *Walk) Report() Report {
	r := w.report
	for i, list := range []*[]string{&r.Problems, &r.Remarks} {
		*list = slices.Clone(*list)
		if w.more[i] > 0 {
			*list = append(*list, fmt.Sprintf("and %d more", w.more[i]))
		}
	}
	return r
}

// agrees tells whether an entry names the hash of the entry before, as far as that is known.
func (w *Walk) agrees(sequence uint64, e *deskpb.AuditEntry) bool {
	if sequence == 1 {
		if len(e.Previous) > 0 {
			w.blame(1, "it is the first one and names an entry before it")
		}
		return true
	}
	return w.hash == nil || bytes.Equal(e.Previous, w.hash)
}

// lives holds an entry's incarnation against that of the entry before: another one begins with an entry that says so.
func (w *Walk) lives(sequence uint64, e *deskpb.AuditEntry) {
	if e.Incarnation == w.life {
		return
	}
	begins := e.Action == Recover || e.Action == Found
	switch {
	case w.hash != nil && w.life != 0 && !begins:
		w.blame(sequence, "it is of life %016x of the site, which no entry begins", e.Incarnation)
	case len(w.Lives) > 0 && !slices.Contains(w.Lives, e.Incarnation):
		w.blame(sequence, "it is of life %016x, which the site never had", e.Incarnation)
	}
	if w.blamed != sequence {
		w.life = e.Incarnation
	}
}

// meet holds the entry that was looked at last against the checkpoints that name it. e is nil when it could not be decoded.
func (w *Walk) meet(e *deskpb.AuditEntry) {
	for len(w.held) > 0 && w.held[0].GetSequence() <= w.last {
		c := w.held[0]
		w.held = w.held[1:]
		switch {
		case c.GetSequence() < w.last:
			w.problem("entry %d is missing, which %s names", c.GetSequence(), describe(c))
		case e != nil && c.GetIncarnation() != e.Incarnation:
			w.foreign(c)
		case !bytes.Equal(c.GetHash(), w.hash):
			w.problem("entry %d does not fit: %s names another one, so the log was changed at or before it", w.last, describe(c))
		case w.signed(c):
			w.report.Checkpoints++
			if c.Witnessed {
				w.report.Witnessed++
			}
		}
	}
}

// signed tells whether a checkpoint that fits is signed, and says so when that is not sure.
func (w *Walk) signed(c Held) bool {
	err := CheckSignature(c.AuditCheckpoint, w.Vouch)
	switch {
	case errors.Is(err, ErrNoAuthority), errors.Is(err, ErrUnvouched):
		w.remark("%s fits, but: %v", describe(c), err)
	case err != nil:
		w.problem("%s is not signed as it should be: %v", describe(c), err)
		return false
	}
	return true
}

// foreign remarks a checkpoint of a life of the site that the log does not have there. Of the life in which the parent has met the site
// last nothing was lost: there it is a problem.
func (w *Walk) foreign(c Held) {
	if c.Witnessed && w.Accepted != 0 && c.GetIncarnation() == w.Accepted {
		w.problem("entry %d does not fit: %s is of life %016x, in which the parent has met the site last, and this log has another life there",
			c.GetSequence(), describe(c), c.GetIncarnation())
		return
	}
	w.remark("%s is of life %016x of the site, which this log does not have there: what that life wrote after the log went on was lost with it",
		describe(c), c.GetIncarnation())
}

func (w *Walk) gap(from, to uint64) {
	if w.pending {
		w.blameBefore()
	}
	if from == to {
		w.problem("entry %d is missing", from)
	} else {
		w.problem("entries %d to %d are missing", from, to)
	}
	w.hash, w.pending = nil, false
}

// blameBefore blames the entry before the last one, with which the last one does not agree.
func (w *Walk) blameBefore() {
	w.blame(w.last-1, "entry %d names the hash of another one", w.last)
}

// blame says once that an entry does not fit.
func (w *Walk) blame(sequence uint64, format string, args ...any) {
	if w.blamed == sequence {
		return
	}
	w.blamed = sequence
	w.problem("entry %d does not fit: %s", sequence, fmt.Sprintf(format, args...))
}

func (w *Walk) problem(format string, args ...any) {
	w.add(0, &w.report.Problems, fmt.Sprintf(format, args...))
}

func (w *Walk) remark(format string, args ...any) {
	w.add(1, &w.report.Remarks, fmt.Sprintf(format, args...))
}

func (w *Walk) add(which int, list *[]string, text string) {
	switch {
	case slices.Contains(*list, text):
	case len(*list) >= mostFindings:
		w.more[which]++
	default:
		*list = append(*list, text)
	}
}

func describe(c Held) string {
	keeper := ""
	if c.Witnessed {
		keeper = ", which the parent keeps,"
	}
	return fmt.Sprintf("the checkpoint of %s by node %s%s", time.UnixMicro(c.GetTime()).UTC().Format(time.RFC3339), c.GetNode(), keeper)
}
