package gossip

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
)

// The tiers as Member.Tier spells them.
const (
	province = "province"
	city     = "city"
	county   = "county"
)

// rememberedFile is the name of the file in Options.Dir that holds what was heard.
const rememberedFile = "gossip.json"

// Options joins the pools of one node.
type Options struct {
	// Self is announced to the neighbours. Tier is province, city or county; Parent is empty for the province alone.
	// Name is shortened when the announcement would not fit into a packet.
	Self      Member
	Listener  string   // host:port to listen at, TCP and UDP; port 0 takes a free one
	Advertise string   // host:port where others reach it; empty: the listener's
	Join      []string // host:port of any nodes of this site or its parent; this node's own address is passed over
	Dir       string   // remembers addresses here, in gossip.json
	// Keys reads the keys of 32 bytes each: all of them decrypt, and the first one that every living neighbour knows
	// encrypts. It is called at the start and then every ten seconds. Nil, or no key at the start: no encryption, loopback only.
	Keys func() ([][]byte, error)
	// Drop, when set, tells that packets to or from an address are lost and streams to or from it are refused. A node's
	// packets come from its gossip address, its streams from a port of the moment: a line between two nodes on one
	// machine is cut by dropping at both ends. Tests and the demo cut lines here. It is called by many goroutines.
	Drop   func(address net.Addr) bool
	Logger *slog.Logger
}

// validate finds what cannot work before any port is bound.
func (o *Options) validate() error {
	self := o.Self
	if self.Site == "" || self.Node == "" || strings.Contains(self.Site+self.Node, "/") {
		return fmt.Errorf("member %q needs a site and a node id without a slash", self.member())
	}
	switch self.Tier {
	case province, city, county:
	default:
		return fmt.Errorf("tier %q is not one of province, city, county", self.Tier)
	}
	if (self.Parent == "") != (self.Tier == province) || self.Parent == self.Site {
		return fmt.Errorf("parent %q does not suit site %s of tier %s", self.Parent, self.Site, self.Tier)
	}
	if o.Dir == "" || o.Logger == nil {
		return errors.New("a directory and a logger are needed")
	}
	return nil
}

// validateAddresses checks the form of every address and, without encryption, that none of them leaves this machine.
func (o *Options) validateAddresses(encrypted bool) error {
	addresses := append([]string{o.Listener}, o.Join...)
	if o.Advertise != "" {
		addresses = append(addresses, o.Advertise)
	}
	for _, address := range addresses {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return fmt.Errorf("address %q is not host:port: %w", address, err)
		}
		if !encrypted && !loopback(host) {
			return fmt.Errorf("address %s is not a loopback address, which needs encryption; set gossip.key_file to a file of %d random bytes in base64",
				address, keyLength)
		}
	}
	return nil
}

// labels names the pools of the node: its parent's neighbourhood and, where it can have children, its own.
func (o *Options) labels() []string {
	var labels []string
	if o.Self.Parent != "" {
		labels = append(labels, o.Self.Parent)
	}
	if o.Self.Tier != county {
		labels = append(labels, o.Self.Site)
	}
	return labels
}

func (o *Options) file() string { return filepath.Join(o.Dir, rememberedFile) }

// loopback tells whether a host is this machine by its very name; nothing is looked up.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
