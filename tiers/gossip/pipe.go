package gossip

import (
	"net"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// packetQueue is how many packets wait for a pool; more are lost, as UDP may.
const packetQueue = 256

// pipe is one pool's share of the socket: what arrives under its label comes out here without it. What the pool sends
// has its label already, because memberlist puts it in front of every transport when its Config has a Label; taking it
// off on the way in is then ours, which Config.SkipInboundLabelCheck says.
type pipe struct {
	socket  *socket
	ip      net.IP // advertised with port
	port    int
	packets chan *memberlist.Packet
	streams chan net.Conn

	shutdown sync.Once
	done     chan struct{}
}

var _ memberlist.Transport = (*pipe)(nil)

func newPipe(s *socket, ip net.IP, port int) *pipe {
	return &pipe{
		socket: s, ip: ip, port: port,
		packets: make(chan *memberlist.Packet, packetQueue),
		streams: make(chan net.Conn),
		done:    make(chan struct{}),
	}
}

// packet hands over one packet or loses it; it never waits, so that a busy pool does not hold up the others.
func (p *pipe) packet(packet *memberlist.Packet) {
	select {
	case p.packets <- packet:
	default:
	}
}

// stream hands over one stream, or closes it when the pool is shut down.
func (p *pipe) stream(conn net.Conn) {
	select {
	case p.streams <- conn:
	case <-p.done:
		_ = conn.Close()
	}
}

// FinalAdvertiseAddr returns the address that was settled before the pool was made.
func (p *pipe) FinalAdvertiseAddr(string, int) (net.IP, int, error) { return p.ip, p.port, nil }

// WriteTo sends one packet.
func (p *pipe) WriteTo(packet []byte, address string) (time.Time, error) {
	return p.socket.send(packet, address)
}

// PacketCh delivers the packets of this pool.
func (p *pipe) PacketCh() <-chan *memberlist.Packet { return p.packets }

// DialTimeout opens a stream.
func (p *pipe) DialTimeout(address string, timeout time.Duration) (net.Conn, error) {
	return p.socket.dial(address, timeout)
}

// StreamCh delivers the streams of this pool.
func (p *pipe) StreamCh() <-chan net.Conn { return p.streams }

// Shutdown ends this pool's share; the socket stays open for the others.
func (p *pipe) Shutdown() error {
	p.shutdown.Do(func() { close(p.done) })
	return nil
}
