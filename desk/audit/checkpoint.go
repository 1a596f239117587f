package audit

import (
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// What stands before the bytes of a checkpoint that are signed, so that no signature of anything else passes for one.
const checkpointWords = "tierdesk audit checkpoint\x00"

// What is wrong with a signature that may well be right, but proves nothing here.
var (
	ErrNoAuthority = errors.New("no authority is at hand to hold its certificate against")
	ErrUnvouched   = errors.New("it is signed by a key that no authority vouches for")
)

// Voucher tells which node of which site signed a message, by certificates that an authority vouches for as of a time.
type Voucher func(certificates [][]byte, message, signature []byte, at time.Time) (site, node string, err error)

// CheckpointBytes is what the signature of a checkpoint is over: all but the signature and what proves the key.
func CheckpointBytes(c *deskpb.AuditCheckpoint) ([]byte, error) {
	plain := proto.CloneOf(c)
	plain.Certificates, plain.PublicKey, plain.Signature = nil, nil, nil
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(plain)
	if err != nil {
		return nil, fmt.Errorf("encode checkpoint %d of %s: %w", c.GetSequence(), c.GetSite(), err)
	}
	return append([]byte(checkpointWords), raw...), nil
}

// CheckSignature tells what is wrong with the signature of a checkpoint, nil when nothing is. vouch is nil where the tree has no
// authority, or none is at hand: ErrNoAuthority and ErrUnvouched say that the signature was not, or cannot be, traced to a node.
func CheckSignature(c *deskpb.AuditCheckpoint, vouch Voucher) error {
	message, err := CheckpointBytes(c)
	if err != nil {
		return err
	}
	if len(c.GetCertificates()) > 0 {
		if vouch == nil {
			return ErrNoAuthority
		}
		site, node, err := vouch(c.GetCertificates(), message, c.GetSignature(), time.UnixMicro(c.GetTime()))
		switch {
		case err != nil:
			return err
		case site != c.GetSite() || node != c.GetNode():
			return fmt.Errorf("it says that node %s of site %s signed it, but node %s of site %s did", c.GetNode(), c.GetSite(), node, site)
		}
		return nil
	}
	key, err := x509.ParsePKIXPublicKey(c.GetPublicKey())
	if err != nil {
		return errors.New("it has neither a certificate nor a public key that can be read")
	}
	public, ok := key.(ed25519.PublicKey)
	switch {
	case !ok:
		return fmt.Errorf("its public key is of the kind %T instead of Ed25519", key)
	case !ed25519.Verify(public, message, c.GetSignature()):
		return errors.New("its signature is not of its public key")
	case vouch != nil:
		return ErrUnvouched
	}
	return nil
}
