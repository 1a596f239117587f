// Package identity is who a node is to other nodes: the certificate that names its site and node, and the TLS
// configurations that hold others to the names in theirs. It trusts one authority, the tree's own. It never decides what
// a site may do; that is for those who ask SiteOf. Only node uses it.
package identity

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
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
}

// Identity is this node's certificate and the authority of its tree. It does not change; a renewed certificate is read
// at the next start.
type Identity struct {
	site  string
	roots *x509.CertPool
	own   tls.Certificate
}

// Load reads the files. It refuses a certificate that the authority did not issue, that is not valid now, that cannot
// serve for both ends of a connection, or that names another site or node.
func Load(o Options) (*Identity, error) {
	roots, err := loadAuthority(o.CA)
	if err != nil {
		return nil, err
	}
	own, err := loadPair(o.Cert, o.Key)
	if err != nil {
		return nil, err
	}
	chain, err := parseChain(own.Certificate)
	if err != nil {
		return nil, fmt.Errorf("tls.cert %s: %w", o.Cert, err)
	}
	leaf := chain[0]
	site, node, err := Parse(leaf)
	if err != nil {
		return nil, fmt.Errorf("tls.cert %s: %w", o.Cert, err)
	}
	if site != o.Site || node != o.Node {
		return nil, fmt.Errorf("tls.cert %s is of node %s of site %s, but this is node %s of site %s; use this node's own certificate",
			o.Cert, node, site, o.Node, o.Site)
	}
	if now := time.Now(); now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return nil, fmt.Errorf("tls.cert %s is valid from %s to %s, not now; renew it with tierdesk ca renew, or set the clock",
			o.Cert, leaf.NotBefore.Format(time.RFC3339), leaf.NotAfter.Format(time.RFC3339))
	}
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		if err := verify(roots, chain, usage); err != nil {
			return nil, fmt.Errorf("tls.cert %s does not hold against tls.ca %s: %w; have it issued by the tree's authority for servers and clients",
				o.Cert, o.CA, err)
		}
	}
	return &Identity{site: site, roots: roots, own: own}, nil
}

// Expires is when the first of this node's own certificates ends: nobody takes them afterwards.
func (i *Identity) Expires() time.Time {
	expires := i.own.Leaf.NotAfter
	for _, der := range i.own.Certificate[1:] {
		if between, err := x509.ParseCertificate(der); err == nil && between.NotAfter.Before(expires) { // Load has parsed it
			expires = between.NotAfter
		}
	}
	return expires
}

func loadAuthority(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("tls.ca: %w", err)
	}
	roots, found := x509.NewCertPool(), false
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("tls.ca %s: %w", file, err)
		}
		if !cert.IsCA {
			return nil, fmt.Errorf("tls.ca %s holds a certificate of %q, which is no authority; put only the tree's authority there",
				file, cert.Subject)
		}
		roots.AddCert(cert)
		found = true
	}
	if !found {
		return nil, fmt.Errorf("tls.ca %s holds no certificate in PEM form", file)
	}
	return roots, nil
}

func loadPair(certFile, keyFile string) (tls.Certificate, error) {
	cert, err := os.ReadFile(certFile)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("tls.cert: %w", err)
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("tls.key: %w", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("tls.cert %s with tls.key %s: %w", certFile, keyFile, err)
	}
	return pair, nil
}

func parseChain(raw [][]byte) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for _, der := range raw {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		chain = append(chain, cert)
	}
	return chain, nil
}

// verify checks that the first of chain was issued by the authority, is valid now, and may be used so.
func verify(roots *x509.CertPool, chain []*x509.Certificate, usage x509.ExtKeyUsage) error {
	between := x509.NewCertPool()
	for _, cert := range chain[1:] {
		between.AddCert(cert)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{usage},
	})
	return err
}
