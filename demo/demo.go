package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/tierdesk/tierdesk/node"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/verify"
)

// Options starts a demo.
type Options struct {
	Tree  Tree   // nil: DefaultTree
	Nodes int    // a site: 1, 3 or 5; 0 means 1
	Dir   string // keeps the data; empty: a temporary directory, removed at the end
	Out   io.Writer
}

func (o *Options) validate() error {
	if o.Tree == nil {
		o.Tree = DefaultTree()
	}
	if err := o.Tree.validate(); err != nil {
		return err
	}
	switch o.Nodes {
	case 0:
		o.Nodes = 1
	case 1, 3, 5:
	default:
		return fmt.Errorf("--nodes %d: a site has 1, 3 or 5 nodes", o.Nodes)
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	return nil
}

const adminUser = "admin"

// Demo is a running tree.
type Demo struct {
	options   Options
	dir       string
	remove    bool // the directory is ours
	password  string
	ports     ports
	addresses map[string][]config.Addresses // by site
	log       *os.File
	sites     []*site
}

// site is one running office of the demo.
type site struct {
	SiteSpec
	line  *line // to its parent
	nodes []*node.Node
	desk  *verify.Desk            // signed in as administrator
	staff map[string]*verify.Desk // signed in as each of the sample people, on the path of the main job
}

// grpc are the addresses at which the site's nodes answer.
func (s *site) grpc() []string {
	var addresses []string
	for _, n := range s.nodes {
		addresses = append(addresses, n.GRPCAddr())
	}
	return addresses
}

// Start founds or resumes every site and signs in. It says on Out what it waits for.
func Start(ctx context.Context, o Options) (*Demo, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	d := &Demo{options: o, dir: o.Dir}
	if err := d.prepare(); err != nil {
		return nil, errors.Join(err, d.cleanup())
	}
	for _, spec := range o.Tree {
		d.sites = append(d.sites, &site{SiteSpec: spec, line: newLine()})
	}
	if err := d.startSites(ctx); err != nil {
		return nil, errors.Join(err, d.Stop(context.WithoutCancel(ctx)))
	}
	if err := verify.Settle(ctx, d.verifySites()); err != nil {
		return nil, errors.Join(err, d.Stop(context.WithoutCancel(ctx)))
	}
	return d, nil
}

// atOnce bounds how many sites start together.
const atOnce = 8

// startSites starts all sites, several at a time, and says which one is ready.
func (d *Demo) startSites(ctx context.Context) error {
	var mu sync.Mutex // guards Out
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, s := range d.sites {
		group.Go(func() error {
			began := time.Now()
			if err := d.startSite(ctx, s); err != nil {
				return fmt.Errorf("site %s %s: %w", s.ID, s.Name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(d.options.Out, "  %s %s (%s), %d node(s) ready in %s\n", s.ID, s.Name, s.Tier, len(s.nodes), since(began))
			return nil
		})
	}
	return group.Wait()
}

// prepare makes the directory, the password and the log file.
func (d *Demo) prepare() error {
	if d.dir == "" {
		dir, err := os.MkdirTemp("", "tierdesk-demo-")
		if err != nil {
			return fmt.Errorf("make a directory for the data: %w", err)
		}
		d.dir, d.remove = dir, true
	}
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	// A kept directory keeps its password too: the sites know only its hash.
	path := filepath.Join(d.dir, "admin-password")
	if text, err := os.ReadFile(path); err == nil {
		d.password = strings.TrimSpace(string(text))
	} else {
		d.password = strings.ToLower(rand.Text()[:12])
		if err := os.WriteFile(path, []byte(d.password+"\n"), 0o600); err != nil {
			return fmt.Errorf("keep the administrator's password: %w", err)
		}
	}
	addresses, err := d.ports.chooseAddresses(filepath.Join(d.dir, "addresses.json"), d.options.Tree, d.options.Nodes)
	if err != nil {
		return err
	}
	d.addresses = addresses
	file, err := os.OpenFile(filepath.Join(d.dir, "demo.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	d.log = file
	return nil
}

// startSite starts the site's nodes together: three wait for each other to found the site.
func (d *Demo) startSite(ctx context.Context, s *site) error {
	addresses := d.addresses[s.ID]
	var join []string
	for _, a := range addresses {
		join = append(join, a.GRPC)
	}
	if len(addresses) == 1 {
		join = nil
	}
	s.nodes = make([]*node.Node, len(addresses))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, a := range addresses {
		group.Go(func() (err error) {
			s.nodes[i], err = d.startNode(groupCtx, s, i, a, join)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, address := range s.grpc() {
		if err := serves(ctx, address); err != nil {
			return err
		}
	}
	desk, err := verify.SignIn(ctx, s.grpc(), adminUser, d.password)
	s.desk = desk
	return err
}

// serves waits until a node serves. A site that is founded has its administrator.
func serves(ctx context.Context, address string) error {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("connect to %s: %w", address, err)
	}
	health := grpc_health_v1.NewHealthClient(conn)
	err = until(ctx, "the node at "+address+" to serve", func() (bool, error) {
		answer, err := health.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
		return answer.GetStatus() == grpc_health_v1.HealthCheckResponse_SERVING, err
	})
	return errors.Join(err, conn.Close())
}

func (d *Demo) startNode(ctx context.Context, s *site, i int, a config.Addresses, join []string) (*node.Node, error) {
	id := fmt.Sprintf("n%d", i+1)
	c := config.Default()
	c.Site = config.Site{ID: s.ID, Name: s.Name, Tier: s.Tier, Parent: s.Parent}
	c.Node = config.Node{ID: id, DataDir: filepath.Join(d.dir, s.ID, id)}
	c.Listen = a
	c.Raft = config.Raft{BootstrapExpect: d.options.Nodes, Join: join}
	for i, parent := range d.addresses[s.Parent] {
		if i == 0 {
			c.Gossip.Join = []string{parent.Gossip}
		}
		c.Link.ParentAddresses = append(c.Link.ParentAddresses, parent.GRPC)
	}
	if i > 0 {
		c.Gossip.Join = append(c.Gossip.Join, d.addresses[s.ID][0].Gossip)
	}
	logger := slog.New(slog.NewTextHandler(d.log, nil)).With("site", s.ID, "node", id)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return node.Start(ctx, node.Options{Config: c, AdminPassword: d.password, Dial: s.line.Dial, Logger: logger})
}

func (d *Demo) site(id string) *site {
	for _, s := range d.sites {
		if s.ID == id {
			return s
		}
	}
	return nil
}

func (d *Demo) verifySites() []verify.Site {
	var sites []verify.Site
	for _, s := range d.sites {
		sites = append(sites, s.desk.Site(s.ID, s.Name, s.Parent))
	}
	return sites
}

// Fault returns when a node stopped by itself, with the reason, or when the context ends.
func (d *Demo) Fault(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	faults := make(chan error)
	for _, s := range d.sites {
		for _, n := range s.nodes {
			go func() {
				select {
				case err := <-n.Fault():
					select {
					case faults <- fmt.Errorf("a node of %s stopped: %w", s.ID, err):
					case <-ctx.Done():
					}
				case <-ctx.Done():
				}
			}()
		}
	}
	select {
	case err := <-faults:
		return err
	case <-ctx.Done():
		return nil
	}
}

// Stop ends all nodes, children first, and removes a temporary directory.
func (d *Demo) Stop(ctx context.Context) error {
	var errs []error
	for i := len(d.sites) - 1; i >= 0; i-- {
		s := d.sites[i]
		if s.desk != nil {
			errs = append(errs, s.desk.Close())
		}
		for _, desk := range s.staff {
			errs = append(errs, desk.Close())
		}
		for _, n := range s.nodes {
			if n != nil {
				errs = append(errs, n.Stop(ctx))
			}
		}
	}
	return errors.Join(append(errs, d.cleanup())...)
}

func (d *Demo) cleanup() error {
	errs := []error{d.ports.release()}
	if d.log != nil {
		errs = append(errs, d.log.Close())
	}
	if d.remove {
		errs = append(errs, os.RemoveAll(d.dir))
	}
	return errors.Join(errs...)
}

// since is a duration for people.
func since(t time.Time) string { return time.Since(t).Round(time.Millisecond).String() }
