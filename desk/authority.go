package desk

import (
	"fmt"
	"slices"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Authority returns why the author may not have decided an event on this record, empty when it may. Anybody may remark.
// The custodian decides under the custody that the record knows; while the ticket is in transit nobody does but the site
// that it goes to, and that only accepts or refuses. Sending and refusing begin a new term, in which no override counts
// any more. An override is open to every site of the path, under the next reclaim of the same term.
func Authority(record *deskpb.Record, event Sealed) (objection string) {
	if event.GetClass() != deskpb.Event_CUSTODIAL {
		return ""
	}
	author := event.GetId().GetSite()
	if record == nil {
		if event.GetType() != deskpb.Event_OPENED {
			return fmt.Sprintf("ticket %s is not known here and %s does not open it", event.GetTicket(), event.GetType())
		}
		return ""
	}
	if Broken(FreezeInTransit) && record.GetFromSite() == author {
		return ""
	}
	ticket := record.GetTicket()
	inTransit := ticket.GetHandover().GetState() == deskpb.Handover_IN_TRANSIT
	answers := false
	term, reclaim := ticket.GetCustodyTerm(), record.GetReclaim()
	switch event.GetType() {
	case deskpb.Event_DISPATCHED:
		term, reclaim = term+1, 0
		if event.GetFrom() != author || !slices.Contains(event.GetPath(), event.GetTo()) {
			return fmt.Sprintf("%s sent ticket %s from %q to %q, which is not a hand-over of its own along the path",
				author, event.GetTicket(), event.GetFrom(), event.GetTo())
		}
	case deskpb.Event_ACCEPTED:
		answers = true
	case deskpb.Event_REFUSED:
		answers = true
		term, reclaim = term+1, 0
	case deskpb.Event_RECLAIMED:
		return overrides(record, event)
	}
	if author != ticket.GetCustodianSite() || event.GetCustodyTerm() != term || event.GetReclaim() != reclaim || inTransit != answers {
		return fmt.Sprintf("%s decided %s under custody %s, but ticket %s is with %s under %s%s",
			author, event.GetType(), custodyName(event.GetCustodyTerm(), event.GetReclaim()), event.GetTicket(),
			ticket.GetCustodianSite(), custodyName(ticket.GetCustodyTerm(), record.GetReclaim()), transitWords(inTransit))
	}
	return ""
}

// overrides returns why a site may not have taken the ticket without a hand-over, empty when it may.
func overrides(record *deskpb.Record, event Sealed) (objection string) {
	author, term := event.GetId().GetSite(), record.GetTicket().GetCustodyTerm()
	switch {
	case !slices.Contains(event.GetPath(), author):
		return fmt.Sprintf("%s took ticket %s, but does not stand on its path", author, event.GetTicket())
	case event.GetCustodyTerm() != term || event.GetReclaim() != record.GetReclaim()+1:
		return fmt.Sprintf("%s took ticket %s under custody %s, but only %s follows the known one", author, event.GetTicket(),
			custodyName(event.GetCustodyTerm(), event.GetReclaim()), custodyName(term, record.GetReclaim()+1))
	}
	return ""
}

// custodyName prints a custody: its term, and how often an operator has overridden it when that happened.
func custodyName(term, reclaim uint32) string {
	if reclaim == 0 {
		return fmt.Sprintf("term %d", term)
	}
	return fmt.Sprintf("term %d with override %d", term, reclaim)
}

func transitWords(inTransit bool) string {
	if inTransit {
		return ", in transit"
	}
	return ""
}
