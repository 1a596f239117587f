package node

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// listeners are the ports that the node binds itself; gossip binds its own.
type listeners struct {
	http, grpc, raft net.Listener
}

// listen binds the ports before anything is told about them, since port 0 is known only then.
func (n *Node) listen() error {
	n.listeners = &listeners{}
	for _, port := range []struct {
		key, address string
		to           *net.Listener
	}{
		{"listen.http", n.config.Listen.HTTP, &n.listeners.http},
		{"listen.grpc", n.config.Listen.GRPC, &n.listeners.grpc},
		{"listen.raft", n.config.Listen.Raft, &n.listeners.raft},
	} {
		listener, err := net.Listen("tcp", port.address)
		if err != nil {
			return explainTaken(port.key, port.address, err)
		}
		*port.to = listener
	}
	return nil
}

// explainTaken says which key's address could not be bound.
func explainTaken(key, address string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("address %s is taken (%s): stop what listens there, or choose another", address, key)
	default:
		return fmt.Errorf("address %s (%s): %w", address, key, err)
	}
}

// close closes the ports. Their servers have closed most of them before, which does no harm.
func (l *listeners) close() {
	for _, listener := range []net.Listener{l.http, l.grpc, l.raft} {
		if listener != nil {
			_ = listener.Close()
		}
	}
}

// reachable is where others reach what is bound: the advertised address, or else the configured host; a port 0 in either
// stands for the port that was bound.
func reachable(bound net.Addr, listen, advertise string) string {
	if advertise != "" {
		listen = advertise
	}
	host, port, _ := net.SplitHostPort(listen) // it was checked with the configuration
	if tcp, ok := bound.(*net.TCPAddr); ok && port == "0" {
		port = strconv.Itoa(tcp.Port)
	}
	return net.JoinHostPort(host, port)
}
