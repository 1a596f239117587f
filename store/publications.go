package store

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// A publication is two rows, so that lists and counts do not read bodies.
const (
	publicationHead = 0x01 // the Publication without its body
	publicationBody = 0x02 // the body, when there is one
)

func publicationKey(part byte, publisher desk.SiteID, kind, name string) keys.Key {
	return keys.Build(familyPublication).Byte(part).Text(string(publisher)).Text(kind).Text(name).Key()
}

// headsOf begins the heads of one publisher's documents, of everybody's for "".
func headsOf(publisher desk.SiteID) keys.Key {
	prefix := keys.Build(familyPublication).Byte(publicationHead)
	if publisher != "" {
		prefix = prefix.Text(string(publisher))
	}
	return prefix.Key()
}

// Publication returns a document with its body, nil when there is none.
func (r *Reader) Publication(publisher desk.SiteID, kind, name string) (*deskpb.Publication, error) {
	p, err := r.PublicationHead(publisher, kind, name)
	if p == nil || err != nil {
		return nil, err
	}
	p.Body, err = r.get(publicationKey(publicationBody, publisher, kind, name))
	return p, err
}

// PublicationHead returns a document without its body, nil when there is none.
func (r *Reader) PublicationHead(publisher desk.SiteID, kind, name string) (*deskpb.Publication, error) {
	return load[deskpb.Publication](r, publicationKey(publicationHead, publisher, kind, name))
}

// Publications returns the documents of a publisher, of all publishers for "", by publisher, kind and name, without their
// bodies, with the cursor for the next page, nil at the end. limit is at least 1.
func (r *Reader) Publications(publisher desk.SiteID, after []byte, limit int) ([]*deskpb.Publication, []byte, error) {
	var heads []*deskpb.Publication
	next, err := r.page(headsOf(publisher), after, false, limit, func(cursor, value []byte) error {
		p, err := decode[deskpb.Publication](r, cursor, value)
		heads = append(heads, p)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return heads, next, nil
}

// CountPublications counts the documents of a publisher, those that were taken back included.
func (r *Reader) CountPublications(publisher desk.SiteID) (count int, err error) {
	err = r.scan(under(headsOf(publisher)), func(_, _ []byte) (bool, error) {
		count++
		return true, nil
	})
	return count, err
}

// PutPublication stores a document in the place of another version of it.
func (b *Batch) PutPublication(p *deskpb.Publication) error {
	publisher := desk.SiteID(p.GetPublisher())
	head := proto.CloneOf(p)
	head.Body = nil
	if err := b.put(publicationKey(publicationHead, publisher, p.GetKind(), p.GetName()), head); err != nil {
		return err
	}
	body := publicationKey(publicationBody, publisher, p.GetKind(), p.GetName())
	if len(p.GetBody()) == 0 {
		return b.delete(body)
	}
	return b.set(body, p.GetBody())
}

// DeletePublications deletes all documents of a publisher, with what is known of their delivery.
func (b *Batch) DeletePublications(publisher desk.SiteID) error {
	for _, prefix := range []keys.Key{
		headsOf(publisher),
		keys.Build(familyPublication).Byte(publicationBody).Text(string(publisher)).Key(),
		keys.Build(familyDelivery).Text(string(publisher)).Key(),
	} {
		if err := b.deleteUnder(prefix); err != nil {
			return err
		}
	}
	return nil
}

func (b *Batch) deleteUnder(prefix keys.Key) error {
	return b.scan(under(prefix), func(key, _ []byte) (bool, error) {
		return true, b.delete(append(keys.Key{}, key...))
	})
}

func deliveryKey(publisher desk.SiteID, kind, name string) keys.Key {
	return keys.Build(familyDelivery).Text(string(publisher)).Text(kind).Text(name).Key()
}

// Delivery tells which version of a document a site has, nil when nothing was heard of it.
func (r *Reader) Delivery(publisher desk.SiteID, kind, name string, site desk.SiteID) (*deskpb.Delivery, error) {
	return load[deskpb.Delivery](r, deliveryKey(publisher, kind, name).Text(string(site)))
}

// Deliveries returns what is known of a document's delivery, by site.
func (r *Reader) Deliveries(publisher desk.SiteID, kind, name string) ([]*deskpb.Delivery, error) {
	return list[deskpb.Delivery](r, under(deliveryKey(publisher, kind, name)))
}

// EachDelivery visits what is known of the delivery of every document, until visit returns an error.
func (r *Reader) EachDelivery(visit func(*deskpb.Delivery) error) error {
	return r.scan(under(family(familyDelivery)), func(key, value []byte) (bool, error) {
		d, err := decode[deskpb.Delivery](r, key, value)
		if err != nil {
			return false, err
		}
		return true, visit(d)
	})
}

// PutDelivery records which version of a document a site has.
func (b *Batch) PutDelivery(d *deskpb.Delivery) error {
	if d.GetSite() == "" {
		return fmt.Errorf("record the delivery of %s %q: it names no site", d.GetKind(), d.GetName())
	}
	return b.put(deliveryKey(desk.SiteID(d.GetPublisher()), d.GetKind(), d.GetName()).Text(d.GetSite()), d)
}
