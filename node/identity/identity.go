// Package identity is who a node is to other nodes: the certificate that names its site and node, and the handshakes
// that hold others to the names in theirs. It trusts one authority, the tree's own, and nobody whom that authority has
// revoked. It never decides what a site may do; that is for those who ask SiteOf. Only node, and the
// commands that look at a node's files, use it.
package identity

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Options name the files, all PEM, and whose they have to be. The configuration keys are tls.ca, tls.cert, tls.key,
// site.id and node.id; errors speak of them.
type Options struct {
	CA   string // certificates of the tree's authority
	Cert string // this node's certificate, then those between it and the authority
	Key  string // the private key of Cert
	Site string
	Node string
	// Refused is told of every handshake that this node refuses: whom it spoke to, an address where that is known, and why.
	// It must not block; nil: nobody is told.
	Refused func(remote, reason string)
}

// Identity is this node's certificate and the authority of its tree. It may be used from several goroutines. Its
// certificate and the list of whom not to trust are replaced while connections are made; each handshake uses what is
// there when it begins.
type Identity struct {
	files   Options
	roots   *authorities
	own     atomic.Pointer[pair]
	revoked atomic.Pointer[revocations]
	replace sync.Mutex // is held while own or revoked is replaced, together with their files
	open    connections
}

// pair is a certificate with its key, and what it says.
type pair struct {
	tls.Certificate
	chain []*x509.Certificate // the same certificates, parsed
}

// Load reads the files. It refuses a certificate that the authority did not issue, that is not valid yet, that cannot
// serve for both ends of a connection, or that names another site or node. One that has ended is taken: no other node speaks to
// this one then, but its people can work until another one is put into the files. A renewal that was cut short is finished.
func Load(o Options) (*Identity, error) {
	if o.Refused == nil {
		o.Refused = func(string, string) {}
	}
	roots, err := loadAuthorities(o.CA)
	if err != nil {
		return nil, err
	}
	own, err := loadPair(o.Cert, o.Key)
	if err != nil {
		return nil, err
	}
	i := &Identity{files: o, roots: roots}
	at := time.Now()
	if end := own.end(); at.After(end) {
		at = end
	}
	if err := i.fits(own, at); err != nil {
		return nil, err
	}
	i.own.Store(own)
	i.revoked.Store(&revocations{})
	return i, nil
}

// fits tells whether a pair is this node's own and could be used at that time.
func (i *Identity) fits(own *pair, at time.Time) error {
	leaf := own.chain[0]
	site, node, err := Parse(leaf)
	if err != nil {
		return fmt.Errorf("tls.cert %s: %w", i.files.Cert, err)
	}
	if site != i.files.Site || node != i.files.Node {
		return fmt.Errorf("tls.cert %s is of node %s of site %s, but this is node %s of site %s; use this node's own certificate",
			i.files.Cert, node, site, i.files.Node, i.files.Site)
	}
	if at.Before(leaf.NotBefore) || at.After(own.end()) {
		return fmt.Errorf("tls.cert %s is valid from %s to %s, not now; renew it with tierdesk ca renew, or set the clock",
			i.files.Cert, leaf.NotBefore.Format(time.RFC3339), own.end().Format(time.RFC3339))
	}
	if err := i.roots.verify(own.chain, at); err != nil {
		return fmt.Errorf("tls.cert %s does not hold against tls.ca %s: %w; have it issued by the tree's authority for servers and clients",
			i.files.Cert, i.files.CA, err)
	}
	return nil
}

// Expires is when the first of this node's own certificates ends: nobody takes them afterwards.
func (i *Identity) Expires() time.Time { return i.own.Load().end() }

// end is when the first of the certificates ends.
func (p *pair) end() time.Time {
	end := p.chain[0].NotAfter
	for _, between := range p.chain[1:] {
		if between.NotAfter.Before(end) {
			end = between.NotAfter
		}
	}
	return end
}

// Lifetime is for how long this node's certificate was issued, from its beginning to its end.
func (i *Identity) Lifetime() time.Duration {
	leaf := i.own.Load().chain[0]
	return leaf.NotAfter.Sub(leaf.NotBefore)
}
