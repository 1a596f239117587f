package testbed

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// Ports are handed out in blocks below those that systems give to outgoing connections, so that none is taken before the
// node gets there. Whoever listens at a block's first port owns the block: test processes that run at the same time never
// draw the same address, and within one process each address is given once.
const (
	lowestPort  = 10_000
	highestPort = 32_000
	blockSize   = 100
)

var block struct {
	mu     sync.Mutex     // guards all below
	guards []net.Listener // kept until the process ends
	next   int
	end    int
}

// FreeAddresses returns loopback addresses that nobody listens at, for TCP and UDP, and that no other test was given.
func FreeAddresses(t testing.TB, n int) []string {
	t.Helper()
	free, err := Addresses(n)
	if err != nil {
		t.Fatal(err)
	}
	return free
}

// Addresses returns what FreeAddresses does, to who is no test.
func Addresses(n int) ([]string, error) {
	block.mu.Lock()
	defer block.mu.Unlock()
	var free []string
	for len(free) < n {
		if block.next == block.end {
			if err := nextBlock(); err != nil {
				return nil, err
			}
		}
		address := fmt.Sprintf("127.0.0.1:%d", block.next)
		block.next++
		if isFree(address) {
			free = append(free, address)
		}
	}
	return free, nil
}

// nextBlock takes a block that no process owns.
func nextBlock() error {
	const attempts = 1_000
	for range attempts {
		first := lowestPort + blockSize*rand.IntN((highestPort-lowestPort)/blockSize)
		guard, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first))
		if err != nil {
			continue
		}
		block.guards = append(block.guards, guard)
		block.next, block.end = first+1, first+blockSize
		return nil
	}
	return errors.New("no block of loopback ports is free")
}

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
