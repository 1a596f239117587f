package identity

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Nodes are known by the site and node in their certificates, not by host names: they are dialled at addresses that
// gossip or a configuration tells, which change and prove nothing. crypto/tls can only compare host names, and tells
// nobody whom it refuses, so its own check is switched off at both ends (InsecureSkipVerify, RequestClientCert) and judge
// does the whole of it from VerifyConnection: the chain up to the tree's authority alone, the validity, the key usage,
// the list of the revoked, and the name. VerifyConnection runs in every handshake, resumed ones included, and no data
// passes before the other side has also proved that it holds the key.

// demand is what a handshake wants of the other side.
type demand struct {
	site     string // it must be a node of that site; "": of any site of the tree
	optional bool   // it may show no certificate at all
}

// ServerTLS is for the gRPC port. People and programs come without a certificate; a caller that shows one must be a
// node of the tree, and SiteOf tells which.
func (i *Identity) ServerTLS() *tls.Config {
	c := i.accepting(demand{optional: true})
	c.NextProtos = []string{"h2"}
	return c
}

// PeerTLS is for connections within the site, at both ends: Raft, and calls from node to node. The other side must be a
// node of this site.
func (i *Identity) PeerTLS() *tls.Config { return i.accepting(demand{site: i.files.Site}) }

// LinkTLS is for dialling a neighbour: the server must be a node of that site.
func (i *Identity) LinkTLS(site string) *tls.Config { return i.dialling(demand{site: site}, "") }

// HTTPTLS is for web pages and JSON. Callers show no certificate; browsers that know only TLS 1.2 are still in use.
func (i *Identity) HTTPTLS() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: i.forCallers,
		NextProtos:     []string{"h2", "http/1.1"},
	}
}

func (i *Identity) forCallers(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return &i.own.Load().Certificate, nil
}

// forServers shows the certificate even to a server that asks for one of another authority: it is that server that
// refuses then, and can say why.
func (i *Identity) forServers(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return &i.own.Load().Certificate, nil
}

// dialling shows this node's certificate and holds the other side to the demand. remote is whom it dials, "" when it
// is not known.
func (i *Identity) dialling(d demand, remote string) *tls.Config {
	return &tls.Config{
		MinVersion:           tls.VersionTLS13,
		GetCertificate:       i.forCallers,
		GetClientCertificate: i.forServers,
		InsecureSkipVerify:   true, // VerifyConnection does it all, see above
		VerifyConnection:     func(state tls.ConnectionState) error { return i.judge(remote, state, d) },
	}
}

// accepting is dialling for both ends; at the accepting one it knows who calls.
func (i *Identity) accepting(d demand) *tls.Config {
	c := i.dialling(d, "")
	c.ClientAuth = tls.RequestClientCert
	c.ClientCAs = i.roots.pool
	c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		own, remote := c.Clone(), hello.Conn.RemoteAddr().String()
		own.VerifyConnection = func(state tls.ConnectionState) error { return i.judge(remote, state, d) }
		return own, nil
	}
	return c
}

// judge refuses a handshake that does not meet the demand, and tells so.
func (i *Identity) judge(remote string, state tls.ConnectionState, d demand) error {
	err := i.admit(state.PeerCertificates, d)
	if err != nil {
		i.files.Refused(cmp.Or(remote, claimed(state.PeerCertificates)), err.Error())
	}
	return err
}

func (i *Identity) admit(chain []*x509.Certificate, d demand) error {
	if len(chain) == 0 {
		if d.optional {
			return nil
		}
		return errors.New("the other side shows no certificate")
	}
	if err := i.roots.verify(chain, time.Now()); err != nil {
		return fmt.Errorf("verifying the other side's certificate: %w", timeless(err))
	}
	if cert := i.revoked.Load().first(chain); cert != nil {
		return fmt.Errorf("the other side's certificate %x is revoked", cert.SerialNumber)
	}
	site, node, err := Parse(chain[0])
	if err != nil {
		return err
	}
	if d.site != "" && site != d.site {
		return fmt.Errorf("the other side is node %s of site %s, not of site %s", node, site, d.site)
	}
	return nil
}

// timeless says of a certificate that does not count now the same at each attempt, so that it is logged once.
func timeless(err error) error {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return fmt.Errorf("it has expired or does not count yet: it is valid from %s to %s",
			invalid.Cert.NotBefore.UTC().Format(time.RFC3339), invalid.Cert.NotAfter.UTC().Format(time.RFC3339))
	}
	return err
}

// claimed is who the other side says it is, for one whose address is not known.
func claimed(chain []*x509.Certificate) string {
	if len(chain) == 0 {
		return "somebody without a certificate"
	}
	if site, node, err := Parse(chain[0]); err == nil {
		return scheme + "://" + site + "/" + node
	}
	return fmt.Sprintf("%.100q", chain[0].Subject.String())
}
