package console

import (
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// station is a stay of a ticket's journey in words.
type station struct {
	Name, Tier, Line string
	Who              string
	Came             string // how it came there; empty for where it began
	Reason           string
	At               page.Moment
	Stay             string // how long it was, or has been, there
	Here, Ahead      bool
	Ended            bool
	Hop              *hop // from here to the next station
}

// hop is the line between a station and the next one.
type hop struct {
	Way     string // "up" or "down", in the tree
	Waits   string // what a hand-over waits for; empty for none
	Moving  string // what is on its way
	Since   page.Moment
	Reason  string
	Unknown bool // nobody knows yet whether the ticket goes there
}

// journey shows where a ticket was, is and goes to.
func (d *dossier) journey() []station {
	stays := journeyOf(d.ticket, d.journal, d.Standing.Sites().GetSites())
	stations := make([]station, len(stays))
	for i, stay := range stays {
		stations[i] = d.station(stay)
		if i == 0 {
			continue
		}
		stations[i-1].Hop = d.hop(stays[i-1], stay)
	}
	return stations
}

func (d *dossier) station(stay stay) station {
	s := station{Name: d.SiteNamed(stay.Site), Reason: stay.Reason, Here: stay.Here, Ahead: stay.Ahead, Ended: stay.Ended}
	for _, site := range d.Standing.Sites().GetSites() {
		if site.GetId() == stay.Site {
			s.Tier = d.Word("tier." + site.GetTier().String())
		}
	}
	if stay.Line != deskpb.Ticket_LINE_UNSPECIFIED {
		s.Line = d.Word("line." + stay.Line.String())
	}
	if stay.Ahead {
		return s
	}
	s.Who, s.At = d.person(stay.Who, stay.Site), d.Moment(stay.Arrived)
	if stay.Way != "" {
		s.Came = d.Word("t.way." + string(stay.Way))
	}
	if stay.Left.IsZero() {
		s.Stay = d.Word("t.stays", d.Span(d.Now().Sub(stay.Arrived)))
	} else {
		s.Stay = d.Word("t.stayed", d.Span(stay.Left.Sub(stay.Arrived)))
	}
	return s
}

// hop shows how a ticket went, or goes, from one stay to the next.
func (d *dossier) hop(from, to stay) *hop {
	h := &hop{Way: "up", Unknown: to.Ahead && from.Leaving == nil}
	if to.Way == wayBack || to.Way == wayHome {
		h.Way = "down"
	}
	leaving := from.Leaving
	if leaving == nil {
		return h
	}
	kind := "up"
	if leaving.Way == wayBack || leaving.Way == wayHome {
		kind = "back"
	}
	h.Since, h.Reason = d.Moment(leaving.Since), leaving.Reason
	if leaving.Sent {
		h.Moving = d.Word("t.moving."+kind, d.SiteNamed(leaving.To))
	} else {
		h.Waits = d.Word("t.waits."+kind, d.SiteNamed(leaving.To))
	}
	return h
}
