package tiers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// charge is what the parent says against this site's own history, or what this site sees in the parent's Hello.
type charge struct {
	reason   string // rolledBack for this site being behind or beside, doubled, "PEER_FENCED", "LETTERS_USED"
	sentence string
	since    time.Time // the charge stands since then, at every call
}

// hear notes the outcome of a call and tells whether it is a charge. Anything else ends the one before.
func (c *charge) hear(err error, now time.Time) bool {
	reason, sentence := charged(err)
	if reason == "" {
		*c = charge{}
		return false
	}
	if reason != c.reason {
		*c = charge{reason: reason, since: now}
	}
	c.sentence = sentence
	return true
}

// charged returns what an error of a call says against this site, empty when nothing.
func charged(err error) (reason, sentence string) {
	var own *desk.Refusal
	var theirs *refusedError
	switch {
	case errors.As(err, &own) && own.Reason == rolledBack:
		return rolledBack, own.Message
	case !errors.As(err, &theirs):
		return "", ""
	}
	switch theirs.reason {
	case peerRolledBack, streamMismatch:
		return rolledBack, theirs.message
	case doubled, "PEER_FENCED", "LETTERS_USED":
		return theirs.reason, theirs.message
	}
	return "", ""
}

// answerCharge does what a standing charge demands. A copy whose other self lives decides nothing any more; a machine that
// was rolled back begins a new life. Marks prove a roll-back, so that is certain as soon as a second call says the same. That
// another copy lives is certain later: the stream that seems to live may be the last one of this very machine.
func (t *Tiers) answerCharge(ctx context.Context, c *charge) error {
	stood := time.Since(c.since)
	site, err := t.site()
	switch {
	case err != nil:
		return err
	case site.Frozen != "":
		return nil // only an operator knows which copy shall live
	case c.reason == "LETTERS_USED", c.reason == rolledBack && stood >= t.pace.certain:
		return t.reincarnate(ctx, site.Incarnation, c.sentence)
	case c.reason == "PEER_FENCED", c.reason == doubled && stood >= t.pace.departed:
		return t.freeze(ctx, site.Incarnation, c.sentence)
	}
	return nil
}

// site reads what this site knows of itself.
func (t *Tiers) site() (site *deskpb.Site, err error) {
	err = t.o.Site.View(func(r *store.Reader) error {
		site, err = r.Site()
		if err == nil && site == nil {
			err = errNotFounded
		}
		return err
	})
	return site, err
}

func (t *Tiers) freeze(ctx context.Context, incarnation uint64, reason string) error {
	ctx, cancel := context.WithTimeout(ctx, t.pace.propose)
	defer cancel()
	result, err := t.o.Site.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_Freeze{Freeze: &deskpb.Freeze{
		Incarnation: incarnation, Reason: reason,
	}}})
	if err != nil {
		return fmt.Errorf("freeze site %s: %w", t.o.SiteID, err)
	}
	return refusalOf(result)
}

// asDouble tells a copy of a child whose stream lives what it is. Other refusals stay as they are.
func asDouble(peer desk.SiteID, err error) error {
	var own *desk.Refusal
	if !errors.As(err, &own) || own.Reason != peerRolledBack && own.Reason != streamMismatch {
		return err
	}
	return desk.Refuse(desk.FailedPrecondition, doubled,
		"two copies of %s run, and the other one's link lives; stop one of them, or run tierdesk site recover on the one that shall live", peer)
}

// heardByOthers tells whether another node of this site carries a living stream of the child.
func (t *reachTable) heardByOthers(peer desk.SiteID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.others[peer]
	return e != nil && e.Alive
}

// accuses tells whether a call ended because the other end's history is wrong, which that end learns by such calls alone.
func accuses(err error) bool {
	var own *desk.Refusal
	var theirs *refusedError
	if errors.As(err, &theirs) {
		return theirs.reason == rolledBack
	}
	return errors.As(err, &own) && (own.Reason == peerRolledBack || own.Reason == streamMismatch || own.Reason == "PEER_FENCED")
}

// credit is how long a child that was believed once is not believed again, so that one whose own history is broken does not
// keep its parent recovering. Each node of the parent counts for itself.
const credit = time.Hour

// bench keeps what children say against this site's history.
type bench struct {
	mu       sync.Mutex // guards everything below
	charges  map[desk.SiteID]*standingCharge
	believed map[desk.SiteID]time.Time // when this site last began a new life at the word of a child
}

type standingCharge struct {
	charge
	seen time.Time // last
}

func newBench() *bench {
	return &bench{charges: make(map[desk.SiteID]*standingCharge), believed: make(map[desk.SiteID]time.Time)}
}

// hear notes a charge and returns for how long the child has raised it without a break, and how many children raise it now.
func (b *bench) hear(child desk.SiteID, c charge, now time.Time) (stood time.Duration, children int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	standing := b.charges[child]
	if standing == nil || standing.reason != c.reason || now.Sub(standing.seen) > alarmLasts {
		c.since = now
		standing = &standingCharge{charge: c}
		b.charges[child] = standing
	}
	standing.seen = now
	for _, other := range b.charges {
		if other.reason == c.reason && now.Sub(other.seen) <= alarmLasts {
			children++
		}
	}
	return now.Sub(standing.since), children
}

// trusts tells whether a child has not been believed for long.
func (b *bench) trusts(child desk.SiteID, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	last, ever := b.believed[child]
	return !ever || now.Sub(last) >= credit
}

// answered forgets every charge because this site has done what one of them demands.
func (b *bench) answered(child desk.SiteID, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.charges)
	b.believed[child] = now
}

// hearAccuser weighs what a child said against this site, and answers it. That this site was rolled back is proved by the
// child's marks alone. That another copy of it lives must be said by two children, or the only one: only an operator can
// take that back.
func (t *Tiers) hearAccuser(ctx context.Context, child desk.SiteID, err error) {
	if child == t.parent() {
		return
	}
	c, now := charge{}, time.Now()
	if !c.hear(err, now) || c.reason != rolledBack && c.reason != "PEER_FENCED" {
		return
	}
	stood, accusers := t.bench.hear(child, c, now)
	switch {
	case stood < t.pace.certain:
		return
	case c.reason == rolledBack && !t.bench.trusts(child, now):
		return
	case c.reason != rolledBack:
		children, err := t.countChildren()
		if err != nil {
			t.o.Logger.Error("a child's charge cannot be weighed", "child", string(child), "error", err)
		}
		if err != nil || accusers < min(2, children) {
			return
		}
	}
	c.since = time.Time{} // it stood for long enough
	// The child hangs up meanwhile.
	if err := t.answerCharge(context.WithoutCancel(ctx), &c); err != nil {
		t.o.Logger.Error("a child's charge is not answered yet", "child", string(child), "reason", c.sentence, "error", err)
		return
	}
	t.bench.answered(child, now)
}

// countChildren counts the sites below this one that it has to be compared with.
func (t *Tiers) countChildren() (count int, err error) {
	err = t.o.Site.View(func(r *store.Reader) error {
		tree, err := newTree(r)
		if err != nil {
			return err
		}
		children, err := tree.awaited()
		count = len(children)
		return err
	})
	return count, err
}
