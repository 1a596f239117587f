package console

import (
	"fmt"
	"slices"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// head is what stands above everything else of a ticket.
type head struct {
	Number, Title    string
	State, Priority  page.Mark
	Move             page.Mark
	Kind, Where      string
	Major            bool
	HoldReason       string
	Clocks           []clockShown
	Primary          *button
	Buttons, Further []button
	Etag, Request    string
	MergedInto       string
	Caller           *callerShown // of a requester of whom something is known
}

// callerShown is the requester on small screens, where what is known of the ticket stands far below.
type callerShown struct{ Name, Phone, Dial string }

// button does a verb, or opens its form.
type button struct {
	Verb, Word, Icon, Key string
	Direct, Grave         bool
}

// frontButtons is how many verbs stand beside the primary one; the others are in a menu. frontClocks is how many clocks stand in the
// head; all of them stand in the story of the clocks.
const (
	frontButtons = 5
	frontClocks  = 4
)

func (d *dossier) head(request string) head {
	t, clocks := d.ticket, d.clocks()
	h := head{
		Number: t.GetNumber(), Title: t.GetTitle(), State: d.State(t.GetState()), Priority: d.Priority(t.GetPriority()), Move: d.Move(t),
		Kind: d.Word("t.kind." + t.GetKind().String()), Major: t.GetMajor(), HoldReason: d.holdTitle(t.GetHoldReason()),
		Where: d.where(),
		Etag:  t.GetEtag(), Request: request, MergedInto: t.GetMergedInto(), Clocks: clocks[:min(len(clocks), frontClocks)],
	}
	if r := t.GetRequester(); r.GetName() != "" || r.GetPhone() != "" {
		h.Caller = &callerShown{Name: r.GetName(), Phone: r.GetPhone(), Dial: callPath(r.GetPhone())}
	}
	late := slices.ContainsFunc(clocks, func(c clockShown) bool { return c.Deadline.Late })
	primary := likeliest(t, d.Actor.GetUser(), late, d.verbs)
	for i := range verbs {
		verb := &verbs[i]
		if verb.beside || !d.verbs[verb.name] {
			continue
		}
		b := d.button(verb)
		switch {
		case verb.name == primary:
			h.Primary = &b
		case len(h.Buttons) < frontButtons && !verb.grave:
			h.Buttons = append(h.Buttons, b)
		default:
			h.Further = append(h.Further, b)
		}
	}
	return h
}

// where is the site that has the ticket, and its line. A first line away from home has no work with it: the ticket only passes there.
func (d *dossier) where() string {
	site, line := d.custodian(), d.ticket.GetLine()
	if line == deskpb.Ticket_FIRST && site != d.ticket.GetHomeSite() {
		return d.SiteNamed(site)
	}
	return d.SiteNamed(site) + " " + d.Word("line."+line.String())
}

func (d *dossier) button(verb *verb) button {
	b := button{Verb: verb.name, Word: d.Word("t.verb." + verb.name), Icon: verb.icon, Key: verb.key, Direct: verb.direct, Grave: verb.grave}
	if d.wishes[verb.name] {
		b.Word = d.Word("t.wish", b.Word)
	}
	return b
}

// likeliest is what a person most probably does next with a ticket; empty when nothing is likely. Others are urged when something is late.
func likeliest(t *deskpb.Ticket, me string, late bool, may map[string]bool) string {
	var wanted []string
	mine := t.GetAssignee() == me
	switch t.GetState() {
	case deskpb.Ticket_NEW:
		wanted = []string{"claim", "assign", "start"}
	case deskpb.Ticket_ASSIGNED:
		wanted = []string{"claim"}
		if mine && t.GetAccepted() {
			wanted = []string{"start"}
		} else if t.GetAssignee() != "" && !mine {
			wanted = []string{"urge"}
		}
	case deskpb.Ticket_IN_PROGRESS:
		wanted = []string{"resolve", "urge"}
	case deskpb.Ticket_ON_HOLD:
		wanted = []string{"resume"}
	case deskpb.Ticket_RESOLVED:
		wanted = []string{"confirm", "close"}
	case deskpb.Ticket_CLOSED:
		if call := t.GetCallBack(); call.GetDueTime() != nil && !call.GetDone() {
			wanted = []string{"callBack"}
		}
	}
	switch t.GetHandover().GetState() {
	case deskpb.Handover_QUEUED:
		wanted = []string{"withdraw"}
	case deskpb.Handover_IN_TRANSIT:
		wanted = []string{"urge"}
	}
	for _, name := range wanted {
		if may[name] && (late || name != "urge") {
			return name
		}
	}
	return ""
}

// clockShown is a clock of a ticket.
type clockShown struct {
	Word     string
	Site     string // whose tier it belongs to; empty for all of the way
	State    string // the state's name
	Says     string // of a clock that does not run
	Deadline page.Deadline
	Tone     string
	// Left is how much of the time is left, in percent, and Dash the same as a stroke's pattern on a ring of a hundred.
	Left       int
	Dash       string
	From, Till string // when the ring is full and when it is empty, for the script that empties it
}

// clocks shows the clocks that still count, the earliest due first, and those of the whole way that ended.
func (d *dossier) clocks() (shown []clockShown) {
	all := slices.Clone(d.ticket.GetSla())
	slices.SortStableFunc(all, func(a, b *deskpb.Sla) int { return a.GetDueTime().AsTime().Compare(b.GetDueTime().AsTime()) })
	for _, clock := range all {
		ended := clock.GetState() == deskpb.Sla_MET || clock.GetEndTime() != nil
		if ended && clock.GetTier() != "" {
			continue
		}
		shown = append(shown, d.clock(clock))
	}
	slices.SortStableFunc(shown, func(a, b clockShown) int { return rank(a) - rank(b) })
	return shown
}

// rank puts clocks that run before those that stand still, and these before those that ended.
func rank(c clockShown) int {
	switch {
	case c.Deadline.ISO != "":
		return 0
	case c.State == deskpb.Sla_PAUSED.String():
		return 1
	}
	return 2
}

func (d *dossier) clock(clock *deskpb.Sla) clockShown {
	shown := clockShown{Word: d.Word("t.metric." + clock.GetMetric().String()), State: clock.GetState().String(), Tone: "calm"}
	if clock.GetSite() != "" {
		shown.Site = d.SiteNamed(clock.GetSite())
	}
	target := clock.GetTarget()
	left := target - clock.GetCounted()
	switch {
	case clock.GetState() == deskpb.Sla_MET:
		shown.Says, shown.Tone, left = d.Word("t.clock.MET"), "good", target
	case clock.GetEndTime() != nil:
		shown.Says, shown.Tone, left = d.Word("t.clock.BREACHED"), "bad", 0
	case clock.GetState() == deskpb.Sla_PAUSED:
		shown.Says, shown.Tone = d.Word("t.clock.PAUSED", d.Span(time.Duration(max(left, 0))*time.Second)), "wait"
	default:
		shown.Deadline = d.Deadline(clock.GetDueTime())
		shown.From, shown.Till = d.Time(clock.GetStartTime()).ISO, shown.Deadline.ISO
		whole := clock.GetDueTime().AsTime().Sub(clock.GetStartTime().AsTime())
		left = share(clock.GetDueTime().AsTime().Sub(d.Now()), whole, target)
		shown.Tone = d.tone(clock, left)
	}
	if target > 0 {
		shown.Left = int(min(max(left*100/target, 0), 100))
	}
	shown.Dash = fmt.Sprintf("%d 100", shown.Left)
	return shown
}

// share is the part of a target that is as large as one span of another.
func share(part, whole time.Duration, target int64) int64 {
	if whole <= 0 {
		return 0
	}
	return int64(float64(target) * part.Seconds() / whole.Seconds())
}

// tone colours a clock that runs as the queues count it. One that has run out is late before the site has noted it.
func (d *dossier) tone(clock *deskpb.Sla, left int64) string {
	switch urgency := desk.ClockUrgency(d.ticket, clock); {
	case left <= 0 || urgency == desk.Overdue:
		return "bad"
	case urgency == desk.DueSoon:
		return "wait"
	}
	return "calm"
}
