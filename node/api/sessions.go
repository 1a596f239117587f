package api

import (
	"cmp"
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// sessions serves signing in and out, and what is open.
type sessions struct {
	apipb.UnimplementedSessionsServer
	people People
	users  *users
	fields []field // that filters compare
}

func (s *sessions) CreateSession(ctx context.Context, r *apipb.CreateSessionRequest) (*apipb.CreateSessionResponse, error) {
	if r.GetUser() == "" {
		return nil, desk.RefuseField("user", "is missing; give the name to sign in with")
	}
	if r.GetPassword() == "" {
		return nil, desk.RefuseField("password", "is missing; give the user's password")
	}
	from := originOf(ctx)
	return s.people.SignIn(ctx, r, from.address, from.client)
}

func (s *sessions) DeleteSession(ctx context.Context, _ *apipb.DeleteSessionRequest) (*emptypb.Empty, error) {
	return empty(s.people.SignOut(ctx, callerOf(ctx).token, originOf(ctx).address))
}

func (s *sessions) GetCaller(ctx context.Context, _ *apipb.GetCallerRequest) (*apipb.Caller, error) {
	actor := callerOf(ctx).actor
	user, err := s.users.complete(ctx)(s.people.User(ctx, actor, desk.UserID(actor.GetUser())))
	if err != nil {
		return nil, err
	}
	session, err := s.people.Session(ctx, actor)
	if err != nil {
		return nil, err
	}
	answer := &apipb.Caller{User: user, Session: session}
	for _, verb := range desk.Verbs() {
		if !verb.NeedsNoSignIn() && desk.May(actor, verb) == nil {
			answer.Permissions = append(answer.Permissions, string(verb))
		}
	}
	return answer, nil
}

func (s *sessions) UpdatePreferences(ctx context.Context, r *apipb.UpdatePreferencesRequest) (*apipb.Preferences, error) {
	for _, saved := range r.GetPreferences().GetFilters() {
		wanted, err := compileFilter(s.fields, saved.GetFilter())
		if err == nil {
			_, err = planQuery(wanted, "")
		}
		if err != nil {
			return nil, err
		}
	}
	return s.people.SetPreferences(ctx, callerOf(ctx).actor, r.GetPreferences())
}

func (s *sessions) ListSessions(ctx context.Context, r *apipb.ListSessionsRequest) (*apipb.ListSessionsResponse, error) {
	actor := callerOf(ctx).actor
	open, err := s.people.Sessions(ctx, actor, orOneself(actor, r.GetUser()))
	if err != nil {
		return nil, err
	}
	return &apipb.ListSessionsResponse{Sessions: open}, nil
}

func (s *sessions) RevokeSession(ctx context.Context, r *apipb.RevokeSessionRequest) (*emptypb.Empty, error) {
	actor := callerOf(ctx).actor
	return empty(s.people.EndSession(ctx, actor, orOneself(actor, r.GetUser()), r.GetId()))
}

func (s *sessions) RevokeSessions(ctx context.Context, r *apipb.RevokeSessionsRequest) (*emptypb.Empty, error) {
	actor := callerOf(ctx).actor
	return empty(s.people.EndSessions(ctx, actor, orOneself(actor, r.GetUser())))
}

// orOneself is whom a call is about: who names nobody means oneself.
func orOneself(actor *deskpb.Actor, name string) desk.UserID {
	return desk.UserID(cmp.Or(name, actor.GetUser()))
}

// empty is the answer of a call that has nothing to say.
func empty(err error) (*emptypb.Empty, error) {
	if err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}
