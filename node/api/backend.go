// Package api serves the desk to programs: gRPC, JSON over HTTP made from it, the OpenAPI document, health and
// metrics. It checks every input's form, maps errors to status codes, and leaves every decision to the site's log. Only
// node starts it.
package api

import (
	"context"
	"io"
	"time"

	"github.com/tierdesk/tierdesk/desk"
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
	// Ready returns the reasons why this node cannot serve, none when it can.
	Ready(ctx context.Context) []string
}

// People knows who may sign in.
type People interface {
	// Authenticate returns whose token it is: an Unauthenticated refusal for an unknown or expired one.
	Authenticate(ctx context.Context, token string) (*deskpb.Actor, error)
	// SignIn checks a password and opens a session. ttl 0 means 12 hours.
	SignIn(ctx context.Context, user, password string, ttl time.Duration) (token string, expires time.Time, err error)
	SignOut(ctx context.Context, token string) error
	// CreateUser, SetPassword and DeleteUser check the actor's right, the name and the password's strength.
	CreateUser(ctx context.Context, actor *deskpb.Actor, user *deskpb.User, password string) (*deskpb.User, error)
	SetPassword(ctx context.Context, actor *deskpb.Actor, user desk.UserID, password string) error
	DeleteUser(ctx context.Context, actor *deskpb.Actor, user desk.UserID) error
	ListUsers(ctx context.Context, actor *deskpb.Actor, after desk.UserID, limit int) ([]*deskpb.User, error)
}
