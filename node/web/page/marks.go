package page

import (
	"strconv"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// Mark is a state as people see it: a word with a shape and a colour, so that none of them is needed alone.
type Mark struct {
	Word  string
	Shape string
	Tone  string // CSS class: good, wait, bad, calm or off
}

// State marks where a ticket stands in its life.
func (v *Visit) State(state deskpb.Ticket_State) Mark {
	found := Mark{Word: v.Word("state." + state.String()), Shape: "○", Tone: "calm"}
	switch state {
	case deskpb.Ticket_ASSIGNED:
		found.Shape = "◔"
	case deskpb.Ticket_IN_PROGRESS:
		found.Shape = "◐"
	case deskpb.Ticket_ON_HOLD:
		found.Shape, found.Tone = "‖", "wait"
	case deskpb.Ticket_RESOLVED:
		found.Shape, found.Tone = "◕", "good"
	case deskpb.Ticket_CLOSED:
		found.Shape, found.Tone = "●", "good"
	case deskpb.Ticket_CANCELED:
		found.Shape, found.Tone = "✕", "off"
	}
	return found
}

// Priority marks how pressing a ticket is, from 1.
func (v *Visit) Priority(priority int32) Mark {
	found := Mark{Word: v.Word("priority." + strconv.Itoa(int(priority))), Shape: "▬", Tone: "calm"}
	switch priority {
	case 1:
		found.Shape, found.Tone = "▲▲", "bad"
	case 2:
		found.Shape, found.Tone = "▲", "wait"
	case 4, 5:
		found.Shape, found.Tone = "▽", "off"
	}
	return found
}

// Link marks the state of a link.
func (v *Visit) Link(state apipb.LinkStatus_State) Mark {
	found := Mark{Word: v.Word("link." + state.String()), Shape: "●", Tone: "good"}
	switch state {
	case apipb.LinkStatus_DOWN:
		found.Shape, found.Tone = "○", "wait"
	case apipb.LinkStatus_CATCHING_UP:
		found.Shape, found.Tone = "◐", "calm"
	}
	return found
}

// Alive marks whether a node or a site answers.
func (v *Visit) Alive(alive bool) Mark {
	if alive {
		return Mark{Word: v.Word("alive"), Shape: "●", Tone: "good"}
	}
	return Mark{Word: v.Word("not-seen"), Shape: "○", Tone: "off"}
}

// Move says where a ticket is going, nothing for one that stays. A hand-over to a higher line goes up, any other goes back towards
// its home.
func (v *Visit) Move(ticket *deskpb.Ticket) Mark {
	handover := ticket.GetHandover()
	way := "back"
	if handover.GetToLine() > ticket.GetLine() {
		way = "up"
	}
	switch handover.GetState() {
	case deskpb.Handover_QUEUED:
		return Mark{Word: v.Word("move.queued."+way, v.SiteNamed(handover.GetToSite())), Shape: "→", Tone: "wait"}
	case deskpb.Handover_IN_TRANSIT:
		return Mark{Word: v.Word("move.transit."+way, v.SiteNamed(handover.GetToSite())), Shape: "⇢", Tone: "calm"}
	}
	return Mark{}
}
