package node

import (
	"context"
	"fmt"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// Recover begins another life of this site for a reason that is recorded.
func (b *backend) Recover(ctx context.Context, reason string) error {
	return statusOf(b.node.tiers.Recover(ctx, reason))
}

// awaken gives a site that was put back from a backup the incarnation that it waits for.
func (n *Node) awaken(ctx context.Context) error {
	if err := n.tiers.Recover(ctx, "restored from a backup"); err != nil {
		return err
	}
	n.log.Info("the restored site took another incarnation; its tickets from before are compared with the neighbours")
	return nil
}

// knownAbove asks the parent whether it knows this site, which is about to be founded, and returns why it must not be, ""
// when nothing speaks against it. A parent that does not answer, such as over a line that is not laid yet, holds nobody up:
// when it knows the site after all, the link between them will be refused.
func (n *Node) knownAbove(ctx context.Context) string {
	if n.config.Site.Parent == "" {
		return ""
	}
	known, err := n.askParent(ctx)
	switch {
	case err != nil:
		n.log.Info("the parent was not asked whether it knows this site", "parent", n.config.Site.Parent, "error", err)
		return ""
	case !known.Known:
		return ""
	case known.Connected:
		return fmt.Sprintf("%s is known to its parent %s and is connected to it now, so it runs elsewhere: name the nodes there in raft.join, "+
			"or stop them and set recover: true to rebuild it here", n.config.Site.ID, n.config.Site.Parent)
	default:
		return fmt.Sprintf("%s is known to its parent %s (incarnation %016x), but its data are not here: set recover: true to rebuild it from "+
			"its neighbours, or restore a backup", n.config.Site.ID, n.config.Site.Parent, known.Incarnation)
	}
}

// unready says why the site is not founded.
func (n *Node) unready() string {
	if reason := n.unfounded.Load(); reason != nil {
		return *reason
	}
	return fmt.Sprintf("site %s is not founded yet", n.config.Site.ID)
}

// passOver says once that recover: true does nothing at a site that has its data.
func (n *Node) passOver(site *deskpb.Site) {
	if n.config.Recover && n.passed.CompareAndSwap(false, true) && site.Recovering == 0 {
		n.log.Info("the site has its data, so recover: true does nothing; take it out of the configuration")
	}
}

func (n *Node) askParent(ctx context.Context) (tiers.Acquaintance, error) {
	return tiers.Question{
		Site: desk.SiteID(n.config.Site.ID), Parent: desk.SiteID(n.config.Site.Parent),
		Addresses: n.parentAddresses(), Credentials: n.security.links, Dial: n.options.Dial,
	}.Ask(ctx)
}

// life tells, for the overview, which life of the site this is and what is wrong with it.
func (b *backend) life(r *store.Reader, overview *apipb.GetSiteResponse) error {
	site, err := r.Site()
	if err != nil || site == nil {
		return err
	}
	overview.Incarnation, overview.Letters = fmt.Sprintf("%016x", site.Incarnation), site.Letters
	overview.Frozen = site.Frozen
	if site.Recovering == 0 {
		return nil
	}
	missing, err := b.unsettled(r)
	overview.Recovering = &apipb.Recovery{Since: timeMessage(time.UnixMicro(site.Recovering)), Missing: missing}
	return err
}

// unsettled lists the neighbours that this site was not compared with to the end.
func (b *backend) unsettled(r *store.Reader) (missing []string, err error) {
	neighbours, err := b.neighbours(r)
	if err != nil {
		return nil, err
	}
	for _, peer := range neighbours {
		end, err := r.Link(peer)
		if err != nil {
			return nil, err
		}
		if end.Unsettled || end.PeerIncarnation == 0 {
			missing = append(missing, string(peer))
		}
	}
	return missing, nil
}

// retriedAtMost is how many parked items one call tries again.
const retriedAtMost = 4096

// RetryParked tries every item again that is set aside now, at most retriedAtMost.
func (b *backend) RetryParked(ctx context.Context) (*apipb.RetryParkedResponse, error) {
	answer := &apipb.RetryParkedResponse{}
	var after []byte
	for answer.Tried < retriedAtMost {
		var parked []*deskpb.Parked
		err := b.Read(ctx, false, func(r *store.Reader) (err error) {
			parked, after, err = r.Parked(after, tiers.MaxRetry)
			return err
		})
		if err != nil || len(parked) == 0 {
			return answer, err
		}
		items := keysOf(parked)
		if _, err := b.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_RetryParked{RetryParked: &deskpb.RetryParked{Items: items}}}); err != nil {
			return nil, err
		}
		left, err := b.stillParked(ctx, items)
		if err != nil {
			return nil, err
		}
		answer.Tried += int32(len(items))
		answer.Applied += int32(len(items) - left)
		if after == nil {
			break
		}
	}
	return answer, nil
}

func keysOf(parked []*deskpb.Parked) (items []*deskpb.ParkedKey) {
	for _, item := range parked {
		items = append(items, &deskpb.ParkedKey{Peer: item.Peer, Time: item.Time, Sequence: item.Sequence})
	}
	return items
}

// stillParked counts the items that are set aside as before.
func (b *backend) stillParked(ctx context.Context, items []*deskpb.ParkedKey) (left int, err error) {
	err = b.Read(ctx, false, func(r *store.Reader) error {
		for _, key := range items {
			item, err := r.ParkedItem(key)
			if err != nil {
				return err
			}
			if item != nil {
				left++
			}
		}
		return nil
	})
	return left, err
}
