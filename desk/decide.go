package desk

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Decide turns a command into events or refuses it with a *Refusal. Any other error is a fault of the view or of here.
// It checks, in this order: the form of the command, that its actor may ask for the verb at all, that the actor sees the
// ticket, the request id, the etag, that the actor may do it on this ticket, that the site is not frozen, that it stands on
// the ticket's path, that the ticket is settled here, custody, and the ticket's state. A remark or a wish needs the first
// eight only, and a reclaim neither settledness nor custody.
func Decide(here Here, view View, command *deskpb.TicketCommand, at Stamp) (*Decision, error) {
	command = inOwnName(command)
	if err := checkForm(command); err != nil {
		return nil, err
	}
	if err := permit(command); err != nil {
		return nil, err
	}
	command, err := instead(here, view, command, at)
	if err != nil {
		return nil, err
	}
	asker := command.GetActor()
	w := &writer{here: here, view: view, at: at, asker: asker, actor: asker.GetUser(), request: command.GetRequest()}
	create := isCreate(command)
	if !create {
		if w.record, err = w.known(TicketNumber(command.GetNumber())); err != nil {
			return nil, err
		}
	}
	if repeated, err := repetition(here, view, command); repeated != nil || err != nil {
		return repeated, err
	}
	if command.GetEtag() != "" && !create && command.GetEtag() != w.ticket().GetEtag() {
		return nil, staleEtag(w.ticket(), command.GetEtag())
	}
	if err := permitOn(here, w.record, command); err != nil {
		return nil, err
	}
	if here.Frozen != "" {
		return nil, Refuse(FailedPrecondition, "FROZEN", "%s is frozen and decides nothing: %s", here.Site, here.Frozen)
	}
	if err := w.carryOut(command); err != nil {
		return nil, err
	}
	if err := w.allot(); err != nil {
		return nil, err
	}
	return w.decision(), nil
}

// staleEtag refuses a command that was meant for the ticket as it was before.
func staleEtag(t *deskpb.Ticket, etag string) *Refusal {
	return Refuse(Aborted, "STALE_ETAG", "ticket %s has changed: its etag is %s, not %q; read it again and decide anew",
		t.GetNumber(), t.GetEtag(), etag)
}

func isCreate(c *deskpb.TicketCommand) bool {
	_, create := c.GetVerb().(*deskpb.TicketCommand_Create)
	return create
}

// known returns the record of a ticket that the actor sees, or refuses.
func (w *writer) known(number TicketNumber) (*deskpb.Record, error) {
	record, err := seen(w.here, w.view, w.asker, number)
	if err != nil {
		return nil, fmt.Errorf("decide: %w", err)
	}
	if record == nil {
		return nil, Unknown(w.here.Site, number)
	}
	return record, nil
}

// seen returns the record of a ticket that an actor sees, nil for any other number. An error is a fault.
func seen(here Here, view View, actor *deskpb.Actor, number TicketNumber) (*deskpb.Record, error) {
	record, err := view.Ticket(number)
	if err != nil {
		return nil, fmt.Errorf("read ticket %q: %w", number, err)
	}
	if record == nil {
		return nil, nil
	}
	p, err := view.Policy()
	if err != nil {
		return nil, fmt.Errorf("read who sees ticket %q: %w", number, err)
	}
	if !Sees(actor, here.Site, p, record) {
		return nil, nil
	}
	return record, nil
}

// Unknown refuses the number of a ticket that the site does not know, or that the actor does not see.
func Unknown(site SiteID, number TicketNumber) *Refusal {
	return Refuse(NotFound, "TICKET_NOT_FOUND", "ticket %q is not known at %s; check the number", number, site)
}

// repetition answers a request id that was used before: the ticket as it is now for the same request, a refusal for
// another one. Of a ticket that is out of the actor's sight by now it tells the number alone. It returns nothing for a new request.
func repetition(here Here, view View, c *deskpb.TicketCommand) (*Decision, error) {
	request := c.GetRequest()
	if request.GetId() == "" {
		return nil, nil
	}
	mark, err := view.Request(UserID(c.GetActor().GetUser()), request.GetMethod(), request.GetId())
	if err != nil {
		return nil, fmt.Errorf("decide on request %q: %w", request.GetId(), err)
	}
	if mark == nil {
		return nil, nil
	}
	elsewhere := c.GetNumber() != "" && c.GetNumber() != mark.GetTicket()
	if elsewhere || !bytes.Equal(mark.GetBodyHash(), request.GetBodyHash()) {
		return nil, Refuse(AlreadyExists, "REQUEST_ID_REUSED",
			"request id %q was used for another %s request, on ticket %s; draw a new id for a new request",
			request.GetId(), request.GetMethod(), mark.GetTicket())
	}
	record, err := view.Ticket(TicketNumber(mark.GetTicket()))
	if err != nil {
		return nil, fmt.Errorf("decide on ticket %q: %w", mark.GetTicket(), err)
	}
	if record == nil {
		return nil, fmt.Errorf("decide on request %q: its ticket %s is missing", request.GetId(), mark.GetTicket())
	}
	p, err := view.Policy()
	if err != nil {
		return nil, fmt.Errorf("read who sees ticket %s: %w", mark.GetTicket(), err)
	}
	if !Sees(c.GetActor(), here.Site, p, record) {
		record = &deskpb.Record{Ticket: &deskpb.Ticket{Number: mark.GetTicket()}}
	}
	return &Decision{Record: record}, nil
}

// carryOut writes the verb's events. Remarks are welcome wherever the ticket is known; elsewhere than at the custodian,
// and where the ticket is not settled, a few verbs become wishes and the others are refused.
func (w *writer) carryOut(c *deskpb.TicketCommand) error {
	if err := w.locate(); err != nil {
		return err
	}
	if w.astray && c.GetRelocate() == nil && c.GetDispatch() == nil {
		return w.movedAway()
	}
	if isCreate(c) {
		return w.createFrom(c)
	}
	if made, err := w.remarkOn(c); made || err != nil {
		return err
	}
	if c.GetReclaim() != nil {
		return w.reclaim(c.GetReclaim())
	}
	settled, err := w.settled()
	if err != nil {
		return err
	}
	decides := settled || w.overridden() && c.GetDispatch() == nil
	if wish := wishOf(c); wish != nil && (!decides || !w.holds()) {
		return w.wish(wish)
	}
	switch {
	case !decides:
		return w.unsettled()
	case !w.holds():
		return w.notHeld()
	}
	return w.act(c)
}

// act writes the events of a verb of the custodian.
func (w *writer) act(c *deskpb.TicketCommand) error {
	switch v := c.GetVerb().(type) {
	case *deskpb.TicketCommand_Assign:
		return w.assign(v.Assign)
	case *deskpb.TicketCommand_Start:
		return w.start()
	case *deskpb.TicketCommand_Hold:
		return w.hold(v.Hold)
	case *deskpb.TicketCommand_Resume:
		return w.resume(v.Resume)
	case *deskpb.TicketCommand_Escalate:
		return w.escalate(v.Escalate)
	case *deskpb.TicketCommand_Withdraw:
		return w.withdraw(v.Withdraw)
	case *deskpb.TicketCommand_Return:
		return w.sendBack(v.Return)
	case *deskpb.TicketCommand_Dispatch:
		return w.dispatch(v.Dispatch)
	case *deskpb.TicketCommand_Relocate:
		return w.relocate(v.Relocate)
	case *deskpb.TicketCommand_Resolve:
		return w.resolve(v.Resolve.GetResolution())
	case *deskpb.TicketCommand_Confirm:
		return w.confirm(v.Confirm)
	case *deskpb.TicketCommand_Close:
		return w.close(v.Close)
	case *deskpb.TicketCommand_Reopen:
		return w.reopen(v.Reopen)
	case *deskpb.TicketCommand_Cancel:
		return w.cancel(v.Cancel)
	}
	return w.actBeside(c)
}

// actBeside writes the events of a verb of the custodian that concerns how the work is organised.
func (w *writer) actBeside(c *deskpb.TicketCommand) error {
	switch v := c.GetVerb().(type) {
	case *deskpb.TicketCommand_Classify:
		return w.classify(v.Classify)
	case *deskpb.TicketCommand_Claim:
		return w.claim()
	case *deskpb.TicketCommand_Decline:
		return w.decline(v.Decline)
	case *deskpb.TicketCommand_Transfer:
		return w.transfer(v.Transfer)
	case *deskpb.TicketCommand_Arrive:
		return w.arrive(v.Arrive)
	case *deskpb.TicketCommand_Tick:
		return w.tick()
	case *deskpb.TicketCommand_AddTask:
		return w.addTask(v.AddTask.GetTask())
	case *deskpb.TicketCommand_ChangeTask:
		return w.changeTask(v.ChangeTask)
	case *deskpb.TicketCommand_CheckItem:
		return w.checkItem(v.CheckItem)
	case *deskpb.TicketCommand_Review:
		return w.review(v.Review)
	case *deskpb.TicketCommand_Merge:
		return w.merge(v.Merge)
	case *deskpb.TicketCommand_ResolveWith:
		return w.resolveWith(v.ResolveWith)
	case *deskpb.TicketCommand_RunMacro:
		return w.runMacro(v.RunMacro)
	}
	return fmt.Errorf("decide on ticket %s: the verb %T has a form but no rule", w.number(), c.GetVerb())
}

// notHeld refuses a verb that only the custodian carries out.
func (w *writer) notHeld() error {
	t := w.ticket()
	if w.handover() == deskpb.Handover_IN_TRANSIT {
		return Refuse(FailedPrecondition, "IN_TRANSIT", "ticket %s is on its way to %s since %s; wait until it has arrived there",
			w.number(), t.GetCustodianSite(), spoken(t.GetHandover().GetSince()))
	}
	return Refuse(FailedPrecondition, "NOT_CUSTODIAN", "ticket %s is held by %s; ask there, or leave a note, a reply or an urge here",
		w.number(), t.GetCustodianSite())
}

// movedAway refuses every verb at a site that the ticket's office has left.
func (w *writer) movedAway() error {
	return Refuse(FailedPrecondition, "MOVED_AWAY", "ticket %s is on the path of %s no more, because its office %s moved; ask there",
		w.number(), w.here.Site, w.ticket().GetHomeSite())
}

// need refuses the verb unless the table lets it succeed in the ticket's state.
func (w *writer) need(verb Verb) error { return w.needState(verb.name(), ruleOf(verb).states) }

// needState refuses what is done unless the ticket is in one of the states.
func (w *writer) needState(what string, states stateSet) error {
	state := w.ticket().GetState()
	if states.has(state) {
		return nil
	}
	var names []string
	for _, s := range states.states() {
		names = append(names, s.String())
	}
	return Refuse(FailedPrecondition, "WRONG_STATE", "ticket %s is %s; %s is for tickets that are %s",
		w.number(), state, what, strings.Join(names, " or "))
}
