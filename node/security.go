package node

import (
	"context"
	"crypto/tls"
	"time"

	"google.golang.org/grpc/credentials"

	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/node/identity"
)

// security is how each of the node's connections is protected. Without TLS everything in it is nil, and the
// configuration has kept all addresses on this machine.
type security struct {
	http       *tls.Config
	raft       *tls.Config
	server     credentials.TransportCredentials // of the gRPC port
	peers      credentials.TransportCredentials // to nodes of this site
	links      credentials.TransportCredentials // to nodes of the parent
	callerSite func(ctx context.Context) string // the site that the other end's certificate names
	expires    time.Time                        // of the node's certificate
}

func newSecurity(c *config.Config) (*security, error) {
	if !c.TLS.Enabled() {
		return &security{}, nil
	}
	own, err := identity.Load(identity.Options{
		CA: c.TLS.CA, Cert: c.TLS.Cert, Key: c.TLS.Key, Site: c.Site.ID, Node: c.Node.ID,
	})
	if err != nil {
		return nil, err
	}
	return &security{
		http:    own.HTTPTLS(),
		raft:    own.PeerTLS(),
		expires: own.Expires(),
		server:  credentials.NewTLS(own.ServerTLS()),
		peers:   credentials.NewTLS(own.PeerTLS()),
		links:   credentials.NewTLS(own.LinkTLS(c.Site.Parent)),
		callerSite: func(ctx context.Context) string {
			site, _ := identity.SiteOf(ctx)
			return site
		},
	}, nil
}
