package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/tierdesk/tierdesk/node/config"
)

// chooseAddresses gives every node its loopback addresses: pages on 8080 and up, gRPC on 7400 and up, when those are
// free. A kept directory keeps its addresses, because the members of a site know each other by them.
func chooseAddresses(path string, tree Tree, nodes int) (map[string][]config.Addresses, error) {
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
	taken := make(map[string]bool)
	n := 0
	for _, site := range tree {
		for range nodes {
			var a config.Addresses
			for _, port := range []struct {
				to        *string
				preferred int
			}{{&a.HTTP, 8080 + n}, {&a.GRPC, 7400 + 10*n}, {&a.Raft, 7401 + 10*n}, {&a.Gossip, 7402 + 10*n}} {
				address, err := freeAddress(port.preferred, taken)
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

// freeAddress returns the preferred loopback port when nobody has it, for TCP and UDP, else one that the system chose.
func freeAddress(preferred int, taken map[string]bool) (string, error) {
	const attempts = 20
	for attempt := range attempts {
		if attempt > 0 {
			preferred = 0
		}
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", preferred))
		if err != nil {
			continue
		}
		address := listener.Addr().String()
		packets, err := net.ListenPacket("udp", address)
		if err == nil {
			err = packets.Close()
		}
		if err := errors.Join(err, listener.Close()); err != nil || taken[address] {
			continue
		}
		taken[address] = true
		return address, nil
	}
	return "", errors.New("find a free port on 127.0.0.1: none was free")
}
