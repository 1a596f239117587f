package machine

import (
	"sync"

	"github.com/tierdesk/tierdesk/desk"
)

// wakeup keeps those who wait for something to be written. What it holds is bounded by the neighbours of the site.
type wakeup struct {
	mu    *sync.Mutex
	peers map[desk.SiteID]chan struct{} // guarded by mu: closed when something for the neighbour was written
}

func newWakeup() wakeup {
	return wakeup{mu: &sync.Mutex{}, peers: map[desk.SiteID]chan struct{}{}}
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
