package api

import "github.com/tierdesk/tierdesk/node/api/apipb"

// accessTokens serves the tokens of programs.
type accessTokens struct {
	apipb.UnimplementedAccessTokensServer
	people People
}
