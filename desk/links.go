package desk

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

const (
	maxLinks    = 300 // kinds and numbers that were ever linked with a ticket
	maxChildren = 200 // of a ticket; resolving it resolves so many
)

// mirrored returns what the other ticket has to do with this one. Beside RELATED, which is its own mirror, the kinds stand
// in pairs whose numbers differ in their last bit.
func mirrored(kind deskpb.TicketLink_Kind) deskpb.TicketLink_Kind {
	if kind <= deskpb.TicketLink_RELATED {
		return kind
	}
	return kind ^ 1
}

// linksOf returns the numbers of the tickets that a ticket is linked with in one way, sorted.
func linksOf(t *deskpb.Ticket, kind deskpb.TicketLink_Kind) (numbers []string) {
	for _, link := range t.GetLinks() {
		if link.GetKind() == kind {
			numbers = append(numbers, link.GetNumber())
		}
	}
	return numbers
}

func linked(t *deskpb.Ticket, link *deskpb.TicketLink) bool {
	return slices.ContainsFunc(t.GetLinks(), func(l *deskpb.TicketLink) bool { return compareLinks(l, link) == 0 })
}

func compareLinks(a, b *deskpb.TicketLink) int {
	return cmp.Or(cmp.Compare(a.GetKind(), b.GetKind()), cmp.Compare(a.GetNumber(), b.GetNumber()))
}

// wordOn finds what was said last about a link, and where it stands or would stand among the others.
func wordOn(r *deskpb.Record, link *deskpb.TicketLink) (place int, found bool) {
	return slices.BinarySearchFunc(r.GetLinkWords(), link, func(word *deskpb.LinkWord, l *deskpb.TicketLink) int {
		return compareLinks(word.GetLink(), l)
	})
}

// sayLink writes down what an event says about a link. The later (time, event) is right, so words commute, and the links
// are those whose last word did not take them back, by (kind, number).
func sayLink(r *deskpb.Record, e *deskpb.Event, link *deskpb.TicketLink, removed bool) {
	if link.GetNumber() == "" {
		return
	}
	word := &deskpb.LinkWord{Link: proto.CloneOf(link), Removed: removed, Time: e.GetTime(), Event: EventName(e.GetId())}
	place, found := wordOn(r, link)
	switch {
	case !found:
		r.LinkWords = slices.Insert(r.LinkWords, place, word)
	case compareWords(word, r.LinkWords[place]) > 0:
		r.LinkWords[place] = word
	}
	r.Ticket.Links = nil
	for _, word := range r.LinkWords {
		if !word.GetRemoved() {
			r.Ticket.Links = append(r.Ticket.Links, proto.CloneOf(word.GetLink()))
		}
	}
}

func compareWords(a, b *deskpb.LinkWord) int {
	return cmp.Or(cmp.Compare(a.GetTime(), b.GetTime()), cmp.Compare(a.GetEvent(), b.GetEvent()))
}

func foldLinked(r *deskpb.Record, e *deskpb.Event) {
	sayLink(r, e, e.GetBody().GetLink(), e.GetBody().GetRemoved())
}

// join links this ticket with another one, or takes that back, on both of them in one decision. Both words bear one time,
// later than the last word on either, so that both tickets agree on which of several words is the last.
func (w *writer) join(other *deskpb.Record, link *deskpb.TicketLink, removed bool) error {
	back := &deskpb.TicketLink{Kind: mirrored(link.GetKind()), Number: w.number()}
	at := max(w.record.GetLastTime(), other.GetLastTime())
	if place, found := wordOn(w.record, link); found {
		at = max(at, w.record.GetLinkWords()[place].GetTime()+1)
	}
	if place, found := wordOn(other, back); found {
		at = max(at, other.GetLinkWords()[place].GetTime()+1)
	}
	if err := w.sayLinked(link, removed, at); err != nil {
		return err
	}
	return w.onOther(other, func(o *writer) error { return o.sayLinked(back, removed, at) })
}

// sayLinked appends the word of this ticket, not before a time in microseconds since 1970.
func (w *writer) sayLinked(link *deskpb.TicketLink, removed bool, at int64) error {
	return w.remark(&deskpb.Event{
		Type:       deskpb.Event_LINKED,
		Visibility: deskpb.Event_AGENTS,
		Time:       at,
		Body:       &deskpb.Body{Link: link, Removed: removed},
	})
}

// onOther decides on another ticket in the same stroke: all of the decision is stored, or nothing.
func (w *writer) onOther(record *deskpb.Record, decide func(*writer) error) error {
	o := &writer{here: w.here, view: w.view, at: w.at, asker: w.asker, actor: w.actor, record: record}
	o.here.Sequence = w.sequence() - 1
	if err := o.locate(); err != nil {
		return err
	}
	if o.astray {
		return o.movedAway()
	}
	if err := decide(o); err != nil {
		return err
	}
	w.beside, w.elsewhere = append(w.beside, o.decision()), w.elsewhere+len(o.events)
	return nil
}
