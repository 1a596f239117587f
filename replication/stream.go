package replication

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

const (
	introduction     = 5 * time.Second // for TLS and the first lines on an accepted connection
	maxIntroductions = 64              // at a time; more connections wait in the kernel
)

// stream connects Raft servers. Both ends of a connection know, before Raft speaks, that the other one belongs to the
// site and that the receiver is the server that is meant. Addresses to dial have the form serverID@host:port.
type stream struct {
	site     string
	self     Server
	listener net.Listener
	tls      *tls.Config
	logger   *slog.Logger
	refused  func(remote, reason string)

	ctx    context.Context // ends when the stream is severed
	cancel context.CancelFunc
	ready  chan net.Conn  // accepted and introduced
	slots  chan struct{}  // introductions under way
	tasks  sync.WaitGroup // accept, introductions, and accepted connections until their handler closes them

	mu    sync.Mutex            // guards conns
	conns map[net.Conn]net.Conn // below TLS, and what Raft has of each
}

var _ raft.StreamLayer = (*stream)(nil)

// newStream starts to accept on the listener of the options, which it closes in the end.
func newStream(o Options, logger *slog.Logger) *stream {
	s := &stream{
		site: o.Site, self: o.Self, listener: o.Listener, tls: o.TLS, logger: logger, refused: o.Refused,
		ready: make(chan net.Conn),
		slots: make(chan struct{}, maxIntroductions),
		conns: make(map[net.Conn]net.Conn),
	}
	if s.refused == nil {
		s.refused = func(remote, reason string) {
			logger.Warn("raft connection refused", "remote", remote, "error", reason)
		}
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.tasks.Go(s.accept)
	return s
}

// accept introduces each connection beside the next one, so that a silent dialler delays nobody.
func (s *stream) accept() {
	for {
		select {
		case s.slots <- struct{}{}:
		case <-s.ctx.Done():
			return
		}
		conn, err := s.listener.Accept()
		if err != nil {
			<-s.slots
			if s.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			s.logger.Warn("raft connection not accepted", "error", err)
			select {
			case <-time.After(100 * time.Millisecond):
			case <-s.ctx.Done():
			}
			continue
		}
		s.tasks.Go(func() {
			defer func() { <-s.slots }()
			s.receive(conn)
		})
	}
}

// receive hands an accepted connection to Raft, or closes it and tells the reason here and there.
func (s *stream) receive(conn net.Conn) {
	remote := conn.RemoteAddr()
	tracked, err := s.welcome(conn)
	if err != nil {
		s.refused(remote.String(), err.Error())
		return
	}
	select {
	case s.ready <- tracked:
	case <-s.ctx.Done():
		tracked.Close()
	}
}

// welcome introduces an accepted connection. It closes the connection when it fails.
func (s *stream) welcome(raw net.Conn) (*trackedConn, error) {
	conn := raw
	if s.tls != nil {
		conn = tls.Server(raw, s.tls)
	}
	s.tasks.Add(1)
	tracked := s.track(raw, conn, s.tasks.Done)
	if err := s.hear(conn); err != nil {
		tracked.Close()
		return nil, err
	}
	return tracked, nil
}

// hear waits for the dialler's introduction and answers it.
func (s *stream) hear(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(introduction)); err != nil {
		return err
	}
	if secured, ok := conn.(*tls.Conn); ok {
		// Nothing can be answered before both ends trust each other.
		if err := secured.HandshakeContext(s.ctx); err != nil {
			return err
		}
	}
	line, err := readLine(conn)
	var p preamble
	if err == nil {
		p, err = parsePreamble(line)
	}
	if err == nil {
		err = p.judge(s.site, s.self.ID)
	}
	if err != nil {
		_ = writeLine(conn, err.Error()) // the reason is what helps
		return err
	}
	return errors.Join(writeLine(conn, accepted), conn.SetDeadline(time.Time{}))
}

// Accept returns the next introduced connection, net.ErrClosed when the stream is closed.
func (s *stream) Accept() (net.Conn, error) {
	select {
	case conn := <-s.ready:
		return conn, nil
	case <-s.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Dial connects to a server and makes sure that it is the one that is meant.
func (s *stream) Dial(target raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	id, address, found := strings.Cut(string(target), "@")
	if !found {
		return nil, fmt.Errorf("dial raft server: the address %q does not name the server", target)
	}
	ctx, cancel := context.WithTimeout(s.ctx, timeout)
	defer cancel()
	var dialer net.Dialer
	raw, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("dial raft server %s: %w", id, err)
	}
	conn := raw
	if s.tls != nil {
		conn = tls.Client(raw, clientConfig(s.tls, address))
	}
	tracked := s.track(raw, conn, func() {})
	deadline, _ := ctx.Deadline()
	if err := s.introduce(conn, id, deadline); err != nil {
		tracked.Close()
		return nil, fmt.Errorf("dial raft server %s at %s: %w", id, address, err)
	}
	return tracked, nil
}

// introduce names both ends and waits for the other side's consent.
func (s *stream) introduce(conn net.Conn, to string, deadline time.Time) error {
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if err := writeLine(conn, preamble{site: s.site, from: s.self.ID, to: to}.String()); err != nil {
		return err
	}
	answer, err := readLine(conn)
	if err != nil {
		return err
	}
	if answer != accepted {
		return fmt.Errorf("%w: %s", ErrRefused, answer)
	}
	return conn.SetDeadline(time.Time{})
}

func clientConfig(config *tls.Config, address string) *tls.Config {
	if config.ServerName != "" || config.InsecureSkipVerify {
		return config
	}
	named := config.Clone()
	named.ServerName, _, _ = net.SplitHostPort(address)
	return named
}

// Addr is what the others know this server by.
func (s *stream) Addr() net.Addr { return advertised(s.self.Raft) }

type advertised string

func (advertised) Network() string  { return "tcp" }
func (a advertised) String() string { return string(a) }

// sever ends all connections and accepts and dials no more. It does not wait.
func (s *stream) sever() error {
	s.cancel()
	err := s.listener.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for raw := range s.conns {
		raw.Close()
	}
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Close severs the stream and waits until nobody uses an accepted connection.
func (s *stream) Close() error {
	err := s.sever()
	s.tasks.Wait()
	return err
}

// examine closes the connections whose other end would not get through the handshake any more. A handshake that is under way
// is waited for.
func (s *stream) examine() {
	if s.tls == nil || s.tls.VerifyConnection == nil {
		return
	}
	s.mu.Lock()
	open := maps.Clone(s.conns)
	s.mu.Unlock()
	for raw, conn := range open {
		secured, ok := conn.(*tls.Conn)
		if !ok {
			continue
		}
		state := secured.ConnectionState()
		if !state.HandshakeComplete {
			continue
		}
		if err := s.tls.VerifyConnection(state); err != nil {
			s.logger.Warn("raft connection ended", "remote", raw.RemoteAddr().String(), "reason", err)
			raw.Close()
		}
	}
}

// track keeps the raw connection below conn for sever; released is called once when the user of conn closes it.
func (s *stream) track(raw, conn net.Conn, released func()) *trackedConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[raw] = conn
	if s.ctx.Err() != nil {
		raw.Close()
	}
	return &trackedConn{Conn: conn, raw: raw, stream: s, released: released}
}

type trackedConn struct {
	net.Conn
	raw      net.Conn
	stream   *stream
	once     sync.Once
	released func()
}

func (c *trackedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.stream.mu.Lock()
		delete(c.stream.conns, c.raw)
		c.stream.mu.Unlock()
		c.released()
	})
	return err
}
