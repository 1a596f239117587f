package identity

import (
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
)

// revocations is a checked list of certificates that nobody trusts any more. The zero one is empty.
type revocations struct {
	number  *big.Int // of the list; a later list has a greater one; nil: there was none yet
	serials map[string]struct{}
}

// first returns a certificate of the chain that is on the list, nil when none is.
func (r *revocations) first(chain []*x509.Certificate) *x509.Certificate {
	for _, cert := range chain {
		if _, listed := r.serials[cert.SerialNumber.String()]; listed {
			return cert
		}
	}
	return nil
}

// Revoked takes up a revocation list in DER. It must be signed by the tree's authority. One that is not later than the
// one before changes nothing. Handshakes that come now refuse whom it names, and gRPC connections with them are closed;
// changed tells whether the caller has to close others, those of Raft.
func (i *Identity) Revoked(list []byte) (changed bool, err error) {
	parsed, err := x509.ParseRevocationList(list)
	if err != nil {
		return false, fmt.Errorf("read the revocation list: %w", err)
	}
	if err := i.roots.signed(parsed); err != nil {
		return false, err
	}
	next := &revocations{number: parsed.Number, serials: make(map[string]struct{}, len(parsed.RevokedCertificateEntries))}
	for _, entry := range parsed.RevokedCertificateEntries {
		next.serials[entry.SerialNumber.String()] = struct{}{}
	}
	i.replace.Lock()
	defer i.replace.Unlock()
	if present := i.revoked.Load(); present.number != nil && next.number.Cmp(present.number) <= 0 {
		return false, nil
	}
	i.revoked.Store(next)
	i.open.close(next)
	return true, nil
}

// signed tells whether an authority of the tree vouches for the list.
func (a *authorities) signed(list *x509.RevocationList) error {
	if list.Number == nil {
		return errors.New("the revocation list has no number; make it with tierdesk ca revoke")
	}
	for _, authority := range a.list {
		if list.CheckSignatureFrom(authority) == nil {
			return nil
		}
	}
	return fmt.Errorf("the revocation list of %q is not signed by the tree's authority", list.Issuer.String())
}

// OwnRevoked tells whether this node's own certificate is on the list: no other node speaks to it any more.
func (i *Identity) OwnRevoked() bool { return i.revoked.Load().first(i.own.Load().chain) != nil }
