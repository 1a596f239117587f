package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"
	"unicode/utf8"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tierdesk/tierdesk/node/config"
)

// minAdminPassword is the least length of the first administrator's password, in characters.
const minAdminPassword = 8

// Options start a node.
type Options struct {
	Config *config.Config
	// AdminPassword of the first administrator, made when the site is founded; empty: none is made.
	AdminPassword string
	// DirectoryPassword is that of the service account at the directory, ProviderSecret that of this site at the provider of
	// OpenID Connect, where the configuration has them.
	DirectoryPassword string
	ProviderSecret    string
	// Dial opens connections to the parent; nil: plain TCP. Drop tells which gossip packets are lost; nil: none. Tests
	// and the demo cut lines here.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	Drop func(address net.Addr) bool
	// FS holds the data directory; nil is the real one. Tests make it full here.
	FS vfs.FS
	// Version of the program, for GET /healthz; may be empty.
	Version string
	Logger  *slog.Logger // nil: nothing is logged

	// What the machine knows of time, for tests; nil: the real thing.
	wall    func() time.Time                     // its clock
	elapsed func() time.Duration                 // monotonic
	after   func(time.Duration) <-chan time.Time // waits by the monotonic time
}

func (o *Options) validate() error {
	if o.Config == nil {
		return errors.New("start a node: there is no configuration")
	}
	if err := o.Config.Validate(); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(o.AdminPassword); n > 0 && n < minAdminPassword {
		return fmt.Errorf("the password in %s has %d characters; use at least %d", o.Config.Admin.PasswordEnv, n, minAdminPassword)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.wall == nil {
		o.wall = time.Now
	}
	if o.elapsed == nil {
		began := time.Now()
		o.elapsed = func() time.Duration { return time.Since(began) }
	}
	if o.after == nil {
		o.after = time.After
	}
	return nil
}
