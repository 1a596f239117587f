package people

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

const (
	tokenPrefix = "td_" // makes a token that leaked recognisable
	tokenBytes  = 32

	defaultLife  = 12 * time.Hour
	shortestLife = time.Second
	longestLife  = 30 * 24 * time.Hour
)

// newToken draws a bearer token.
func newToken() string {
	random := make([]byte, tokenBytes)
	rand.Read(random) // it never returns an error
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(random)
}

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

// SignIn checks a password and opens a session that lives for ttl: 1 second to 30 days, 0 for 12 hours. An unknown user
// and a wrong password get the same answer after the same work.
func (p *People) SignIn(ctx context.Context, name, password string, ttl time.Duration) (token string, expires time.Time, err error) {
	if ttl == 0 {
		ttl = defaultLife
	}
	if ttl < shortestLife || ttl > longestLife {
		return "", time.Time{}, desk.RefuseField("ttl", "%v is not between 1s and 720h", ttl)
	}
	user, err := p.user(ctx, desk.UserID(name))
	if err != nil {
		return "", time.Time{}, err
	}
	fits := false
	if len(password) <= maxPassword {
		if fits, err = p.hasher.matches(ctx, password, user.GetPasswordHash()); err != nil {
			return "", time.Time{}, err
		}
	}
	if !fits {
		return "", time.Time{}, desk.Refuse(desk.Unauthenticated, "WRONG_PASSWORD", "the user or the password is wrong")
	}
	token, expires = newToken(), p.clock().Add(ttl)
	err = p.propose(ctx, &deskpb.Command{Kind: &deskpb.Command_OpenSession{OpenSession: &deskpb.OpenSession{
		Session: &deskpb.Session{TokenHash: tokenHash(token), User: name, ExpireTime: expires.UnixMicro()},
	}}})
	if err != nil {
		return "", time.Time{}, err
	}
	return token, expires, nil
}

// SignOut ends the token's session; one that is not there has ended already.
func (p *People) SignOut(ctx context.Context, token string) error {
	return p.propose(ctx, &deskpb.Command{Kind: &deskpb.Command_CloseSession{
		CloseSession: &deskpb.CloseSession{TokenHash: tokenHash(token)},
	}})
}

// Authenticate returns whose token it is, with the role that the user has now. It reads this node's own state, so that a
// call costs no round trip; a token that is not there may be too young to have arrived, so it looks once more behind a
// barrier. A session that was just ended may live on at a node for as long as that node lags behind.
func (p *People) Authenticate(ctx context.Context, token string) (*deskpb.Actor, error) {
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
		if session == nil || user == nil {
			return nil, unknownToken()
		}
		bearer = holder{user: user.Name, role: user.Role, expires: session.ExpireTime}
		p.known.put(hash, version, bearer)
	}
	if bearer.expires <= p.clock().UnixMicro() {
		return nil, desk.Refuse(desk.Unauthenticated, "TOKEN_EXPIRED", "the token has expired; sign in again")
	}
	return &deskpb.Actor{User: bearer.user, Role: bearer.role}, nil
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
