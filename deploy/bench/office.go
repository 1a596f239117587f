package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tierdesk/tierdesk/node"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/verify"
)

// office is a site of a whole tree.
type office struct {
	*site
	above       *office // nil at the province
	inside      bool    // its nodes run within this process
	nodesInside []*node.Node
	desk        *verify.Desk // signed in as administrator
	former      []string     // parents that it was moved away from
}

// tree is the offices of a province, every parent before its children.
type tree struct {
	offices []*office
	log     *os.File // of the nodes within this process
}

// layOut makes an office of one node of each place, with lines that can be cut from the cities to the province.
func (w *workshop) layOut(places []place, inside bool) (*tree, error) {
	log, err := os.Create(filepath.Join(w.dir, "inside.log"))
	if err != nil {
		return nil, fmt.Errorf("make a log: %w", err)
	}
	t := &tree{log: log}
	known := make(map[string]*office)
	for _, at := range places {
		o := &office{above: known[at.parent], inside: inside}
		if o.site, err = w.newOffice(at.id, at, 1); err != nil {
			return t, err
		}
		switch at.tier {
		case config.City:
			if o.line, err = w.line(o.above.listen(grpcAddress)); err != nil {
				return t, err
			}
			o.parents = o.line.targets
		case config.County:
			o.parents, o.pool = o.above.listen(grpcAddress), o.above.listen(gossipAddress)
		}
		if err := o.configure(); err != nil {
			return t, err
		}
		known[at.id] = o
		t.offices = append(t.offices, o)
	}
	return t, nil
}

// open starts all offices, several at a time, and signs in at each.
func (t *tree) open(ctx context.Context) error {
	const atOnce = 8
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, o := range t.offices {
		group.Go(func() error {
			if err := o.open(ctx, t.log); err != nil {
				return fmt.Errorf("site %s %s: %w", o.id, o.name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

func (o *office) open(ctx context.Context, log *os.File) (err error) {
	if !o.inside {
		if err := o.site.open(ctx); err != nil {
			return err
		}
	} else if err := o.openInside(ctx, log); err != nil {
		return err
	}
	o.desk, err = verify.SignIn(ctx, o.grpcAddresses(), "admin", password)
	return err
}

// openInside starts the nodes within this process.
func (o *office) openInside(ctx context.Context, log *os.File) error {
	for _, n := range o.nodes {
		c, err := config.Load(n.file, nil)
		if err != nil {
			return err
		}
		logger := slog.New(slog.NewTextHandler(log, nil)).With("site", o.id, "node", n.id)
		options := node.Options{Config: c, AdminPassword: password, Logger: logger}
		if o.line != nil {
			options.Dial = o.line.ways().dial
		}
		started, err := node.Start(ctx, options)
		if err != nil {
			return err
		}
		o.nodesInside = append(o.nodesInside, started)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readyWithin, fmt.Errorf("it was not ready within %s", readyWithin))
	defer cancel()
	for _, n := range o.nodes {
		if err := poll(ctx, 20*time.Millisecond, func() error { return n.ready(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

// close ends all offices, several at a time. They may be opened again.
func (t *tree) close() error {
	const atOnce, patience = 16, time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, o := range t.offices {
		group.Go(func() error { return o.close(ctx) })
	}
	return group.Wait()
}

func (o *office) close(ctx context.Context) error {
	errs := []error{o.disconnect()}
	for _, n := range o.nodesInside {
		errs = append(errs, n.Stop(ctx))
	}
	o.nodesInside = nil
	return errors.Join(append(errs, o.site.close())...)
}

// disconnect ends the connections to the office. The next open makes new ones.
func (o *office) disconnect() error {
	var err error
	if o.desk != nil {
		err, o.desk = o.desk.Close(), nil
	}
	if o.control != nil {
		err, o.control = errors.Join(err, o.control.Close()), nil
	}
	return err
}

// awaitUp waits until every office sees its link with its parent up.
func (t *tree) awaitUp(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("not all links were up within %s", within))
	defer cancel()
	for _, o := range t.offices {
		if o.above == nil {
			continue
		}
		err := poll(ctx, 50*time.Millisecond, func() error {
			link, err := linkOf(ctx, o.desk.Sites, o.parent)
			if err == nil && link.State != apipb.LinkStatus_UP {
				err = fmt.Errorf("the link of %s with %s is %s: %s", o.id, o.parent, link.State, link.Reason)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sites are the offices as they are compared.
func (t *tree) sites() []verify.Site {
	var all []verify.Site
	for _, o := range t.offices {
		site := o.desk.Site(o.id, o.name, o.parent)
		site.Former = o.former
		all = append(all, site)
	}
	return all
}

// agree waits until the tree is at rest, and fails when its sites do not tell the same story then. It returns how long the
// rest took to come.
func (t *tree) agree(ctx context.Context, within time.Duration) (time.Duration, error) {
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if err := verify.Settle(limited, t.sites()); err != nil {
		return time.Since(began), err
	}
	took := time.Since(began)
	_, err := compareSites(ctx, t.sites())
	return took, err
}

// cut cuts, or mends, every line that can be cut.
func (t *tree) cut(state lineState) {
	for _, o := range t.offices {
		if o.line != nil {
			o.line.set(state)
		}
	}
}

// path is the offices where its tickets are worked on, home first.
func (o *office) path() []*office {
	var path []*office
	for ; o != nil; o = o.above {
		path = append(path, o)
	}
	return path
}

// at lists the offices of a tier.
func (t *tree) at(tier config.Tier) []*office {
	return slices.DeleteFunc(slices.Clone(t.offices), func(o *office) bool { return o.tier != tier })
}
