package people

import (
	"cmp"
	"context"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// What access tokens are held to.
const (
	maxTitle     = 100 // characters
	tokenLife    = 90 * 24 * time.Hour
	longestToken = 366 * 24 * time.Hour
)

// Sessions lists the open sessions of a user, the latest first.
func (p *People) Sessions(ctx context.Context, actor *deskpb.Actor, name desk.UserID) ([]*apipb.Session, error) {
	if _, err := p.account(ctx, actor, name, desk.OwnSessions, desk.SessionList); err != nil {
		return nil, err
	}
	open, err := p.openOf(ctx, name, deskpb.Session_SIGN_IN)
	var shown []*apipb.Session
	for _, s := range open {
		shown = append(shown, shownSession(s, actor))
	}
	return shown, err
}

// Session returns the session that a call carries, nil for an access token.
func (p *People) Session(ctx context.Context, actor *deskpb.Actor) (*apipb.Session, error) {
	open, err := p.openOf(ctx, desk.UserID(actor.GetUser()), deskpb.Session_SIGN_IN)
	for _, s := range open {
		if s.Id == actor.GetSession() {
			return shownSession(s, actor), nil
		}
	}
	return nil, err
}

func shownSession(s *deskpb.Session, actor *deskpb.Actor) *apipb.Session {
	return &apipb.Session{
		Id: s.Id, CreateTime: moment(s.CreateTime), ExpireTime: moment(s.ExpireTime), SeenTime: moment(s.SeenTime),
		Address: s.Address, Client: s.Client, Current: s.Id != "" && s.Id == actor.GetSession(),
	}
}

// moment is a time in microseconds since 1970, nil for 0.
func moment(at int64) *timestamppb.Timestamp {
	if at == 0 {
		return nil
	}
	return timestamppb.New(time.UnixMicro(at))
}

// openOf reads the sessions of one kind that a user has open, the latest first.
func (p *People) openOf(ctx context.Context, name desk.UserID, kind deskpb.Session_Kind) (open []*deskpb.Session, err error) {
	err = p.site.Read(ctx, false, func(r *store.Reader) error {
		open, err = r.SessionsOf(name)
		return err
	})
	if err != nil {
		return nil, err
	}
	now := p.clock().UnixMicro()
	open = slices.DeleteFunc(open, func(s *deskpb.Session) bool { return s.Kind != kind || s.ExpireTime <= now })
	slices.SortStableFunc(open, func(a, b *deskpb.Session) int { return cmp.Compare(b.CreateTime, a.CreateTime) })
	return open, nil
}

// EndSession ends one session of a user by its id.
func (p *People) EndSession(ctx context.Context, actor *deskpb.Actor, name desk.UserID, id string) error {
	if err := desk.MayOn(actor, name, desk.OwnSessions, desk.SessionRevoke); err != nil {
		return err
	}
	return p.end(ctx, actor, name, deskpb.Session_SIGN_IN, id)
}

// EndAccessToken ends one access token of a user by its id.
func (p *People) EndAccessToken(ctx context.Context, actor *deskpb.Actor, name desk.UserID, id string) error {
	if err := desk.MayOn(actor, name, desk.OwnTokens, desk.TokenRevoke); err != nil {
		return err
	}
	return p.end(ctx, actor, name, deskpb.Session_ACCESS_TOKEN, id)
}

// end ends what is open of a user under an id.
func (p *People) end(ctx context.Context, actor *deskpb.Actor, name desk.UserID, kind deskpb.Session_Kind, id string) error {
	open, err := p.openOf(ctx, name, kind)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(open, func(s *deskpb.Session) bool { return id != "" && s.Id == id }) {
		return desk.Refuse(desk.NotFound, "SESSION_NOT_FOUND", "nothing of %.80q is open under the id %.80q; list what is open", name, id)
	}
	return p.closeSessions(ctx, actor, &deskpb.CloseSessions{User: string(name), Id: id})
}

// EndSessions ends all sessions and access tokens of a user but the actor's own session.
func (p *People) EndSessions(ctx context.Context, actor *deskpb.Actor, name desk.UserID) error {
	if _, err := p.account(ctx, actor, name, desk.OwnSessions, desk.SessionRevoke); err != nil {
		return err
	}
	closing := &deskpb.CloseSessions{User: string(name)}
	if actor.GetUser() == string(name) {
		open, err := p.openOf(ctx, name, deskpb.Session_SIGN_IN)
		if err != nil {
			return err
		}
		for _, s := range open {
			if s.Id != "" && s.Id == actor.GetSession() {
				closing.Except = s.TokenHash
			}
		}
	}
	return p.closeSessions(ctx, actor, closing)
}

func (p *People) closeSessions(ctx context.Context, actor *deskpb.Actor, c *deskpb.CloseSessions) error {
	return p.propose(ctx, actor, &deskpb.Command{Kind: &deskpb.Command_CloseSessions{CloseSessions: c}})
}

// AccessTokens lists the access tokens of a user, the latest first.
func (p *People) AccessTokens(ctx context.Context, actor *deskpb.Actor, name desk.UserID) ([]*apipb.AccessToken, error) {
	if _, err := p.account(ctx, actor, name, desk.OwnTokens, desk.TokenList); err != nil {
		return nil, err
	}
	open, err := p.openOf(ctx, name, deskpb.Session_ACCESS_TOKEN)
	var shown []*apipb.AccessToken
	for _, s := range open {
		shown = append(shown, shownToken(s))
	}
	return shown, err
}

func shownToken(s *deskpb.Session) *apipb.AccessToken {
	return &apipb.AccessToken{
		Id: s.Id, Title: s.Title, Limits: s.Limits, CreateTime: moment(s.CreateTime), ExpireTime: moment(s.ExpireTime), SeenTime: moment(s.SeenTime),
	}
}

// CreateAccessToken makes a token for a program of one's own. It never may more than its owner may when it is used.
func (p *People) CreateAccessToken(ctx context.Context, actor *deskpb.Actor, r *apipb.CreateAccessTokenRequest) (*apipb.CreateAccessTokenResponse, error) {
	user, err := p.oneself(ctx, actor, desk.UserID(r.GetUser()), desk.OwnTokens)
	if err != nil {
		return nil, err
	}
	now, asked := p.clock(), r.GetToken()
	ends := now.Add(tokenLife)
	if asked.GetExpireTime() != nil {
		ends = asked.GetExpireTime().AsTime()
	}
	switch {
	case asked.GetTitle() == "" || !isLine(asked.GetTitle(), maxTitle):
		return nil, desk.RefuseField("token.title", "it is not one line of 1 to %d characters; say what the token is for", maxTitle)
	case asked.GetExpireTime() != nil && asked.GetExpireTime().CheckValid() != nil, !ends.After(now), ends.After(now.Add(longestToken)):
		return nil, desk.RefuseField("token.expireTime", "it is not a time within a year from now")
	}
	if err := desk.CheckLimits("token.limits", asked.GetLimits()); err != nil {
		return nil, err
	}
	secret := newToken()
	session := &deskpb.Session{
		TokenHash: tokenHash(secret), User: user.Name, Kind: deskpb.Session_ACCESS_TOKEN, Id: newID(), CreateTime: now.UnixMicro(),
		ExpireTime: ends.UnixMicro(), LatestTime: ends.UnixMicro(), Address: actor.GetAddress(), Title: asked.GetTitle(), Limits: asked.GetLimits(),
	}
	err = p.propose(ctx, actor, &deskpb.Command{Kind: &deskpb.Command_OpenSession{OpenSession: &deskpb.OpenSession{Session: session}}})
	if err != nil {
		return nil, err
	}
	return &apipb.CreateAccessTokenResponse{Secret: secret, Token: shownToken(session)}, nil
}
