package desk

import "github.com/tierdesk/tierdesk/desk/deskpb"

func foldQueued(r *deskpb.Record, e *deskpb.Event) {
	r.Ticket.Handover = &deskpb.Handover{
		State:  deskpb.Handover_QUEUED,
		ToSite: e.GetTo(),
		Reason: e.GetBody().GetText(),
		Since:  timestamp(e.GetTime()),
		ToLine: e.GetBody().GetLine(),
	}
	r.Homeward = e.GetBody().GetHomeward()
}

// dropHandover ends whatever hand-over there was.
func dropHandover(r *deskpb.Record) {
	r.Ticket.Handover = &deskpb.Handover{}
	r.FromSite = ""
	r.Homeward = false
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
	r.Homeward = e.GetBody().GetHomeward()
}

func foldAccepted(r *deskpb.Record, e *deskpb.Event) {
	from, homeward := r.FromSite, r.Homeward
	r.Ticket.CustodianSite = e.GetId().GetSite()
	if !homeward {
		foldEscalated(r, e, from)
		return
	}
	popRoute(r, e.GetId().GetSite())
	foldArrival(r, e)
	if r.Ticket.State == deskpb.Ticket_RESOLVED {
		rest(r, e.GetId().GetSite())
	}
}

// foldEscalated hands the ticket to a higher line. The station is the line of the site that escalated it.
func foldEscalated(r *deskpb.Record, e *deskpb.Event, from string) {
	r.Route = append(r.Route, &deskpb.Station{Site: from, Line: r.Ticket.Line})
	r.Ticket.Kind = deskpb.Ticket_INCIDENT
	foldArrival(r, e)
}

func foldReturned(r *deskpb.Record, e *deskpb.Event) {
	popRoute(r, e.GetId().GetSite())
	foldArrival(r, e)
}

// foldArrival gives the ticket to a line whose staff have not seen it yet. A resolved ticket stays resolved.
func foldArrival(r *deskpb.Record, e *deskpb.Event) {
	endHold(r, e.GetTime())
	dropHandover(r)
	r.Ticket.Line = e.GetBody().GetLine()
	r.Ticket.Assignee, r.Ticket.Group = "", ""
	if r.Ticket.State != deskpb.Ticket_RESOLVED {
		r.Ticket.State = deskpb.Ticket_NEW
	}
}

// popRoute removes the last station of the site, and those behind it, because the ticket is back there.
func popRoute(r *deskpb.Record, site string) {
	for i := len(r.Route) - 1; i >= 0; i-- {
		if r.Route[i].GetSite() == site {
			r.Route = r.Route[:i]
			return
		}
	}
}

// rest ends the journey of a resolved ticket when the site is its home: the first line confirms and closes it.
func rest(r *deskpb.Record, site string) {
	if site == r.Ticket.HomeSite {
		r.Ticket.Line = deskpb.Ticket_FIRST
		r.Route = nil
	}
}
