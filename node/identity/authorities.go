package identity

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"time"
)

// authorities are the certificates that a tree trusts: one, or two while it changes from one to the next.
type authorities struct {
	pool *x509.CertPool
	list []*x509.Certificate
}

func loadAuthorities(file string) (*authorities, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("tls.ca: %w", err)
	}
	a := &authorities{pool: x509.NewCertPool()}
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
		a.pool.AddCert(cert)
		a.list = append(a.list, cert)
	}
	if len(a.list) == 0 {
		return nil, fmt.Errorf("tls.ca %s holds no certificate in PEM form", file)
	}
	return a, nil
}

// verify checks that the first of chain was issued by an authority, was valid at that time, and may be used at both ends of a
// connection, as every node's may.
func (a *authorities) verify(chain []*x509.Certificate, at time.Time) error {
	between := x509.NewCertPool()
	for _, cert := range chain[1:] {
		between.AddCert(cert)
	}
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		_, err := chain[0].Verify(x509.VerifyOptions{
			Roots: a.pool, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{usage},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Roots are the authorities that this node trusts.
func (i *Identity) Roots() *x509.CertPool { return i.roots.pool.Clone() }
