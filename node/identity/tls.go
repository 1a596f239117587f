package identity

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
)

// Servers are known by the site and node in their certificates, not by host names: nodes are dialled at addresses that
// gossip or a configuration tells, which change and prove nothing. crypto/tls can only compare host names, so the
// dialling side switches its own check off (InsecureSkipVerify) and does the whole of it in VerifyConnection: the chain
// up to the tree's authority alone, the validity, the key usage, and the name. VerifyConnection runs in every handshake,
// resumed ones included, after the other side has proved that it holds the key, and before any data passes.

// ServerTLS is for the gRPC port. People and programs come without a certificate; a caller that shows one must be a
// node of the tree, and SiteOf tells which.
func (i *Identity) ServerTLS() *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{i.own},
		ClientAuth:   tls.VerifyClientCertIfGiven,
		ClientCAs:    i.roots,
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 {
				return nil
			}
			_, _, err := Parse(state.PeerCertificates[0])
			return err
		},
	}
}

// PeerTLS is for connections within the site, at both ends: Raft, and calls from node to node. The other side must be a
// node of this site.
func (i *Identity) PeerTLS() *tls.Config {
	c := i.dial(i.site)
	c.ClientAuth = tls.RequireAndVerifyClientCert
	c.ClientCAs = i.roots
	return c
}

// LinkTLS is for dialling a neighbour: the server must be a node of that site.
func (i *Identity) LinkTLS(site string) *tls.Config { return i.dial(site) }

// HTTPTLS is for web pages and JSON. Callers show no certificate; browsers that know only TLS 1.2 are still in use.
func (i *Identity) HTTPTLS() *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{i.own},
		NextProtos:   []string{"h2", "http/1.1"},
	}
}

// dial shows this node's certificate and demands one of the site. At the accepting end of a mutual connection the chain
// was verified already, for a client's usage, which VerifiedChains shows.
func (i *Identity) dial(site string) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		Certificates:       []tls.Certificate{i.own},
		InsecureSkipVerify: true, // VerifyConnection does it all, see above
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 {
				return errors.New("the other side shows no certificate")
			}
			if len(state.VerifiedChains) == 0 {
				if err := verify(i.roots, state.PeerCertificates, x509.ExtKeyUsageServerAuth); err != nil {
					return fmt.Errorf("verifying the other side's certificate: %w", err)
				}
			}
			return demand(state.PeerCertificates[0], site)
		},
	}
}

// demand refuses a verified certificate that names another site.
func demand(cert *x509.Certificate, site string) error {
	got, node, err := Parse(cert)
	if err != nil {
		return err
	}
	if got != site {
		return fmt.Errorf("the other side is node %s of site %s, not of site %s", node, got, site)
	}
	return nil
}
