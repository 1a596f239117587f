package node

import (
	"cmp"
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// parent is the site above this one: where the province placed it last, else where it was founded, else the configured one.
func (n *Node) parent() string {
	parent := n.config.Site.Parent
	err := n.store.View(func(r *store.Reader) (err error) {
		parent, err = n.parentIn(r)
		return err
	})
	if err != nil {
		n.log.Warn("cannot read the site's parent", "error", err)
	}
	return parent
}

// parentIn is the parent in a state.
func (n *Node) parentIn(r *store.Reader) (string, error) {
	site, err := r.Site()
	if site == nil || err != nil {
		return n.config.Site.Parent, err
	}
	return site.Parent, nil
}

// checkPlace holds the configuration to the tier and the parent that the site was founded with. A site that the province has
// moved since goes where it was moved to, whatever its configuration says.
func (n *Node) checkPlace(r *store.Reader) error {
	founded, err := r.Site()
	if founded == nil || err != nil {
		return err
	}
	placement, err := r.Placement(desk.SiteID(founded.Id))
	if err != nil {
		return err
	}
	want := n.config.Site
	switch {
	case founded.Tier == want.Tier.Proto() && founded.Parent == want.Parent:
		return nil
	case founded.Tier == want.Tier.Proto() && placement != nil:
		n.log.Warn("site.parent in the configuration is not where the province has moved this site; correct it",
			"configured", want.Parent, "parent", founded.Parent)
		return nil
	}
	return fmt.Errorf("site %s was founded as %s under %q, but site.tier is %s and site.parent is %q; correct the configuration",
		founded.Id, founded.Tier, founded.Parent, want.Tier, want.Parent)
}

// diagnosePlace tells of a configuration that names a parent which the site has left.
func (b *backend) diagnosePlace() []*apipb.Check {
	configured, parent := b.node.config.Site.Parent, b.node.parent()
	if configured == parent {
		return nil
	}
	return []*apipb.Check{about(b.node.config.Node.ID, "place", warning(
		fmt.Sprintf("set site.parent to %q, and link.parent_addresses to the addresses of its nodes", parent),
		"the province has moved this site below %s, and site.parent still says %q", cmp.Or(parent, "nobody"), configured))}
}

// parentAddresses lists where the parent's nodes were last heard of, then the configured ones, then those that its own
// directory entry names. The configured ones come last once the site was moved: they are another site's then.
func (n *Node) parentAddresses() []string {
	parent := n.parent()
	heard, configured, registered := n.gossip.Addresses(parent), n.config.Link.ParentAddresses, n.registered(parent)
	order := [][]string{heard, configured, registered}
	if parent != n.config.Site.Parent {
		order = [][]string{heard, registered, configured}
	}
	var addresses []string
	known := map[string]bool{}
	for _, some := range order {
		for _, address := range some {
			if !known[address] {
				known[address] = true
				addresses = append(addresses, address)
			}
		}
	}
	return addresses
}

// registered lists the grpc addresses in a site's directory entry.
func (n *Node) registered(site string) (addresses []string) {
	var info *deskpb.SiteInfo
	err := n.store.View(func(r *store.Reader) (err error) {
		info, err = r.SiteInfo(desk.SiteID(site))
		return err
	})
	if err != nil {
		n.log.Warn("cannot read the directory", "site", site, "error", err)
	}
	for _, node := range info.GetNodes() {
		if node.Grpc != "" {
			addresses = append(addresses, node.Grpc)
		}
	}
	return addresses
}
