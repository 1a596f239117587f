package api

import (
	"context"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// accessTokens serves the tokens of programs.
type accessTokens struct {
	apipb.UnimplementedAccessTokensServer
	people People
}

func (a *accessTokens) CreateAccessToken(ctx context.Context, r *apipb.CreateAccessTokenRequest) (*apipb.CreateAccessTokenResponse, error) {
	actor := callerOf(ctx).actor
	r = proto.CloneOf(r)
	r.User = string(orOneself(actor, r.GetUser()))
	return a.people.CreateAccessToken(ctx, actor, r)
}

func (a *accessTokens) ListAccessTokens(ctx context.Context, r *apipb.ListAccessTokensRequest) (*apipb.ListAccessTokensResponse, error) {
	actor := callerOf(ctx).actor
	tokens, err := a.people.AccessTokens(ctx, actor, orOneself(actor, r.GetUser()))
	if err != nil {
		return nil, err
	}
	return &apipb.ListAccessTokensResponse{Tokens: tokens}, nil
}

func (a *accessTokens) RevokeAccessToken(ctx context.Context, r *apipb.RevokeAccessTokenRequest) (*emptypb.Empty, error) {
	actor := callerOf(ctx).actor
	return empty(a.people.EndAccessToken(ctx, actor, orOneself(actor, r.GetUser()), r.GetId()))
}
