package node

import (
	"context"
	"crypto/tls"
	"log/slog"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/node/identity"
)

// security is how each of the node's connections is protected. Without TLS everything in it but refused is nil, and the
// configuration has kept all addresses on this machine.
type security struct {
	identity   *identity.Identity
	http       *tls.Config
	raft       *tls.Config
	server     credentials.TransportCredentials // of the gRPC port
	peers      credentials.TransportCredentials // to nodes of this site
	links      credentials.TransportCredentials // to nodes of the parent
	refused    func(remote, reason string)      // is told of connections that are refused
	callerSite func(ctx context.Context) string // the site that the other end's certificate names
}

// newSecurity reads the node's certificate. Handshakes that it refuses are told to the logger.
func newSecurity(c *config.Config, logger *slog.Logger) (*security, error) {
	refused := identity.NewRefusals(logger, time.Now).Tell
	if !c.TLS.Enabled() {
		return &security{refused: refused}, nil
	}
	own, err := identity.Load(identity.Options{
		CA: c.TLS.CA, Cert: c.TLS.Cert, Key: c.TLS.Key, Site: c.Site.ID, Node: c.Node.ID, Refused: refused,
	})
	if err != nil {
		return nil, err
	}
	return &security{
		identity: own,
		refused:  refused,
		http:     own.HTTPTLS(),
		raft:     own.PeerTLS(),
		server:   own.ServerCredentials(),
		peers:    own.PeerCredentials(),
		links:    own.LinkCredentials(c.Site.Parent),
		callerSite: func(ctx context.Context) string {
			site, _ := identity.SiteOf(ctx)
			return site
		},
	}, nil
}

// peerSite is callerSite for links, which work without TLS too: secured tells whether there is any.
func (s *security) peerSite(ctx context.Context) (site string, secured bool) {
	if s.identity == nil {
		return "", false
	}
	return s.callerSite(ctx), true
}

// linksTo is how nodes of that site are called: they must show certificates that name it.
func (s *security) linksTo(site desk.SiteID) credentials.TransportCredentials {
	if s.identity == nil {
		return insecure.NewCredentials()
	}
	return s.identity.LinkCredentials(string(site))
}

// expires is when the node's certificate ends, zero without TLS.
func (s *security) expires() time.Time {
	if s.identity == nil {
		return time.Time{}
	}
	return s.identity.Expires()
}
