package machine

import (
	"bytes"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/tiers"
)

// actOf says what a command does in the words of the audit log; nil for what is not told there, such as how people arrange their pages,
// which concerns nobody else.
func (t *turn) actOf(c *deskpb.Command) (a *act, err error) {
	switch k := c.Kind.(type) {
	case *deskpb.Command_Ticket:
		return t.override(k.Ticket), nil // everything else about tickets is in their journals
	case *deskpb.Command_PutUser:
		name := k.PutUser.GetUser().GetName()
		// A site that was founded without an administrator makes one by itself.
		a = &act{action: audit.UpdateUser, created: audit.CreateUser, object: name, state: t.user(name), itself: k.PutUser.GetCreateOnly()}
	case *deskpb.Command_RemoveUser:
		a = &act{action: audit.DeleteUser, object: k.RemoveUser.Name, state: t.user(k.RemoveUser.Name)}
	case *deskpb.Command_LockUser:
		a = &act{action: audit.LockUser, object: k.LockUser.User, itself: true, state: t.user(k.LockUser.User)}
		if k.LockUser.Until == 0 {
			a.action = audit.UnlockUser
		}
	case *deskpb.Command_OpenSession, *deskpb.Command_CloseSession, *deskpb.Command_CloseSessions:
		a, err = t.signing(c)
	case *deskpb.Command_Found, *deskpb.Command_Reincarnate, *deskpb.Command_Freeze, *deskpb.Command_RemoveNode, *deskpb.Command_PlaceSite,
		*deskpb.Command_RetryParked, *deskpb.Command_AcknowledgeDenial:
		a = t.siting(c)
	case *deskpb.Command_PutPublication, *deskpb.Command_PutRequester, *deskpb.Command_RemoveRequester, *deskpb.Command_PutCustomerCall,
		*deskpb.Command_SetDuty:
		a = t.arranging(c)
	}
	if a == nil || err != nil {
		return nil, err
	}
	if a.actor == nil {
		a.actor = c.GetActor()
	}
	if a.session == "" {
		a.session = a.actor.GetSession()
	}
	return a, nil
}

// override is the one command on a ticket that is told in the audit log too: a ticket is taken without a hand-over.
func (t *turn) override(c *deskpb.TicketCommand) *act {
	if c.GetReclaim() == nil {
		return nil
	}
	return &act{
		action: audit.Override, object: c.Number, reason: c.GetReclaim().GetReason(), actor: c.GetActor(), session: c.GetActor().GetSession(),
		itself: true,
		state: func() (proto.Message, error) {
			record, err := t.b.Ticket(desk.TicketNumber(c.Number))
			if record == nil || err != nil {
				return nil, err
			}
			return &deskpb.Ticket{
				State: record.Ticket.GetState(), CustodianSite: record.Ticket.GetCustodianSite(),
				Assignee: record.Ticket.GetAssignee(), Group: record.Ticket.GetGroup(),
			}, nil
		},
	}
}

// signing tells of sessions and access tokens. Whoever opens or ends one by its token is the user whose it is.
func (t *turn) signing(c *deskpb.Command) (*act, error) {
	switch k := c.Kind.(type) {
	case *deskpb.Command_OpenSession:
		s := k.OpenSession.GetSession()
		a := &act{
			action: audit.SignIn, object: s.GetUser(), actor: c.Actor, session: s.GetId(),
			state: t.session(s.GetTokenHash()), brief: true,
		}
		if s.GetKind() == deskpb.Session_ACCESS_TOKEN {
			a.action = audit.CreateToken
		}
		if a.actor.GetUser() == "" {
			a.actor = &deskpb.Actor{User: s.GetUser(), Address: s.GetAddress()}
		}
		a.changes = audit.Changes(nil, &deskpb.Session{Title: s.GetTitle(), Limits: s.GetLimits(), Client: s.GetClient(), ExpireTime: s.GetExpireTime()})
		return a, nil
	case *deskpb.Command_CloseSession:
		s, err := t.b.Session(k.CloseSession.TokenHash)
		if s == nil || err != nil {
			return nil, err
		}
		a := &act{action: audit.SignOut, object: s.GetUser(), actor: c.Actor, session: s.GetId()}
		if a.actor.GetUser() == "" {
			a.actor = &deskpb.Actor{User: s.GetUser(), Address: s.GetAddress()}
		}
		return a, nil
	case *deskpb.Command_CloseSessions:
		return t.revoking(k.CloseSessions)
	}
	return nil, nil
}

// revoking tells of sessions that somebody ends by name, or all at once; nil when there are none.
func (t *turn) revoking(c *deskpb.CloseSessions) (*act, error) {
	open, err := t.b.SessionsOf(desk.UserID(c.GetUser()))
	if err != nil {
		return nil, err
	}
	ended := slices.DeleteFunc(open, func(s *deskpb.Session) bool {
		if c.GetId() != "" {
			return s.GetId() != c.GetId()
		}
		return bytes.Equal(s.GetTokenHash(), c.GetExcept())
	})
	switch {
	case len(ended) == 0:
		return nil, nil
	case c.GetId() == "":
		return &act{action: audit.RevokeLogin, object: c.GetUser(), changes: counted("ended", len(ended))}, nil
	}
	a := &act{action: audit.RevokeLogin, object: c.GetUser()}
	if ended[0].GetKind() == deskpb.Session_ACCESS_TOKEN {
		a.action = audit.RevokeToken
	}
	a.changes = audit.Changes(&deskpb.Session{Id: c.GetId(), Title: ended[0].GetTitle(), Client: ended[0].GetClient()}, nil)
	return a, nil
}

// siting tells of the site itself, its nodes and its place in the tree.
func (t *turn) siting(c *deskpb.Command) *act {
	switch k := c.Kind.(type) {
	case *deskpb.Command_Found:
		a := &act{action: audit.Found, object: string(t.site), itself: true, state: t.life}
		if admin := k.Found.GetAdmin(); admin != nil {
			a.changes = []*deskpb.AuditChange{{Field: "administrator", After: admin.GetName()}}
		}
		return a
	case *deskpb.Command_Reincarnate:
		return &act{action: audit.Recover, object: string(t.site), reason: k.Reincarnate.GetReason(), itself: true, state: t.life}
	case *deskpb.Command_Freeze:
		return &act{action: audit.Freeze, object: string(t.site), reason: k.Freeze.GetReason(), itself: true, state: t.life}
	case *deskpb.Command_RemoveNode:
		return &act{action: audit.RemoveNode, object: k.RemoveNode.GetServerId(), brief: true, state: func() (proto.Message, error) {
			return present(t.b.SiteInfo(t.site))
		}}
	case *deskpb.Command_RetryParked:
		return &act{action: audit.RetryParked, changes: counted("items", len(k.RetryParked.GetItems()))}
	case *deskpb.Command_AcknowledgeDenial:
		return &act{action: audit.Acknowledge, object: k.AcknowledgeDenial.GetSite(), reason: k.AcknowledgeDenial.GetReason(),
			state: func() (proto.Message, error) {
				return present(t.b.AuditDenial(desk.SiteID(k.AcknowledgeDenial.GetSite())))
			}}
	case *deskpb.Command_PlaceSite:
		site := k.PlaceSite.GetPlacement().GetSite()
		a := &act{
			action: audit.MoveSite, object: site, reason: k.PlaceSite.GetPlacement().GetReason(),
			state: func() (proto.Message, error) { return present(t.b.Placement(desk.SiteID(site))) },
		}
		if k.PlaceSite.GetStep() == deskpb.PlaceSite_CLOSE {
			a.action = audit.CloseSite
		}
		return a
	}
	return nil
}

// arranging tells of what the desk works by: policy and other documents, requesters' records, who is on duty.
func (t *turn) arranging(c *deskpb.Command) *act {
	switch k := c.Kind.(type) {
	case *deskpb.Command_PutPublication:
		return t.publishing(k.PutPublication.GetPublication())
	case *deskpb.Command_PutRequester:
		id := k.PutRequester.GetCustomer().GetId()
		return &act{action: audit.UpdateRequester, created: audit.CreateRequester, object: id, state: t.customer(id)}
	case *deskpb.Command_RemoveRequester:
		return &act{action: audit.DeleteRequester, object: k.RemoveRequester.Id, state: t.customer(k.RemoveRequester.Id)}
	case *deskpb.Command_PutCustomerCall:
		return &act{action: audit.RecordCallBack, object: k.PutCustomerCall.Customer, state: t.customer(k.PutCustomerCall.Customer)}
	case *deskpb.Command_SetDuty:
		return &act{action: audit.SetDuty, object: k.SetDuty.GetUser(), state: func() (proto.Message, error) {
			return present(t.b.Duty(desk.UserID(k.SetDuty.GetUser())))
		}}
	}
	return nil
}

// publishing tells of a document: of a policy what it says, of others which version stands.
func (t *turn) publishing(p *deskpb.Publication) *act {
	a := &act{action: audit.Publish, object: p.GetKind() + "/" + p.GetName()}
	a.state = func() (proto.Message, error) { return present(t.b.PublicationHead(t.site, p.GetKind(), p.GetName())) }
	switch {
	case p.GetKind() == tiers.PolicyKind:
		a.action = audit.ApplyPolicy
		a.state = func() (proto.Message, error) { return t.ownPolicy(p.GetKind(), p.GetName()) }
	case p.GetRemoved():
		a.action = audit.RemovePublication
	}
	return a
}

// ownPolicy is what the site's own policy says, nil when it has none. One that cannot be decoded says nothing.
func (t *turn) ownPolicy(kind, name string) (proto.Message, error) {
	stored, err := t.b.Publication(t.site, kind, name)
	if stored == nil || err != nil {
		return nil, err
	}
	document := &deskpb.PolicyDocument{}
	if proto.Unmarshal(stored.Body, document) != nil || document.Policy == nil {
		return &deskpb.Policy{}, nil
	}
	return document.Policy, nil
}

func (t *turn) user(name string) func() (proto.Message, error) {
	return func() (proto.Message, error) { return present(t.b.User(desk.UserID(name))) }
}

func (t *turn) customer(id string) func() (proto.Message, error) {
	return func() (proto.Message, error) { return present(t.b.Customer(id)) }
}

func (t *turn) session(tokenHash []byte) func() (proto.Message, error) {
	return func() (proto.Message, error) { return present(t.b.Session(tokenHash)) }
}

// life is the site without what every entry of the log moves.
func (t *turn) life() (proto.Message, error) {
	site, err := present(t.b.Site())
	return site, err
}

// present is a record that was read, as a message that is nil when there is none.
func present[M proto.Message](m M, err error) (proto.Message, error) {
	if err != nil || !m.ProtoReflect().IsValid() {
		return nil, err
	}
	return m, nil
}
