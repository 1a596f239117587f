package people

import (
	"context"
	"sync"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

const (
	// renewEvery is how often the sessions that were used are written down together.
	renewEvery = time.Minute
	// maxRenewals bounds those that wait, and so the command; what finds no room comes with a later use.
	maxRenewals = 1000
	// tokenSeen is how long after the last time the use of an access token is written down again.
	tokenSeen = 24 * time.Hour
	// maxLocks bounds the locks that wait.
	maxLocks = 64
)

// upkeep gathers what calls leave to be written down behind their backs, so that a call costs no command of the log.
type upkeep struct {
	mu       sync.Mutex // guards renewals
	renewals map[string]*deskpb.Renewal
	locks    chan *deskpb.LockUser
}

func newUpkeep() *upkeep {
	return &upkeep{renewals: make(map[string]*deskpb.Renewal), locks: make(chan *deskpb.LockUser, maxLocks)}
}

// used notes the use of a session that has less than three quarters of its idle time left, and of an access token once a day.
func (u *upkeep) used(s *deskpb.Session, now time.Time) {
	at := now.UnixMicro()
	expires := s.ExpireTime
	if s.Kind == deskpb.Session_ACCESS_TOKEN {
		if at-s.SeenTime < tokenSeen.Microseconds() {
			return
		}
	} else {
		if s.Idle == 0 || s.ExpireTime-at >= s.Idle/4*3 || s.ExpireTime >= s.LatestTime {
			return
		}
		expires = min(at+s.Idle, s.LatestTime)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.renewals) < maxRenewals {
		u.renewals[string(s.TokenHash)] = &deskpb.Renewal{TokenHash: s.TokenHash, ExpireTime: expires, SeenTime: at}
	}
}

// take returns what has gathered; nothing waits afterwards.
func (u *upkeep) take() []*deskpb.Renewal {
	u.mu.Lock()
	defer u.mu.Unlock()
	gathered := make([]*deskpb.Renewal, 0, len(u.renewals))
	for _, renewal := range u.renewals {
		gathered = append(gathered, renewal)
	}
	clear(u.renewals)
	return gathered
}

// lock has a user locked everywhere. When too many wait it holds at this node alone.
func (u *upkeep) lock(l *deskpb.LockUser) {
	select {
	case u.locks <- l:
	default:
	}
}

// Run writes down which sessions were used, once a minute, and who gave too many wrong passwords, until the context ends. What
// the log does not take now is noted again with the next use.
func (p *People) Run(ctx context.Context) {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case lock := <-p.upkeep.locks:
			p.later(ctx, &deskpb.Command{Kind: &deskpb.Command_LockUser{LockUser: lock}})
		case <-tick.C:
			if renewals := p.upkeep.take(); len(renewals) > 0 {
				p.later(ctx, &deskpb.Command{Kind: &deskpb.Command_RenewSessions{RenewSessions: &deskpb.RenewSessions{Renewals: renewals}}})
			}
		}
	}
}

// later proposes a command of the site itself, once, within a bounded time.
func (p *People) later(ctx context.Context, c *deskpb.Command) {
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := p.propose(ctx, nil, c); err != nil {
		p.log.Debug("write down what people did", "error", err)
	}
}
