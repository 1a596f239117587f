package node

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	deskaudit "github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/audit"
	"github.com/tierdesk/tierdesk/node/identity"
	"github.com/tierdesk/tierdesk/store"
)

// auditKey is where in the data directory the key lies that signs the audit log of a node without TLS.
const auditKey = "audit.key"

// auditing is this node's part in the site's audit log: what is told to it, and signed checkpoints while it leads.
type auditing struct {
	recorder *audit.Recorder
	keeper   *audit.Keeper
	running  []func() // end what start began and wait for it, in this order
}

// newAuditing makes the parts and starts none.
func (n *Node) newAuditing() (*auditing, error) {
	recorder, err := audit.New(audit.Options{
		Propose: func(ctx context.Context, c *deskpb.Command) error {
			_, err := n.backend.Propose(ctx, c)
			return err
		},
		Node: n.config.Node.ID, Logger: n.options.Logger,
	})
	if err != nil {
		return nil, err
	}
	sign, err := n.signer()
	if err != nil {
		return nil, err
	}
	return &auditing{recorder: recorder, keeper: &audit.Keeper{
		Site: n.site(), SiteID: desk.SiteID(n.config.Site.ID), Node: n.config.Node.ID, Sign: sign, Now: n.clock.Now,
		Logger: n.options.Logger.With("component", "audit"),
	}}, nil
}

// start runs until stop, beyond the calls that are under way when the node ends.
func (a *auditing) start(ctx context.Context) {
	for _, run := range []func(context.Context){a.recorder.Run, a.keeper.Run} {
		ctx, halt := context.WithCancel(context.WithoutCancel(ctx))
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			run(ctx)
		}()
		a.running = append(a.running, func() { halt(); <-ended })
	}
}

// stop brings into the log what still waits, and then a checkpoint on it, within a second. It needs the replica.
func (a *auditing) stop() {
	if a == nil {
		return
	}
	for _, end := range a.running {
		end()
	}
}

// signer signs with the key of the node's certificate, and without TLS with a key of the data directory, which nobody vouches for.
func (n *Node) signer() (func(message []byte) (audit.Signature, error), error) {
	if own := n.security.identity; own != nil {
		return func(message []byte) (audit.Signature, error) {
			certificates, signature, err := own.Sign(message)
			return audit.Signature{Certificates: certificates, Signature: signature}, err
		}, nil
	}
	key, err := loadAuditKey(filepath.Join(n.config.Node.DataDir, auditKey))
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("encode the public half of %s: %w", auditKey, err)
	}
	return func(message []byte) (audit.Signature, error) {
		return audit.Signature{PublicKey: public, Signature: ed25519.Sign(key, message)}, nil
	}, nil
}

// loadAuditKey reads the key, and draws it at the first start.
func loadAuditKey(file string) (ed25519.PrivateKey, error) {
	der, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return drawAuditKey(file)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of the audit log: %w", err)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("read the key of the audit log %s: %w; delete it to have another one drawn", file, err)
	}
	own, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the key of the audit log %s is of the kind %T instead of Ed25519; delete it to have another one drawn", file, key)
	}
	return own, nil
}

func drawAuditKey(file string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("draw the key of the audit log: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode the key of the audit log: %w", err)
	}
	begun := file + ".new"
	if err := os.WriteFile(begun, der, 0o600); err != nil {
		return nil, fmt.Errorf("write the key of the audit log: %w", err)
	}
	if err := os.Rename(begun, file); err != nil {
		return nil, fmt.Errorf("write the key of the audit log: %w", err)
	}
	return key, nil
}

// Record takes an entry for the audit log of what leaves no other trace in the site's log. It never waits.
func (b *backend) Record(e *deskpb.AuditEntry) { b.node.auditing.recorder.Record(e) }

// RecordNow returns when the entry is in the audit log. After an error what it tells of must not be done.
func (b *backend) RecordNow(ctx context.Context, e *deskpb.AuditEntry) error {
	return b.node.auditing.recorder.RecordNow(ctx, e)
}

// Witnessed returns what the parent knows of this site's audit log; nil at the province.
func (b *backend) Witnessed(ctx context.Context) (*api.Witness, error) {
	above, err := b.node.tiers.WitnessedAbove(ctx)
	if err != nil || above == nil {
		return nil, err
	}
	return &api.Witness{Checkpoints: above.GetCheckpoints(), Life: above.GetIncarnation()}, nil
}

// Vouch tells which node signed a message, by the tree's authority; nil without TLS.
func (b *backend) Vouch() deskaudit.Voucher {
	own := b.node.security.identity
	if own == nil {
		return nil
	}
	return func(certificates [][]byte, message, signature []byte, at time.Time) (string, string, error) {
		return identity.VerifySignature(own.Roots(), certificates, message, signature, at)
	}
}

// denied tells, for operators, of the sites below whose audit logs deny what was signed before.
func denied(r *store.Reader) (told []*apipb.AuditDenial, alarms []string, err error) {
	denials, err := r.AuditDenials()
	for _, c := range denials {
		told = append(told, &apipb.AuditDenial{Site: c.Site, Sequence: uint32(c.Sequence)})
		alarms = append(alarms, fmt.Sprintf(
			"the audit log of %s was rewritten: its checkpoint of entry %d, signed by node %s at %s, denies one that this site keeps; read audit.contradicted in this site's audit log, have %s looked at, and end this alarm with tierdesk audit acknowledge %s --entry %d",
			c.Site, c.Sequence, c.Node, time.UnixMicro(c.Time).UTC().Format(time.RFC3339), c.Site, c.Site, c.Sequence))
	}
	return told, alarms, err
}
