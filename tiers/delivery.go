package tiers

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// placementKind stands for a placement among deliveries: the site that has to act on it tells the province that it has it,
// and with it that everything which it wrote before is on its way. The name is the site that is placed.
const placementKind = "placement"

// notice takes an item that travels along the tree. Entries of the directory that came with the same command may have told
// this site who is above it, so the path is read anew.
func (in *inbound) notice(item []byte, content *deskpb.Item) (err error) {
	if in.tree, err = newTree(in.b.Reader); err != nil {
		return err
	}
	switch kind := content.Content.(type) {
	case *deskpb.Item_Publication:
		return in.publication(item, kind.Publication)
	case *deskpb.Item_Delivery:
		return in.delivery(item, kind.Delivery)
	case *deskpb.Item_Placement:
		return in.placement(item, kind.Placement)
	}
	return nil
}

// delivered notes that this site has a version, and tells so upward.
func (in *inbound) delivered(publisher desk.SiteID, kind, name string, version uint64) error {
	d := &deskpb.Delivery{
		Site: string(in.tree.self()), Publisher: string(publisher), Kind: kind, Name: name, Version: version, Time: in.at.Time,
	}
	if err := in.b.PutDelivery(d); err != nil {
		return err
	}
	return sendItem(in.b, []desk.SiteID{in.tree.parent()}, &deskpb.Item{Content: &deskpb.Item_Delivery{Delivery: d}})
}

// delivery notes what a site below has, and passes it on until it reaches the publisher.
func (in *inbound) delivery(item []byte, d *deskpb.Delivery) error {
	where, child, err := in.tree.locate(desk.SiteID(d.Site))
	if err != nil {
		return err
	}
	publisher := desk.SiteID(d.Publisher)
	switch {
	case in.peer == in.tree.parent():
		return in.park(item, fmt.Sprintf("the delivery of %.40s %.40q came from above; deliveries are told upward", d.Kind, d.Name))
	case !desk.SiteID(d.Site).Valid() || where != unknown && child != in.peer:
		return in.park(item, fmt.Sprintf("%s told of a delivery at %.40q, which is not in its part of the tree", in.peer, d.Site))
	case !slices.Contains(in.tree.path, publisher):
		return in.park(item, fmt.Sprintf("%s told of a publication of %.40q, which is not above it", in.peer, publisher))
	}
	old, err := in.b.Delivery(publisher, d.Kind, d.Name, desk.SiteID(d.Site))
	if err != nil {
		return err
	}
	if old != nil && old.Version >= d.Version {
		return nil
	}
	if err := in.b.PutDelivery(d); err != nil {
		return err
	}
	if publisher == in.tree.self() {
		return nil
	}
	return sendWhole(in.b, []desk.SiteID{in.tree.parent()}, item)
}

// sendDeliveries tells the parent anew which versions this site and those below it have. What an office had that was moved
// away since is told by its new parent.
func sendDeliveries(b *store.Batch, t tree, parent desk.SiteID) error {
	var all []*deskpb.Delivery
	err := b.EachDelivery(func(d *deskpb.Delivery) error {
		if desk.SiteID(d.Publisher) != t.self() {
			all = append(all, d)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the deliveries: %w", err)
	}
	for _, d := range all {
		where, _, err := t.locate(desk.SiteID(d.Site))
		if err != nil {
			return err
		}
		if where == elsewhere {
			continue
		}
		if err := sendItem(b, []desk.SiteID{parent}, &deskpb.Item{Content: &deskpb.Item_Delivery{Delivery: d}}); err != nil {
			return err
		}
	}
	return nil
}

// Receipt tells whether a site has a document.
type Receipt struct {
	Site *deskpb.SiteInfo
	// Delivery is what the site said last, nil when nothing was heard of it.
	Delivery *deskpb.Delivery
}

// Receipts lists the sites that should have a document, as far as they are known here, by id: this site, unless it is the
// publisher, and all below it.
func Receipts(r *store.Reader, publisher desk.SiteID, kind, name string) ([]Receipt, error) {
	t, err := newTree(r)
	if err != nil {
		return nil, err
	}
	directory, err := r.Directory()
	if err != nil {
		return nil, fmt.Errorf("read the directory: %w", err)
	}
	var all []Receipt
	for _, info := range directory {
		site := desk.SiteID(info.Id)
		where, _, err := t.locate(site)
		if err != nil {
			return nil, err
		}
		if where != below && where != self || site == publisher {
			continue
		}
		d, err := r.Delivery(publisher, kind, name, site)
		if err != nil {
			return nil, fmt.Errorf("read the delivery of %s %q at %s: %w", kind, name, site, err)
		}
		all = append(all, Receipt{Site: info, Delivery: d})
	}
	slices.SortFunc(all, func(x, y Receipt) int { return cmp.Compare(x.Site.Id, y.Site.Id) })
	return all, nil
}
