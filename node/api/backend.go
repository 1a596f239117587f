// Package api serves the desk to programs: gRPC, JSON over HTTP made from it, the OpenAPI document, health and
// metrics. It checks every input's form, maps errors to status codes, and leaves every decision to the site's log. Only
// node starts it.
package api

import (
	"context"
	"io"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// Backend is the replicated site behind the API. Its errors carry gRPC status codes already when they are not
// *desk.Refusal: Unavailable (no leader), ResourceExhausted (overload), DeadlineExceeded (outcome unknown).
type Backend interface {
	// Site is this node's site.
	Site() desk.SiteID
	// Propose has the site's log decide a command, from any node, and waits until this node's own state has it. What the
	// log refused comes as a *desk.Refusal.
	Propose(ctx context.Context, c *deskpb.Command) (*deskpb.Result, error)
	// Read reads this node's state: the latest, or with stale whatever this node has.
	Read(ctx context.Context, stale bool, read func(*store.Reader) error) error
	// Overview tells of this site's nodes and links, Sites of the whole tree as it is known here.
	Overview(ctx context.Context) (*apipb.GetSiteResponse, error)
	Sites(ctx context.Context) (*apipb.ListSitesResponse, error)
	// Diagnose looks at every node of this site and says what is wrong and what to do.
	Diagnose(ctx context.Context) (*apipb.DiagnoseSiteResponse, error)
	// TransferLeadership and RemoveNode take node ids.
	TransferLeadership(ctx context.Context, node string) error
	RemoveNode(ctx context.Context, node string) error
	// Backup returns a consistent copy of the site as a stream that the caller closes: the latest, or with stale whatever
	// this node has. A node makes one at a time.
	Backup(ctx context.Context, stale bool) (io.ReadCloser, *apipb.Backup, error)
	// Recover begins another life of the site, for a recorded reason.
	Recover(ctx context.Context, reason string) error
	// RetryParked tries again what was set aside.
	RetryParked(ctx context.Context) (*apipb.RetryParkedResponse, error)
	// KeepFile takes a content of so many bytes in: it is read to its end, scanned and stored in the log, unless it is there
	// already. It returns its SHA-256.
	KeepFile(ctx context.Context, content io.Reader, size int64) (sha256 []byte, err error)
	// FetchFile makes the content of a ticket's attachment complete at this node. For one that is at another site it waits a
	// while; Unavailable says where it is when it does not come.
	FetchFile(ctx context.Context, number string, a *deskpb.Attachment) (*deskpb.Blob, error)
	// Record takes an entry for the audit log of what leaves no other trace in the site's log, such as a refusal. It never waits.
	Record(e *deskpb.AuditEntry)
	// RecordNow returns when the entry is in the audit log: whoever hands out an export, a backup or masked data waits for it, and
	// hands out nothing after an error.
	RecordNow(ctx context.Context, e *deskpb.AuditEntry) error
	// Witnessed returns what the parent knows of this site's audit log; nil at the province.
	Witnessed(ctx context.Context) (*Witness, error)
	// Vouch tells which node signed a checkpoint, by the tree's authority; nil without TLS.
	Vouch() audit.Voucher
	// Ready returns the reasons why this node cannot serve, none when it can.
	Ready(ctx context.Context) []string
}

// People knows who may sign in. What an actor may not do is refused as desk.May says it: a call about somebody else is another
// verb than one about oneself. Users come without secrets.
type People interface {
	// Authenticate returns whose token it is, with what the account says now: an Unauthenticated refusal for an unknown or
	// expired one. Address is where the call came from, without a port.
	Authenticate(ctx context.Context, token, address string) (*deskpb.Actor, error)
	// SignIn checks a password, and the second factor's code where there is one, and opens a session. Client is what the
	// program said of itself.
	SignIn(ctx context.Context, r *apipb.CreateSessionRequest, address, client string) (*apipb.CreateSessionResponse, error)
	// SignOut ends the token's session; one that is not there has ended already.
	SignOut(ctx context.Context, token, address string) error

	// Session returns the session that a call carries, nil for an access token.
	Session(ctx context.Context, actor *deskpb.Actor) (*apipb.Session, error)
	// Sessions and AccessTokens list what is open of a user, the latest first; all of it is little.
	Sessions(ctx context.Context, actor *deskpb.Actor, user desk.UserID) ([]*apipb.Session, error)
	AccessTokens(ctx context.Context, actor *deskpb.Actor, user desk.UserID) ([]*apipb.AccessToken, error)
	CreateAccessToken(ctx context.Context, actor *deskpb.Actor, r *apipb.CreateAccessTokenRequest) (*apipb.CreateAccessTokenResponse, error)
	EndSession(ctx context.Context, actor *deskpb.Actor, user desk.UserID, id string) error
	EndAccessToken(ctx context.Context, actor *deskpb.Actor, user desk.UserID, id string) error
	// EndSessions ends all sessions and access tokens of a user but the actor's own.
	EndSessions(ctx context.Context, actor *deskpb.Actor, user desk.UserID) error

	// SetPreferences replaces how the actor has arranged the pages. The filters are checked already.
	SetPreferences(ctx context.Context, actor *deskpb.Actor, preferences *apipb.Preferences) (*apipb.Preferences, error)

	CreateUser(ctx context.Context, actor *deskpb.Actor, r *apipb.CreateUserRequest) (*apipb.User, error)
	User(ctx context.Context, actor *deskpb.Actor, name desk.UserID) (*apipb.User, error)
	// ListUsers returns the users of a query, in the order of names.
	ListUsers(ctx context.Context, actor *deskpb.Actor, q store.UserQuery) ([]*apipb.User, error)
	UpdateUser(ctx context.Context, actor *deskpb.Actor, r *apipb.UpdateUserRequest) (*apipb.User, error)
	DeleteUser(ctx context.Context, actor *deskpb.Actor, name desk.UserID) error
	SetPassword(ctx context.Context, actor *deskpb.Actor, r *apipb.SetPasswordRequest) error
	UnlockUser(ctx context.Context, actor *deskpb.Actor, name desk.UserID) (*apipb.User, error)
	EnrolSecondFactor(ctx context.Context, actor *deskpb.Actor, r *apipb.EnrolSecondFactorRequest) (*apipb.EnrolSecondFactorResponse, error)
	ConfirmSecondFactor(ctx context.Context, actor *deskpb.Actor, r *apipb.ConfirmSecondFactorRequest) (*apipb.User, error)
	RemoveSecondFactor(ctx context.Context, actor *deskpb.Actor, r *apipb.RemoveSecondFactorRequest) (*apipb.User, error)
}
