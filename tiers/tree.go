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
		info, err := r.SiteInfo(parent)
		if err != nil {
			return nil, fmt.Errorf("read the directory entry of %s: %w", parent, err)
		}
		parent = desk.SiteID(info.GetParent())
	}
	return path, nil
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
	info, err := t.r.SiteInfo(site)
	if err != nil {
		return "", false, fmt.Errorf("read the directory entry of %s: %w", site, err)
	}
	if info != nil {
		return desk.SiteID(info.Parent), true, nil
	}
	link, err := t.r.Link(site)
	if err != nil {
		return "", false, fmt.Errorf("read the link with %s: %w", site, err)
	}
	return t.self(), link.PeerIncarnation != 0, nil
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

// homeward is the child on the way to the ticket's home, empty when this site is the home. A path that its author did
// not know to this site is completed by the directory.
func (t tree) homeward(path []string) (desk.SiteID, error) {
	if i := slices.Index(path, string(t.self())); i >= 0 {
		if i == 0 {
			return "", nil
		}
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
