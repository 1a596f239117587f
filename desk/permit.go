package desk

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// permit refuses a command that its actor may not ask for at all. The site itself, the zero actor, moves tickets, does what is due
// on them, opens rounds, takes the requester's rating by a survey's link, and does nothing else; people do everything else, by
// the table of verbs.
func permit(c *deskpb.TicketCommand) error {
	actor, verb := c.GetActor(), OfCommand(c)
	switch {
	case isSite(actor) && (verb == "" || verb == TicketRate):
		return nil
	case isSite(actor) || verb == "":
		return denied("what the site does with tickets by itself is not for people, and all other verbs are; sign in, or escalate instead")
	}
	if err := May(actor, verb); err != nil {
		return err
	}
	return permitOrigin(actor, c.GetCreate().GetOrigin())
}

// permitOn refuses a command that its actor may not ask for on this ticket, although on others.
func permitOn(here Here, record *deskpb.Record, c *deskpb.TicketCommand) error {
	actor, verb := c.GetActor(), OfCommand(c)
	switch {
	case isSite(actor):
		return nil
	case verb == TicketChangeTask:
		return permitTask(actor, record.GetTicket(), c.GetChangeTask())
	}
	return permitHere(here, actor, verb, record)
}

// permitHere refuses what the actor's role or lines do not allow on a ticket that this site holds. Lines bind whoever works at them in
// what only the custodian does; people who are asked to do or sign a task are not bound.
func permitHere(here Here, actor *deskpb.Actor, verb Verb, record *deskpb.Record) error {
	at, role := ruleOf(verb).at, actor.GetRole()
	if at != custodian && at != wished || managers.has(role) || !staff.has(role) || !holds(here, record) {
		return nil
	}
	t, lines := record.GetTicket(), actor.GetLines()
	switch {
	case verb == TicketClose && t.GetHomeSite() != string(here.Site):
		return denied("ticket %s is closed at its home %s; here only an incident manager or an administrator may close it",
			t.GetNumber(), t.GetHomeSite())
	case len(lines) > 0 && !slices.Contains(lines, t.GetLine()):
		return denied("ticket %s stands at the %s line, and user %q works at %v only; ask somebody of that line",
			t.GetNumber(), t.GetLine(), actor.GetUser(), lines)
	}
	return nil
}

// permitTask refuses a leader who does more than sign, and anybody below an incident manager who gives up what somebody else
// made a condition of the resolution.
func permitTask(actor *deskpb.Actor, t *deskpb.Ticket, change *deskpb.ChangeTask) error {
	action, task := change.GetAction(), taskNumbered(t, change.GetTask())
	switch {
	case leaders.has(actor.GetRole()) && action != deskpb.ChangeTask_AGREE && action != deskpb.ChangeTask_REFUSE:
		return denied("user %q has the role LEADER and agrees or refuses only; ask whoever works on ticket %s", actor.GetUser(), t.GetNumber())
	case action != deskpb.ChangeTask_CANCEL || managers.has(actor.GetRole()) || task.GetActor() == actor.GetUser():
		return nil
	case !task.GetMandatory() && task.GetKind() != deskpb.Task_APPROVAL:
		return nil
	}
	return denied("task %d of ticket %s was added by %q and is given up by them, an incident manager or an administrator only; ask one",
		task.GetId(), t.GetNumber(), task.GetActor())
}

// permitOrigin refuses a requester who opens a ticket as part or consequence of another one: that is for the desk to say.
func permitOrigin(actor *deskpb.Actor, origin *deskpb.TicketLink) error {
	if !requesters.has(actor.GetRole()) || origin == nil || origin.GetKind() == deskpb.TicketLink_FOLLOWS {
		return nil
	}
	return denied("user %q has the role REQUESTER and opens tickets that stand alone or follow an earlier one only; tell the desk in words that it is %s",
		actor.GetUser(), origin.GetKind())
}

// inOwnName returns what a requester asks for as something that the requester reports: the words are the requester's own, and what
// only the desk may say of a ticket is not read. Other people's commands are as they are.
func inOwnName(c *deskpb.TicketCommand) *deskpb.TicketCommand {
	actor := c.GetActor()
	if !requesters.has(actor.GetRole()) {
		return c
	}
	switch v := c.GetVerb().(type) {
	case *deskpb.TicketCommand_Reply:
		c = proto.CloneOf(c)
		c.GetReply().FromRequester = true
	case *deskpb.TicketCommand_Create:
		c = proto.CloneOf(c)
		c.GetCreate().Ticket = ofRequester(v.Create.GetTicket(), UserID(actor.GetUser()))
	}
	return c
}

// ofRequester returns what a requester may say of a new ticket, with the requester's account.
func ofRequester(asked *deskpb.Ticket, user UserID) *deskpb.Ticket {
	said := asked.GetRequester()
	t := &deskpb.Ticket{
		Requester: &deskpb.Requester{
			Name: said.GetName(), Unit: said.GetUnit(), Phone: said.GetPhone(), Email: said.GetEmail(), User: string(user),
		},
		Channel: deskpb.Ticket_PORTAL,
	}
	if channel := asked.GetChannel(); channel != deskpb.Ticket_CHANNEL_UNSPECIFIED {
		t.Channel = channel
	}
	copyFields(t, asked, []string{
		"title", "description", "category", "application", "applicationVersion", "configurationItem", "service", "fields", "urgency",
	})
	return t
}

// byRequester tells whether a requester decides, signed in.
func (w *writer) byRequester() bool { return requesters.has(w.asker.GetRole()) }

func denied(format string, args ...any) error {
	return Refuse(PermissionDenied, "PERMISSION_DENIED", format, args...)
}
