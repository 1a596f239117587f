package gossip

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

// writeEvery is the shortest time between two writings of the remembered file.
const writeEvery = 3 * time.Second

// remembered is one node in gossip.json.
type remembered struct {
	Site     string    `json:"site"`
	Node     string    `json:"node"`
	Name     string    `json:"name,omitempty"`
	Parent   string    `json:"parent,omitempty"`
	Tier     string    `json:"tier"`
	GRPC     string    `json:"grpc"`
	ServerID string    `json:"serverId,omitempty"`
	Keys     string    `json:"keys,omitempty"`
	Gossip   string    `json:"gossip"`
	Seen     time.Time `json:"seen"`
}

// remember fills an empty directory with what an earlier run wrote down. A file that is not there is no error.
func (d *directory) remember(file string) error {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading remembered addresses: %w", err)
	}
	var nodes []remembered
	if err := json.Unmarshal(text, &nodes); err != nil {
		return fmt.Errorf("reading remembered addresses in %s: %w", file, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range nodes {
		m := Member{Site: r.Site, Node: r.Node, Name: r.Name, Parent: r.Parent, Tier: r.Tier, GRPC: r.GRPC, ServerID: r.ServerID, Keys: r.Keys}
		if e := d.place(m.member()); e != nil {
			e.Member, e.gossip, e.seen = m, r.Gossip, r.Seen
		}
	}
	return nil
}

// nodes lists what is worth remembering, in a stable order; those alive are seen now. This node knows itself.
func (d *directory) nodes(now time.Time) []remembered {
	d.mu.Lock()
	defer d.mu.Unlock()
	nodes := []remembered{}
	for name, e := range d.entries {
		if name == d.self {
			continue
		}
		seen := e.seen
		if len(e.living) > 0 {
			seen = now
		}
		nodes = append(nodes, remembered{
			Site: e.Site, Node: e.Node, Name: e.Name, Parent: e.Parent, Tier: e.Tier,
			GRPC: e.GRPC, ServerID: e.ServerID, Keys: e.Keys, Gossip: e.gossip, Seen: seen.UTC(),
		})
	}
	slices.SortFunc(nodes, func(a, b remembered) int {
		return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(a.Node, b.Node))
	})
	return nodes
}

// writeDown replaces the file as a whole: a crash leaves the old one or the new one.
func (d *directory) writeDown(file string, now time.Time) error {
	text, err := json.MarshalIndent(d.nodes(now), "", " ")
	if err != nil {
		return fmt.Errorf("encoding remembered addresses: %w", err)
	}
	if err := writeSynced(file+".new", text); err != nil {
		return fmt.Errorf("writing remembered addresses: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("replacing remembered addresses: %w", err)
	}
	return nil
}

func writeSynced(file string, text []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// keepWriting writes changes down, at most once in writeEvery, until ctx ends.
func (g *Gossip) keepWriting(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.directory.changed:
		}
		g.writeDown()
		if !pause(ctx, writeEvery) {
			return
		}
	}
}

// writeDown logs a failure instead of returning it: addresses that are not remembered are heard again.
func (g *Gossip) writeDown() {
	if err := g.directory.writeDown(g.file, time.Now()); err != nil {
		g.logger.Warn("addresses of neighbours are not remembered", "error", err)
	}
}
