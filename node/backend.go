package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api"
	"github.com/tierdesk/tierdesk/replication"
	"github.com/tierdesk/tierdesk/store"
)

// backend is the site as programs and pages use it: refusals are errors, and errors carry gRPC codes.
type backend struct {
	site *site
	node *Node
}

// Site is this node's site.
func (b *backend) Site() desk.SiteID { return desk.SiteID(b.node.config.Site.ID) }

// Propose has the site's log decide a command and waits until this node's state has it. What the log refused comes as a
// *desk.Refusal.
func (b *backend) Propose(ctx context.Context, c *deskpb.Command) (*deskpb.Result, error) {
	api.Attribute(ctx, b.node.config.Node.ID, c)
	result, err := b.site.Propose(ctx, c)
	outdated(ctx)
	if err != nil {
		return nil, statusOf(err)
	}
	if r := result.Refusal; r != nil {
		return nil, &desk.Refusal{Code: desk.Code(r.Code), Message: r.Message, Field: r.Field, Reason: r.Reason}
	}
	return result, nil
}

// Read reads this node's state: the latest, or with stale whatever this node has.
func (b *backend) Read(ctx context.Context, stale bool, read func(*store.Reader) error) error {
	if !stale {
		if err := latest(ctx, b.site.Barrier); err != nil {
			return statusOf(err)
		}
	}
	return b.site.View(read)
}

// PeopleVersion changes after every change of a user or a session in this node's state.
func (b *backend) PeopleVersion() uint64 { return b.node.store.PeopleVersion() }

// TransferLeadership hands the lead of the site to a node, or for "" to whichever voter is furthest.
func (b *backend) TransferLeadership(ctx context.Context, node string) error {
	serverID := ""
	if node != "" {
		var err error
		if serverID, err = b.serverOf(node); err != nil {
			return err
		}
	}
	return b.atLeader(func(r *replication.Replica) error { return r.TransferLeadership(ctx, serverID) },
		func(address string) error { return b.node.peers.TransferLeadership(ctx, address, serverID) })
}

// RemoveNode takes a node that is gone for good out of the site's group and out of the directory. A node that leads hands
// the lead over first.
func (b *backend) RemoveNode(ctx context.Context, node string) error {
	serverID, err := b.serverOf(node)
	if err != nil {
		return err
	}
	if len(b.site.replica.Status().Members) == 1 {
		return desk.Refuse(desk.FailedPrecondition, "LAST_NODE", "%s is the only node of site %s; there must be one", node, b.Site())
	}
	ctx, cancel := context.WithTimeout(ctx, removePatience)
	defer cancel()
	for {
		err := b.removeServer(ctx, serverID)
		if err == nil {
			break
		}
		if !errors.Is(err, replication.ErrNotLeader) && !errors.Is(err, replication.ErrUnreachable) {
			return statusOf(err)
		}
		select {
		case <-time.After(removePause):
		case <-ctx.Done():
			return statusOf(err)
		}
	}
	if serverID == b.site.replica.Status().Self {
		return nil // this node has no site to tell any more; the leader tidies the directory
	}
	_, err = b.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_RemoveNode{RemoveNode: &deskpb.RemoveNode{ServerId: serverID}}})
	return err
}

const (
	removePatience = 10 * time.Second       // for a node to be removed, an election included
	removePause    = 100 * time.Millisecond // between two tries
)

// removeServer makes one try. After ErrNotLeader and ErrUnreachable nothing was done: another one may lead soon.
func (b *backend) removeServer(ctx context.Context, serverID string) error {
	r := b.site.replica
	leading, _, _ := b.site.Leading()
	status := r.Status()
	switch {
	case leading && serverID == status.Self:
		if err := r.TransferLeadership(ctx, ""); err != nil {
			return err
		}
		return replication.ErrNotLeader
	case leading:
		return r.Remove(ctx, serverID)
	case status.Leader == "" || status.Leader == status.Self:
		return replication.ErrNotLeader
	case status.Leader == serverID:
		if err := b.node.peers.TransferLeadership(ctx, b.node.addressOf(serverID), ""); err != nil {
			return err
		}
		return replication.ErrNotLeader
	default:
		return b.node.peers.Remove(ctx, b.node.addressOf(status.Leader), serverID)
	}
}

// serverOf finds the member that a node id, or a server id, names. A node whose disk was replaced may be there twice;
// then only the server id says which.
func (b *backend) serverOf(node string) (string, error) {
	var found, all []string
	for _, m := range b.site.replica.Status().Members {
		if m.ID == node {
			return m.ID, nil
		}
		if nodeOf(m.ID) == node {
			found = append(found, m.ID)
		}
		all = append(all, nodeOf(m.ID))
	}
	switch len(found) {
	case 0:
		return "", desk.Refuse(desk.NotFound, "NODE_NOT_FOUND", "site %s has no node %q; it has %s", b.Site(), node, strings.Join(all, ", "))
	case 1:
		return found[0], nil
	default:
		return "", desk.Refuse(desk.FailedPrecondition, "NODE_AMBIGUOUS", "node %s is there as %s; name one of them", node, strings.Join(found, " and "))
	}
}

// nodeOf is the node id in a server id: all before the last hyphen.
func nodeOf(serverID string) string {
	if i := strings.LastIndexByte(serverID, '-'); i > 0 {
		return serverID[:i]
	}
	return serverID
}

// atLeader does what only the leader can, here or at its address.
func (b *backend) atLeader(here func(*replication.Replica) error, there func(address string) error) error {
	if leading, _, _ := b.site.Leading(); leading {
		return statusOf(here(b.site.replica))
	}
	leader := b.site.replica.Status().Leader
	if leader == "" {
		return statusOf(replication.ErrNoQuorum)
	}
	return statusOf(there(b.node.addressOf(leader)))
}

// statusOf gives an error of replication its gRPC code and a reason for programs.
func statusOf(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, replication.ErrUnknownOutcome), errors.Is(err, context.DeadlineExceeded):
		return reasoned(codes.DeadlineExceeded, "OUTCOME_UNKNOWN", err)
	case errors.Is(err, context.Canceled):
		return status.FromContextError(err).Err()
	case errors.Is(err, replication.ErrOverloaded):
		return reasoned(codes.ResourceExhausted, "OVERLOADED", err)
	case errors.Is(err, replication.ErrNoRoom):
		return reasoned(codes.ResourceExhausted, "DISK_FULL", err)
	case errors.Is(err, replication.ErrNoQuorum), errors.Is(err, replication.ErrNotLeader), errors.Is(err, replication.ErrUnreachable):
		return reasoned(codes.Unavailable, "NO_LEADER", err)
	case errors.Is(err, replication.ErrRefused):
		return reasoned(codes.FailedPrecondition, "REFUSED", err)
	default:
		return fmt.Errorf("ask the site's log: %w", err)
	}
}

func reasoned(code codes.Code, reason string, err error) error {
	st := status.New(code, err.Error())
	detailed, detailErr := st.WithDetails(&errdetails.ErrorInfo{Reason: reason, Domain: "tierdesk"})
	if detailErr != nil {
		return st.Err()
	}
	return detailed.Err()
}
