package gossip

import (
	"fmt"
	"log"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
)

const (
	// nameReclaim is how long after a node's death its name may come back at another address.
	nameReclaim = 30 * time.Second
	// leaveTimeout bounds the farewell to a pool, and the telling of something new.
	leaveTimeout = 2 * time.Second
	// packetSize fits the tunnels of wide-area lines, in bytes.
	packetSize = 1200
)

// pool is one neighbourhood: the nodes of the site that the label names and of its children. It implements memberlist's
// delegates, which are called with memberlist's locks held: they only touch the directory.
type pool struct {
	label     string
	self      atomic.Pointer[[]byte] // encoded meta
	directory *directory
	list      *memberlist.Memberlist
}

// newPool starts memberlist on the pipe; without a ring nothing is encrypted. An error leaves nothing running but the pipe.
func newPool(label string, p *pipe, o *Options, ring *memberlist.Keyring, d *directory) (*pool, error) {
	self, err := encodeMeta(o.Self)
	if err != nil {
		return nil, err
	}
	pool := &pool{label: label, directory: d}
	pool.self.Store(&self)
	c := memberlist.DefaultLANConfig()
	c.Name = o.Self.member()
	c.Label, c.SkipInboundLabelCheck = label, true
	c.Transport = p
	c.BindPort, c.AdvertisePort = p.port, p.port
	c.ProbeInterval, c.ProbeTimeout = 2*time.Second, time.Second
	c.UDPBufferSize = packetSize
	c.DeadNodeReclaimTime = nameReclaim
	c.Keyring = ring
	c.Delegate, c.Events, c.Alive, c.Conflict = pool, pool, pool, pool
	c.Logger = log.New(logWriter{o.Logger.With("pool", label)}, "", 0)
	if ring == nil {
		if c.CIDRsAllowed, err = memberlist.ParseCIDRs([]string{"127.0.0.0/8", "::1/128"}); err != nil {
			return nil, err
		}
	}
	if pool.list, err = memberlist.Create(c); err != nil {
		return nil, fmt.Errorf("starting the pool of %s: %w", label, err)
	}
	return pool, nil
}

// leave says farewell, so that the others need not find out, and waits no longer than leaveTimeout.
func (p *pool) leave(logger *slog.Logger) {
	if err := p.list.Leave(leaveTimeout); err != nil {
		logger.Debug("nobody heard the farewell", "pool", p.label, "error", err)
	}
}

// shutdown ends the pool's part of memberlist.
func (p *pool) shutdown(logger *slog.Logger) {
	if err := p.list.Shutdown(); err != nil {
		logger.Info("pool does not shut down", "pool", p.label, "error", err)
	}
}

// NotifyAlive keeps out who is not of this neighbourhood, or does not say who it is, or is one too many.
func (p *pool) NotifyAlive(n *memberlist.Node) error {
	m, err := decodeMeta(n.Name, n.Meta)
	if err != nil {
		return err
	}
	if m.Site != p.label && m.Parent != p.label {
		return fmt.Errorf("site %s with parent %q is not in the neighbourhood of %s", m.Site, m.Parent, p.label)
	}
	return p.directory.admits(n.Name)
}

// NotifyJoin is told of a node that came to life.
func (p *pool) NotifyJoin(n *memberlist.Node) {
	if m, err := decodeMeta(n.Name, n.Meta); err == nil {
		p.directory.heard(p.label, m, n.Address(), time.Now())
	}
}

// NotifyUpdate is told of a node that announces something new.
func (p *pool) NotifyUpdate(n *memberlist.Node) { p.NotifyJoin(n) }

// NotifyLeave is told of a node that left or died.
func (p *pool) NotifyLeave(n *memberlist.Node) { p.directory.left(p.label, n.Name, time.Now()) }

// NotifyConflict is told of two addresses that announce one name.
func (p *pool) NotifyConflict(existing, other *memberlist.Node) {
	p.directory.doubled(p.label, existing.Name, existing.Address(), other.Address(), time.Now())
}

// NodeMeta is this node's announcement.
func (p *pool) NodeMeta(int) []byte { return *p.self.Load() }

// announce tells the pool something new of this node.
func (p *pool) announce(m Member) error {
	self, err := encodeMeta(m)
	if err != nil {
		return err
	}
	p.self.Store(&self)
	return p.list.UpdateNode(leaveTimeout)
}

// NotifyMsg, GetBroadcasts, LocalState and MergeRemoteState are not used: a pool carries nothing but its members.
func (p *pool) NotifyMsg([]byte)                {}
func (p *pool) GetBroadcasts(int, int) [][]byte { return nil }
func (p *pool) LocalState(bool) []byte          { return nil }
func (p *pool) MergeRemoteState([]byte, bool)   {}

// logWriter turns memberlist's lines into records. What it calls an error, an unanswered ping say, is daily life on a
// wide-area line, so nothing is above info.
type logWriter struct{ logger *slog.Logger }

func (w logWriter) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	if quiet, ok := strings.CutPrefix(text, "[DEBUG] "); ok {
		w.logger.Debug(quiet)
	} else {
		w.logger.Info(text)
	}
	return len(line), nil
}
