package replication

import (
	"io"
	"time"

	"github.com/hashicorp/raft"
)

// transport is Raft's own network transport with three changes. Heartbeats go through Raft's main loop: handled beside
// it they change term and state under its feet. The server's id travels with each address. What followers acknowledge
// is kept for read proofs and for admission. The log keeps what a server needs after its checkpoint.
type transport struct {
	*raft.NetworkTransport
	contacts *contacts
	holds    *retention
}

var (
	_ raft.Transport   = (*transport)(nil)
	_ raft.WithPreVote = (*transport)(nil)
	_ raft.WithClose   = (*transport)(nil)
)

func newTransport(s *stream, timeout time.Duration, holds *retention) *transport {
	t := &transport{
		NetworkTransport: raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
			Stream:  s,
			MaxPool: 3,
			// More than one in flight can block the pipeline for ever.
			MaxRPCsInFlight: 1,
			Timeout:         timeout,
			Logger:          raftLogger(s.logger),
		}),
		contacts: newContacts(),
		holds:    holds,
	}
	holds.matched = func(id raft.ServerID) uint64 { return t.contacts.get(id).match }
	return t
}

// pinned is an address as stream.Dial wants it.
func pinned(id raft.ServerID, address raft.ServerAddress) raft.ServerAddress {
	return raft.ServerAddress(id) + "@" + address
}

// SetHeartbeatHandler does nothing, so that heartbeats are consumed like everything else.
func (t *transport) SetHeartbeatHandler(func(raft.RPC)) {}

func (t *transport) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	sent := t.contacts.tick()
	err := t.NetworkTransport.AppendEntries(id, pinned(id, target), args, resp)
	if err == nil && resp.Success && resp.Term == args.Term {
		t.contacts.acknowledged(id, sent, args)
	}
	return err
}

func (t *transport) RequestVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	return t.NetworkTransport.RequestVote(id, pinned(id, target), args, resp)
}

func (t *transport) RequestPreVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	return t.NetworkTransport.RequestPreVote(id, pinned(id, target), args, resp)
}

func (t *transport) TimeoutNow(id raft.ServerID, target raft.ServerAddress, args *raft.TimeoutNowRequest, resp *raft.TimeoutNowResponse) error {
	return t.NetworkTransport.TimeoutNow(id, pinned(id, target), args, resp)
}

func (t *transport) InstallSnapshot(id raft.ServerID, target raft.ServerAddress, args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	t.holds.begin(id, args.LastLogIndex)
	err := t.NetworkTransport.InstallSnapshot(id, pinned(id, target), args, resp, data)
	t.holds.finish(id, err == nil && resp.Success)
	return err
}
