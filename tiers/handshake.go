package tiers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// errOvertaken: an older stream carried the link past the marks of this one's Hello. A new Hello will fit.
var errOvertaken = errors.New("an older stream carried more a moment ago; dial again")

// barrier makes this node's view current, so that a Hello is never written from, or held against, a state that the
// site has left behind.
func (t *Tiers) barrier(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, t.pace.barrier)
	defer cancel()
	if err := t.o.Site.Barrier(ctx); err != nil {
		return fmt.Errorf("site %s has no majority now: %w", t.o.SiteID, err)
	}
	return nil
}

// describe writes this site's Hello for a peer.
func (t *Tiers) describe(peer desk.SiteID, term uint64) (*linkpb.Hello, error) {
	var hello *linkpb.Hello
	err := t.o.Site.View(func(r *store.Reader) error {
		site, err := r.Site()
		if err != nil {
			return err
		}
		if site == nil {
			return errNotFounded
		}
		link, err := r.Link(peer)
		if err != nil {
			return err
		}
		hello = &linkpb.Hello{
			Site:             string(t.o.SiteID),
			Name:             t.o.Name,
			Tier:             t.o.Tier,
			Parent:           string(t.o.Parent),
			Node:             t.o.Node,
			Incarnation:      site.Incarnation,
			Letters:          site.Letters,
			RaftTerm:         term,
			Schema:           desk.Schema,
			PeerIncarnation:  link.PeerIncarnation,
			SentSequence:     link.SentSequence,
			SentHash:         link.SentHash,
			ReceivedSequence: link.ReceivedSequence,
			ReceivedHash:     link.ReceivedHash,
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("describe the link with %s: %w", peer, err)
	}
	return hello, nil
}

// checkChild refuses a caller that is not a child of this site. certified is the site of its certificate, if any.
func (t *Tiers) checkChild(h *linkpb.Hello, certified string) error {
	switch {
	case certified != "" && certified != h.Site:
		return notThePeer("the certificate names site %s, the caller says it is %s", certified, h.Site)
	case !desk.SiteID(h.Site).Valid() || desk.SiteID(h.Site) == t.o.SiteID:
		return notThePeer("%q cannot be a child of %s", h.Site, t.o.SiteID)
	case desk.SiteID(h.Parent) != t.o.SiteID:
		return notThePeer("the parent of %s is %q by its configuration, not %s", h.Site, h.Parent, t.o.SiteID)
	case h.Tier <= deskpb.Site_TIER_UNSPECIFIED || h.Tier >= t.o.Tier:
		return notThePeer("%s is of tier %s and cannot be below %s, a %s", h.Site, h.Tier, t.o.SiteID, t.o.Tier)
	}
	return checkSchema(h)
}

// checkParent refuses an answer that is not from the configured parent.
func (t *Tiers) checkParent(h *linkpb.Hello, certified string) error {
	switch {
	case certified != "" && certified != h.Site:
		return notThePeer("the certificate names site %s, the answer says it is %s", certified, h.Site)
	case desk.SiteID(h.Site) != t.o.Parent:
		return notThePeer("site %s answered where %s was called; correct the parent's addresses", h.Site, t.o.Parent)
	case h.Tier <= t.o.Tier:
		return notThePeer("%s is of tier %s and cannot be above %s, a %s", h.Site, h.Tier, t.o.SiteID, t.o.Tier)
	}
	return checkSchema(h)
}

func checkSchema(h *linkpb.Hello) error {
	if h.Schema == 0 {
		return notThePeer("%s does not tell the schema of its events", h.Site)
	}
	return nil
}

func notThePeer(format string, args ...any) *desk.Refusal {
	return desk.Refuse(desk.PermissionDenied, "NOT_THE_PEER", format, args...)
}

// fit refuses a peer whose history does not continue the one that this site knows.
func fit(r *store.Reader, h *linkpb.Hello, now time.Time, settle time.Duration) error {
	peer := desk.SiteID(h.Site)
	site, err := r.Site()
	if err != nil {
		return err
	}
	link, err := r.Link(peer)
	if err != nil {
		return err
	}
	switch {
	case h.Incarnation == 0 || link.PeerIncarnation != 0 && link.PeerIncarnation != h.Incarnation:
		return peerChanged(link, h.Incarnation)
	case h.PeerIncarnation != 0 && h.PeerIncarnation != site.GetIncarnation():
		return desk.Refuse(desk.FailedPrecondition, "PEER_CHANGED",
			"%s knows %s as incarnation %016x, but it is %016x now; recover %s", peer, site.GetId(), h.PeerIncarnation,
			site.GetIncarnation(), site.GetId())
	}
	if err := fitReceived(r, link, h, now, settle); err != nil {
		return err
	}
	return fitSent(link, h, now, settle)
}

// fitReceived holds when the peer's mark is one that this site can go on from, with the same history behind it.
func fitReceived(r *store.Reader, link *deskpb.Link, h *linkpb.Hello, now time.Time, settle time.Duration) error {
	switch mark := h.ReceivedSequence; {
	case mark < link.AckedSequence && now.Sub(time.UnixMicro(link.AckedTime)).Abs() < settle:
		return errOvertaken
	case mark < link.AckedSequence:
		return desk.Refuse(desk.FailedPrecondition, "PEER_ROLLED_BACK",
			"%s has received up to item %d, but acknowledged %d before; it was rolled back, recover it", h.Site, mark, link.AckedSequence)
	case mark > link.SentSequence:
		return desk.Refuse(desk.FailedPrecondition, "ROLLED_BACK",
			"%s has received up to item %d, but only %d were sent by this site; this site was rolled back, recover it",
			h.Site, mark, link.SentSequence)
	}
	hash, err := hashAt(r, link, h.ReceivedSequence)
	if err != nil {
		return err
	}
	if !bytes.Equal(hash, h.ReceivedHash) {
		return mismatch(h.Site, h.ReceivedSequence)
	}
	return nil
}

// fitSent holds when the peer still has written what this site received from it.
func fitSent(link *deskpb.Link, h *linkpb.Hello, now time.Time, settle time.Duration) error {
	if h.SentSequence < link.ReceivedSequence {
		if now.Sub(time.UnixMicro(link.ReceivedTime)).Abs() < settle {
			return errOvertaken
		}
		return desk.Refuse(desk.FailedPrecondition, "PEER_ROLLED_BACK",
			"%s has sent up to item %d, but %d were received from it; it was rolled back, recover it",
			h.Site, h.SentSequence, link.ReceivedSequence)
	}
	if h.SentSequence == link.ReceivedSequence && !bytes.Equal(h.SentHash, link.ReceivedHash) {
		return mismatch(h.Site, h.SentSequence)
	}
	return nil
}

func mismatch(peer string, sequence uint64) *desk.Refusal {
	return desk.Refuse(desk.FailedPrecondition, "STREAM_MISMATCH",
		"%s and this site have different histories of the link up to item %d; one of them was copied or rolled back, recover it",
		peer, sequence)
}

// compare holds the peer's Hello against the latest state of this end. known tells whether the peer was met before.
func (t *Tiers) compare(ctx context.Context, h *linkpb.Hello) (known bool, err error) {
	if err := t.barrier(ctx); err != nil {
		return false, err
	}
	err = t.o.Site.View(func(r *store.Reader) error {
		site, err := r.Site()
		if err != nil {
			return err
		}
		if site == nil {
			return errNotFounded // in a moment it is; the peer is not to blame
		}
		link, err := r.Link(desk.SiteID(h.Site))
		if err != nil {
			return err
		}
		known = link.PeerIncarnation != 0
		return fit(r, h, t.o.Now(), t.pace.settle)
	})
	return known, err
}

// meet checks the peer's history and, at the first meeting, has the log accept its incarnation.
func (t *Tiers) meet(ctx context.Context, h *linkpb.Hello) error {
	known, err := t.compare(ctx, h)
	if err != nil || known {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, t.pace.propose)
	defer cancel()
	admit := &deskpb.AdmitPeer{Peer: h.Site, Incarnation: h.Incarnation}
	result, err := t.o.Site.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_AdmitPeer{AdmitPeer: admit}})
	if err != nil {
		return fmt.Errorf("admit %s: %w", h.Site, err)
	}
	return refusalOf(result)
}

// refusalOf returns the refusal of a command as an error.
func refusalOf(result *deskpb.Result) error {
	r := result.GetRefusal()
	if r == nil {
		return nil
	}
	return &desk.Refusal{Code: desk.Code(r.Code), Message: r.Message, Field: r.Field, Reason: r.Reason}
}
