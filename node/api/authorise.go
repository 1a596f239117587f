package api

import (
	"context"
	"errors"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// caller is who makes the call.
type caller struct {
	actor *deskpb.Actor
	token string
}

type callerKey struct{}

func withCaller(ctx context.Context, who caller) context.Context {
	return context.WithValue(ctx, callerKey{}, who)
}

// callerOf returns the caller of an authorised call. Of a call that is open to all it is nobody, with an actor of no role.
func callerOf(ctx context.Context) caller {
	who, known := ctx.Value(callerKey{}).(caller)
	if !known {
		who.actor = &deskpb.Actor{}
	}
	return who
}

// Attribute says in a command who asks for it, and which node took the call: every command of a caller passes here. One that a
// site proposes by itself has no actor.
func Attribute(ctx context.Context, node string, c *deskpb.Command) {
	c.Node = node
	actor := callerOf(ctx).actor
	if actor.GetUser() == "" && actor.GetRole() == deskpb.User_ROLE_UNSPECIFIED {
		return
	}
	if ticket := c.GetTicket(); ticket != nil {
		ticket.Actor = actor
	} else {
		c.Actor = actor
	}
}

// authorised runs a call of a method for the owner of the token that it carries, if what it asks for is something that the owner
// may do; anybody may call a method that is open to all. The audit log is told of each call that is denied, here or by the rules
// of the desk.
func (s *Server) authorised(ctx context.Context, method string, request any, do func(context.Context) error) error {
	if s.methods.open(method) {
		return do(ctx)
	}
	ctx, err := s.authenticate(ctx)
	if err != nil {
		return err
	}
	verb := s.methods.verb(callerOf(ctx).actor, method, request)
	if err = desk.May(callerOf(ctx).actor, verb); err == nil {
		err = do(ctx)
	}
	s.tellDenied(ctx, verb, request, err)
	return err
}

// tellDenied writes down that a caller was denied something, if the error says so.
func (s *Server) tellDenied(ctx context.Context, verb desk.Verb, request any, err error) {
	var refusal *desk.Refusal
	if !errors.As(err, &refusal) || refusal.Code != desk.PermissionDenied {
		return
	}
	entry := entryOf(ctx, string(verb), shortened(objectOf(request)))
	entry.Outcome, entry.Reason = deskpb.AuditEntry_REFUSED, shortened(refusal.Message)
	s.backend.Record(entry)
}

// entryOf is an entry for the audit log about what the caller does.
func entryOf(ctx context.Context, action, object string) *deskpb.AuditEntry {
	actor := callerOf(ctx).actor
	return &deskpb.AuditEntry{
		Actor: actor.GetUser(), Role: actor.GetRole(), Address: actor.GetAddress(), Session: actor.GetSession(),
		Action: action, Object: object, Outcome: deskpb.AuditEntry_DONE,
	}
}

// authenticate finds out whose token the call carries. The refusal's message tells what to do.
func (s *Server) authenticate(ctx context.Context) (context.Context, error) {
	value := firstMetadata(ctx, "authorization")
	if value == "" {
		return nil, desk.Refuse(desk.Unauthenticated, "NO_TOKEN",
			"the call carries no token; sign in by POST /api/v1/sessions and send its token as Authorization: Bearer <token>")
	}
	scheme, token, _ := strings.Cut(value, " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, desk.Refuse(desk.Unauthenticated, "BAD_AUTHORIZATION",
			"the Authorization header is not of the form: Bearer <token>")
	}
	actor, err := s.people.Authenticate(ctx, token, originOf(ctx).address)
	if err != nil {
		return nil, err
	}
	return withCaller(ctx, caller{actor: actor, token: token}), nil
}
