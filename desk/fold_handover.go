package desk

import (
	"slices"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func foldQueued(r *deskpb.Record, e *deskpb.Event) {
	r.Ticket.Handover = &deskpb.Handover{
		State:  deskpb.Handover_QUEUED,
		ToSite: e.GetTo(),
		Reason: e.GetBody().GetText(),
		Since:  timestamp(e.GetTime()),
		ToLine: e.GetBody().GetLine(),
	}
	r.Homeward, r.Relocation = e.GetBody().GetHomeward(), e.GetBody().GetRelocation()
}

// dropHandover ends whatever hand-over there was.
func dropHandover(r *deskpb.Record) {
	r.Ticket.Handover = &deskpb.Handover{}
	r.FromSite = ""
	r.Homeward, r.Relocation = false, false
}

// foldDispatched names the receiver as custodian; it decides nothing before it has accepted. The reason of the wish
// stays in sight.
func foldDispatched(r *deskpb.Record, e *deskpb.Event) {
	r.Ticket.Handover = &deskpb.Handover{
		State:  deskpb.Handover_IN_TRANSIT,
		ToSite: e.GetTo(),
		Reason: r.Ticket.GetHandover().GetReason(),
		Since:  timestamp(e.GetTime()),
		ToLine: e.GetBody().GetLine(),
	}
	r.Ticket.CustodianSite = e.GetTo()
	r.FromSite = e.GetFrom()
	r.Homeward, r.Relocation = e.GetBody().GetHomeward(), e.GetBody().GetRelocation()
}

func foldAccepted(r *deskpb.Record, e *deskpb.Event) {
	from, site := r.FromSite, e.GetId().GetSite()
	r.Ticket.CustodianSite = site
	switch {
	case r.Relocation:
		inheritRoute(r, from, site)
		foldArrival(r, e)
	case r.Homeward:
		popRoute(r, site)
		foldArrival(r, e)
		rest(r, site)
	default:
		foldEscalated(r, e, from)
	}
}

// foldReclaimed gives the ticket to the author whatever hand-over there was. A site that takes its own ticket back goes on
// where it stood; elsewhere the staff have not seen it yet.
func foldReclaimed(r *deskpb.Record, e *deskpb.Event) {
	site := e.GetId().GetSite()
	if r.Reclaim == 0 {
		r.ReclaimedFrom = r.Ticket.CustodianSite
	}
	own := site == r.Ticket.CustodianSite || site == r.FromSite
	r.Ticket.CustodianSite = site
	popRoute(r, site)
	if own {
		dropHandover(r)
		r.Ticket.Line = e.GetBody().GetLine()
	} else {
		foldArrival(r, e)
	}
	rest(r, site)
}

// foldEscalated hands the ticket to a higher line. The station is the line of the site that escalated it.
func foldEscalated(r *deskpb.Record, e *deskpb.Event, from string) {
	r.Route = append(r.Route, &deskpb.Station{Site: from, Line: r.Ticket.Line})
	r.Ticket.Kind = deskpb.Ticket_INCIDENT
	foldArrival(r, e)
}

// foldReturned gives the ticket back to a line of the site that holds it: its own, or that of a station which does not
// stand on the ticket's path any more.
func foldReturned(r *deskpb.Record, e *deskpb.Event) {
	site, line := e.GetId().GetSite(), e.GetBody().GetLine()
	if !popRoute(r, site) {
		cutRoute(r, func(s *deskpb.Station) bool { return s.GetLine() == line })
	}
	foldArrival(r, e)
}

// foldArrival gives the ticket to a line whose staff have not seen it yet. A ticket that is not open stays as it is.
func foldArrival(r *deskpb.Record, e *deskpb.Event) {
	endHold(r, e.GetTime())
	dropHandover(r)
	r.Ticket.Line = e.GetBody().GetLine()
	unassign(r)
	if isOpen(r.Ticket.State) {
		r.Ticket.State = deskpb.Ticket_NEW
	}
}

// popRoute removes the last station of the site, and those behind it, because the ticket is back there. It tells whether
// there was one.
func popRoute(r *deskpb.Record, site string) bool {
	return cutRoute(r, func(s *deskpb.Station) bool { return s.GetSite() == site })
}

// cutRoute removes the last station of which is holds, and those behind it.
func cutRoute(r *deskpb.Record, is func(*deskpb.Station) bool) bool {
	for i, station := range slices.Backward(r.Route) {
		if is(station) {
			r.Route = r.Route[:i]
			return true
		}
	}
	return false
}

// inheritRoute makes one site's stations those of the site that its tickets were relocated to.
func inheritRoute(r *deskpb.Record, from, to string) {
	for _, station := range r.Route {
		if station.Site == from {
			station.Site = to
		}
	}
}

// rest ends the journey of a resolved ticket when the site is its home: the first line confirms and closes it.
func rest(r *deskpb.Record, site string) {
	if site == r.Ticket.HomeSite && r.Ticket.State == deskpb.Ticket_RESOLVED {
		r.Ticket.Line = deskpb.Ticket_FIRST
		r.Route = nil
	}
}
