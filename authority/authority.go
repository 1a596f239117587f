// Package authority is the certificate authority of one tree, kept in a directory: it makes the authority's own key and
// certificate, issues and signs the certificates of nodes, and says which of them nobody should trust any more. A ledger
// beside the key remembers what was issued and revoked; whoever holds the directory can speak as any node of the tree.
// It opens no connection and knows nothing of sites but their names. cmd/tierdesk and the nodes of a province that sign
// for the others use it.
package authority

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// The files of an authority's directory.
const (
	CertFile    = "ca.crt"       // the authority's certificate, for tls.ca of every node
	keyFile     = "ca.key"       // its key, readable by its owner only
	ledgerFile  = "issued.jsonl" // what was issued and revoked
	GossipFile  = "gossip.key"   // the key of the tree's gossip, for gossip.key_file of every node; secret
	RevokedFile = "revoked.crl"  // the certificates that nobody should trust any more, signed, in DER
)

const (
	// skew is how far the clock of a node may be behind the authority's when it gets a certificate.
	skew = time.Hour
	// serialBits is the length of a serial number, which is random.
	serialBits = 128
	// longestYears is for how long an authority is made at most.
	longestYears = 50
	// longestName is how long the name of a tree is at most, in bytes.
	longestName = 64
	// gossipKeySize is the length of a gossip key, in bytes.
	gossipKeySize = 32
)

// Authority is an opened directory. Several processes may have it open: each reads the ledger anew when it matters, and
// one at a time writes it.
type Authority struct {
	dir   string
	cert  *x509.Certificate
	key   crypto.Signer
	clock func() time.Time
}

// Init makes the authority of a tree that people know by this name, for so many years, and the first key of its gossip. The
// directory is new or empty: one that holds an authority is refused, for what it issued would be lost. It is there as a
// whole or not at all.
func Init(dir, tree string, years int, clock func() time.Time) (a *Authority, err error) {
	if tree == "" || len(tree) > longestName {
		return nil, fmt.Errorf("make an authority: the tree's name %q does not have 1 to %d bytes", tree, longestName)
	}
	if years < 1 || years > longestYears {
		return nil, fmt.Errorf("make an authority: %d years is not 1 to %d", years, longestYears)
	}
	if dir, err = vacant(dir); err != nil {
		return nil, fmt.Errorf("make an authority: %w", err)
	}
	building, err := os.MkdirTemp(filepath.Dir(dir), ".authority-*")
	if err != nil {
		return nil, fmt.Errorf("make an authority: %w", err)
	}
	a = &Authority{dir: building, clock: clock}
	if err := a.found(tree, years); err != nil {
		return nil, errors.Join(fmt.Errorf("make an authority: %w", err), os.RemoveAll(building))
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) { // an empty one is in the way
		return nil, errors.Join(fmt.Errorf("make an authority: %w", err), os.RemoveAll(building))
	}
	if err := os.Rename(building, dir); err != nil {
		return nil, errors.Join(fmt.Errorf("make an authority: %w", err), os.RemoveAll(building))
	}
	a.dir = dir
	return a, syncDirectory(filepath.Dir(dir))
}

// vacant returns the absolute path of a directory that does not exist, with those above it made, or that is empty.
func vacant(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return dir, os.MkdirAll(filepath.Dir(dir), 0o755)
	case err != nil:
		return "", err
	case slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == CertFile }):
		return "", fmt.Errorf("%s holds an authority already; choose another directory", dir)
	case len(entries) > 0:
		return "", fmt.Errorf("%s is not empty, it holds %s; choose another directory", dir, entries[0].Name())
	}
	return dir, nil
}

// found makes the key and the certificate, and writes the files.
func (a *Authority) found(tree string, years int) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := newSerial()
	if err != nil {
		return err
	}
	now := a.clock()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{Organization: []string{"tierdesk"}, CommonName: tree},
		NotBefore: now.Add(-skew), NotAfter: now.AddDate(years, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	a.key = key
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	list, err := a.revocationList(nil)
	if err != nil {
		return err
	}
	return errors.Join(
		WriteFile(filepath.Join(a.dir, keyFile), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}), 0o600),
		WriteFile(filepath.Join(a.dir, CertFile), EncodeCertificates([][]byte{a.cert.Raw}), 0o644),
		WriteFile(filepath.Join(a.dir, ledgerFile), nil, 0o600),
		WriteFile(filepath.Join(a.dir, RevokedFile), list, 0o644),
		WriteFile(filepath.Join(a.dir, GossipFile), newGossipKey(), 0o600),
	)
}

// newGossipKey is a line with a random key of AES-256 in base64.
func newGossipKey() []byte {
	key := make([]byte, gossipKeySize)
	_, _ = rand.Read(key) // which never fails
	return []byte(base64.StdEncoding.EncodeToString(key) + "\n")
}

// Open reads an authority that Init made.
func Open(dir string, clock func() time.Time) (*Authority, error) {
	cert, err := os.ReadFile(filepath.Join(dir, CertFile))
	if err != nil {
		return nil, fmt.Errorf("open the authority: %w; make one with tierdesk ca init", err)
	}
	key, err := os.ReadFile(filepath.Join(dir, keyFile))
	if err != nil {
		return nil, fmt.Errorf("open the authority: %w", err)
	}
	a := &Authority{dir: dir, clock: clock}
	if a.cert, err = parseCertificate(cert); err != nil {
		return nil, fmt.Errorf("open the authority: %s: %w", filepath.Join(dir, CertFile), err)
	}
	if a.key, err = parseKey(key); err != nil {
		return nil, fmt.Errorf("open the authority: %s: %w", filepath.Join(dir, keyFile), err)
	}
	if public, ok := a.key.Public().(*ecdsa.PublicKey); !ok || !public.Equal(a.cert.PublicKey) {
		return nil, fmt.Errorf("open the authority: %s is not the key of %s; put back the directory as it was", keyFile, CertFile)
	}
	return a, nil
}

func parseCertificate(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("holds no certificate in PEM form")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	if !cert.IsCA {
		return nil, fmt.Errorf("the certificate of %q is no authority's", cert.Subject.String())
	}
	return cert, nil
}

func parseKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("holds no key in PEM form")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("holds no key in PKCS #8 form")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("holds a key that cannot sign")
	}
	return signer, nil
}

// Certificate is the authority's own.
func (a *Authority) Certificate() *x509.Certificate { return a.cert }

// EncodeCertificates puts certificates in DER into PEM form, in their order.
func EncodeCertificates(certificates [][]byte) []byte {
	var text []byte
	for _, der := range certificates {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return text
}

func newSerial() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits))
}
