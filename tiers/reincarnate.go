package tiers

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// NewIncarnation draws the incarnation of a site's next life, and the letters that its ticket numbers carry.
func NewIncarnation() (incarnation uint64, letters string) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	var random [32]byte
	for incarnation == 0 || len(letters) < lettersWidth {
		rand.Read(random[:])
		incarnation, letters = binary.BigEndian.Uint64(random[:8]), ""
		for _, b := range random[8:] {
			// A byte beyond the last whole alphabet would make the first letters likelier than the others.
			if whole := 256 - 256%len(alphabet); int(b) < whole && len(letters) < lettersWidth {
				letters += string(alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return incarnation, letters
}

// lettersWidth is how many letters mark the numbers of a later life.
const lettersWidth = 3

// Recover begins a new life of the site, whatever it knows of itself: after that it is compared with its neighbours. A
// refusal is a *desk.Refusal; any other error leaves the outcome open, and asking again is harmless.
func (t *Tiers) Recover(ctx context.Context, reason string) error {
	site, err := t.site()
	if err != nil {
		return fmt.Errorf("recover site %s: %w", t.o.SiteID, err)
	}
	return t.reincarnate(ctx, site.Incarnation, reason)
}

// reincarnate has the log end the life that it was in before.
func (t *Tiers) reincarnate(ctx context.Context, before uint64, reason string) error {
	ctx, cancel := context.WithTimeout(ctx, t.pace.propose)
	defer cancel()
	incarnation, letters := NewIncarnation()
	result, err := t.o.Site.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_Reincarnate{Reincarnate: &deskpb.Reincarnate{
		Before: before, Incarnation: incarnation, Letters: letters, Reason: reason,
	}}})
	if err != nil {
		return fmt.Errorf("begin a new life of site %s: %w", t.o.SiteID, err)
	}
	return refusalOf(result)
}

// Reincarnate begins a new life of this site: its events have a new incarnation and its ticket numbers new letters, its
// streams begin anew, and what it knows from before is decided again only when the neighbours were compared. Everybody is
// signed out. It changes nothing when the life before has ended already.
func Reincarnate(b *store.Batch, c *deskpb.Reincarnate, at desk.Stamp) error {
	t, err := newTree(b.Reader)
	if err != nil {
		return err
	}
	site, err := b.Site()
	if err != nil {
		return fmt.Errorf("read the site: %w", err)
	}
	if site.Incarnation != c.Before {
		return nil
	}
	if err := checkNewLife(site, c); err != nil {
		return err
	}
	links, err := b.Links()
	if err != nil {
		return fmt.Errorf("read the links: %w", err)
	}
	site.Past = append(site.Past, &deskpb.Incarnation{Id: site.Incarnation, Letters: site.Letters})
	site.Incarnation, site.Letters, site.EventSequence, site.Frozen = c.Incarnation, c.Letters, 0, ""
	site.Recovering = 0
	if t.parent() != "" || len(links) > 0 {
		site.Recovering = at.Time
	}
	if err := b.PutSite(site); err != nil {
		return fmt.Errorf("write the site: %w", err)
	}
	if err := b.DeleteSessions(); err != nil {
		return fmt.Errorf("sign everybody out: %w", err)
	}
	for _, link := range links {
		if err := beginStream(b, link); err != nil {
			return err
		}
	}
	if err := republish(b, site, at); err != nil {
		return err
	}
	for _, link := range links {
		if link.PeerIncarnation == 0 {
			continue
		}
		if err := open(b, t, desk.SiteID(link.Peer)); err != nil {
			return err
		}
	}
	return nil
}

var lettersForm = regexp.MustCompile(`^[A-Z0-9]{3}$`)

// checkNewLife refuses an incarnation or letters that cannot tell the new life from those before.
func checkNewLife(site *deskpb.Site, c *deskpb.Reincarnate) error {
	if c.Incarnation == 0 || !lettersForm.MatchString(c.Letters) {
		return desk.Refuse(desk.InvalidArgument, "INVALID_LIFE",
			"incarnation %016x with letters %q cannot begin a life of %s; draw both at random", c.Incarnation, c.Letters, site.Id)
	}
	used := slices.ContainsFunc(site.Past, func(past *deskpb.Incarnation) bool {
		return past.Id == c.Incarnation || past.Letters == c.Letters
	})
	if used || c.Incarnation == site.Incarnation || c.Letters == site.Letters {
		return desk.Refuse(desk.AlreadyExists, "LETTERS_USED",
			"%s had incarnation %016x or letters %s before; draw others", site.Id, c.Incarnation, c.Letters)
	}
	return nil
}

// beginStream forgets both directions of a link's stream, because one of the two ends has begun a new life: what was not
// acknowledged is found again by the comparison.
func beginStream(b *store.Batch, link *deskpb.Link) error {
	peer := desk.SiteID(link.Peer)
	if err := b.PruneOutbox(peer, link.AckedSequence+1, link.SentSequence); err != nil {
		return fmt.Errorf("empty the outbox of %s: %w", peer, err)
	}
	link.SentSequence, link.SentHash = 0, nil
	link.AckedSequence, link.AckedHash, link.AckedTime = 0, nil, 0
	link.ReceivedSequence, link.ReceivedHash, link.ReceivedTime = 0, nil, 0
	link.Unsettled, link.Revisit = true, false
	if err := b.PutLink(link); err != nil {
		return fmt.Errorf("write the link with %s: %w", peer, err)
	}
	return nil
}

// republish tells the neighbours of the site's new life.
func republish(b *store.Batch, site *deskpb.Site, at desk.Stamp) error {
	info, err := b.SiteInfo(desk.SiteID(site.Id))
	if err != nil {
		return fmt.Errorf("read the directory entry of %s: %w", site.Id, err)
	}
	if info == nil {
		info = &deskpb.SiteInfo{Id: site.Id, Name: site.Name, Tier: site.Tier, Parent: site.Parent}
	}
	info.Incarnation, info.Letters = site.Incarnation, site.Letters
	return Publish(b, info, at)
}

// Freeze stops every decision of this site in the incarnation that was accused: another copy of it lives. It lasts until
// the next Reincarnate.
func Freeze(b *store.Batch, c *deskpb.Freeze) error {
	site, err := b.Site()
	if err != nil {
		return fmt.Errorf("read the site: %w", err)
	}
	if site == nil {
		return errNotFounded
	}
	if site.Incarnation != c.Incarnation || site.Frozen == c.Reason {
		return nil
	}
	if c.Reason == "" {
		return desk.Refuse(desk.InvalidArgument, "NO_REASON", "%s cannot be frozen without a reason that people can read", site.Id)
	}
	site.Frozen = c.Reason
	if err := b.PutSite(site); err != nil {
		return fmt.Errorf("write the site: %w", err)
	}
	return nil
}

// linked is a command about the link with a peer, meant for one life of each end.
type linked interface {
	GetPeer() string
	GetPeerIncarnation() uint64
	GetIncarnation() uint64
}

// living returns the link that a command is about. It refuses one that belongs to another life of the peer than the one that was
// accepted, or to another of this site: its stream has ended, and its marks mean something else now.
func living(r *store.Reader, c linked) (*deskpb.Link, error) {
	link, err := r.Link(desk.SiteID(c.GetPeer()))
	if err != nil {
		return nil, fmt.Errorf("read the link with %s: %w", c.GetPeer(), err)
	}
	site, err := r.Site()
	if err != nil {
		return nil, fmt.Errorf("read the site: %w", err)
	}
	switch {
	case site == nil:
		return nil, errNotFounded
	case link.PeerIncarnation == 0:
		return nil, desk.Refuse(desk.FailedPrecondition, "PEER_UNKNOWN", "%s was never admitted here; open a link first", link.Peer)
	case link.PeerIncarnation != c.GetPeerIncarnation() && !desk.Broken(desk.Fence):
		return nil, desk.Refuse(desk.FailedPrecondition, "PEER_CHANGED",
			"%s is accepted as incarnation %016x, not %016x; open the link again", link.Peer, link.PeerIncarnation, c.GetPeerIncarnation())
	case site.Incarnation != c.GetIncarnation():
		return nil, desk.Refuse(desk.FailedPrecondition, "SITE_CHANGED",
			"%s has begun a new life, incarnation %016x; open the link with %s again", site.Id, site.Incarnation, link.Peer)
	}
	return link, nil
}
