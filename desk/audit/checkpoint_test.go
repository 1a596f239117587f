package audit

import (
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// TestASignatureIsTracedToItsNode holds signatures against what an authority says of them.
func TestASignatureIsTracedToItsNode(t *testing.T) {
	keyed := checkpoint(t, chain(3), 3, false).AuditCheckpoint
	certified := proto.CloneOf(keyed)
	certified.PublicKey, certified.Certificates, certified.Signature = nil, [][]byte{[]byte("of a node")}, []byte("signed")
	says := func(site, node string, err error) Voucher {
		return func(certificates [][]byte, message, signature []byte, at time.Time) (string, string, error) {
			want, _ := CheckpointBytes(certified)
			if string(certificates[0]) != "of a node" || string(signature) != "signed" || string(message) != string(want) || at.UnixMicro() != certified.Time {
				t.Errorf("the authority is asked about %q %q at %s", certificates, message, at)
			}
			return site, node, err
		}
	}
	expired := errors.New("the certificate has ended")
	for name, c := range map[string]struct {
		checkpoint *deskpb.AuditCheckpoint
		vouch      Voucher
		is         error
		words      string
	}{
		"of the node that it names":           {certified, says("330106", "n1", nil), nil, ""},
		"of another node":                     {certified, says("330106", "n2", nil), nil, "node n2 of site 330106 did"},
		"of another site":                     {certified, says("330100", "n1", nil), nil, "node n1 of site 330100 did"},
		"of a certificate that does not hold": {certified, says("", "", expired), expired, ""},
		"without an authority":                {certified, nil, ErrNoAuthority, ""},
		"of a key in a tree without one":      {keyed, nil, nil, ""},
		"of a key in a tree with one":         {keyed, says("", "", nil), ErrUnvouched, ""},
		"of nothing":                          {&deskpb.AuditCheckpoint{Site: "330106"}, nil, nil, "neither a certificate nor a public key"},
	} {
		err := CheckSignature(c.checkpoint, c.vouch)
		switch {
		case c.is == nil && c.words == "" && err != nil, c.is != nil && !errors.Is(err, c.is),
			c.words != "" && (err == nil || !strings.Contains(err.Error(), c.words)):
			t.Errorf("a signature %s: %v", name, err)
		}
	}
}

// Whatever of a checkpoint is signed, or what proves the key, cannot be changed afterwards.
func TestAChangedCheckpointIsNotSigned(t *testing.T) {
	for name, change := range map[string]func(c *deskpb.AuditCheckpoint){
		"site":     func(c *deskpb.AuditCheckpoint) { c.Site = "330100" },
		"life":     func(c *deskpb.AuditCheckpoint) { c.Incarnation++ },
		"node":     func(c *deskpb.AuditCheckpoint) { c.Node = "n2" },
		"time":     func(c *deskpb.AuditCheckpoint) { c.Time++ },
		"sequence": func(c *deskpb.AuditCheckpoint) { c.Sequence++ },
		"hash":     func(c *deskpb.AuditCheckpoint) { c.Hash[0] ^= 1 },
	} {
		c := checkpoint(t, chain(3), 3, false).AuditCheckpoint
		if err := CheckSignature(c, nil); err != nil {
			t.Fatal(err)
		}
		if change(c); CheckSignature(c, nil) == nil {
			t.Errorf("a checkpoint with another %s passes for signed", name)
		}
	}
}
