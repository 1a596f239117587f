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
// was rolled back begins a new life. Both are certain only after a while: an older stream may seem to live, or may still
// move the marks.
func (t *Tiers) answerCharge(ctx context.Context, c *charge) error {
	certain := time.Since(c.since) >= t.pace.certain
	incarnation, err := t.incarnation()
	switch {
	case err != nil:
		return err
	case c.reason == "LETTERS_USED", c.reason == rolledBack && certain:
		return t.reincarnate(ctx, incarnation, c.sentence)
	case c.reason == "PEER_FENCED", c.reason == doubled && certain:
		return t.freeze(ctx, incarnation, c.sentence)
	}
	return nil
}

// incarnation reads this site's present one.
func (t *Tiers) incarnation() (uint64, error) {
	var incarnation uint64
	err := t.o.Site.View(func(r *store.Reader) error {
		site, err := r.Site()
		if err == nil && site == nil {
			err = errNotFounded
		}
		incarnation = site.GetIncarnation()
		return err
	})
	return incarnation, err
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
		"two copies of %s run, and the other one's link lives (%s); stop one of them, or run tierdesk site recover on the one that shall live",
		peer, own.Message)
}

// heardByOthers tells whether another node of this site carries a living stream of the child.
func (t *reachTable) heardByOthers(peer desk.SiteID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.others[peer]
	return e != nil && e.Alive
}

// bench keeps what children say against this site's history. One child may err, or be a copy itself; two that say the same,
// or the only one, are believed.
type bench struct {
	mu      sync.Mutex // guards charges
	charges map[desk.SiteID]*standingCharge
}

type standingCharge struct {
	charge
	seen time.Time // last
}

// hear notes a charge and returns how many children raise it now, and for how long the first of them has.
func (b *bench) hear(child desk.SiteID, c charge, now time.Time) (children int, longest time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.charges == nil {
		b.charges = make(map[desk.SiteID]*standingCharge)
	}
	old := b.charges[child]
	if old == nil || old.reason != c.reason || now.Sub(old.seen) > alarmLasts {
		c.since = now
		old = &standingCharge{charge: c}
		b.charges[child] = old
	}
	old.seen = now
	for _, other := range b.charges {
		if other.reason == c.reason && now.Sub(other.seen) <= alarmLasts {
			children++
			longest = max(longest, now.Sub(other.since))
		}
	}
	return children, longest
}

// clear forgets every charge: this site has answered them.
func (b *bench) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.charges)
}

// hearAccuser weighs what a child said against this site, and answers it when enough of them do.
func (t *Tiers) hearAccuser(ctx context.Context, child desk.SiteID, err error) {
	if child == t.parent() {
		return
	}
	c := charge{}
	if !c.hear(err, time.Now()) || c.reason != rolledBack && c.reason != "PEER_FENCED" {
		return
	}
	count, longest := t.bench.hear(child, c, time.Now())
	children := 0
	if err := t.o.Site.View(func(r *store.Reader) error {
		tree, err := newTree(r)
		if err != nil {
			return err
		}
		all, err := tree.awaited()
		children = len(all)
		return err
	}); err != nil {
		t.o.Logger.Error("a child's charge cannot be weighed", "child", string(child), "error", err)
		return
	}
	if count < min(2, children) || longest < t.pace.certain {
		return
	}
	c.since = time.Time{} // it stood for long enough
	// The child hangs up meanwhile.
	if err := t.answerCharge(context.WithoutCancel(ctx), &c); err != nil {
		t.o.Logger.Error("the children's charge is not answered yet", "reason", c.sentence, "error", err)
		return
	}
	t.bench.clear()
}
