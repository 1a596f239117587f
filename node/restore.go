package node

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/node/peers"
	"github.com/tierdesk/tierdesk/replication"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// RestoreOptions put a backup of a site into a node's empty data directory.
type RestoreOptions struct {
	Config *config.Config
	Backup io.Reader
	// Replace goes on although nodes of the site answer, or its parent is connected to it: they shall never come back.
	Replace bool
	// Dial opens connections to the parent; nil: plain TCP.
	Dial   func(ctx context.Context, address string) (net.Conn, error)
	Logger *slog.Logger // nil: nothing is logged
}

// Restore makes the data directory that of the site's only node, on the state of the backup. Other nodes join it afterwards
// with empty directories. When it starts, it takes another incarnation before it decides anything. A site that lives is
// refused with a *desk.Refusal; after any error the directory is empty again.
func Restore(ctx context.Context, o RestoreOptions) (m store.Manifest, err error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if err := o.Config.Validate(); err != nil {
		return m, err
	}
	protection, err := newSecurity(o.Config, o.Logger)
	if err != nil {
		return m, err
	}
	r := restoring{RestoreOptions: o, security: protection}
	c := o.Config
	configured := neighbourhood{
		own:    append(slices.Clone(c.Raft.Join), c.Listen.GRPC, c.Advertise.GRPC),
		parent: c.Link.ParentAddresses,
	}
	if err := r.refuseLiving(ctx, configured); err != nil {
		return m, err
	}
	restored, err := store.BeginRestore(store.Options{
		Dir: c.Node.DataDir, Site: c.Site.ID, Node: c.Node.ID, CacheBytes: cacheBytes(c.Site.Tier), Logger: o.Logger,
	}, o.Backup)
	if err != nil {
		return m, err
	}
	membership, err := r.renew(ctx, restored)
	if err != nil {
		return m, errors.Join(err, restored.Abandon())
	}
	return restored.Manifest, restored.Complete(membership)
}

// restoring is one restore under way.
type restoring struct {
	RestoreOptions
	security *security
}

// renew begins the group anew behind the restored state, unless the nodes that the state knows of live.
func (r restoring) renew(ctx context.Context, restored *store.Restoration) (membership []byte, err error) {
	var known neighbourhood
	err = restored.View(func(reader *store.Reader) (err error) {
		known, err = r.known(reader)
		return err
	})
	if err == nil {
		err = r.refuseLiving(ctx, known)
	}
	if err != nil {
		return nil, err
	}
	c := r.Config
	return replication.Renew(replication.Renewal{
		Dir: filepath.Join(c.Node.DataDir, raftDirectory),
		Self: replication.Server{
			ID: restored.ServerID, Raft: cmp.Or(c.Advertise.Raft, c.Listen.Raft), GRPC: cmp.Or(c.Advertise.GRPC, c.Listen.GRPC),
		},
		Index: restored.Manifest.Index, Term: restored.Manifest.Term, Logger: r.Logger,
	})
}

// neighbourhood is where nodes of the site and of its parent may answer, by grpc address.
type neighbourhood struct{ own, parent []string }

// known is what the restored directory says of both.
func (r restoring) known(reader *store.Reader) (n neighbourhood, err error) {
	for site, to := range map[string]*[]string{r.Config.Site.ID: &n.own, r.Config.Site.Parent: &n.parent} {
		info, err := reader.SiteInfo(desk.SiteID(site))
		if err != nil {
			return n, err
		}
		for _, node := range info.GetNodes() {
			*to = append(*to, node.Grpc)
		}
	}
	return n, nil
}

// restorePatience bounds one look at who lives.
const restorePatience = 3 * time.Second

// refuseLiving refuses when somebody shows that the site lives: two groups of one site would each take the other's place.
func (r restoring) refuseLiving(ctx context.Context, n neighbourhood) error {
	if r.Replace {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, restorePatience)
	defer cancel()
	if err := r.refuseNodes(ctx, n.own); err != nil {
		return err
	}
	site, parent := r.Config.Site.ID, r.Config.Site.Parent
	if parent == "" || len(n.parent) == 0 {
		return nil
	}
	known, err := tiers.Question{
		Site: desk.SiteID(site), Parent: desk.SiteID(parent), Addresses: n.parent, Credentials: r.security.links, Dial: r.Dial,
	}.Ask(ctx)
	if err != nil {
		r.Logger.Info("the parent did not say whether this site is connected to it", "error", err)
		return nil
	}
	if known.Connected {
		return desk.Refuse(desk.FailedPrecondition, "SITE_LIVES",
			"%s is connected to its parent %s now, so a node of it runs: stop it and try again in a few seconds, or replace it for ever with --replace",
			site, parent)
	}
	return nil
}

// refuseNodes asks all addresses at the same time whether a node of the site answers there that has a group.
func (r restoring) refuseNodes(ctx context.Context, addresses []string) error {
	client, err := peers.NewClient(peers.ClientOptions{Site: r.Config.Site.ID, Credentials: r.security.peers})
	if err != nil {
		return err
	}
	defer client.Close()
	addresses = slices.DeleteFunc(slices.Clone(addresses), func(a string) bool { return a == "" })
	slices.Sort(addresses)
	addresses = slices.Compact(addresses)
	found := make(chan error, len(addresses))
	for _, address := range addresses {
		go func() {
			hello, err := client.Hello(ctx, address, nil)
			if err != nil || hello.Site != r.Config.Site.ID || !hello.Founded {
				found <- nil
				return
			}
			found <- desk.Refuse(desk.FailedPrecondition, "SITE_LIVES",
				"node %s of site %s runs at %s: stop it and take its data away, or replace it for ever with --replace",
				nodeOf(hello.Self.ID), hello.Site, address)
		}()
	}
	var living error
	for range addresses {
		if err := <-found; err != nil {
			living = err
		}
	}
	return living
}
