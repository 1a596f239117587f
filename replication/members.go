package replication

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
		if r.answers(old.ID) || r.leadership.lasts() < silence {
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

// answers tells whether a server acknowledged something lately, as the leader sees it.
func (r *Replica) answers(id raft.ServerID) bool {
	return string(id) == r.self.ID || time.Since(r.transport.contacts.get(id).at) < silence
}

// remain returns the voters that a group without the server has, and those of them that do not answer.
func (r *Replica) remain(without raft.ServerID) (left, dead []raft.ServerID) {
	for _, id := range r.voters() {
		if id == without {
			continue
		}
		left = append(left, id)
		if !r.answers(id) {
			dead = append(dead, id)
		}
	}
	return left, dead
}

// Remove takes a server out, on the leader only. It may be the leader itself, which then steps down. It is refused when
// the rest would have no majority that answers.
func (r *Replica) Remove(ctx context.Context, serverID string) error {
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	if _, leads := r.leads(); !leads {
		return ErrNotLeader
	}
	member, ok := findServer(r.servers(), serverID)
	if !ok {
		return fmt.Errorf("remove server %q: %w: it is not a member", serverID, ErrRefused)
	}
	if member.Suffrage == raft.Voter {
		if err := r.spare(ctx, member.ID); err != nil {
			return err
		}
	}
	return wrapChange("remove", serverID, r.change(ctx, func() raft.IndexFuture {
		return r.raft.RemoveServer(raft.ServerID(serverID), 0, changeTime)
	}))
}

// spare returns when the group can do without a voter: a majority of the others answers. A leader that has only just begun
// waits until it can have heard of them.
func (r *Replica) spare(ctx context.Context, id raft.ServerID) error {
	check := time.NewTicker(admissionCheck)
	defer check.Stop()
	for {
		left, dead := r.remain(id)
		if len(left)-len(dead) > len(left)/2 {
			return nil
		}
		_, leads := r.leads()
		switch {
		case !leads:
			return ErrNotLeader
		case len(left) == 0:
			return fmt.Errorf("remove server %q: %w: it is the only voter", id, ErrRefused)
		case r.leadership.lasts() >= silence:
			return fmt.Errorf("remove server %q: %w: of the %d voters left only %d would answer, which is no majority; start %s or "+
				"remove it first", id, ErrRefused, len(left), len(left)-len(dead), joinIDs(dead))
		}
		select {
		case <-check.C:
		case <-ctx.Done():
			return fmt.Errorf("remove server %q: %w: %v", id, ErrNoQuorum, context.Cause(ctx))
		}
	}
}

// RemoveSilent takes out one voter that has been silent for so long under this leader, on the leader only, and returns its
// id, "" when there is none to take out. At least two voters must be left, and all of them must answer: a group with two
// silent voters keeps both, because it cannot tell which one is missed less.
func (r *Replica) RemoveSilent(ctx context.Context, silentFor time.Duration) (serverID string, err error) {
	led := r.leadership.lasts()
	if led < silentFor {
		return "", nil
	}
	for _, id := range r.voters() {
		if heard := r.transport.contacts.get(id).at; string(id) == r.self.ID || time.Since(heard) < silentFor {
			continue
		}
		if left, dead := r.remain(id); len(left) < 2 || len(dead) > 0 {
			return "", nil
		}
		if err := r.Remove(ctx, string(id)); err != nil {
			return "", err
		}
		r.logger.Warn("a server that was silent for too long was taken out", "server", string(id), "silent for", silentFor)
		return string(id), nil
	}
	return "", nil
}

func joinIDs(ids []raft.ServerID) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = string(id)
	}
	return strings.Join(words, " and ")
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
