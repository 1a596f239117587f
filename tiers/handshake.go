package tiers

import (
	"bytes"
	"cmp"
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

// errAgain: one of both ends began a new life, and the marks in the Hello are of the one before. A new Hello will fit.
var errAgain = errors.New("one of both sites began a new life; dial again")

// errPlaced: the province placed the child while both ends met, and the marks in their Hellos are not of one place.
var errPlaced = errors.New("the child was placed anew while both sites met; dial again")

// Why a peer is refused. The reason is told from the side of whoever refuses.
const (
	rolledBack     = "ROLLED_BACK"      // the one that refuses is behind its own history, or beside it
	peerRolledBack = "PEER_ROLLED_BACK" // the one that is refused is behind its own history
	streamMismatch = "STREAM_MISMATCH"  // the one that is refused has another history
	doubled        = "DOUBLED"          // the one that is refused is beside its history, and a stream of the same site lives
)

// barrier makes this node's view current, so that a Hello is never written from, or held against, a state that the
// site has left behind.
func (t *Tiers) barrier(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, t.pace.barrier)
	defer cancel()
	if err := t.o.Site.Barrier(ctx); err != nil {
		return fmt.Errorf("site %s has no majority now: %w", t.o.SiteID, err)
	}
	t.proof.renew()
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
		placement, err := placementBetween(r, peer)
		if err != nil {
			return err
		}
		hello = &linkpb.Hello{
			Site:             string(t.o.SiteID),
			Name:             t.o.Name,
			Tier:             t.o.Tier,
			Parent:           site.Parent,
			PlacementVersion: placement.GetVersion(),
			Placement:        placement,
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
			Packings:         []string{packing},
			Unsettled:        link.Unsettled,
			Frozen:           site.Frozen != "",
			Joined:           link.Joined,
			Taken:            link.Taken,
			Given:            link.Given,
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("describe the link with %s: %w", peer, err)
	}
	return hello, nil
}

// speaksFor refuses the other end of a call unless its certificate names the site. Without TLS there are no certificates, and the other
// end is on this machine.
func (t *Tiers) speaksFor(ctx context.Context, site string) error {
	switch certified, secured := t.o.PeerSite(ctx); {
	case !secured || certified != "" && certified == site:
		return nil
	case certified == "":
		return notThePeer("the other end shows no certificate and says it is %.64s", site)
	default:
		return notThePeer("the certificate names site %s, the other end says it is %.64s", certified, site)
	}
}

// checkChild refuses a caller that is not a child of this site.
func (t *Tiers) checkChild(h *linkpb.Hello) error {
	switch {
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
func (t *Tiers) checkParent(h *linkpb.Hello) error {
	switch {
	case desk.SiteID(h.Site) != t.parent():
		return notThePeer("site %s answered where %s was called; correct the parent's addresses", h.Site, t.parent())
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

// verdict is what a Hello that is not refused comes to.
type verdict struct {
	admit bool // the peer's incarnation is not the accepted one: the log decides
	again bool // the peer knows this site in another life: its marks say nothing until it has admitted the present one
}

// fit refuses a peer whose history does not continue the one that this site knows. Marks are held against each other when
// they are of one life of both.
func fit(r *store.Reader, h *linkpb.Hello, now time.Time, settle time.Duration) (verdict, error) {
	peer := desk.SiteID(h.Site)
	site, err := r.Site()
	if err != nil {
		return verdict{}, err
	}
	link, err := r.Link(peer)
	if err != nil {
		return verdict{}, err
	}
	if h.Incarnation == 0 {
		return verdict{}, notThePeer("%s does not tell its incarnation", peer)
	}
	v := verdict{
		admit: link.PeerIncarnation != h.Incarnation,
		again: h.PeerIncarnation != 0 && h.PeerIncarnation != site.GetIncarnation(),
	}
	if v.admit {
		err := admissible(link, &deskpb.AdmitPeer{Peer: h.Site, Incarnation: h.Incarnation, Letters: h.Letters})
		if err == nil && h.Frozen {
			err = notTheLiving(h)
		}
		if err != nil || link.PeerIncarnation != 0 {
			return v, err
		}
	}
	if h.Frozen && mustCompare(link, h) {
		return v, notTheLiving(h)
	}
	if v.again {
		return v, nil
	}
	if err := fitReceived(r, link, h, now, settle); err != nil {
		return v, err
	}
	return v, fitSent(link, h, now, settle)
}

// notTheLiving refuses to begin with a frozen life: to accept it would fence the one that lives, and to compare with it would
// bring in what that one does not know.
func notTheLiving(h *linkpb.Hello) error {
	return desk.Refuse(desk.FailedPrecondition, "PEER_FROZEN",
		"incarnation %016x of %s is frozen because another copy of it lives; run tierdesk site recover on the copy that shall live, and stop the other",
		h.Incarnation, h.Site)
}

// fitReceived holds when the peer's mark is one that this site can go on from, with the same history behind it.
func fitReceived(r *store.Reader, link *deskpb.Link, h *linkpb.Hello, now time.Time, settle time.Duration) error {
	switch mark := h.ReceivedSequence; {
	case mark < link.AckedSequence && now.Sub(time.UnixMicro(link.AckedTime)).Abs() < settle:
		return errOvertaken
	case mark < link.AckedSequence:
		return forgetful(link, h)
	case mark > link.SentSequence:
		return desk.Refuse(desk.FailedPrecondition, rolledBack,
			"%s has received up to item %d, but only %d were sent by this site; this site was rolled back, recover it",
			h.Site, mark, link.SentSequence)
	}
	hash, err := hashAt(r, link, h.ReceivedSequence)
	if err != nil {
		return err
	}
	if !bytes.Equal(hash, h.ReceivedHash) {
		return desk.Refuse(desk.FailedPrecondition, rolledBack,
			"what %s has received up to item %d is not what this site has sent; this site was copied or rolled back, recover it",
			h.Site, h.ReceivedSequence)
	}
	return nil
}

// fitSent holds when the peer still has written what this site received from it.
func fitSent(link *deskpb.Link, h *linkpb.Hello, now time.Time, settle time.Duration) error {
	if h.SentSequence < link.ReceivedSequence {
		if now.Sub(time.UnixMicro(link.ReceivedTime)).Abs() < settle {
			return errOvertaken
		}
		return behind(link, h)
	}
	if h.SentSequence == link.ReceivedSequence && !bytes.Equal(h.SentHash, link.ReceivedHash) {
		return beside(h, h.SentSequence)
	}
	return nil
}

// forgetful, behind and beside refuse a peer by what its Hello says of its own history.
func forgetful(link *deskpb.Link, h *linkpb.Hello) error {
	return desk.Refuse(desk.FailedPrecondition, peerRolledBack,
		"%s has received up to item %d, but acknowledged %d before; it was rolled back, recover it",
		h.Site, h.ReceivedSequence, link.AckedSequence)
}

func behind(link *deskpb.Link, h *linkpb.Hello) error {
	return desk.Refuse(desk.FailedPrecondition, peerRolledBack,
		"%s has sent up to item %d, but %d were received from it; it was rolled back, recover it",
		h.Site, h.SentSequence, link.ReceivedSequence)
}

func beside(h *linkpb.Hello, sequence uint64) error {
	return desk.Refuse(desk.FailedPrecondition, streamMismatch,
		"what %s has sent up to item %d is not what this site has received; %s was copied or rolled back, recover it",
		h.Site, sequence, h.Site)
}

// admission is what the log has to decide on a peer that has met this site. The child is whoever names the other end as
// its parent.
func (t *Tiers) admission(h *linkpb.Hello) *deskpb.AdmitPeer {
	child := t.o.SiteID
	if desk.SiteID(h.Parent) == t.o.SiteID {
		child = desk.SiteID(h.Site)
	}
	return &deskpb.AdmitPeer{
		Peer: h.Site, Incarnation: h.Incarnation, Letters: h.Letters, Child: string(child), PlacementVersion: h.PlacementVersion,
	}
}

// examine holds the peer's Hello against the latest state of this end, or returns errPlaced when it is of another place.
func (t *Tiers) examine(ctx context.Context, h *linkpb.Hello) (v verdict, err error) {
	if err := t.barrier(ctx); err != nil {
		return v, err
	}
	err = t.o.Site.View(func(r *store.Reader) error {
		site, err := r.Site()
		if err != nil {
			return err
		}
		if site == nil {
			return errNotFounded // in a moment it is; the peer is not to blame
		}
		tree, err := newTree(r)
		if err != nil {
			return err
		}
		if still, err := tree.stillPlaced(t.admission(h)); err != nil || !still {
			return cmp.Or(err, errPlaced)
		}
		v, err = fit(r, h, t.o.Now(), t.pace.settle)
		return err
	})
	return v, err
}

// meet checks the peer's history and has the log accept an incarnation of it that is new.
func (t *Tiers) meet(ctx context.Context, h *linkpb.Hello) (verdict, error) {
	v, err := t.examine(ctx, h)
	if err != nil || !v.admit {
		return v, err
	}
	attempt, cancel := context.WithTimeout(ctx, t.pace.propose)
	defer cancel()
	result, err := t.o.Site.Propose(attempt, &deskpb.Command{Kind: &deskpb.Command_AdmitPeer{AdmitPeer: t.admission(h)}})
	if err != nil {
		return v, fmt.Errorf("admit %s: %w", h.Site, err)
	}
	if err := outcome(result); err != nil {
		return v, err
	}
	// What follows is read here, and this node may be behind the log.
	return v, t.barrier(ctx)
}

// refusalOf returns the refusal of a command as an error.
func refusalOf(result *deskpb.Result) error {
	r := result.GetRefusal()
	if r == nil {
		return nil
	}
	return &desk.Refusal{Code: desk.Code(r.Code), Message: r.Message, Field: r.Field, Reason: r.Reason}
}
