package tiers

import (
	"bytes"
	"context"
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// lives tells whether a stream of the child lives at a node of this site.
func (t *Tiers) lives(child desk.SiteID) bool {
	t.mu.Lock()
	here := t.sessions[child] != nil
	t.mu.Unlock()
	return here || t.reach.heardByOthers(child)
}

// challenge has a caller show that it is the site whose stream lives, before it takes that one's place. A Hello alone does
// not: a copy that has written something of its own is ahead of the marks here. What the caller has written is held
// against what was received before it was asked, so its answer cannot be too old to fit. Where one of
// both begins another life no history is held against another; whether the caller is admitted is for the log. The Hello that
// counts is returned.
func (t *Tiers) challenge(ctx context.Context, w wire, theirs *linkpb.Hello) (*linkpb.Hello, error) {
	var site *deskpb.Site
	var link *deskpb.Link
	err := t.o.Site.View(func(r *store.Reader) (err error) {
		if site, err = r.Site(); err != nil {
			return err
		}
		link, err = r.Link(desk.SiteID(theirs.Site))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("challenge %s: %w", theirs.Site, err)
	}
	known := theirs.PeerIncarnation == 0 || theirs.PeerIncarnation == site.GetIncarnation()
	if theirs.Incarnation != link.PeerIncarnation || !known {
		return theirs, nil
	}
	question := &linkpb.Challenge{Sequence: link.ReceivedSequence}
	if !w.send(ctx, &linkpb.Frame{Content: &linkpb.Frame_Challenge{Challenge: question}}) {
		return nil, context.Cause(ctx)
	}
	again, err := t.awaitHello(ctx, w)
	switch {
	case err != nil:
		return nil, err
	case again.Site != theirs.Site || again.Incarnation != theirs.Incarnation:
		return nil, errAgain
	}
	return again, sameHistory(link, again)
}

// sameHistory refuses a Hello that was said after the link stood as it does here, and contradicts it.
func sameHistory(link *deskpb.Link, h *linkpb.Hello) error {
	switch {
	case h.SentSequence < link.ReceivedSequence:
		return behind(link, h)
	case h.ReceivedSequence < link.AckedSequence:
		return forgetful(link, h)
	case bytes.Equal(h.ChallengedHash, link.ReceivedHash):
		return nil
	case len(h.ChallengedHash) == 0:
		return errOvertaken
	}
	return beside(h, link.ReceivedSequence)
}

// sayHello tells the parent where this site stands, from a state that is current, and what it was challenged to tell.
func (t *Tiers) sayHello(ctx context.Context, w wire, term uint64, challenge *linkpb.Challenge) (*linkpb.Hello, error) {
	if err := t.barrier(ctx); err != nil {
		return nil, err
	}
	parent := t.parent()
	hello, err := t.describe(parent, term)
	if err != nil {
		return nil, err
	}
	if challenge != nil {
		err := t.o.Site.View(func(r *store.Reader) (err error) {
			hello.ChallengedHash, err = r.OutboxHash(parent, challenge.Sequence)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read the running hash towards %s: %w", parent, err)
		}
	}
	if !w.send(ctx, &linkpb.Frame{Content: &linkpb.Frame_Hello{Hello: hello}}) {
		return nil, context.Cause(ctx)
	}
	return hello, nil
}
