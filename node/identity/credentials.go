package identity

import (
	"context"
	"crypto/x509"
	"net"
	"sync"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// ServerCredentials are ServerTLS for a gRPC server; only behind them SiteOf knows a caller.
func (i *Identity) ServerCredentials() credentials.TransportCredentials {
	return &transport{TransportCredentials: credentials.NewTLS(i.ServerTLS()), identity: i}
}

// PeerCredentials are PeerTLS for calls to nodes of this site.
func (i *Identity) PeerCredentials() credentials.TransportCredentials {
	return i.LinkCredentials(i.files.Site)
}

// LinkCredentials are LinkTLS for calls to nodes of that site.
func (i *Identity) LinkCredentials(site string) credentials.TransportCredentials {
	return &transport{TransportCredentials: credentials.NewTLS(i.LinkTLS(site)), identity: i, site: site}
}

// transport makes gRPC connections that end when the other side's certificate is revoked.
type transport struct {
	credentials.TransportCredentials
	identity *Identity
	site     string // to dial
}

// caller is who proved to be a node of the tree.
type caller struct {
	credentials.TLSInfo
	site, name string
}

func (t *transport) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	c := t.identity.dialling(demand{site: t.site}, raw.RemoteAddr().String())
	conn, info, err := credentials.NewTLS(c).ClientHandshake(ctx, authority, raw)
	if err != nil {
		return nil, nil, err
	}
	return t.identity.watch(conn, info)
}

func (t *transport) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := t.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		return nil, nil, err
	}
	return t.identity.watch(conn, info)
}

func (t *transport) Clone() credentials.TransportCredentials {
	return &transport{TransportCredentials: t.TransportCredentials.Clone(), identity: t.identity, site: t.site}
}

// watch closes the connection of a node when its certificate is revoked, be it between the handshake and now.
func (i *Identity) watch(conn net.Conn, info credentials.AuthInfo) (net.Conn, credentials.AuthInfo, error) {
	shown, ok := info.(credentials.TLSInfo)
	if !ok || len(shown.State.PeerCertificates) == 0 {
		return conn, info, nil
	}
	site, name, err := Parse(shown.State.PeerCertificates[0])
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	w := i.open.add(conn, shown.State.PeerCertificates)
	i.open.close(i.revoked.Load())
	return w, caller{shown, site, name}, nil
}

// connections are those with other nodes that are open.
type connections struct {
	mu  sync.Mutex // guards all
	all map[*watched]struct{}
}

// watched is a connection with a node that showed this chain.
type watched struct {
	net.Conn
	chain []*x509.Certificate
	of    *connections
}

func (c *connections) add(conn net.Conn, chain []*x509.Certificate) *watched {
	w := &watched{conn, chain, c}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = make(map[*watched]struct{})
	}
	c.all[w] = struct{}{}
	return w
}

// close ends the connections with whom the list names. Who uses them finds out.
func (c *connections) close(list *revocations) {
	c.mu.Lock()
	var ending []*watched
	for w := range c.all {
		if list.first(w.chain) != nil {
			ending = append(ending, w)
		}
	}
	c.mu.Unlock()
	for _, w := range ending {
		_ = w.Close()
	}
}

func (w *watched) Close() error {
	w.of.mu.Lock()
	delete(w.of.all, w)
	w.of.mu.Unlock()
	return w.Conn.Close()
}

// SiteOf returns the site and the node that the caller of a gRPC method proved to be, both empty when the caller showed
// no certificate or the server is not behind ServerCredentials.
func SiteOf(ctx context.Context) (site, name string) {
	from, ok := peer.FromContext(ctx)
	if !ok {
		return "", ""
	}
	proved, ok := from.AuthInfo.(caller)
	if !ok {
		return "", ""
	}
	return proved.site, proved.name
}
