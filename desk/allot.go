package desk

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// allot gives a ticket to a group, and to one of its members, by the rules of the policy, when the decision has left it open with
// nobody: opened, come from another line, reopened or sorted anew. Where somebody named a group or a person, the rules
// keep away; a group that they chose themselves is given up for the one that they choose once the ticket is sorted anew.
func (w *writer) allot() error {
	t := w.ticket()
	if !slices.ContainsFunc(w.events, unassigns) || !w.holds() || !isOpen(t.GetState()) || t.GetAssignee() != "" ||
		t.GetGroup() != "" && !w.maySwitch() || w.handover() != deskpb.Handover_NONE {
		return nil
	}
	p, err := w.policy()
	if err != nil {
		return err
	}
	group := policy.Dispatch(p, t)
	team := policy.Group(p, group)
	if lines := team.GetLines(); group == "" || group == t.GetGroup() || len(lines) > 0 && !slices.Contains(lines, t.GetLine()) {
		return nil
	}
	assignee, err := w.choose(p, team)
	if err != nil {
		return err
	}
	return w.give(p, group, assignee, "")
}

// maySwitch tells whether the rules chose the ticket's group, and the decision sorted the ticket anew.
func (w *writer) maySwitch() bool {
	return w.record.GetAllotted() && slices.ContainsFunc(w.events, func(event Sealed) bool { return event.GetType() == deskpb.Event_CLASSIFIED })
}

// unassigns tells whether an event may leave a ticket with nobody, or change which rule fits it.
func unassigns(event Sealed) bool {
	switch event.GetType() {
	case deskpb.Event_OPENED, deskpb.Event_ESCALATED, deskpb.Event_RETURNED, deskpb.Event_ACCEPTED, deskpb.Event_RECLAIMED,
		deskpb.Event_REOPENED, deskpb.Event_CLASSIFIED, deskpb.Event_DECLINED:
		return true
	}
	return false
}

// give writes that the rules gave the ticket to a group and, where it is not empty, a person.
func (w *writer) give(p *deskpb.Policy, group, assignee, why string) error {
	return w.byItself(&deskpb.Event{
		Type: deskpb.Event_ASSIGNED,
		Body: &deskpb.Body{
			Text: why, Group: group, Assignee: assignee, Automatic: true, AcceptLimit: w.acceptLimit(p, group, assignee, ""),
		},
	})
}

// byItself writes an event that is nobody's: the site decides it.
func (w *writer) byItself(draft *deskpb.Event) error {
	actor, asker := w.actor, w.asker
	w.actor, w.asker = "", nil
	defer func() { w.actor, w.asker = actor, asker }()
	return w.custodial(draft)
}

// acceptLimit returns until when an assignee has to take the ticket up that the giver gives, in microseconds since 1970, 0 for no limit.
// Who gives a ticket to herself has taken it up.
func (w *writer) acceptLimit(p *deskpb.Policy, group, assignee, giver string) int64 {
	within := policy.Group(p, group).GetAcceptWithin()
	if assignee == "" || assignee == giver || within <= 0 {
		return 0
	}
	return w.at.Time + within*second
}

// address notes on a new ticket that its author gave to somebody until when that has to be taken up.
func (w *writer) address(p *deskpb.Policy, t *deskpb.Ticket) {
	t.Accepted = t.GetAssignee() != "" && t.GetAssignee() == w.actor
	if limit := w.acceptLimit(p, t.GetGroup(), t.GetAssignee(), w.actor); limit > 0 {
		t.AcceptTimeLimit = timestamp(limit)
	}
}

// choose returns the member of a group on duty who gets a ticket by the group's method, empty for none. Members who have given the
// ticket back, or left it lying, are not chosen again.
func (w *writer) choose(p *deskpb.Policy, team *deskpb.Team) (string, error) {
	method := team.GetMethod()
	if method != deskpb.Team_ROUND_ROBIN && method != deskpb.Team_LEAST_LOADED {
		return "", nil
	}
	presences, err := Presences(p, team, w.at.Time, w.view)
	if err != nil {
		return "", err
	}
	var able []string
	for _, presence := range presences {
		user := string(presence.User)
		if presence.On && user != w.ticket().GetAssignee() && !slices.Contains(w.record.GetPassedOver(), user) {
			able = append(able, user)
		}
	}
	switch {
	case len(able) == 0:
		return "", nil
	case method == deskpb.Team_ROUND_ROBIN:
		return w.nextInTurn(team, able)
	}
	return w.leastLoaded(able)
}

// Turn returns the group and the member that an event gave a ticket to by the rules; the next ticket of the group is for the one behind.
// Both are empty for every other event.
func Turn(event Sealed) (group string, member UserID) {
	if body := event.GetBody(); event.GetType() == deskpb.Event_ASSIGNED && body.GetAutomatic() && body.GetAssignee() != "" {
		return body.GetGroup(), UserID(body.GetAssignee())
	}
	return "", ""
}

// nextInTurn returns the first one who is able behind the member that got a ticket last.
func (w *writer) nextInTurn(team *deskpb.Team, able []string) (string, error) {
	last, err := w.view.Rotation(team.GetName())
	if err != nil {
		return "", fmt.Errorf("read whose turn it is in group %s: %w", team.GetName(), err)
	}
	members, err := membersOf(team, w.view)
	if err != nil {
		return "", err
	}
	turn := slices.Index(members, string(last)) + 1 // the first one when nobody got one yet, or who did has left
	for i := range members {
		if next := members[(turn+i)%len(members)]; slices.Contains(able, next) {
			return next, nil
		}
	}
	return "", nil
}

// leastLoaded returns who has the fewest open tickets here, the first by name of several.
func (w *writer) leastLoaded(able []string) (string, error) {
	loads := make(map[string]int, len(able))
	for _, user := range able {
		load, err := w.view.Load(UserID(user))
		if err != nil {
			return "", fmt.Errorf("count the tickets of %s: %w", user, err)
		}
		loads[user] = load
	}
	return slices.MinFunc(able, func(a, b string) int { return cmp.Or(cmp.Compare(loads[a], loads[b]), cmp.Compare(a, b)) }), nil
}

// passOn gives a ticket that a member of its group does not take up to the next one. When there is none, the group keeps it and its
// manager is told.
func (w *writer) passOn(why string) error {
	p, err := w.policy()
	if err != nil {
		return err
	}
	t := w.ticket()
	group, had := t.GetGroup(), t.GetAssignee()
	next, err := w.choose(p, policy.Group(p, group))
	if err != nil {
		return err
	}
	if next != had {
		if err := w.give(p, group, next, why); err != nil {
			return err
		}
	}
	if next != "" {
		return nil
	}
	return w.tellManager(p, group, why)
}

// nextAcceptance returns until when the assignee has to take the ticket up, 0 when nobody has to.
func nextAcceptance(r *deskpb.Record, _ SiteID) int64 {
	t := r.GetTicket()
	if t.GetAcceptTimeLimit() == nil || t.GetState() != deskpb.Ticket_ASSIGNED {
		return 0
	}
	return micros(t.GetAcceptTimeLimit())
}

// missAcceptance takes the ticket from an assignee who did not take it up in time.
func (w *writer) missAcceptance() error {
	return w.passOn(fmt.Sprintf("%s did not take the ticket up in time", w.ticket().GetAssignee()))
}
