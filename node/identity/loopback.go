package identity

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
)

// Loopback is what holds without TLS: every address, by its configuration key, must stay on this machine. An empty one
// is not set. Host names other than localhost are refused, since what they stand for may change.
func Loopback(addresses map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(addresses)) {
		address := addresses[key]
		if address == "" {
			continue
		}
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return fmt.Errorf("%s: %q is not host:port: %w", key, address, err)
		}
		if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
			return fmt.Errorf("%s: %s is not a loopback address, which needs TLS; set tls.ca, tls.cert and tls.key, or use 127.0.0.1:%s",
				key, address, port)
		}
	}
	return nil
}
