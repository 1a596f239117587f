package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// memoryPeople knows an administrator and an agent, whose tokens are their names, and whoever else a test adds. Their password is
// "correct". It asks desk for every permission, as people do.
type memoryPeople struct {
	mu     sync.Mutex // guards all below
	users  map[string]*apipb.User
	actors map[string]*deskpb.Actor // by token; those that a test adds
	ended  []string                 // sessions, tokens and users whose sessions were ended
}

func newMemoryPeople() *memoryPeople {
	return &memoryPeople{
		users: map[string]*apipb.User{
			"admin": {Name: "admin", Role: apipb.User_ADMINISTRATOR},
			"li":    {Name: "li", DisplayName: "李华", Role: apipb.User_AGENT},
		},
		actors: map[string]*deskpb.Actor{},
	}
}

// admit adds an actor with a token, and a user of the name when there is none.
func (p *memoryPeople) admit(token string, actor *deskpb.Actor) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.actors[token] = actor
	if p.users[actor.User] == nil {
		p.users[actor.User] = &apipb.User{Name: actor.User, Role: apipb.User_Role(actor.Role)}
	}
}

func (p *memoryPeople) Authenticate(_ context.Context, token, address string) (*deskpb.Actor, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if actor := proto.CloneOf(p.actors[token]); actor != nil {
		actor.Address = address
		return actor, nil
	}
	user, ok := p.users[token]
	if !ok {
		return nil, desk.Refuse(desk.Unauthenticated, "UNKNOWN_TOKEN", "the token is unknown or has expired; sign in again")
	}
	return &deskpb.Actor{User: user.Name, Role: deskpb.User_Role(user.Role), Address: address}, nil
}

func (p *memoryPeople) SignIn(_ context.Context, r *apipb.CreateSessionRequest, _, _ string) (*apipb.CreateSessionResponse, error) {
	if r.GetPassword() == "again and again" {
		refusal := desk.Refuse(desk.ResourceExhausted, "TOO_MANY_ATTEMPTS", "too many wrong passwords; try again in 60 s")
		refusal.Wait = time.Minute
		return nil, refusal
	}
	if r.GetTtl().AsDuration() > 30*24*time.Hour {
		return nil, desk.RefuseField("ttl", "is longer than 30 days")
	}
	if r.GetPassword() != "correct" {
		return nil, desk.Refuse(desk.Unauthenticated, "WRONG_PASSWORD", "the user or the password is wrong")
	}
	ends := time.Unix(1_800_000_000, 0).Add(r.GetTtl().AsDuration())
	return &apipb.CreateSessionResponse{Token: r.GetUser(), ExpireTime: timestamppb.New(ends)}, nil
}

func (p *memoryPeople) SignOut(context.Context, string, string) error { return nil }

func (p *memoryPeople) Session(_ context.Context, actor *deskpb.Actor) (*apipb.Session, error) {
	return &apipb.Session{Id: "session-of-" + actor.GetUser(), Current: true}, nil
}

func (p *memoryPeople) Sessions(ctx context.Context, actor *deskpb.Actor, name desk.UserID) ([]*apipb.Session, error) {
	if _, err := p.account(actor, name, desk.OwnSessions, desk.SessionList); err != nil {
		return nil, err
	}
	return []*apipb.Session{{Id: "session-of-" + string(name)}}, nil
}

func (p *memoryPeople) AccessTokens(ctx context.Context, actor *deskpb.Actor, name desk.UserID) ([]*apipb.AccessToken, error) {
	if _, err := p.account(actor, name, desk.OwnTokens, desk.TokenList); err != nil {
		return nil, err
	}
	return []*apipb.AccessToken{{Id: "token-of-" + string(name), Title: "监控", Limits: []string{"tickets:read"}}}, nil
}

func (p *memoryPeople) CreateAccessToken(_ context.Context, actor *deskpb.Actor, r *apipb.CreateAccessTokenRequest) (*apipb.CreateAccessTokenResponse, error) {
	if err := desk.May(actor, desk.OwnTokens); err != nil {
		return nil, err
	}
	if r.GetUser() != actor.GetUser() {
		return nil, desk.Refuse(desk.PermissionDenied, "PERMISSION_DENIED", "a token is for a program of one's own")
	}
	return &apipb.CreateAccessTokenResponse{Secret: "secret-of-" + r.GetUser(), Token: r.GetToken()}, nil
}

func (p *memoryPeople) EndSession(_ context.Context, actor *deskpb.Actor, name desk.UserID, id string) error {
	return p.end(actor, name, desk.OwnSessions, desk.SessionRevoke, "session "+id)
}

func (p *memoryPeople) EndAccessToken(_ context.Context, actor *deskpb.Actor, name desk.UserID, id string) error {
	return p.end(actor, name, desk.OwnTokens, desk.TokenRevoke, "token "+id)
}

func (p *memoryPeople) EndSessions(_ context.Context, actor *deskpb.Actor, name desk.UserID) error {
	return p.end(actor, name, desk.OwnSessions, desk.SessionRevoke, "all of "+string(name))
}

func (p *memoryPeople) end(actor *deskpb.Actor, name desk.UserID, own, others desk.Verb, what string) error {
	if _, err := p.account(actor, name, own, others); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = append(p.ended, what)
	return nil
}

// account returns the user that a call is about, once the actor may do to it what the verbs say.
func (p *memoryPeople) account(actor *deskpb.Actor, name desk.UserID, own, others desk.Verb) (*apipb.User, error) {
	if err := desk.MayOn(actor, name, own, others); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	user := p.users[string(name)]
	if user == nil {
		return nil, desk.Refuse(desk.NotFound, "USER_NOT_FOUND", "there is no user %q at this site; list the users", name)
	}
	return proto.CloneOf(user), nil
}

func (p *memoryPeople) SetPreferences(_ context.Context, actor *deskpb.Actor, preferences *apipb.Preferences) (*apipb.Preferences, error) {
	user, err := p.account(actor, desk.UserID(actor.GetUser()), desk.OwnPreferences, desk.OwnPreferences)
	if err != nil {
		return nil, err
	}
	user.Preferences = proto.CloneOf(preferences)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.users[user.Name] = user
	return preferences, nil
}

func (p *memoryPeople) CreateUser(_ context.Context, actor *deskpb.Actor, r *apipb.CreateUserRequest) (*apipb.User, error) {
	if err := desk.May(actor, desk.UserCreate); err != nil {
		return nil, err
	}
	user := proto.CloneOf(r.GetUser())
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(desk.Roles(), deskpb.User_Role(user.GetRole())) {
		return nil, desk.RefuseField("user.role", "it is missing or unknown")
	}
	if p.users[user.Name] != nil {
		return nil, desk.Refuse(desk.AlreadyExists, "USER_EXISTS", "user %s exists", user.Name)
	}
	p.users[user.Name] = user
	return proto.CloneOf(user), nil
}

func (p *memoryPeople) User(_ context.Context, actor *deskpb.Actor, name desk.UserID) (*apipb.User, error) {
	return p.account(actor, name, desk.OwnRead, desk.UserRead)
}

func (p *memoryPeople) ListUsers(_ context.Context, actor *deskpb.Actor, q store.UserQuery) ([]*apipb.User, error) {
	if err := desk.May(actor, desk.UserList); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []*apipb.User
	for _, user := range p.users {
		known := &deskpb.User{
			Name: user.Name, DisplayName: user.DisplayName, Role: deskpb.User_Role(user.Role), Unit: user.Unit, Phone: user.Phone, Groups: user.Groups,
		}
		if user.Name > string(q.After) && (q.Fits == nil || q.Fits(known)) {
			found = append(found, proto.CloneOf(user))
		}
	}
	slices.SortFunc(found, func(a, b *apipb.User) int { return cmp.Compare(a.Name, b.Name) })
	return found[:min(q.Limit, len(found))], nil
}

func (p *memoryPeople) UpdateUser(_ context.Context, actor *deskpb.Actor, r *apipb.UpdateUserRequest) (*apipb.User, error) {
	return p.account(actor, desk.UserID(r.GetUser().GetName()), desk.UserUpdate, desk.UserUpdate)
}

func (p *memoryPeople) DeleteUser(_ context.Context, actor *deskpb.Actor, name desk.UserID) error {
	if _, err := p.account(actor, name, desk.UserDelete, desk.UserDelete); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.users, string(name))
	return nil
}

func (p *memoryPeople) SetPassword(_ context.Context, actor *deskpb.Actor, r *apipb.SetPasswordRequest) error {
	_, err := p.account(actor, desk.UserID(r.GetName()), desk.OwnPassword, desk.UserPassword)
	return err
}

func (p *memoryPeople) UnlockUser(_ context.Context, actor *deskpb.Actor, name desk.UserID) (*apipb.User, error) {
	return p.account(actor, name, desk.UserUnlock, desk.UserUnlock)
}

func (p *memoryPeople) EnrolSecondFactor(_ context.Context, actor *deskpb.Actor, r *apipb.EnrolSecondFactorRequest) (*apipb.EnrolSecondFactorResponse, error) {
	if actor.GetUser() != r.GetName() {
		return nil, desk.Refuse(desk.PermissionDenied, "PERMISSION_DENIED", "a second factor is one's own")
	}
	_, err := p.account(actor, desk.UserID(r.GetName()), desk.OwnSecondFactor, desk.OwnSecondFactor)
	return &apipb.EnrolSecondFactorResponse{Secret: "AAAA", Uri: "otpauth://totp/x"}, err
}

func (p *memoryPeople) ConfirmSecondFactor(_ context.Context, actor *deskpb.Actor, r *apipb.ConfirmSecondFactorRequest) (*apipb.User, error) {
	if actor.GetUser() != r.GetName() {
		return nil, desk.Refuse(desk.PermissionDenied, "PERMISSION_DENIED", "a second factor is one's own")
	}
	return p.account(actor, desk.UserID(r.GetName()), desk.OwnSecondFactor, desk.OwnSecondFactor)
}

func (p *memoryPeople) RemoveSecondFactor(_ context.Context, actor *deskpb.Actor, r *apipb.RemoveSecondFactorRequest) (*apipb.User, error) {
	return p.account(actor, desk.UserID(r.GetName()), desk.OwnSecondFactor, desk.UserSecondFactor)
}

// signInAs are the headers of a call by somebody else than the administrator.
func signInAs(token string) header { return header{"Authorization", "Bearer " + token} }

func TestACallerLearnsWhoItIsAndWhatItMayDo(t *testing.T) {
	a := newTestAPI(t)
	a.people.admit("limited", &deskpb.Actor{User: "li", Role: deskpb.User_AGENT, Limits: []string{"tickets:read"}})
	for _, c := range []struct {
		token       string
		may, mayNot []desk.Verb
	}{
		{"admin", []desk.Verb{desk.UserCreate, desk.TicketAssign, desk.OwnPassword}, []desk.Verb{desk.SignIn}},
		{"li", []desk.Verb{desk.TicketAssign, desk.OwnTokens}, []desk.Verb{desk.UserCreate, desk.AuditRead}},
		{"limited", []desk.Verb{desk.TicketRead, desk.OwnRead}, []desk.Verb{desk.TicketAssign, desk.OwnTokens, desk.UserCreate}},
	} {
		got := a.must("GET", "/api/v1/sessions/current", "", signInAs(c.token))
		permissions := fmt.Sprint(got.json["permissions"])
		permissions = " " + strings.Trim(permissions, "[]") + " "
		for _, verb := range c.may {
			if !strings.Contains(permissions, " "+string(verb)+" ") {
				t.Errorf("%s does not learn of %s: %s", c.token, verb, permissions)
			}
		}
		for _, verb := range c.mayNot {
			if strings.Contains(permissions, " "+string(verb)+" ") {
				t.Errorf("%s is told of %s, which it may not", c.token, verb)
			}
		}
	}
	if got := a.must("GET", "/api/v1/sessions/current", "", signInAs("li")); got.text("user.displayName") != "李华" || got.text("session.id") != "session-of-li" {
		t.Errorf("li is told %s", got.body)
	}
}

func TestAUserIsShownWithTheGroupsOfThePolicy(t *testing.T) {
	a := newTestAPI(t)
	a.site.staff(t)
	a.people.users["li"].Groups = []string{"应用组"}
	for _, target := range []string{"/api/v1/users/li", "/api/v1/users?pageSize=100"} {
		got := a.must("GET", target, "")
		if body := strings.ReplaceAll(got.body, " ", ""); !strings.Contains(body, `"memberOf":["应用组","网络组"],"onDuty":true`) {
			t.Errorf("GET %s does not show li in both groups and on duty:\n%s", target, got.body)
		}
	}
}

func TestTooManyTriesSayHowLongToWait(t *testing.T) {
	a := newTestAPI(t)
	got := a.call("POST", "/api/v1/sessions", `{"user":"li","password":"again and again"}`, header{"Authorization", ""})
	if got.status != 429 || got.reason() != "TOO_MANY_ATTEMPTS" || got.header.Get("Retry-After") != "60" {
		t.Errorf("it is answered %d %s, Retry-After %q; want 429 TOO_MANY_ATTEMPTS with 60", got.status, got.reason(), got.header.Get("Retry-After"))
	}
}

func TestSessionsAndTokensAreOnesOwn(t *testing.T) {
	a := newTestAPI(t)
	for _, c := range []struct {
		method, target, body string
		status               int
	}{
		{"GET", "/api/v1/users/li/sessions", "", 200},
		{"GET", "/api/v1/users/admin/sessions", "", 403},
		{"DELETE", "/api/v1/users/li/sessions/s1", "", 200},
		{"DELETE", "/api/v1/users/admin/sessions/s1", "", 403},
		{"POST", "/api/v1/users/li/sessions:revoke", "{}", 200},
		{"POST", "/api/v1/users/li/tokens", `{"token":{"title":"x","limits":["read"]}}`, 200},
		{"POST", "/api/v1/users/admin/tokens", `{"token":{"title":"x","limits":["read"]}}`, 403},
		{"GET", "/api/v1/users/li/tokens", "", 200},
		{"DELETE", "/api/v1/users/li/tokens/t1", "", 200},
		{"DELETE", "/api/v1/users/admin/tokens/t1", "", 403},
		{"GET", "/api/v1/users/li", "", 200},
		{"GET", "/api/v1/users/admin", "", 403},
		{"POST", "/api/v1/users/li:setPassword", `{"password":"another horse","currentPassword":"correct"}`, 200},
		{"POST", "/api/v1/users/admin:setPassword", `{"password":"another horse"}`, 403},
		{"POST", "/api/v1/users/li:enrolSecondFactor", `{"password":"correct"}`, 200},
		{"POST", "/api/v1/users/admin:enrolSecondFactor", "{}", 403},
		{"POST", "/api/v1/users/li:confirmSecondFactor", `{"code":"123456"}`, 200},
		{"POST", "/api/v1/users/li:removeSecondFactor", `{"password":"correct"}`, 200},
		{"POST", "/api/v1/users/li:unlock", "{}", 403},
		{"PATCH", "/api/v1/users/li", `{"displayName":"李华"}`, 403},
	} {
		if got := a.call(c.method, c.target, c.body, signInAs("li")); got.status != c.status {
			t.Errorf("%s %s as li: %d, want %d\n%s", c.method, c.target, got.status, c.status, got.body)
		}
	}
	if want := []string{"session s1", "all of li", "token t1"}; !slices.Equal(a.people.ended, want) {
		t.Errorf("ended are %q, want %q", a.people.ended, want)
	}
}

func TestACallerArrangesThePages(t *testing.T) {
	a := newTestAPI(t)
	const path = "/api/v1/sessions/current/preferences"
	a.must("PATCH", path, `{"preferences":{"filters":[{"name":"打印","filter":"state = NEW AND title : \"打印\""}],"columns":["number"],"queue":"overdue"}}`, signInAs("li"))
	if got := a.must("GET", "/api/v1/sessions/current", "", signInAs("li")); got.text("user.preferences.queue") != "overdue" {
		t.Errorf("li has %s", got.body)
	}
	if got := a.call("PATCH", path, `{"preferences":{"filters":[{"name":"坏","filter":"state ="}]}}`, signInAs("li")); got.status != http.StatusBadRequest {
		t.Errorf("a filter that cannot be carried out: %d %s", got.status, got.body)
	}
}
