package tiers

import (
	"context"
	"fmt"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// Witness keeps a checkpoint of a child's audit log. Its answer says that this site's log has it. One that contradicts what
// is kept already is refused by the log, and raises an alarm here: somebody has rewritten what was signed.
func (t *Tiers) Witness(ctx context.Context, r *linkpb.WitnessRequest) (*linkpb.WitnessResponse, error) {
	if err := t.witness(ctx, r.GetCheckpoint()); err != nil {
		return nil, t.refuse(ctx, err)
	}
	return &linkpb.WitnessResponse{}, nil
}

func (t *Tiers) witness(ctx context.Context, c *deskpb.AuditCheckpoint) error {
	child := desk.SiteID(c.GetSite())
	if err := t.admitWitness(ctx, child); err != nil {
		return err
	}
	if err := t.o.CheckCheckpoint(c); err != nil {
		return desk.Refuse(desk.InvalidArgument, "BAD_SIGNATURE", "checkpoint %d of %s: %v", c.GetSequence(), child, err)
	}
	ctx, cancel := context.WithTimeout(ctx, t.pace.propose)
	defer cancel()
	command := &deskpb.Command{Kind: &deskpb.Command_PutCheckpoint{PutCheckpoint: &deskpb.PutCheckpoint{Checkpoint: c}}}
	result, err := t.o.Site.Propose(ctx, command)
	if err != nil {
		return fmt.Errorf("keep checkpoint %d of %s: %w", c.GetSequence(), child, err)
	}
	if refusal := result.GetRefusal(); refusal != nil {
		t.board.alarm(child, refusal.Message)
		return desk.Refuse(desk.Code(refusal.Code), refusal.Reason, "%s", refusal.Message)
	}
	return nil
}

// Witnessed gives a child back what this site keeps of its checkpoints, oldest first, and which life of the child it has accepted, so
// that the child can hold its own log against both.
func (t *Tiers) Witnessed(ctx context.Context, r *linkpb.WitnessedRequest) (*linkpb.WitnessedResponse, error) {
	child, answer := desk.SiteID(r.GetSite()), &linkpb.WitnessedResponse{}
	err := t.admitWitness(ctx, child)
	if err == nil {
		err = t.barrier(ctx)
	}
	if err == nil {
		err = t.o.Site.View(func(reader *store.Reader) error {
			kept, err := reader.Checkpoints(child, store.MostCheckpoints)
			for _, c := range slices.Backward(kept) {
				answer.Checkpoints = append(answer.Checkpoints, c.Checkpoint)
			}
			if err != nil {
				return err
			}
			link, err := reader.Link(child)
			answer.Incarnation = link.GetPeerIncarnation()
			return err
		})
	}
	if err != nil {
		return nil, t.refuse(ctx, err)
	}
	return answer, nil
}

// admitWitness lets a direct child through that speaks for itself: by its certificate where there is TLS, and by the
// directory.
func (t *Tiers) admitWitness(ctx context.Context, child desk.SiteID) error {
	if err := t.speaksFor(ctx, string(child)); err != nil {
		return err
	}
	where, through, err := t.locate(child)
	switch {
	case err != nil:
		return fmt.Errorf("%s cannot tell now where %.64q stands: %w", t.o.SiteID, child, err)
	case where != below || through != child:
		return denied("%.64q is no child of %s", child, t.o.SiteID)
	}
	return nil
}

// HandUp gives a checkpoint of this site's audit log to the parent. Without an error the parent's log has it. A *desk.Refusal
// says that the parent does not take it; any other error, that there was no answer.
func (t *Tiers) HandUp(ctx context.Context, c *deskpb.AuditCheckpoint) error {
	ctx, cancel := context.WithTimeout(ctx, t.pace.propose)
	defer cancel()
	_, err := askEach(ctx, t, t.wayUp(), func(ctx context.Context, client linkpb.LinkClient) (*linkpb.WitnessResponse, error) {
		return client.Witness(ctx, &linkpb.WitnessRequest{Checkpoint: c})
	})
	if err != nil {
		return fmt.Errorf("hand checkpoint %d up: %w", c.GetSequence(), err)
	}
	return nil
}

// WitnessedAbove returns the checkpoints of this site that the parent keeps, oldest first, and the life of this site that it has accepted;
// nil at the province. Its errors are those of HandUp.
func (t *Tiers) WitnessedAbove(ctx context.Context) (*linkpb.WitnessedResponse, error) {
	to := t.wayUp()
	if to.site == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, t.pace.propose)
	defer cancel()
	answer, err := askEach(ctx, t, to, func(ctx context.Context, client linkpb.LinkClient) (*linkpb.WitnessedResponse, error) {
		return client.Witnessed(ctx, &linkpb.WitnessedRequest{Site: string(t.o.SiteID)})
	})
	if err != nil {
		return nil, fmt.Errorf("ask for the checkpoints that the parent keeps: %w", err)
	}
	return answer, nil
}
