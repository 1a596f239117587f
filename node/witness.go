package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/identity"
	"github.com/tierdesk/tierdesk/store"
)

const (
	// handUpEvery is the time between two looks for checkpoints that the parent does not have yet, and mostHandUpPause the
	// longest pause after the parent has not taken one.
	handUpEvery     = 10 * time.Second
	mostHandUpPause = 10 * time.Minute
	// notePatience bounds the note in this site's log that the parent has a checkpoint.
	notePatience = 5 * time.Second
)

// handing gives the signed checkpoints of this site's audit log to the parent, oldest first, until the parent's log has them.
// The leader does it. What the parent has, nobody at this site can take back.
type handing struct {
	site *site
	self desk.SiteID
	// handUp returns when the parent's log has a checkpoint.
	handUp func(ctx context.Context, c *deskpb.AuditCheckpoint) error
	log    *slog.Logger

	refused complaint // why the parent does not want a checkpoint
}

// keep hands up what there is until the context ends.
func (h *handing) keep(ctx context.Context) {
	wait := handUpEvery
	for sleep(ctx, wait+rand.N(wait/10)) {
		err := h.round(ctx)
		if ctx.Err() != nil {
			return
		}
		h.note(err)
		if wait = min(2*wait, mostHandUpPause); err == nil {
			wait = handUpEvery
		}
	}
}

// round hands up every checkpoint that the parent does not have, while this node leads. It ends at the first that is not taken.
func (h *handing) round(ctx context.Context) error {
	if leading, _, _ := h.site.Leading(); !leading {
		return nil
	}
	waiting, err := h.waiting()
	if err != nil {
		return err
	}
	for _, c := range waiting {
		if err := h.handUp(ctx, c); err != nil {
			return err
		}
		if err := h.handed(ctx, c); err != nil {
			return err
		}
		h.log.Info("the parent keeps a checkpoint of the audit log", "sequence", c.GetSequence())
	}
	return nil
}

// waiting lists the checkpoints that the parent does not have yet, oldest first.
func (h *handing) waiting() (checkpoints []*deskpb.AuditCheckpoint, err error) {
	err = h.site.View(func(r *store.Reader) (err error) {
		checkpoints, err = r.Unwitnessed(h.self)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the checkpoints of the audit log: %w", err)
	}
	return checkpoints, nil
}

// handed has this site's log note that the parent has a checkpoint.
func (h *handing) handed(ctx context.Context, c *deskpb.AuditCheckpoint) error {
	ctx, cancel := context.WithTimeout(ctx, notePatience)
	defer cancel()
	result, err := h.site.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_PutCheckpoint{
		PutCheckpoint: &deskpb.PutCheckpoint{Checkpoint: c, Witnessed: true},
	}})
	if err == nil && result.GetRefusal() != nil {
		err = errors.New(result.GetRefusal().GetMessage())
	}
	if err != nil {
		return fmt.Errorf("note that the parent has checkpoint %d: %w", c.GetSequence(), err)
	}
	return nil
}

// note keeps the parent's refusal for alarms. That the parent does not answer is shown by the link.
func (h *handing) note(err error) {
	sentence := ""
	var refusal *desk.Refusal
	switch {
	case err == nil:
	case errors.As(err, &refusal):
		sentence = "the parent does not take the checkpoints of this site's audit log: " + refusal.Message
	default:
		h.log.Debug("checkpoints of the audit log wait", "reason", err)
		return
	}
	if h.refused.put(sentence) {
		h.log.Error(sentence)
	}
}

// alarms tells of a refusal by the parent.
func (h *handing) alarms() []string {
	if h == nil {
		return nil
	}
	return h.refused.alarms()
}

// checkCheckpoint says what is wrong with the signature of a checkpoint that another site hands up. With TLS it must be that
// of a node of the site; without, only that it fits can be said.
func (n *Node) checkCheckpoint(c *deskpb.AuditCheckpoint) error {
	if n.security.identity == nil {
		return audit.CheckSignature(c, nil)
	}
	roots := n.security.identity.Roots()
	return audit.CheckSignature(c, func(certificates [][]byte, message, signature []byte, at time.Time) (string, string, error) {
		return identity.VerifySignature(roots, certificates, message, signature, at)
	})
}
