package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// network is hosts in network namespaces of their own, joined by cables that can be pulled. Only root may make one. Nodes
// without TLS take loopback addresses only, so each host has an address of 127.0.0.0/8, which the kernel is told to route
// between the hosts like any other.
type network struct {
	prefix string
	hosts  []*host
}

// host is one namespace with one address. What listens there is reached over cables, and by this program.
type host struct{ name, address string }

// cable joins a child's host with its parent's.
type cable struct{ child, parent *host }

// networkPrefix begins the names of all namespaces, before the id of the process that made them.
const networkPrefix = "tierdesk-wan-"

// newNetwork prepares a network, after it removed what runs that were killed left behind.
func newNetwork(ctx context.Context) (*network, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("network namespaces are for root: run this as root on a Linux machine of your own")
	}
	if err := removeStale(ctx); err != nil {
		return nil, err
	}
	return &network{prefix: networkPrefix + strconv.Itoa(os.Getpid()) + "-"}, nil
}

func removeStale(ctx context.Context) error {
	entries, err := filepath.Glob(filepath.Join(namespaceDir, networkPrefix+"*"))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := filepath.Base(entry)
		text, _, _ := strings.Cut(strings.TrimPrefix(name, networkPrefix), "-")
		owner, err := strconv.Atoi(text)
		if err != nil || syscall.Kill(owner, 0) == nil {
			continue // it lives
		}
		if err := ip(ctx, "netns", "delete", name); err != nil {
			return err
		}
	}
	return nil
}

const namespaceDir = "/run/netns"

// ip runs the program of that name.
func ip(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, "ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s; network namespaces need root, iproute2 and a kernel that allows them", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// host makes a host. Numbers are from 1 to 254, each used once.
func (n *network) host(ctx context.Context, name string, number int) (*host, error) {
	h := &host{name: n.prefix + name, address: fmt.Sprintf("127.1.%d.1", number)}
	if err := ip(ctx, "netns", "add", h.name); err != nil {
		return nil, err
	}
	n.hosts = append(n.hosts, h)
	const routed = "net.ipv4.conf.%s.route_localnet=1"
	for _, args := range [][]string{
		{"-n", h.name, "link", "set", "lo", "up"},
		{"-n", h.name, "addr", "del", "127.0.0.1/8", "dev", "lo"},
		{"-n", h.name, "addr", "add", h.address + "/32", "dev", "lo"},
		{"netns", "exec", h.name, "sysctl", "-qw", fmt.Sprintf(routed, "all"), fmt.Sprintf(routed, "default")},
	} {
		if err := ip(ctx, args...); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// cable lays a cable, which is whole.
func (n *network) cable(ctx context.Context, child, parent *host) (*cable, error) {
	c := &cable{child, parent}
	for _, args := range [][]string{
		{"link", "add", c.upDevice(), "type", "veth", "peer", "name", c.downDevice(), "netns", parent.name},
		{"link", "set", c.upDevice(), "up"},
		{"route", "add", parent.address + "/32", "dev", c.upDevice(), "src", child.address},
	} {
		if err := ip(ctx, append([]string{"-n", child.name}, args...)...); err != nil {
			return nil, err
		}
	}
	return c, c.set(ctx, true)
}

// upDevice and downDevice are the child's and the parent's end. Each name is unique among the cables of its host, and not
// too long for the kernel.
func (c *cable) upDevice() string   { return "above" + c.parent.number() }
func (c *cable) downDevice() string { return "below" + c.child.number() }

// number is the number that the host was made with.
func (h *host) number() string { return strings.Split(h.address, ".")[2] }

// set plugs the cable in or pulls it at the parent. Packets are lost, and nobody is told; the child sees no carrier.
func (c *cable) set(ctx context.Context, plugged bool) error {
	if !plugged {
		return ip(ctx, "-n", c.parent.name, "link", "set", c.downDevice(), "down")
	}
	if err := ip(ctx, "-n", c.parent.name, "link", "set", c.downDevice(), "up"); err != nil {
		return err
	}
	// The kernel dropped the route with the device.
	return ip(ctx, "-n", c.parent.name, "route", "replace", c.child.address+"/32", "dev", c.downDevice(), "src", c.parent.address)
}

// dial opens a connection from the host.
func (h *host) dial(ctx context.Context, address string) (conn net.Conn, err error) {
	err = h.within(func() error {
		conn, err = dialHere(ctx, address)
		return err
	})
	return conn, err
}

// listen listens on the host.
func (h *host) listen(port int) (listener net.Listener, err error) {
	err = h.within(func() error {
		listener, err = net.Listen("tcp", net.JoinHostPort(h.address, strconv.Itoa(port)))
		return err
	})
	return listener, err
}

// close removes the namespaces. Nothing may run in them any more.
func (n *network) close() error {
	var errs []error
	for _, h := range n.hosts {
		errs = append(errs, ip(context.Background(), "netns", "delete", h.name))
	}
	n.hosts = nil
	return errors.Join(errs...)
}
