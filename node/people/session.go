package people

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

const (
	tokenPrefix = "td_" // makes a token that leaked recognisable
	tokenBytes  = 32
	idLetters   = 12
)

// newToken draws a bearer token.
func newToken() string {
	drawn := make([]byte, tokenBytes)
	rand.Read(drawn) // it never returns an error
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(drawn)
}

// newID draws what a session or an access token is called when it is ended: letters and digits, which no command takes for a flag.
func newID() string { return strings.ToLower(rand.Text()[:idLetters]) }

// tokenHash is what is stored of a token. A token is random throughout, so a plain hash of it tells nothing.
func tokenHash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// wellFormed tells whether a text could be a token at all, so that junk costs no read.
func wellFormed(token string) bool {
	text, ok := strings.CutPrefix(token, tokenPrefix)
	return ok && len(text) == base64.RawURLEncoding.EncodedLen(tokenBytes)
}

// Authenticate returns whose token it is, with what the account says now. It reads this node's own state, so that a call costs no
// round trip; a token that is not there may be too young to have arrived, so it looks once more behind a barrier. A session that
// was just ended may live on at a node for as long as that node lags behind. The use of a session is written down later, by Run.
func (p *People) Authenticate(ctx context.Context, token, address string) (*deskpb.Actor, error) {
	if !wellFormed(token) {
		return nil, unknownToken()
	}
	hash := tokenHash(token)
	version := p.site.PeopleVersion()
	bearer, ok := p.known.get(hash, version)
	if !ok {
		session, user, err := p.sessionOf(ctx, true, hash)
		if err == nil && (session == nil || user == nil) {
			session, user, err = p.sessionOf(ctx, false, hash)
		}
		if err != nil {
			return nil, err
		}
		if session == nil || user == nil || user.Disabled {
			return nil, unknownToken()
		}
		bearer = &holder{session: session, user: user}
		p.known.put(hash, version, bearer)
	}
	now := p.clock()
	if bearer.session.ExpireTime <= now.UnixMicro() {
		return nil, desk.Refuse(desk.Unauthenticated, "TOKEN_EXPIRED", "the token has expired; sign in again")
	}
	p.upkeep.used(bearer.session, now)
	return bearer.actor(address), nil
}

// sessionOf reads a session and its user; either is nil when it is not there.
func (p *People) sessionOf(ctx context.Context, stale bool, hash []byte) (session *deskpb.Session, user *deskpb.User, err error) {
	err = p.site.Read(ctx, stale, func(r *store.Reader) (err error) {
		if session, err = r.Session(hash); err != nil || session == nil {
			return err
		}
		user, err = r.User(desk.UserID(session.User))
		return err
	})
	return session, user, err
}

func unknownToken() error {
	return desk.Refuse(desk.Unauthenticated, "TOKEN_UNKNOWN", "the token is not known; sign in again")
}

// SignOut ends the token's session; one that is not there has ended already.
func (p *People) SignOut(ctx context.Context, token, address string) error {
	actor, err := p.Authenticate(ctx, token, address)
	var refusal *desk.Refusal
	switch {
	case errors.As(err, &refusal):
		return nil
	case err != nil:
		return err
	}
	return p.propose(ctx, actor, &deskpb.Command{Kind: &deskpb.Command_CloseSession{
		CloseSession: &deskpb.CloseSession{TokenHash: tokenHash(token)},
	}})
}

// opening is a session that is about to be opened.
type opening struct {
	user            *deskpb.User
	life            life
	address, client string
	step            int64 // of the second factor's code, 0 for none
}

// life is how long a session lives: without use, and at all.
type life struct{ idle, longest time.Duration }

// open opens a session and returns its token and the end that it has without use.
func (p *People) open(ctx context.Context, o opening) (token string, ends time.Time, err error) {
	now := p.clock()
	latest := now.Add(o.life.longest)
	ends = now.Add(min(o.life.idle, o.life.longest))
	token = newToken()
	bearer := holder{user: o.user, session: &deskpb.Session{
		TokenHash: tokenHash(token), User: o.user.Name, Id: newID(), CreateTime: now.UnixMicro(), SeenTime: now.UnixMicro(),
		ExpireTime: ends.UnixMicro(), Idle: o.life.idle.Microseconds(), LatestTime: latest.UnixMicro(),
		Address: o.address, Client: oneLine(o.client, maxClient),
	}}
	err = p.propose(ctx, bearer.actor(o.address), &deskpb.Command{Kind: &deskpb.Command_OpenSession{
		OpenSession: &deskpb.OpenSession{Session: bearer.session, TotpStep: o.step, IfVersion: o.user.Version},
	}})
	if err != nil {
		return "", time.Time{}, err
	}
	return token, ends, nil
}
