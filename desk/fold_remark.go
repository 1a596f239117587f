package desk

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// foldRemark does what commutes: it counts, and it writes wishes down. Notes and replies live in the journal alone.
func foldRemark(r *deskpb.Record, event Sealed) {
	switch event.GetType() {
	case deskpb.Event_URGED:
		foldUrged(r, event.Event)
	case deskpb.Event_WISHED:
		foldWished(r, event.Event)
	case deskpb.Event_RELEASED:
		foldReleased(r, event.Event)
	case deskpb.Event_REPLIED:
		foldReplied(r, event.Event)
	case deskpb.Event_LINKED:
		foldLinked(r, event.Event)
	case deskpb.Event_ATTACHED:
		foldAttached(r, event.Event)
	case deskpb.Event_CALLED_BACK:
		foldCalledBack(r, event.Event)
	case deskpb.Event_RATED:
		foldRated(r, event.Event)
	}
}

// foldReleased keeps the latest release. Only who has the right gives it away, so that no two have the same count.
func foldReleased(r *deskpb.Record, e *deskpb.Event) {
	term, count, site := e.GetCustodyTerm(), e.GetBody().GetRelease(), e.GetTo()
	known := r.GetReleased()
	later := cmp.Or(cmp.Compare(term, known.GetTerm()), cmp.Compare(count, known.GetCount()), cmp.Compare(site, known.GetSite()))
	if later > 0 {
		r.Released = &deskpb.Release{Term: term, Count: count, Site: site}
	}
}

// foldWished writes the wish down, into the place of its answer when that came first.
func foldWished(r *deskpb.Record, e *deskpb.Event) {
	wish := wishNamed(r, EventName(e.GetId()))
	wish.Kind = e.GetBody().GetWish()
	wish.Site = e.GetId().GetSite()
	wish.Actor = e.GetActor()
	wish.Text = e.GetBody().GetText()
	wish.Time = timestamp(e.GetTime())
	wish.Satisfaction = proto.CloneOf(e.GetBody().GetSatisfaction())
	wish.Resolution = proto.CloneOf(e.GetBody().GetResolution())
	sortWishes(r)
}

// foldSettled answers a wish, even one that has not come here yet.
func foldSettled(r *deskpb.Record, e *deskpb.Event) {
	wish := wishNamed(r, e.GetBody().GetWishId())
	wish.State = deskpb.Wish_DECLINED
	if e.GetBody().GetGranted() {
		wish.State = deskpb.Wish_GRANTED
	}
	wish.Answer = e.GetBody().GetText()
	sortWishes(r)
}

// wishNamed returns the wish with the id and makes it when it is missing.
func wishNamed(r *deskpb.Record, id string) *deskpb.Wish {
	for _, wish := range r.Ticket.Wishes {
		if wish.GetId() == id {
			return wish
		}
	}
	wish := &deskpb.Wish{Id: id}
	r.Ticket.Wishes = append(r.Ticket.Wishes, wish)
	return wish
}

// sortWishes keeps wishes in the order of (time, site, id), which no order of arrival can change.
func sortWishes(r *deskpb.Record) {
	slices.SortFunc(r.Ticket.Wishes, func(a, b *deskpb.Wish) int {
		return cmp.Or(
			a.GetTime().AsTime().Compare(b.GetTime().AsTime()),
			cmp.Compare(a.GetSite(), b.GetSite()),
			cmp.Compare(a.GetId(), b.GetId()))
	})
}
