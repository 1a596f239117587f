package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

const (
	// A checkpoint is due when there is a new entry and the last one is this old, or when there are so many new ones.
	checkpointAge     = time.Hour
	checkpointEntries = 1000
	// keeperPause lies between two looks.
	keeperPause = 5 * time.Second
)

// Site is the replicated site whose audit log is signed.
type Site interface {
	// Propose has the site's log decide a command. A refusal is in the result.
	Propose(ctx context.Context, c *deskpb.Command) (*deskpb.Result, error)
	// View reads this node's state.
	View(read func(*store.Reader) error) error
	// Leading tells whether this node leads; the channel is closed when that changes.
	Leading() (leading bool, term uint64, changed <-chan struct{})
}

// Signature is what proves that a node has signed: certificates in DER, or without TLS a public key in PKIX form.
type Signature struct {
	Certificates [][]byte
	PublicKey    []byte
	Signature    []byte
}

// Keeper signs checkpoints on the site's audit log while its node leads. Run is called once.
type Keeper struct {
	Site   Site
	SiteID desk.SiteID
	Node   string
	Sign   func(message []byte) (Signature, error)
	Now    func() time.Time
	Logger *slog.Logger

	trouble string // why the last look failed, Run's alone; it is logged when it is another one than before
}

// Run looks after the checkpoints until the context ends; when there is something new then, it signs once more.
func (k *Keeper) Run(ctx context.Context) {
	for {
		leading, _, changed := k.Site.Leading()
		var pause <-chan time.Time
		if leading {
			k.look(ctx, flushPatience, checkpointAge)
			pause = time.After(keeperPause)
		}
		select {
		case <-ctx.Done():
			if leading, _, _ := k.Site.Leading(); leading {
				k.look(context.WithoutCancel(ctx), lastPatience, 0)
			}
			return
		case <-changed:
		case <-pause:
		}
	}
}

// look signs a checkpoint when one is due, by one of that age.
func (k *Keeper) look(ctx context.Context, patience, age time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var c *deskpb.AuditCheckpoint
	err := k.Site.View(func(r *store.Reader) (err error) {
		c, err = k.due(r, age)
		return err
	})
	if err == nil && c != nil {
		err = k.put(ctx, c)
	}
	switch {
	case err == nil:
		k.trouble = ""
	case ctx.Err() == nil && err.Error() != k.trouble:
		k.trouble = err.Error()
		k.Logger.Warn("cannot sign the audit log", "error", err)
	}
}

// due is the checkpoint that should be signed now, nil for none.
func (k *Keeper) due(r *store.Reader, age time.Duration) (*deskpb.AuditCheckpoint, error) {
	sequence, hash, err := r.AuditStanding()
	if err != nil || sequence == 0 {
		return nil, err
	}
	kept, err := r.Checkpoints(k.SiteID, 1)
	if err != nil {
		return nil, err
	}
	now := k.Now()
	if len(kept) > 0 {
		last := kept[0].Checkpoint
		fresh := sequence - last.GetSequence()
		if fresh == 0 || fresh < checkpointEntries && now.Sub(time.UnixMicro(last.GetTime())) < age {
			return nil, nil
		}
	}
	rows, err := r.AuditEntries(sequence-1, 1)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || rows[0].Sequence != sequence || string(audit.Hash(rows[0].Raw)) != string(hash) {
		return nil, fmt.Errorf("entry %d, the last one, is not the one that was written; run tierdesk audit verify", sequence)
	}
	e, err := audit.Decode(rows[0].Raw)
	if err != nil {
		return nil, err
	}
	return &deskpb.AuditCheckpoint{
		Site: string(k.SiteID), Incarnation: e.Incarnation, Node: k.Node, Time: now.UnixMicro(), Sequence: sequence, Hash: hash,
	}, nil
}

func (k *Keeper) put(ctx context.Context, c *deskpb.AuditCheckpoint) error {
	message, err := audit.CheckpointBytes(c)
	if err != nil {
		return err
	}
	signature, err := k.Sign(message)
	if err != nil {
		return fmt.Errorf("sign checkpoint %d: %w", c.Sequence, err)
	}
	c.Certificates, c.PublicKey, c.Signature = signature.Certificates, signature.PublicKey, signature.Signature
	result, err := k.Site.Propose(ctx, &deskpb.Command{
		Kind: &deskpb.Command_PutCheckpoint{PutCheckpoint: &deskpb.PutCheckpoint{Checkpoint: c}}, Node: k.Node,
	})
	switch {
	case err != nil:
		return fmt.Errorf("keep checkpoint %d: %w", c.Sequence, err)
	case result.GetRefusal() != nil:
		return errors.New(result.GetRefusal().GetMessage())
	}
	k.Logger.Debug("signed the audit log", "entry", c.Sequence)
	return nil
}
