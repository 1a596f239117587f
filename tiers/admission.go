package tiers

import (
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// admits returns why an event must not come over the stream with the peer, empty when it may. A child speaks for its own
// subtree, the parent for everybody else. Two kinds of events come another way: what this site decided in a life before,
// which a neighbour has from a third one, and what an office's former parent wrote, which comes with the office.
func (t tree) admits(peer desk.SiteID, record *deskpb.Record, e desk.Sealed) (objection string, err error) {
	author, home := desk.SiteID(e.Id.Site), desk.SiteID(e.Path[0])
	where, child, err := t.locate(author)
	if err != nil {
		return "", err
	}
	fromParent, excused := peer == t.parent(), false
	switch {
	case where == self:
		excused, err = t.earlierLife(e)
	case where == below && (fromParent || child != peer):
		excused, err = t.comesAround(peer, author, home)
	default:
		excused = where != elsewhere || fromParent
	}
	if err != nil {
		return "", err
	}
	if !excused {
		return fmt.Sprintf("%s sent an event of %s, which is not in its part of the tree", peer, author), nil
	}
	return t.admitsTicket(peer, record, e)
}

// earlierLife tells whether an event of this site may be from a life before its present one.
func (t tree) earlierLife(e desk.Sealed) (bool, error) {
	site, err := t.r.Site()
	if err != nil {
		return false, fmt.Errorf("read the site: %w", err)
	}
	return site.Letters != "" && site.Incarnation != e.Id.Incarnation, nil
}

// admitsTicket returns why an event of this ticket must not come over the link with the peer, whoever wrote it; empty when
// it may. The home lies on the child's side for a child, on this side for the parent. A former parent may still bring
// what it wrote before it heard of the move, and is brought what it has to answer. Where the directory knows nothing to the contrary, the link that
// names a site is believed.
func (t tree) admitsTicket(peer desk.SiteID, record *deskpb.Record, e desk.Sealed) (objection string, err error) {
	where, child, err := t.locate(desk.SiteID(e.Path[0]))
	if err != nil {
		return "", err
	}
	if peer == t.parent() {
		strays := false
		if where == elsewhere {
			if strays, err = t.formerly(desk.SiteID(e.Path[0]), t.self()); err != nil {
				return "", err
			}
		}
		if where == elsewhere && !strays || where == unknown && record == nil {
			return fmt.Sprintf("ticket %s does not come from this side of the tree", e.Ticket), nil
		}
		return "", nil
	}
	if where == unknown || child == peer {
		return "", nil
	}
	late, err := t.formerly(desk.SiteID(e.Path[0]), peer)
	if err != nil {
		return "", err
	}
	if !late {
		return fmt.Sprintf("%s sent an event of ticket %s, whose home is not in its part of the tree", peer, e.Ticket), nil
	}
	return "", nil
}

// admitsSite returns why a directory entry must not come over the link from the peer, empty when it may. A child tells of
// its own subtree, the parent of everything else; of this site's subtree too when this site knows nothing of it. Where
// the province placed a site, that counts and not what the site says of itself.
func (t tree) admitsSite(peer desk.SiteID, info *deskpb.SiteInfo) (objection string, err error) {
	site, parent := desk.SiteID(info.Id), desk.SiteID(info.Parent)
	if !site.Valid() || parent == site {
		return fmt.Sprintf("the directory entry %q below %q cannot name a site", info.Id, info.Parent), nil
	}
	placement, err := t.r.Placement(site)
	if err != nil {
		return "", fmt.Errorf("read the placement of %s: %w", site, err)
	}
	if placement != nil {
		parent = standsBelow(placement)
	}
	where, child, err := t.locate(site)
	if err != nil {
		return "", err
	}
	above, through, err := t.locate(parent)
	if err != nil {
		return "", err
	}
	wrong := fmt.Sprintf("%s sent the directory entry of %s below %q, which is not its to tell", peer, info.Id, info.Parent)
	onThisSide := above == self || above == below
	switch {
	case peer == t.parent():
		if where == self || onThisSide && where == elsewhere {
			return wrong, nil
		}
	case where != unknown && child != peer,
		site == peer && above != self,
		site != peer && (above != below || through != peer):
		return wrong, nil
	}
	return "", nil
}
