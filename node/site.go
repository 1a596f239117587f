package node

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/machine"
	"github.com/tierdesk/tierdesk/replication"
	"github.com/tierdesk/tierdesk/store"
)

// site is the replicated site as one of its nodes reaches it. It is what the links speak for.
type site struct {
	replica *replication.Replica
	store   *store.Store
	machine *machine.Machine
}

// Propose has the site's log decide a command and waits until this node has applied it. A refusal is in the result. The
// errors are those of replication.
func (s *site) Propose(ctx context.Context, c *deskpb.Command) (*deskpb.Result, error) {
	command, err := proto.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode a command: %w", err)
	}
	encoded, index, err := s.replica.Propose(ctx, command)
	if err != nil {
		return nil, err
	}
	if err := s.machine.WaitApplied(ctx, index); err != nil {
		return nil, fmt.Errorf("%w: the log has it at %d, and this node is at %d", replication.ErrUnknownOutcome, index, s.machine.Applied())
	}
	result := &deskpb.Result{}
	if err := proto.Unmarshal(encoded, result); err != nil {
		return nil, fmt.Errorf("decode the result at log index %d: %w", index, err)
	}
	return result, nil
}

// Barrier returns when this node's state has everything that was acknowledged before the call.
func (s *site) Barrier(ctx context.Context) error { return s.replica.Barrier(ctx) }

// View reads this node's state as it is.
func (s *site) View(read func(*store.Reader) error) error { return s.store.View(read) }

// Changed returns a channel that is closed when something for the neighbour was written.
func (s *site) Changed(peer desk.SiteID) <-chan struct{} { return s.machine.Changed(peer) }

// Leading tells whether this node leads the site; the channel is closed when that changes.
func (s *site) Leading() (leading bool, term uint64, changed <-chan struct{}) {
	return s.replica.Leading()
}
