package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"

	"github.com/tierdesk/tierdesk/node/config"
)

// Ports are handed out in blocks below those that systems give to outgoing connections. Whoever listens at the first port of a block
// owns it, so that demos that start at the same time never choose the same addresses.
const (
	knownPort   = 7399 // who listens here owns the known ports
	lowestPort  = 10_000
	highestPort = 32_000
	blockSize   = 100
)

// ports are what a demo may choose its addresses from.
type ports struct {
	guards    []net.Listener // kept while the demo runs
	known     bool           // the known ports are its own
	next, end int            // what is left of the latest block
}

// chooseAddresses gives every node its loopback addresses: pages on 8080 and up, gRPC on 7400 and up, when those are
// free. A kept directory keeps its addresses, because the members of a site know each other by them.
func (p *ports) chooseAddresses(path string, tree Tree, nodes int) (map[string][]config.Addresses, error) {
	chosen := make(map[string][]config.Addresses)
	if text, err := os.ReadFile(path); err == nil {
		if err := json.Unmarshal(text, &chosen); err != nil {
			return nil, fmt.Errorf("read the addresses %s: %w", path, err)
		}
		for _, site := range tree {
			if len(chosen[site.ID]) != nodes {
				return nil, fmt.Errorf("the data directory holds site %s with %d node(s), not %d; use another --dir or the same --tree and --nodes",
					site.ID, len(chosen[site.ID]), nodes)
			}
		}
		return chosen, nil
	}
	if guard, err := net.Listen("tcp", loopback(knownPort)); err == nil {
		p.guards, p.known = append(p.guards, guard), true
	}
	n := 0
	for _, site := range tree {
		for range nodes {
			var a config.Addresses
			for _, port := range []struct {
				to        *string
				preferred int
			}{{&a.HTTP, 8080 + n}, {&a.GRPC, 7400 + 10*n}, {&a.Raft, 7401 + 10*n}, {&a.Gossip, 7402 + 10*n}} {
				address, err := p.free(port.preferred)
				if err != nil {
					return nil, err
				}
				*port.to = address
			}
			chosen[site.ID] = append(chosen[site.ID], a)
			n++
		}
	}
	text, err := json.MarshalIndent(chosen, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, fmt.Errorf("keep the addresses: %w", err)
	}
	return chosen, nil
}

// free returns the preferred port when it is the demo's and nobody has it, for TCP and UDP, else one of a block of its own.
func (p *ports) free(preferred int) (string, error) {
	if p.known && isFree(loopback(preferred)) {
		return loopback(preferred), nil
	}
	for {
		if p.next == p.end {
			if err := p.nextBlock(); err != nil {
				return "", err
			}
		}
		p.next++
		if address := loopback(p.next - 1); isFree(address) {
			return address, nil
		}
	}
}

// nextBlock takes a block that nobody owns.
func (p *ports) nextBlock() error {
	const attempts = 1_000
	for range attempts {
		first := lowestPort + blockSize*rand.IntN((highestPort-lowestPort)/blockSize)
		if guard, err := net.Listen("tcp", loopback(first)); err == nil {
			p.guards = append(p.guards, guard)
			p.next, p.end = first+1, first+blockSize
			return nil
		}
	}
	return errors.New("find a free port on 127.0.0.1: none was free")
}

func (p *ports) release() error {
	var errs []error
	for _, guard := range p.guards {
		errs = append(errs, guard.Close())
	}
	return errors.Join(errs...)
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

func isFree(address string) bool {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	packets, err := net.ListenPacket("udp", address)
	if err == nil {
		err = packets.Close()
	}
	return errors.Join(err, listener.Close()) == nil
}
