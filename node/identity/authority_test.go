package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// authority is a certificate authority of the tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t *testing.T, template, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func authorityTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, template := newKey(t), authorityTemplate(name)
	cert := sign(t, template, template, &key.PublicKey, key)
	return &authority{cert, key, write(t, "ca.pem", "CERTIFICATE", cert.Raw)}
}

// below makes an authority that this one vouches for.
func (a *authority) below(t *testing.T, name string) *authority {
	t.Helper()
	key := newKey(t)
	cert := sign(t, authorityTemplate(name), a.cert, &key.PublicKey, a.key)
	return &authority{cert, key, write(t, "ca.pem", "CERTIFICATE", cert.Raw)}
}

// write puts PEM blocks of one kind into a new file.
func write(t *testing.T, name, kind string, blocks ...[]byte) string {
	t.Helper()
	var text []byte
	for _, der := range blocks {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
	}
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// certificate is the plan of a node's certificate, for both ends and valid now.
func certificate(t *testing.T, names ...string) *x509.Certificate {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, name := range names {
		uri, err := url.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		c.URIs = append(c.URIs, uri)
	}
	return c
}

// issue signs the plan and writes the files of node n1 of site 330106; chain goes behind the certificate.
func (a *authority) issue(t *testing.T, plan *x509.Certificate, chain ...*x509.Certificate) Options {
	t.Helper()
	key := newKey(t)
	blocks := [][]byte{sign(t, plan, a.cert, &key.PublicKey, a.key).Raw}
	for _, cert := range chain {
		blocks = append(blocks, cert.Raw)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		CA: a.file, Cert: write(t, "cert.pem", "CERTIFICATE", blocks...), Key: write(t, "key.pem", "PRIVATE KEY", der),
		Site: "330106", Node: "n1",
	}
}

// identity issues and loads a node's certificate.
func (a *authority) identity(t *testing.T, site, node string) *Identity {
	t.Helper()
	o := a.issue(t, certificate(t, "tierdesk://"+site+"/"+node))
	o.Site, o.Node = site, node
	i, err := Load(o)
	if err != nil {
		t.Fatal(err)
	}
	return i
}
