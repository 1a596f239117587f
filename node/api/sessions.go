package api

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// longestSession is how long a session may be asked to live.
const longestSession = 30 * 24 * time.Hour

// sessions serves signing in and out.
type sessions struct {
	apipb.UnimplementedSessionsServer
	people People
}

func (s *sessions) CreateSession(ctx context.Context, r *apipb.CreateSessionRequest) (*apipb.CreateSessionResponse, error) {
	if r.GetUser() == "" {
		return nil, desk.RefuseField("user", "is missing; give the name to sign in with")
	}
	if r.GetPassword() == "" {
		return nil, desk.RefuseField("password", "is missing; give the user's password")
	}
	var ttl time.Duration
	if r.GetTtl() != nil {
		ttl = r.GetTtl().AsDuration()
		if r.GetTtl().CheckValid() != nil || ttl < time.Second || ttl > longestSession {
			return nil, desk.RefuseField("ttl", "is not between 1s and %ds", int(longestSession.Seconds()))
		}
	}
	token, expires, err := s.people.SignIn(ctx, r.GetUser(), r.GetPassword(), ttl)
	if err != nil {
		return nil, err
	}
	return &apipb.CreateSessionResponse{Token: token, ExpireTime: timestamppb.New(expires)}, nil
}

func (s *sessions) DeleteSession(ctx context.Context, _ *apipb.DeleteSessionRequest) (*emptypb.Empty, error) {
	if err := s.people.SignOut(ctx, callerOf(ctx).token); err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}
