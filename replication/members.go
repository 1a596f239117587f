package replication

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"
)

const (
	closeEnough    = 256 // entries that a server's log may lack when it gets its vote
	admissionCheck = 20 * time.Millisecond
	silence        = 3 * time.Second // without an answer, an address may go to another server
	changeTime     = 5 * time.Second // to hand a change of members to Raft
)

// servers are the members as this server's log has them, committed or not.
func (r *Replica) servers() []raft.Server {
	return r.raft.GetConfiguration().Configuration().Servers
}

func (r *Replica) voters() []raft.ServerID {
	var voters []raft.ServerID
	for _, s := range r.servers() {
		if s.Suffrage == raft.Voter {
			voters = append(voters, s.ID)
		}
	}
	return voters
}

func findServer(servers []raft.Server, id string) (raft.Server, bool) {
	for _, s := range servers {
		if string(s.ID) == id {
			return s, true
		}
	}
	return raft.Server{}, false
}

// Admit takes a server in, on the leader only: without a vote until its log is close to the leader's, then with one. A
// known id with another address moves there. A server at the address of another one takes its place, because that one's
// disk was wiped; while the old one still answers this is refused. When the context ends before the server is a voter, it
// stays without a vote; a repeated call goes on.
func (r *Replica) Admit(ctx context.Context, s Server) error {
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	if s.ID == "" || s.Raft == "" || s.GRPC == "" {
		return fmt.Errorf("admit server %q: %w: its raft address is %q and its grpc address %q", s.ID, ErrRefused, s.Raft, s.GRPC)
	}
	if _, leads := r.leads(); !leads {
		return ErrNotLeader
	}
	r.roster.meet(s)
	id, address := raft.ServerID(s.ID), raft.ServerAddress(s.Raft)
	member, known := findServer(r.servers(), s.ID)
	voter := known && member.Suffrage == raft.Voter
	if voter && member.Address == address {
		return nil
	}
	if err := r.vacate(ctx, id, address); err != nil {
		return err
	}
	if !known || member.Address != address { // of a voter this changes the address alone
		err := r.change(ctx, func() raft.IndexFuture { return r.raft.AddNonvoter(id, address, 0, changeTime) })
		if err != nil || voter {
			return wrapChange("admit", s.ID, err)
		}
	}
	if err := r.caughtUp(ctx, id); err != nil {
		return err
	}
	return wrapChange("admit", s.ID, r.change(ctx, func() raft.IndexFuture { return r.raft.AddVoter(id, address, 0, changeTime) }))
}

// vacate takes out another server that has the address.
func (r *Replica) vacate(ctx context.Context, id raft.ServerID, address raft.ServerAddress) error {
	for _, old := range r.servers() {
		if old.Address != address || old.ID == id {
			continue
		}
		heard := time.Since(r.transport.contacts.get(old.ID).at)
		if string(old.ID) == r.self.ID || heard < silence {
			return fmt.Errorf("admit server %s: server %s answers at %s; give one of them another raft address", id, old.ID, address)
		}
		r.logger.Warn("a server takes the place of another at the same address", "server", string(id), "old", string(old.ID), "address", string(address))
		if err := r.change(ctx, func() raft.IndexFuture { return r.raft.RemoveServer(old.ID, 0, changeTime) }); err != nil {
			return wrapChange("remove", string(old.ID), err)
		}
	}
	return nil
}

// caughtUp waits until the server's log is close to the leader's.
func (r *Replica) caughtUp(ctx context.Context, id raft.ServerID) error {
	check := time.NewTicker(admissionCheck)
	defer check.Stop()
	for {
		term, leads := r.leads()
		if !leads {
			return ErrNotLeader
		}
		contact, last := r.transport.contacts.get(id), r.raft.LastIndex()
		if contact.term == term && contact.match+closeEnough >= last {
			return nil
		}
		select {
		case <-check.C:
		case <-ctx.Done():
			return fmt.Errorf("admit server %s: its log is at %d of %d: %w", id, contact.match, last, context.Cause(ctx))
		}
	}
}

// Remove takes a server out, on the leader only. It may be the leader itself, which then steps down.
func (r *Replica) Remove(ctx context.Context, serverID string) error {
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	if _, leads := r.leads(); !leads {
		return ErrNotLeader
	}
	if _, ok := findServer(r.servers(), serverID); !ok {
		return fmt.Errorf("remove server %q: %w: it is not a member", serverID, ErrRefused)
	}
	return wrapChange("remove", serverID, r.change(ctx, func() raft.IndexFuture {
		return r.raft.RemoveServer(raft.ServerID(serverID), 0, changeTime)
	}))
}

// change waits for a change of members to be committed and applied.
func (r *Replica) change(ctx context.Context, start func() raft.IndexFuture) error {
	return r.await(ctx, func() error { return start().Error() })
}

func wrapChange(what, id string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(fromRaft(err), ErrNotLeader) {
		err = fromRaft(err)
	}
	return fmt.Errorf("%s server %s: %w", what, id, err)
}

// TransferLeadership hands the lead to a voter; with an empty id, to the one whose log is furthest. Leader only.
func (r *Replica) TransferLeadership(ctx context.Context, serverID string) error {
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	if _, leads := r.leads(); !leads {
		return ErrNotLeader
	}
	if serverID == r.self.ID {
		return nil
	}
	if serverID == "" && len(r.voters()) < 2 {
		return fmt.Errorf("transfer leadership: %w: there is no other voter", ErrRefused)
	}
	start := r.raft.LeadershipTransfer
	if serverID != "" {
		to, ok := findServer(r.servers(), serverID)
		if !ok || to.Suffrage != raft.Voter {
			return fmt.Errorf("transfer leadership to %q: %w: it is not a voter", serverID, ErrRefused)
		}
		start = func() raft.Future { return r.raft.LeadershipTransferToServer(to.ID, to.Address) }
	}
	return wrapChange("transfer leadership to", serverID, r.await(ctx, func() error { return start().Error() }))
}
