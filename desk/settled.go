package desk

import (
	"slices"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// settled tells whether this site knows the ticket well enough to decide on it. A site that recovers does not before it
// has compared the ticket with the neighbours on its path. Nor does one that misses events of it while a neighbour may
// still have them; after the comparison, what is missing is known to nobody, and those that stand on it are lost.
func (w *writer) settled() (bool, error) {
	if !w.here.Recovering && w.record.GetDetached() == 0 {
		return true, nil
	}
	return w.view.Settled(w.record)
}

// overridden tells whether an operator took the ticket for this site, which may then work on it, settled or not.
func (w *writer) overridden() bool { return w.holds() && w.record.GetReclaim() > 0 }

// unsettled refuses a verb on a ticket that is not settled here.
func (w *writer) unsettled() error {
	const meanwhile = "notes, replies, urges and wishes are recorded; an incident manager may take it with `tierdesk site override`"
	if n := w.record.GetDetached(); n > 0 {
		return Refuse(FailedPrecondition, "UNSETTLED", "ticket %s is not settled: events before %d of its events are missing here; "+
			"they are being fetched; %s", w.number(), n, meanwhile)
	}
	return Refuse(FailedPrecondition, "UNSETTLED", "ticket %s is not settled: %s recovers and has not yet compared it with its neighbours; %s",
		w.number(), w.here.Site, meanwhile)
}

// reclaim takes the ticket without a hand-over, as an operator says: under the next reclaim of the known term, which
// loses to any later term. What waits for the custodian is then done here.
func (w *writer) reclaim(v *deskpb.Reclaim) error {
	settled, err := w.settled()
	if err != nil {
		return err
	}
	if w.holds() && settled || w.overridden() {
		return Refuse(FailedPrecondition, "ALREADY_HELD", "ticket %s is held by %s and may be worked on; there is nothing to override",
			w.number(), w.here.Site)
	}
	if !slices.Contains(w.path, string(w.here.Site)) {
		return Refuse(FailedPrecondition, "NOT_ON_PATH", "ticket %s cannot be taken by %s, which is not on its path %v as far as is known",
			w.number(), w.here.Site, w.path)
	}
	err = w.custodial(&deskpb.Event{
		Type:    deskpb.Event_RECLAIMED,
		Reclaim: w.record.GetReclaim() + 1,
		Body:    &deskpb.Body{Text: v.GetReason(), Line: min(w.ticket().GetLine(), highestLine(w.here.Tier))},
	})
	if err != nil {
		return err
	}
	if err := w.settleWishes(); err != nil {
		return err
	}
	return w.passHome()
}
