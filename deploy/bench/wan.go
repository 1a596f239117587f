package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/tierdesk/tierdesk/node/config"
)

// wanCommand tries a province on bad lines: every site's nodes are processes on a host of its own, and the hosts are joined by cables
// that are pulled, plugged in again, and slow. It needs root.
func wanCommand(ctx context.Context, args []string) error {
	c := commonFlags("wan")
	b := &wan{}
	c.flags.IntVar(&b.tickets, "tickets", 300, "that a county opens on the day without its line; the other acts have parts of it")
	c.flags.DurationVar(&b.outage, "outage", 15*time.Second, "how long a line or a site is away, or longer when the work takes longer")
	c.flags.DurationVar(&b.flaps, "flaps", time.Minute, "how long a line comes and goes every second")
	c.flags.DurationVar(&b.delay, "delay", 300*time.Millisecond, "of the slow line, one way")
	return c.inWorkshop(ctx, args, func(ctx context.Context, w *workshop) (err error) {
		if b.tickets < 10 || b.outage < 5*time.Second || b.flaps < time.Second || b.delay <= 0 {
			return errors.New("-tickets must be at least 10, -outage at least 5s, -flaps at least 1s, -delay above zero")
		}
		if b.network, err = newNetwork(ctx); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, b.close(w)) }()
		if b.result.Setting, err = w.probeDisk(); err != nil {
			return err
		}
		if err := b.layOut(ctx, w); err != nil {
			return err
		}
		failure := b.play(ctx)
		return errors.Join(failure, b.result.print(w))
	})
}

// wan is a province of three nodes with two cities, of three nodes and of one, and two counties below each.
type wan struct {
	tickets              int
	outage, flaps, delay time.Duration

	network *network
	hosts   map[string]*host
	cables  map[string]*cable // by the child's id
	tree    *tree
	result  wanResult
}

// slowCounty is the county whose line is slow.
const slowCounty = "330202"

// wanPlaces are the sites with their numbers of nodes.
func wanPlaces() (places []place, nodes []int) {
	places = []place{
		{"330000", "浙江省", config.Province, ""},
		{"330100", "杭州市", config.City, "330000"},
		{"330200", "宁波市", config.City, "330000"},
		{"330102", "上城区", config.County, "330100"},
		{"330106", "西湖区", config.County, "330100"},
		{slowCounty, "象山县", config.County, "330200"},
		{"330203", "海曙区", config.County, "330200"},
	}
	return places, []int{3, 3, 1, 1, 1, 1, 1}
}

// layOut makes the hosts, the cables and the sites' configurations.
func (b *wan) layOut(ctx context.Context, w *workshop) error {
	b.tree, b.hosts, b.cables = &tree{}, make(map[string]*host), make(map[string]*cable)
	known := make(map[string]*office)
	places, nodes := wanPlaces()
	for i, at := range places {
		h, err := b.network.host(ctx, at.id, i+1)
		if err != nil {
			return err
		}
		b.hosts[at.id] = h
		o := &office{above: known[at.parent], site: &site{place: at, workshop: w, expect: nodes[i], netns: h.name}}
		if err := o.furnish(h, filepath.Join(w.dir, at.id)); err != nil {
			return err
		}
		if o.above != nil {
			if b.cables[at.id], err = b.network.cable(ctx, h, b.hosts[at.parent]); err != nil {
				return err
			}
			o.parents, o.pool = o.above.listen(grpcAddress), o.above.listen(gossipAddress)
		}
		if at.id == slowCounty {
			if o.line, err = w.slowLine(h, o.parents); err != nil {
				return err
			}
		}
		if err := o.configure(); err != nil {
			return err
		}
		known[at.id] = o
		b.tree.offices = append(b.tree.offices, o)
	}
	return nil
}

// furnish gives an office on a host its nodes, whose data is below a directory, with forwarders through which this program
// reaches them.
func (o *office) furnish(h *host, dir string) error {
	const first, each = 7400, 10 // ports of the nodes of a host
	for i := range o.expect {
		var addresses []string
		for kind := range gossipAddress + 1 {
			addresses = append(addresses, fmt.Sprintf("%s:%d", h.address, first+each*i+kind))
		}
		n := nodeAt(dir, nodeID(i), addresses)
		if err := os.MkdirAll(n.dir, 0o700); err != nil {
			return err
		}
		reach, err := o.workshop.forwarder(h, addresses[:grpcAddress+1])
		if err != nil {
			return err
		}
		n.http, n.grpc = reach[0], reach[grpcAddress]
		o.nodes = append(o.nodes, n)
	}
	return nil
}

// forwarder listens on this program's side for addresses of a host.
func (w *workshop) forwarder(h *host, targets []string) ([]string, error) {
	var listeners []net.Listener
	for range targets {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("reach %s: %w", h.name, err)
		}
		listeners = append(listeners, listener)
	}
	l := newLine(targets, listeners, h.dial)
	w.lines = append(w.lines, l)
	return l.addresses, nil
}

// slowLine listens on a child's host in front of its parent's nodes.
func (w *workshop) slowLine(h *host, targets []string) (*line, error) {
	const first = 7300
	var listeners []net.Listener
	for i := range targets {
		listener, err := h.listen(first + i)
		if err != nil {
			return nil, fmt.Errorf("lay the slow line: %w", err)
		}
		listeners = append(listeners, listener)
	}
	l := newLine(targets, listeners, h.dial)
	w.lines = append(w.lines, l)
	return l, nil
}

// close ends what runs on the hosts, and removes them.
func (b *wan) close(w *workshop) error {
	var errs []error
	if b.tree != nil {
		for _, o := range b.tree.offices {
			errs = append(errs, o.disconnect())
		}
	}
	w.endAll()
	return errors.Join(append(errs, b.network.close())...)
}

func (b *wan) office(id string) *office {
	for _, o := range b.tree.offices {
		if o.id == id {
			return o
		}
	}
	return nil
}
