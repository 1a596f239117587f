package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"slices"
	"time"
)

// Sign signs a message with this node's key, and returns the certificates in DER that vouch for the key. The message must
// begin with words that say what is signed, so that nobody can pass it off as something else. A certificate that has ended vouches
// for nothing: that is an error.
func (i *Identity) Sign(message []byte) (certificates [][]byte, signature []byte, err error) {
	own := i.own.Load()
	if end := own.end(); time.Now().After(end) {
		return nil, nil, fmt.Errorf("sign with the node's key: tls.cert %s ended on %s; put another certificate into its place",
			i.files.Cert, end.UTC().Format(time.RFC3339))
	}
	switch key := own.PrivateKey.(type) {
	case *ecdsa.PrivateKey:
		digest := sha256.Sum256(message)
		signature, err = ecdsa.SignASN1(rand.Reader, key, digest[:])
	case ed25519.PrivateKey:
		signature, err = key.Sign(nil, message, crypto.Hash(0))
	default:
		err = fmt.Errorf("the key of tls.key is of the kind %T; use ECDSA or Ed25519", key)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("sign with the node's key: %w", err)
	}
	return slices.Clone(own.Certificate.Certificate), signature, nil
}

// VerifyNow is VerifySignature for what a node of the tree has signed a moment ago: a certificate that is revoked does not count.
func (i *Identity) VerifyNow(certificates [][]byte, message, signature []byte) (site, node string, err error) {
	site, node, err = VerifySignature(i.roots.pool, certificates, message, signature, time.Now())
	if err != nil {
		return "", "", err
	}
	own, err := x509.ParseCertificate(certificates[0])
	if err != nil {
		return "", "", fmt.Errorf("verify a node's signature: %w", err)
	}
	if i.revoked.Load().first([]*x509.Certificate{own}) != nil {
		return "", "", fmt.Errorf("verify a node's signature: the certificate %x is revoked", own.SerialNumber)
	}
	return site, node, nil
}

// VerifySignature tells which node signed a message. Its certificate must come from one of the roots and have been valid at
// that time; the signature is older than the certificates that nodes have now.
func VerifySignature(roots *x509.CertPool, certificates [][]byte, message, signature []byte, at time.Time) (site, node string, err error) {
	if len(certificates) == 0 {
		return "", "", fmt.Errorf("verify a node's signature: it comes without a certificate")
	}
	var chain []*x509.Certificate
	for _, der := range certificates {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return "", "", fmt.Errorf("verify a node's signature: %w", err)
		}
		chain = append(chain, cert)
	}
	between := x509.NewCertPool()
	for _, cert := range chain[1:] {
		between.AddCert(cert)
	}
	_, err = chain[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return "", "", fmt.Errorf("verify a node's signature: %w", err)
	}
	algorithm := x509.ECDSAWithSHA256
	if chain[0].PublicKeyAlgorithm == x509.Ed25519 {
		algorithm = x509.PureEd25519
	}
	if err := chain[0].CheckSignature(algorithm, message, signature); err != nil {
		return "", "", fmt.Errorf("verify a node's signature: %w", err)
	}
	return Parse(chain[0])
}
