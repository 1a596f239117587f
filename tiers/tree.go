package tiers

import (
	"fmt"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/store"
)

// depth bounds every walk up the tree: county, city, province. A directory that makes a longer chain is wrong.
const depth = 3

// tree is the directory as this site sees it.
type tree struct {
	r    *store.Reader
	path []desk.SiteID // this site first, its known ancestors behind it
	// parents remembers what parentOf has read, while nothing changes it; nil to read it anew.
	parents map[desk.SiteID]parentage
}

// parentage is what is known of where a site stands.
type parentage struct {
	parent desk.SiteID // empty for the province
	known  bool
}

func newTree(r *store.Reader) (tree, error) {
	here, err := Here(r)
	if err != nil {
		return tree{}, err
	}
	return tree{r: r, path: here.Path}, nil
}

// ancestry is a site and its ancestors, as far as the directory knows them.
func ancestry(r *store.Reader, site, parent desk.SiteID) ([]desk.SiteID, error) {
	path := []desk.SiteID{site}
	for parent != "" && len(path) < depth && !slices.Contains(path, parent) {
		path = append(path, parent)
		above, _, err := recordedParent(r, parent)
		if err != nil {
			return nil, err
		}
		parent = above
	}
	return path, nil
}

// ParentOf is the parent of a site by the province's word, else by the site's own; empty for the province and for a site
// that is not known.
func ParentOf(r *store.Reader, site desk.SiteID) (desk.SiteID, error) {
	parent, _, err := recordedParent(r, site)
	return parent, err
}

// recordedParent is where a site stands by the province's word, else by its own.
func recordedParent(r *store.Reader, site desk.SiteID) (parent desk.SiteID, known bool, err error) {
	placement, err := r.Placement(site)
	if err != nil {
		return "", false, fmt.Errorf("read the placement of %s: %w", site, err)
	}
	if placement != nil {
		return standsBelow(placement), true, nil
	}
	info, err := r.SiteInfo(site)
	if err != nil {
		return "", false, fmt.Errorf("read the directory entry of %s: %w", site, err)
	}
	return desk.SiteID(info.GetParent()), info != nil, nil
}

func (t tree) self() desk.SiteID { return t.path[0] }

// parent is empty at the province.
func (t tree) parent() desk.SiteID {
	if len(t.path) < 2 {
		return ""
	}
	return t.path[1]
}

// side tells where another site stands, seen from this one.
type side int

const (
	unknown   side = iota // the directory does not connect it with this site
	self                  // it is this site
	below                 // in the subtree of one of this site's children
	elsewhere             // anywhere else in the tree
)

// locate tells where a site stands; for one below, child is the child that leads to it.
func (t tree) locate(site desk.SiteID) (where side, child desk.SiteID, err error) {
	at := site
	for range depth {
		if at == t.self() {
			if child == "" {
				return self, "", nil
			}
			return below, child, nil
		}
		if slices.Contains(t.path, at) {
			return elsewhere, "", nil
		}
		parent, known, err := t.parentOf(at)
		if err != nil {
			return unknown, "", err
		}
		if !known {
			return unknown, "", nil
		}
		if parent == "" {
			return elsewhere, "", nil
		}
		child, at = at, parent
	}
	return elsewhere, "", nil
}

// parentOf reads the parent of a site that is neither this one nor above it. A neighbour that was admitted is a child
// even before its directory entry has come: nobody else may be.
func (t tree) parentOf(site desk.SiteID) (parent desk.SiteID, known bool, err error) {
	if at, remembered := t.parents[site]; remembered {
		return at.parent, at.known, nil
	}
	parent, known, err = t.readParent(site)
	if err == nil && t.parents != nil {
		t.parents[site] = parentage{parent, known}
	}
	return parent, known, err
}

func (t tree) readParent(site desk.SiteID) (parent desk.SiteID, known bool, err error) {
	if parent, known, err = recordedParent(t.r, site); known || err != nil {
		return parent, known, err
	}
	link, err := t.r.Link(site)
	if err != nil {
		return "", false, fmt.Errorf("read the link with %s: %w", site, err)
	}
	return t.self(), link.PeerIncarnation != 0, nil
}

// pathOf returns a site and its ancestors up to the province, as the directory has them now; nil where it does not know
// them.
func (t tree) pathOf(site desk.SiteID) ([]desk.SiteID, error) {
	var path []desk.SiteID
	for range depth {
		if i := slices.Index(t.path, site); i >= 0 {
			return append(path, t.path[i:]...), nil
		}
		parent, known, err := t.parentOf(site)
		if err != nil || !known {
			return nil, err
		}
		path = append(path, site)
		if parent == "" {
			return path, nil
		}
		site = parent
	}
	return nil, nil
}

// onward lists the neighbours to which an event of a ticket with this path goes from here: up to the parent, and down
// to the child on the way home.
func (t tree) onward(path []string) ([]desk.SiteID, error) {
	var out []desk.SiteID
	if parent := t.parent(); parent != "" {
		out = append(out, parent)
	}
	child, err := t.homeward(path)
	if err != nil {
		return nil, err
	}
	if child != "" {
		out = append(out, child)
	}
	return out, nil
}

// homeward is the child on the way to the ticket's home, empty when this site is the home or the home is not below it. The
// directory knows; only where it does not, the path that the ticket's events carry is believed, and where that does not
// name this site, the site of it that the directory places below.
func (t tree) homeward(path []string) (desk.SiteID, error) {
	if len(path) == 0 {
		return "", nil
	}
	where, child, err := t.locate(desk.SiteID(path[0]))
	if err != nil || where != unknown {
		return child, err
	}
	if i := slices.Index(path, string(t.self())); i > 0 {
		return desk.SiteID(path[i-1]), nil
	}
	for _, site := range slices.Backward(path) {
		where, child, err := t.locate(desk.SiteID(site))
		if err != nil {
			return "", err
		}
		if where == below {
			return child, nil
		}
	}
	return "", nil
}

// neighbours lists the parent and every admitted child.
func (t tree) neighbours() ([]desk.SiteID, error) {
	var out []desk.SiteID
	if parent := t.parent(); parent != "" {
		out = append(out, parent)
	}
	links, err := t.r.Links()
	if err != nil {
		return nil, fmt.Errorf("read the links: %w", err)
	}
	for _, link := range links {
		if peer := desk.SiteID(link.Peer); peer != t.parent() && link.PeerIncarnation != 0 {
			out = append(out, peer)
		}
	}
	return out, nil
}

// children lists the admitted children.
func (t tree) children() ([]desk.SiteID, error) {
	peers, err := t.neighbours()
	return slices.DeleteFunc(peers, func(peer desk.SiteID) bool { return peer == t.parent() }), err
}

// formerly tells whether a site stood below a parent before it was moved to where it stands.
func (t tree) formerly(site, parent desk.SiteID) (bool, error) {
	placement, err := t.r.Placement(site)
	if err != nil {
		return false, fmt.Errorf("read the placement of %s: %w", site, err)
	}
	return slices.Contains(placement.GetFormer(), string(parent)), nil
}

// comesAround tells whether an event may come over a link that its author does not stand behind: its office moved, and the
// event was under way, or it was written by a parent that the office has left.
func (t tree) comesAround(peer, author, home desk.SiteID) (bool, error) {
	if peer == t.parent() {
		placement, err := t.r.Placement(author)
		if err != nil {
			return false, fmt.Errorf("read the placement of %s: %w", author, err)
		}
		return len(placement.GetFormer()) > 0, nil
	}
	if late, err := t.formerly(author, peer); late || err != nil {
		return late, err
	}
	return t.formerly(home, author)
}
