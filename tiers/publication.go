package tiers

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// Bounds of a publication, in bytes but for the last.
const (
	maxBody      = 192 << 10
	maxName      = 128
	maxKind      = 32
	maxTitle     = 512
	maxMediaType = 128
	maxDocuments = 10_000 // of one publisher, those that were taken back included
)

// plainText is the media type of a document that names none.
const plainText = "text/plain; charset=utf-8"

// PutPublication publishes a document of this site to every site below it, or takes it back. The version is counted here: it
// grows, and it is ahead of whatever this site published before it was restored. Publishing what is published already
// changes nothing; publishing over another version than the one that holds is refused.
func PutPublication(b *store.Batch, c *deskpb.PutPublication, at desk.Stamp) error {
	t, err := newTree(b.Reader)
	if err != nil {
		return err
	}
	if err := notFrozen(b.Reader); err != nil {
		return err
	}
	p := &deskpb.Publication{
		Publisher: string(t.self()), Kind: c.Publication.GetKind(), Name: c.Publication.GetName(), Actor: c.Publication.GetActor(),
		Title: c.Publication.GetTitle(), Removed: c.Publication.GetRemoved(), Time: at.Time,
	}
	if p.ActorName, err = newView(b, t).DisplayName(desk.UserID(p.Actor)); err != nil {
		return fmt.Errorf("look how %s is called: %w", p.Actor, err)
	}
	if !p.Removed {
		p.MediaType, p.Body = c.Publication.GetMediaType(), c.Publication.GetBody()
		if p.MediaType == "" {
			p.MediaType = plainText
		}
		p.Size = int64(len(p.Body))
	}
	if err := checkDocument(p); err != nil {
		return err
	}
	old, err := b.Publication(t.self(), p.Kind, p.Name)
	if err != nil {
		return fmt.Errorf("read publication %s %q: %w", p.Kind, p.Name, err)
	}
	if done, err := replaces(b, p, old); done || err != nil {
		return err
	}
	if err := stillOver(c, p, old); err != nil {
		return err
	}
	p.Version = laterVersion(old.GetVersion(), at)
	if err := keepPast(b, t.self(), old); err != nil {
		return err
	}
	if err := b.PutPublication(p); err != nil {
		return fmt.Errorf("write publication %s %q: %w", p.Kind, p.Name, err)
	}
	children, err := t.children()
	if err != nil {
		return err
	}
	return sendItem(b, children, &deskpb.Item{Content: &deskpb.Item_Publication{Publication: p}})
}

// replaces tells whether there is nothing to publish because the old version says the same, or refuses the new one. A
// document that is taken back keeps its title.
func replaces(b *store.Batch, p, old *deskpb.Publication) (done bool, err error) {
	switch {
	case p.Removed && (old == nil || old.Removed):
		return false, desk.Refuse(desk.NotFound, "NOT_PUBLISHED", "%s has not published %s %q; list its publications", p.Publisher, p.Kind, p.Name)
	case p.Removed:
		p.Title = old.Title
		return false, nil
	case old != nil:
		return !old.Removed && old.Title == p.Title && old.MediaType == p.MediaType && bytes.Equal(old.Body, p.Body), nil
	}
	count, err := b.CountPublications(desk.SiteID(p.Publisher))
	if err != nil {
		return false, fmt.Errorf("count the publications of %s: %w", p.Publisher, err)
	}
	if count >= maxDocuments {
		return false, desk.Refuse(desk.ResourceExhausted, "TOO_MANY_PUBLICATIONS",
			"%s has published %d documents already; publish a new version of one of them instead", p.Publisher, count)
	}
	return false, nil
}

// stillOver refuses a document that was written over another version than the one that holds.
func stillOver(c *deskpb.PutPublication, p, old *deskpb.Publication) error {
	holds := old.GetVersion()
	if old.GetRemoved() {
		holds = 0
	}
	if c.Over == nil || c.GetOver() == holds {
		return nil
	}
	return desk.Refuse(desk.Aborted, "PUBLICATION_CHANGED", "%s %q has changed: version %d holds, not %d; look at it and decide anew",
		p.Kind, p.Name, holds, c.GetOver())
}

// checkDocument refuses what no site would take.
func checkDocument(p *deskpb.Publication) error {
	switch {
	case p.Kind == "" || len(p.Kind) > maxKind || strings.ContainsFunc(p.Kind, notOfKind):
		return desk.RefuseField("kind", "%.40q is not 1 to %d lower-case letters, digits and hyphens, such as notice", p.Kind, maxKind)
	case p.Kind == placementKind:
		return desk.RefuseField("kind", "%q is taken; name another one", p.Kind)
	case p.Name == "" || len(p.Name) > maxName || !utf8.ValidString(p.Name) || strings.ContainsFunc(p.Name, notOfName):
		return desk.RefuseField("name", "%.40q is not 1 to %d bytes of UTF-8 without spaces and without / : ? # %%", p.Name, maxName)
	case len(p.Title) > maxTitle || !utf8.ValidString(p.Title):
		return desk.RefuseField("title", "it is longer than %d bytes or not UTF-8; shorten it", maxTitle)
	case p.Removed != (p.MediaType == "") || !p.Removed && !isMediaType(p.MediaType):
		return desk.RefuseField("mediaType", "%.40q is not a media type of at most %d bytes; write one such as text/markdown", p.MediaType, maxMediaType)
	case len(p.Body) > maxBody || p.Removed && len(p.Body) > 0:
		return desk.RefuseField("body", "it has %d bytes; a document has at most %d, and one that is taken back has none", len(p.Body), maxBody)
	}
	return nil
}

func notOfKind(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }

// notOfName keeps names that can stand in an address. It asks no table of letters, which grows with the version of Go.
func notOfName(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune("/:?#%", r) }

func isMediaType(s string) bool {
	name, _, _ := strings.Cut(s, ";")
	major, minor, _ := strings.Cut(name, "/")
	odd := func(r rune) bool { return r < ' ' || r >= 0x7f }
	return len(s) <= maxMediaType && major != "" && minor != "" && !strings.Contains(minor, "/") && !strings.ContainsFunc(s, odd)
}

// laterVersion is more than the version before and, on a clock that does not run backwards, more than any version that was
// given out before this moment and forgotten since.
func laterVersion(before uint64, at desk.Stamp) uint64 { return max(before+1, uint64(max(at.Time, 0))) }

// newer tells whether a document beats the one that is known, which may be nil: by version, and where two lives of a
// publisher gave out the same one, by the hash of the bytes.
func newer(p, old *deskpb.Publication) (bool, error) {
	if old == nil || p.Version != old.Version {
		return old == nil || p.Version > old.Version, nil
	}
	hash := func(p *deskpb.Publication) ([]byte, error) {
		raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(p)
		sum := sha256.Sum256(raw)
		return sum[:], err
	}
	ours, err := hash(old)
	if err != nil {
		return false, fmt.Errorf("encode publication %s %q: %w", old.Kind, old.Name, err)
	}
	theirs, err := hash(p)
	if err != nil {
		return false, fmt.Errorf("encode publication %s %q: %w", p.Kind, p.Name, err)
	}
	return bytes.Compare(theirs, ours) > 0, nil
}

// publication stores a newer version of a document, passes it on and tells the publisher that it arrived.
func (in *inbound) publication(item []byte, p *deskpb.Publication) error {
	if err := checkDocument(p); err != nil {
		return in.park(item, fmt.Sprintf("publication %.40s %.40q: %s", p.Kind, p.Name, err))
	}
	publisher := desk.SiteID(p.Publisher)
	old, err := in.b.Publication(publisher, p.Kind, p.Name)
	if err != nil {
		return err
	}
	if better, err := newer(p, old); err != nil || !better {
		return err
	}
	objection, err := in.doubtsPublication(p)
	if err != nil {
		return err
	}
	if objection != "" {
		return in.park(item, objection)
	}
	if err := keepPast(in.b, in.tree.self(), old); err != nil {
		return err
	}
	if err := in.b.PutPublication(p); err != nil {
		return err
	}
	peers, err := in.tree.neighbours()
	if err != nil {
		return err
	}
	// Upward it is news only for an ancestor that recovers.
	unasked := func(peer desk.SiteID) bool {
		return peer == in.peer || peer == in.tree.parent() && publisher == in.tree.self()
	}
	if err := sendWhole(in.b, slices.DeleteFunc(peers, unasked), item); err != nil {
		return err
	}
	if publisher == in.tree.self() {
		return nil
	}
	return in.delivered(publisher, p.Kind, p.Name, p.Version)
}

// doubtsPublication returns why a document must not come over this link, empty when it may. Documents come from above. Only
// a site that recovers learns from its children what it and the sites above it had published.
func (in *inbound) doubtsPublication(p *deskpb.Publication) (objection string, err error) {
	publisher := desk.SiteID(p.Publisher)
	if in.peer == in.tree.parent() {
		if !slices.Contains(in.tree.path[1:], publisher) {
			return fmt.Sprintf("publication %s %q is by %.40q, which is not above %s", p.Kind, p.Name, publisher, in.tree.self()), nil
		}
		return "", nil
	}
	site, err := in.b.Site()
	if err != nil {
		return "", err
	}
	if site.Recovering == 0 || !slices.Contains(in.tree.path, publisher) {
		return fmt.Sprintf("publication %s %q of %.40q came from the child %s; documents come from above", p.Kind, p.Name, publisher, in.peer), nil
	}
	return "", nil
}

// sendPublications sends every document, this site's own ones and those from above, to a child that is new here.
func sendPublications(b *store.Batch, child desk.SiteID) error {
	return eachPublication(b, func(p *deskpb.Publication) error {
		return sendItem(b, []desk.SiteID{child}, &deskpb.Item{Content: &deskpb.Item_Publication{Publication: p}})
	})
}

// returnPublications sends every document from above to the parent, which took another incarnation and may have
// forgotten some.
func returnPublications(b *store.Batch, self, parent desk.SiteID) error {
	return eachPublication(b, func(p *deskpb.Publication) error {
		if desk.SiteID(p.Publisher) == self {
			return nil
		}
		return sendItem(b, []desk.SiteID{parent}, &deskpb.Item{Content: &deskpb.Item_Publication{Publication: p}})
	})
}

// headsPage is how many documents are listed at once.
const headsPage = 500

// eachPublication visits every document with its body.
func eachPublication(b *store.Batch, visit func(*deskpb.Publication) error) error {
	var after []byte
	for {
		heads, next, err := b.Publications("", after, headsPage)
		if err != nil {
			return fmt.Errorf("read the publications: %w", err)
		}
		for _, head := range heads {
			p, err := b.Publication(desk.SiteID(head.Publisher), head.Kind, head.Name)
			if err != nil {
				return fmt.Errorf("read publication %s %q: %w", head.Kind, head.Name, err)
			}
			if err := visit(p); err != nil {
				return err
			}
		}
		if next == nil {
			return nil
		}
		after = next
	}
}

// sendItem appends an item that is stored nowhere else to the outboxes of the peers.
func sendItem(b *store.Batch, peers []desk.SiteID, content *deskpb.Item) error {
	item, err := encodeItem(content)
	if err != nil {
		return err
	}
	return sendWhole(b, peers, item)
}

// notFrozen refuses a change by a site of which another copy lives.
func notFrozen(r *store.Reader) error {
	site, err := r.Site()
	if err != nil {
		return fmt.Errorf("read the site: %w", err)
	}
	if site.GetFrozen() != "" {
		return desk.Refuse(desk.FailedPrecondition, "FROZEN", "%s is frozen and decides nothing: %s", site.Id, site.Frozen)
	}
	return nil
}
