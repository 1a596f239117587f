package machine

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// turn is one log entry while its commands are decided: all over one batch, all at one time.
//
// Its methods return nil when the command was accepted, a *desk.Refusal when it changed nothing, any other error for a
// fault. They check before they write, so that a refusal leaves the batch as it was.
type turn struct {
	b    *store.Batch
	site desk.SiteID
	at   desk.Stamp

	founded bool // the site is, and decides, as an earlier command has seen

	onPath map[desk.SiteID]bool // sites on the paths of the tickets that were written
	links  bool                 // a command that may write into any outbox was decided
}

// result decides one command and says what it came to.
func (t *turn) result(raw []byte) (*deskpb.Result, error) {
	result := &deskpb.Result{}
	ticket, err := t.decode(raw)
	var refusal *desk.Refusal
	switch {
	case errors.As(err, &refusal):
		result.Refusal = &deskpb.Refusal{Code: int32(refusal.Code), Message: refusal.Message, Field: refusal.Field, Reason: refusal.Reason}
	case err != nil:
		return nil, err
	default:
		result.Ticket = ticket
	}
	return result, nil
}

func (t *turn) decode(raw []byte) (*deskpb.Ticket, error) {
	command := &deskpb.Command{}
	if err := proto.Unmarshal(raw, command); err != nil {
		// The decoder's own words vary from run to run on purpose; a result must not.
		return nil, desk.Refuse(desk.InvalidArgument, "MALFORMED_COMMAND", "the command of %d bytes cannot be decoded", len(raw))
	}
	if found, ok := command.Kind.(*deskpb.Command_Found); ok {
		return nil, t.audited(command, func() error { return within("found", t.found(found.Found)) })
	}
	if !t.founded {
		site, err := t.b.Site()
		if err != nil {
			return nil, err
		}
		if site == nil {
			return nil, desk.Refuse(desk.Unavailable, "NOT_FOUNDED", "site %s is not founded yet; try again in a moment", t.site)
		}
		if err := awaken(site, command); err != nil {
			return nil, err
		}
		t.founded = !site.Restored
	}
	if c, ok := command.Kind.(*deskpb.Command_Ticket); ok {
		var ticket *deskpb.Ticket
		err := t.audited(command, func() (err error) {
			ticket, err = t.ticket(c.Ticket)
			return within("ticket command", err)
		})
		return ticket, err
	}
	return nil, t.audited(command, func() error {
		if err := t.stands(command); err != nil {
			return within("see who asks", err)
		}
		return t.other(command)
	})
}

// other decides the commands that answer with nothing but yes or no.
func (t *turn) other(command *deskpb.Command) error {
	switch c := command.Kind.(type) {
	case *deskpb.Command_RegisterNode:
		return within("register node", t.registerNode(c.RegisterNode))
	case *deskpb.Command_RemoveNode:
		return within("remove node", t.removeNode(c.RemoveNode))
	case *deskpb.Command_PutUser:
		return within("put user", t.putUser(c.PutUser))
	case *deskpb.Command_RemoveUser:
		return within("remove user", t.removeUser(c.RemoveUser))
	case *deskpb.Command_OpenSession:
		return within("open session", t.openSession(c.OpenSession))
	case *deskpb.Command_CloseSession:
		return within("close session", t.b.DeleteSession(c.CloseSession.TokenHash))
	case *deskpb.Command_CloseSessions:
		return within("close sessions", t.closeSessions(c.CloseSessions))
	case *deskpb.Command_RenewSessions:
		return within("renew sessions", t.renewSessions(c.RenewSessions))
	case *deskpb.Command_LockUser:
		return within("lock user", t.lockUser(c.LockUser))
	case *deskpb.Command_AdmitPeer:
		t.links = true
		return within("admit peer", tiers.AdmitPeer(t.b, c.AdmitPeer, t.at))
	case *deskpb.Command_Receive:
		t.links = true
		return within("receive", tiers.Receive(t.b, c.Receive, t.at))
	case *deskpb.Command_Acknowledge:
		t.links = true
		return within("acknowledge", tiers.Acknowledge(t.b, c.Acknowledge, t.at))
	default:
		return t.tree(command)
	}
}

// tree decides the commands that concern the tree of sites.
func (t *turn) tree(command *deskpb.Command) error {
	t.links = true
	switch c := command.Kind.(type) {
	case *deskpb.Command_Reincarnate:
		return within("reincarnate", t.reincarnate(c.Reincarnate))
	case *deskpb.Command_Freeze:
		return within("freeze", tiers.Freeze(t.b, c.Freeze))
	case *deskpb.Command_Unite:
		return within("unite", tiers.Unite(t.b, c.Unite, t.at))
	case *deskpb.Command_Settle:
		return within("settle", tiers.Settle(t.b, c.Settle))
	case *deskpb.Command_Revisit:
		return within("revisit", tiers.Revisit(t.b, c.Revisit, t.at))
	case *deskpb.Command_RetryParked:
		return within("retry parked items", tiers.RetryParked(t.b, c.RetryParked, t.at))
	case *deskpb.Command_PutPublication:
		return within("put publication", tiers.PutPublication(t.b, c.PutPublication, t.at))
	case *deskpb.Command_PlaceSite:
		return within("place site", tiers.PlaceSite(t.b, c.PlaceSite, t.at))
	default:
		return t.beside(command)
	}
}

// beside decides the commands that concern how a site's work is organised.
func (t *turn) beside(command *deskpb.Command) error {
	switch c := command.Kind.(type) {
	case *deskpb.Command_PutPolicy:
		return within("put policy", t.putPolicy(c.PutPolicy))
	case *deskpb.Command_PutRequester:
		return within("put requester", t.putRequester(c.PutRequester))
	case *deskpb.Command_RemoveRequester:
		return within("remove requester", t.removeRequester(c.RemoveRequester))
	case *deskpb.Command_PutCustomerCall:
		return within("put customer call", t.putCustomerCall(c.PutCustomerCall))
	case *deskpb.Command_PutSurveyKey:
		return within("put survey key", t.putSurveyKey(c.PutSurveyKey))
	case *deskpb.Command_SetDuty:
		return within("set duty", t.setDuty(c.SetDuty))
	case *deskpb.Command_SetPreferences:
		return within("set preferences", t.setPreferences(c.SetPreferences))
	case *deskpb.Command_MarkNotices:
		return within("mark notices", t.markNotices(c.MarkNotices))
	case *deskpb.Command_OpenRound:
		return within("open round", t.openRound(c.OpenRound))
	case *deskpb.Command_PutChunk:
		return within("put chunk", t.putChunk(c.PutChunk))
	case *deskpb.Command_DropBlob:
		return within("drop blob", t.dropBlob(c.DropBlob))
	case *deskpb.Command_AddAudit:
		return within("add to the audit log", t.addAudit(c.AddAudit))
	case *deskpb.Command_PutCheckpoint:
		return within("put checkpoint", t.putCheckpoint(c.PutCheckpoint))
	case *deskpb.Command_AcknowledgeDenial:
		return within("acknowledge denial", t.acknowledgeDenial(c.AcknowledgeDenial))
	default:
		return desk.Refuse(desk.InvalidArgument, "UNKNOWN_COMMAND", "the command is of no kind that this node knows")
	}
}

// ticket has the rules decide a verb and stores the decision.
func (t *turn) ticket(command *deskpb.TicketCommand) (*deskpb.Ticket, error) {
	decision, err := tiers.Decide(t.b, command, t.at)
	if err != nil {
		return nil, err
	}
	if len(decision.Events) > 0 {
		t.note(decision.Record)
	}
	for _, other := range decision.Beside {
		t.note(other.Record)
	}
	return decision.Record.Ticket, nil
}

// note remembers which neighbours a written ticket may concern.
func (t *turn) note(record *deskpb.Record) {
	for _, site := range record.Path {
		t.onPath[desk.SiteID(site)] = true
	}
	t.onPath[desk.SiteID(record.FromSite)] = true
	t.onPath[desk.SiteID(record.Ticket.GetHandover().GetToSite())] = true
}

// within names the kind of command in a fault. A refusal is for the caller and stays as it is.
func within(kind string, err error) error {
	var refusal *desk.Refusal
	if err == nil || errors.As(err, &refusal) {
		return err
	}
	return fmt.Errorf("%s: %w", kind, err)
}

// concerned lists the watched neighbours that the entry wrote something for: those on the path of a ticket, and those
// whose end of the link the batch has moved.
func (m *Machine) concerned(t *turn) ([]desk.SiteID, error) {
	var peers []desk.SiteID
	for _, peer := range m.wakeup.watched() {
		moved := t.onPath[peer]
		if !moved && t.links {
			var err error
			if moved, err = m.linkMoved(t.b, peer); err != nil {
				return nil, err
			}
		}
		if moved {
			peers = append(peers, peer)
		}
	}
	return peers, nil
}

// linkMoved compares the link in the batch with the one in the store.
func (m *Machine) linkMoved(b *store.Batch, peer desk.SiteID) (moved bool, err error) {
	after, err := b.Link(peer)
	if err != nil {
		return false, err
	}
	err = m.options.Store.View(func(r *store.Reader) error {
		before, err := r.Link(peer)
		moved = !proto.Equal(before, after)
		return err
	})
	return moved, err
}
