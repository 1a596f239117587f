package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

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
	room    func() error // why this node takes no commands, nil when it does
}

// Propose has the site's log decide a command. A refusal is in the result. The errors are those of replication; when the
// outcome of a command that may be repeated is unknown, it is proposed again while there is time. The state of a node that
// does not lead may have it a moment later; a read behind a barrier sees it.
func (s *site) Propose(ctx context.Context, c *deskpb.Command) (*deskpb.Result, error) {
	if err := s.room(); err != nil {
		return nil, err
	}
	command, err := proto.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode a command: %w", err)
	}
	encoded, err := persist(ctx, repeatable(c), func() ([]byte, error) {
		encoded, _, err := s.replica.Propose(ctx, command)
		return encoded, err
	})
	if err != nil {
		return nil, err
	}
	result := &deskpb.Result{}
	if err := proto.Unmarshal(encoded, result); err != nil {
		return nil, fmt.Errorf("decode a result: %w", err)
	}
	return result, nil
}

const (
	mostRepeats = 8                     // of one command, after as many leaders
	repeatPause = 20 * time.Millisecond // between two tries
)

// persist tries once, and again as long as the outcome is unknown, when that does no harm. When a later try fails for
// certain, an earlier one may still have done it: then the first error is returned.
func persist(ctx context.Context, again bool, try func() ([]byte, error)) ([]byte, error) {
	var unknown error
	for range mostRepeats {
		encoded, err := try()
		if err == nil {
			return encoded, nil
		}
		if !errors.Is(err, replication.ErrUnknownOutcome) {
			return nil, cmp.Or(unknown, err)
		}
		if unknown = cmp.Or(unknown, err); !again {
			break
		}
		select {
		case <-time.After(repeatPause):
		case <-ctx.Done():
			return nil, unknown
		}
	}
	return nil, unknown
}

// repeatable tells whether a command that is applied twice has one effect and the same answer: a change of a ticket by its
// request id, what comes over links by its place in the stream, and what only says how things are.
func repeatable(c *deskpb.Command) bool {
	switch k := c.Kind.(type) {
	case *deskpb.Command_Ticket:
		return k.Ticket.GetRequest().GetId() != ""
	case *deskpb.Command_Receive, *deskpb.Command_Acknowledge, *deskpb.Command_RegisterNode, *deskpb.Command_RemoveNode,
		*deskpb.Command_OpenSession, *deskpb.Command_CloseSession, *deskpb.Command_AdmitPeer, *deskpb.Command_Reincarnate,
		*deskpb.Command_Freeze, *deskpb.Command_Unite, *deskpb.Command_Settle, *deskpb.Command_Revisit, *deskpb.Command_RetryParked,
		*deskpb.Command_PutChunk, *deskpb.Command_DropBlob:
		return true
	default:
		return false
	}
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
