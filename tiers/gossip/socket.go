package gossip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
	"golang.org/x/net/netutil"
)

const (
	// maxStreams bounds the streams that others have open here at once; more wait in the kernel's queue.
	maxStreams = 128
	// labelTimeout is how long a stream may take to say which pool it wants.
	labelTimeout = 5 * time.Second
	// bindAttempts is how often a free port is tried that has to be free for both TCP and UDP.
	bindAttempts = 16
	// errorPause keeps a failing socket from spinning.
	errorPause = 50 * time.Millisecond
	// largestPacket is the most that UDP can carry.
	largestPacket = 64 << 10
)

var errCut = errors.New("the line is cut")

// socket is the one TCP and UDP address of a node. It sorts what arrives by the label in front: each pool has one, and
// memberlist writes it in clear before the cipher text of every packet and stream, so that it can be read here without
// the key. It is not to be believed here either: memberlist authenticates it as associated data of the encryption, and
// a packet whose label was changed on the way does not decrypt. What has no label of ours is dropped.
type socket struct {
	tcp    net.Listener // at most maxStreams accepted at once
	udp    *net.UDPConn
	pipes  map[string]*pipe // by label, complete before serve
	drop   func(net.Addr) bool
	logger *slog.Logger

	work sync.WaitGroup // every goroutine of the socket

	mu     sync.Mutex // guards open, closed
	open   map[*func()]struct{}
	closed bool
}

// listen binds the address for TCP and UDP. Port 0 takes one port that is free for both.
func listen(address string, drop func(net.Addr) bool, logger *slog.Logger) (*socket, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		tcp, err := net.Listen("tcp", address)
		if err != nil {
			return nil, err
		}
		bound := net.JoinHostPort(host, strconv.Itoa(tcp.Addr().(*net.TCPAddr).Port))
		udp, err := net.ListenPacket("udp", bound)
		if err == nil {
			return &socket{
				tcp: netutil.LimitListener(tcp, maxStreams), udp: udp.(*net.UDPConn),
				pipes: map[string]*pipe{}, drop: drop, logger: logger, open: map[*func()]struct{}{},
			}, nil
		}
		_ = tcp.Close()
		if port != "0" || attempt == bindAttempts {
			return nil, err
		}
	}
}

// port is the port that was bound.
func (s *socket) port() int { return s.tcp.Addr().(*net.TCPAddr).Port }

// serve begins to sort what arrives.
func (s *socket) serve() {
	s.work.Go(s.acceptStreams)
	s.work.Go(s.readPackets)
}

// close ends every stream and dial under way, and waits for the goroutines of the socket.
func (s *socket) close() {
	s.mu.Lock()
	s.closed = true
	for end := range s.open {
		(*end)()
	}
	s.mu.Unlock()
	for _, p := range s.pipes {
		_ = p.Shutdown()
	}
	_ = s.tcp.Close()
	_ = s.udp.Close()
	s.work.Wait()
}

// hold keeps something that close has to end. The caller releases it when it is over; end must not call release.
func (s *socket) hold(end func()) (release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, net.ErrClosed
	}
	s.open[&end] = struct{}{}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, &end)
	}, nil
}

// stream is a connection that the socket ends when it closes.
type stream struct {
	net.Conn
	release func()
}

func (s *stream) Close() error {
	s.release()
	return s.Conn.Close()
}

// keep takes charge of a connection; on an error it is closed.
func (s *socket) keep(conn net.Conn) (net.Conn, error) {
	release, err := s.hold(func() { _ = conn.Close() })
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &stream{conn, release}, nil
}

func (s *socket) acceptStreams() {
	for {
		conn, err := s.tcp.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.logger.Info("gossip does not accept a stream", "error", err)
			time.Sleep(errorPause)
			continue
		}
		s.work.Go(func() { s.sortStream(conn) })
	}
}

// sortStream reads the label and hands the rest to its pool, which closes it.
func (s *socket) sortStream(accepted net.Conn) {
	conn, err := s.keep(accepted)
	if err != nil {
		return
	}
	if s.drop(conn.RemoteAddr()) {
		_ = conn.Close()
		return
	}
	_ = conn.SetReadDeadline(time.Now().Add(labelTimeout)) // its failure is the failure of the read
	rest, label, err := memberlist.RemoveLabelHeaderFromStream(conn)
	p := s.pipes[label]
	if err != nil || p == nil {
		s.logger.Debug("gossip refuses a stream", "from", conn.RemoteAddr(), "label", label, "error", err)
		_ = conn.Close()
		return
	}
	p.stream(rest)
}

func (s *socket) readPackets() {
	buffer := make([]byte, largestPacket)
	for {
		n, from, err := s.udp.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.logger.Info("gossip does not read a packet", "error", err)
			time.Sleep(errorPause)
			continue
		}
		if s.drop(from) {
			continue
		}
		rest, label, err := memberlist.RemoveLabelHeaderFromPacket(append([]byte(nil), buffer[:n]...))
		p := s.pipes[label]
		if err != nil || p == nil || len(rest) == 0 {
			s.logger.Debug("gossip drops a packet", "from", from, "label", label, "error", err)
			continue
		}
		p.packet(&memberlist.Packet{Buf: rest, From: from, Timestamp: time.Now()})
	}
}

// send writes one packet, already labelled. A packet that the cut line loses is no error, as with any other line.
func (s *socket) send(packet []byte, address string) (time.Time, error) {
	to, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return time.Time{}, err
	}
	if s.drop(to) {
		return time.Now(), nil
	}
	_, err = s.udp.WriteTo(packet, to)
	if errors.Is(err, net.ErrClosed) {
		return time.Time{}, net.ErrClosed // bare: memberlist takes a wrapped one for a fault of the other end
	}
	return time.Now(), err
}

// dial opens a stream, not yet labelled.
func (s *socket) dial(address string, timeout time.Duration) (net.Conn, error) {
	to, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, err
	}
	if s.drop(to) {
		return nil, fmt.Errorf("dialling %s: %w", address, errCut)
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	release, err := s.hold(cancel)
	if err != nil {
		return nil, err
	}
	defer release()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", to.String())
	if err != nil {
		return nil, err
	}
	return s.keep(conn)
}
