package machine

import (
	"context"
	"sync"

	"github.com/tierdesk/tierdesk/desk"
)

// wakeup keeps those who wait for something to be applied. What it holds is bounded by the neighbours of the site and by
// the log entries on their way.
type wakeup struct {
	mu      *sync.Mutex
	peers   map[desk.SiteID]chan struct{} // guarded by mu: closed when something for the neighbour was written
	indexes map[uint64]chan struct{}      // guarded by mu: closed when the index was applied
}

func newWakeup() wakeup {
	return wakeup{mu: &sync.Mutex{}, peers: map[desk.SiteID]chan struct{}{}, indexes: map[uint64]chan struct{}{}}
}

// Changed returns a channel that is closed when something for the neighbour was written: an item into its outbox, a
// queued hand-over, or an answer from it. It may be closed for nothing. To miss nothing, call it before reading.
func (m *Machine) Changed(peer desk.SiteID) <-chan struct{} {
	m.wakeup.mu.Lock()
	defer m.wakeup.mu.Unlock()
	channel := m.wakeup.peers[peer]
	if channel == nil {
		channel = make(chan struct{})
		m.wakeup.peers[peer] = channel
	}
	return channel
}

// WaitApplied returns when this node has applied the index, or with the context's error.
func (m *Machine) WaitApplied(ctx context.Context, index uint64) error {
	for m.Applied() < index {
		select {
		case <-m.wakeup.reached(index, m.Applied):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// reached returns a channel that is closed when the index was applied, which it may have been already.
func (w *wakeup) reached(index uint64, applied func() uint64) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	channel := w.indexes[index]
	if channel == nil {
		channel = make(chan struct{})
		w.indexes[index] = channel
	}
	// The index may have been applied between the caller's look and the lock; then nobody else closes the channel.
	if applied() >= index {
		delete(w.indexes, index)
		close(channel)
	}
	return channel
}

// applied wakes those who wait for an index up to this one.
func (w *wakeup) applied(index uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for waited, channel := range w.indexes {
		if waited <= index {
			delete(w.indexes, waited)
			close(channel)
		}
	}
}

// changed wakes those who wait for the neighbours.
func (w *wakeup) changed(peers []desk.SiteID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, peer := range peers {
		if channel := w.peers[peer]; channel != nil {
			delete(w.peers, peer)
			close(channel)
		}
	}
}

// watched lists the neighbours that somebody waits for.
func (w *wakeup) watched() []desk.SiteID {
	w.mu.Lock()
	defer w.mu.Unlock()
	peers := make([]desk.SiteID, 0, len(w.peers))
	for peer := range w.peers {
		peers = append(peers, peer)
	}
	return peers
}
