package config

import (
	"strings"
	"testing"
)

// What is not encrypted stays on the machine: each address of a node, bound or told to others, by itself.
func TestWhatIsNotEncryptedStaysHere(t *testing.T) {
	const outside, everywhere = "10.0.0.1:7400", "0.0.0.0:7400"
	keyFile := write(t, "gossip.key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
	for _, section := range []string{"listen", "advertise"} {
		for _, port := range []string{"http", "grpc", "raft", "gossip"} {
			for _, address := range []string{outside, everywhere, "127.0.0.1:7400", "localhost:7400", "[::1]:7400"} {
				c := Default()
				c.Site, c.Node = Site{ID: "330106", Tier: County, Parent: "330100"}, Node{ID: "n1", DataDir: "/data"}
				set := func(key, value string) {
					for _, k := range keys(c) {
						if k.name == key {
							k.field.SetString(value)
						}
					}
				}
				set(section+"."+port, address)
				if address == everywhere && section == "listen" {
					set("advertise."+port, outside)
				}
				err := c.Validate()
				switch away := address == outside || address == everywhere; {
				case !away && err != nil:
					t.Errorf("%s.%s %s is refused: %v", section, port, address, err)
				case away && (err == nil || !strings.Contains(err.Error(), "."+port)):
					t.Errorf("%s.%s %s without encryption: %v, want it refused by its name", section, port, address, err)
				}
				c.TLS, c.Gossip.KeyFile = TLS{CA: "ca.pem", Cert: "n.pem", Key: "k.pem"}, keyFile
				if err := c.Validate(); err != nil && (section == "listen" || address != everywhere) {
					t.Errorf("%s.%s %s with encryption: %v", section, port, address, err)
				}
			}
		}
	}
}
