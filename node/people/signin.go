package people

import (
	"context"
	"errors"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

const (
	shortestLife = time.Second
	longestLife  = 30 * 24 * time.Hour
	maxClient    = 200 // characters of what a program says of itself
)

// SignIn checks a password, and the second factor's code where there is one, and opens a session. An unknown user, a disabled one and
// a wrong password get the same answer after the same work; after too many of them nobody is answered for a while, which costs none.
// Refusals are told to the audit log.
func (p *People) SignIn(ctx context.Context, r *apipb.CreateSessionRequest, address, client string) (*apipb.CreateSessionResponse, error) {
	life, err := p.lifeOf(r)
	if err != nil {
		return nil, err
	}
	name := desk.UserID(strings.ToLower(r.GetUser()))
	user, step, err := p.identify(ctx, try{name: name, password: r.GetPassword(), code: r.GetCode(), address: address})
	var opened *apipb.CreateSessionResponse
	if err == nil {
		opened, err = p.welcome(ctx, opening{user: user, life: life, address: address, client: client, step: step})
	}
	if err != nil {
		p.tellRefused(p.tellable(ctx, name), address, err)
		return nil, err
	}
	return opened, nil
}

// lifeOf is how long a session lives that is asked for: as the site has it, or with an end of its own.
func (p *People) lifeOf(r *apipb.CreateSessionRequest) (life, error) {
	asked := life{idle: p.options.Session, longest: p.options.Longest}
	if r.GetTtl() == nil {
		return asked, nil
	}
	ttl := r.GetTtl().AsDuration()
	if r.GetTtl().CheckValid() != nil || ttl < shortestLife || ttl > longestLife {
		return life{}, desk.RefuseField("ttl", "is not between 1s and %ds", int(longestLife.Seconds()))
	}
	asked.longest = min(ttl, asked.longest)
	return asked, nil
}

// welcome opens the session of somebody who has proved who it is.
func (p *People) welcome(ctx context.Context, o opening) (*apipb.CreateSessionResponse, error) {
	token, ends, err := p.open(ctx, o)
	if err != nil {
		return nil, err
	}
	return &apipb.CreateSessionResponse{Token: token, ExpireTime: timestamppb.New(ends), MustChangePassword: o.user.MustChangePassword}, nil
}

// try is one try to prove who somebody is.
type try struct {
	name                    desk.UserID
	password, code, address string
}

// identify returns the user that a try proves to be, with the time step of the second factor's code, 0 for none.
func (p *People) identify(ctx context.Context, t try) (user *deskpb.User, step int64, err error) {
	user, err = p.attempt(ctx, t, func(user *deskpb.User) (err error) {
		step, err = checkCode(user, t.code, p.clock())
		return err
	})
	return user, step, err
}

// attempt returns the user whose password a try gives, if further has nothing against it. Wrong tries count.
func (p *People) attempt(ctx context.Context, t try, further func(*deskpb.User) error) (*deskpb.User, error) {
	if wait := p.throttle.blocked(t.name, t.address, p.clock()); wait > 0 && !p.unlocked(ctx, t.name) {
		return nil, tooManyAttempts(wait)
	}
	account, err := p.user(ctx, t.name)
	if err != nil {
		return nil, err
	}
	if err := p.lockedOut(account); err != nil {
		return nil, err
	}
	begun := false
	begin := func() error {
		if wait := p.throttle.begin(t.name, t.address, p.clock()); wait > 0 {
			return tooManyAttempts(wait)
		}
		begun = true
		return nil
	}
	user, err := p.vouch(ctx, account, t, begin)
	if err == nil {
		err = further(user)
	}
	if begun {
		locked := p.throttle.end(t.name, t.address, outcomeOf(err), p.clock())
		if account != nil && !locked.IsZero() {
			p.upkeep.lock(&deskpb.LockUser{User: string(t.name), Until: locked.UnixMicro()})
		}
	}
	if err != nil {
		return nil, err
	}
	return user, nil
}

// lockedOut refuses a user whom too many wrong tries have locked everywhere; nil is nobody.
func (p *People) lockedOut(user *deskpb.User) error {
	if wait := time.UnixMicro(user.GetLockedUntil()).Sub(p.clock()); wait > 0 {
		return tooManyAttempts(wait)
	}
	return nil
}

// unlocked tells whether somebody let a blocked user try again since, at this node or another one. What is counted by the address alone
// goes on: begin looks once more.
func (p *People) unlocked(ctx context.Context, name desk.UserID) bool {
	var at int64
	err := p.site.Read(ctx, true, func(r *store.Reader) error {
		user, err := r.User(name)
		at = user.GetUnlockTime()
		return err
	})
	return err == nil && at > 0 && p.throttle.forgive(name, time.UnixMicro(at))
}

// outcomeOf is what a try came to by its error. A missing code is no guess, and makes up for none.
func outcomeOf(err error) outcome {
	var refusal *desk.Refusal
	var nobodySaid unjudged
	switch {
	case err == nil:
		return right
	case errors.As(err, &nobodySaid):
		return untold
	case errors.As(err, &refusal) && refusal.Code == desk.Unauthenticated && refusal.Reason != secondFactorRequired:
		return wrong
	}
	return unknown
}

// vouch returns the user whose password it is: by the hash kept here, or by the word of the directory. Begin counts the try, right
// before the password is looked at.
func (p *People) vouch(ctx context.Context, user *deskpb.User, t try, begin func() error) (*deskpb.User, error) {
	fromDirectory := user == nil || user.Source == deskpb.User_LDAP
	if p.options.Directory != nil && fromDirectory {
		return p.vouchElsewhere(ctx, user, t, begin)
	}
	hash := user.GetPasswordHash()
	if user.GetDisabled() || user.GetSource() != deskpb.User_LOCAL {
		hash = ""
	}
	fits, err := p.hasher.matches(ctx, t.password, hash, begin)
	if err != nil {
		return nil, err
	}
	if !fits {
		return nil, wrongPassword()
	}
	return user, nil
}

func wrongPassword() error {
	return desk.Refuse(desk.Unauthenticated, "WRONG_PASSWORD", "the user or the password is wrong")
}

// tooManyAttempts says so in whole seconds, to users that exist and others alike.
func tooManyAttempts(wait time.Duration) error {
	seconds := (wait + time.Second - 1) / time.Second
	refusal := desk.Refuse(desk.ResourceExhausted, "TOO_MANY_ATTEMPTS", "too many wrong passwords; try again in %d s", seconds)
	refusal.Wait = seconds * time.Second
	return refusal
}

// unknownName stands in the audit log for a name that is nobody's: no account can have it.
const unknownName desk.UserID = "(unknown)"

// tellable is what the audit log may be told of a name that was typed. One that is nobody's may be a password in the wrong field,
// and what is once in the log stays there.
func (p *People) tellable(ctx context.Context, name desk.UserID) desk.UserID {
	told := unknownName
	err := p.site.Read(ctx, true, func(r *store.Reader) error {
		user, err := r.User(name)
		if user != nil {
			told = name
		}
		return err
	})
	if err != nil {
		return unknownName
	}
	return told
}

// tellRefused tells the audit log that somebody was not let in.
func (p *People) tellRefused(name desk.UserID, address string, err error) {
	var refusal *desk.Refusal
	if p.options.Audit == nil || !errors.As(err, &refusal) {
		return
	}
	who := oneLine(string(name), maxName)
	p.options.Audit.Record(&deskpb.AuditEntry{
		Node: p.options.Node, Actor: who, Address: address, Action: audit.SignIn, Object: who,
		Outcome: deskpb.AuditEntry_REFUSED, Reason: refusal.Reason,
	})
}
