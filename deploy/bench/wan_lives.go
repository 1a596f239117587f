package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
)

// restoredCity is the city that is put back to an earlier state, with all its three nodes.
const restoredCity = "330100"

// backupFile is where the backup of a site is kept.
func (s *site) backupFile() string { return filepath.Join(s.workshop.dir, s.id+".backup") }

// backUp writes a backup of the site while it works.
func (s *site) backUp(ctx context.Context) (err error) {
	file, err := os.Create(s.backupFile())
	if err != nil {
		return fmt.Errorf("back up %s: %w", s.id, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	stream, err := apipb.NewRecoveriesClient(s.control).BackupSite(
		metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+s.token), &apipb.BackupSiteRequest{})
	if err != nil {
		return fmt.Errorf("back up %s: %w", s.id, err)
	}
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			_, err = file.Write(part.GetData())
		}
		if err != nil {
			return fmt.Errorf("back up %s: %w", s.id, err)
		}
	}
}

// restore empties the disks of a site whose nodes have ended, and puts its backup on the first one.
func (s *site) restore(ctx context.Context) error {
	const within, every = time.Minute, time.Second // the parent may hold a link for alive that has just ended
	for _, n := range s.nodes {
		if err := errors.Join(os.RemoveAll(n.dir), os.MkdirAll(n.dir, 0o700)); err != nil {
			return fmt.Errorf("empty the disk of %s: %w", n.id, err)
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("it took longer than %s", within))
	defer cancel()
	err := poll(ctx, every, func() error {
		command := exec.CommandContext(ctx, "ip", "netns", "exec", s.netns, s.workshop.program, "restore", s.backupFile(), "--config", s.nodes[0].file)
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("restore %s: %w", s.id, err)
	}
	return nil
}

// restoreCity puts a city back to where it was in the second act, while it has tickets in hand that the backup knows nothing
// of.
func (b *wan) restoreCity(ctx context.Context) (aftermath, error) {
	city := b.office(restoredCity)
	inHand, err := b.startAbove(ctx, "in-hand", city)
	if err != nil {
		return aftermath{}, err
	}
	if err := city.close(ctx); err != nil {
		return aftermath{}, err
	}
	if err := city.restore(ctx); err != nil {
		return aftermath{}, err
	}
	again := time.Now()
	if err := city.open(ctx, nil); err != nil {
		return aftermath{}, err
	}
	overview, err := city.desk.Sites.GetSite(ctx, &apipb.GetSiteRequest{})
	if err == nil && overview.GetLetters() == "" {
		err = fmt.Errorf("the restored %s has not begun a new life", city.id)
	}
	return aftermath{mended: again, waiting: inHand}, err
}

// startAbove opens tickets in the counties of a city, until the city has them in hand.
func (b *wan) startAbove(ctx context.Context, name string, city *office) (lives []*life, err error) {
	for _, home := range b.tree.at(config.County) {
		for i := range b.tickets / fewOf {
			if home.above == city {
				lives = append(lives, halfway(fmt.Sprintf("%s-%s-%d", name, home.id, i), home.path()))
			}
		}
	}
	return lives, b.mustFinish(ctx, lives)
}

// copiedCounty is the county whose disk is copied.
const copiedCounty = "330203"

// copyCounty starts a copy of a county's disk on another host while the original goes on. The copy must stop deciding, and
// say so; the original must not notice.
func (b *wan) copyCounty(ctx context.Context) (after aftermath, err error) {
	county := b.office(copiedCounty)
	copied, err := b.layCopy(ctx, county)
	if err != nil {
		return after, err
	}
	if err := b.mustFinish(ctx, drawLives("after-the-copy", []*office{county}, b.tickets/fewOf)); err != nil {
		return after, err
	}
	if err := copied.open(ctx, nil); err != nil {
		return after, err
	}
	limited, cancel := context.WithTimeoutCause(ctx, healWithin, fmt.Errorf("the copy went on for %s", healWithin))
	defer cancel()
	err = poll(limited, 100*time.Millisecond, func() error {
		overview, err := copied.desk.Sites.GetSite(limited, &apipb.GetSiteRequest{})
		if err == nil && !strings.Contains(overview.GetFrozen(), "two copies of "+county.id) {
			err = fmt.Errorf("the copy of %s is frozen because %q", county.id, overview.GetFrozen())
		}
		return err
	})
	if err != nil {
		return after, errors.Join(err, copied.close(ctx))
	}
	if err := b.mustFinish(ctx, drawLives("beside-the-copy", []*office{county}, b.tickets/fewOf)); err != nil {
		return after, errors.Join(err, copied.close(ctx))
	}
	overview, err := county.desk.Sites.GetSite(ctx, &apipb.GetSiteRequest{})
	if err == nil && overview.GetFrozen() != "" {
		err = fmt.Errorf("the original of %s is frozen: %s", county.id, overview.GetFrozen())
	}
	ended := time.Now()
	return aftermath{mended: ended}, errors.Join(err, copied.close(ctx))
}

// layCopy copies the disk of a county's only node onto a host of its own, with a cable to the same parent.
func (b *wan) layCopy(ctx context.Context, county *office) (*office, error) {
	h, err := b.network.host(ctx, county.id+"-copy", len(b.hosts)+1)
	if err != nil {
		return nil, err
	}
	if _, err := b.network.cable(ctx, h, b.hosts[county.parent]); err != nil {
		return nil, err
	}
	copied := &office{above: county.above, site: &site{place: county.place, workshop: county.workshop, expect: 1, netns: h.name,
		parents: county.parents, pool: county.pool}}
	if err := copied.furnish(h, filepath.Join(county.workshop.dir, county.id+"-copy")); err != nil {
		return nil, err
	}
	if err := county.close(ctx); err != nil {
		return nil, err
	}
	to := copied.nodes[0].dir
	if err := errors.Join(os.Remove(to), os.CopyFS(to, os.DirFS(county.nodes[0].dir)), os.Chmod(to, 0o700)); err != nil {
		return nil, fmt.Errorf("copy the disk of %s: %w", county.id, err)
	}
	return copied, errors.Join(copied.configure(), county.open(ctx, nil))
}

// moveCounty has the province put a county below the other city while tickets of it are at every tier, and its old and its
// new line come and go every second.
func (b *wan) moveCounty(ctx context.Context) (aftermath, error) {
	county, to := b.office("330106"), b.office("330200")
	started, err := b.startAbove(ctx, "before-the-move", county.above)
	if err != nil {
		return aftermath{}, err
	}
	started = slices.DeleteFunc(started, func(l *life) bool { return l.path[0] != county })
	line, err := b.network.cable(ctx, b.hosts[county.id], b.hosts[to.id])
	if err != nil {
		return aftermath{}, err
	}
	_, err = apipb.NewTreeClient(b.office("330000").control).MoveSite(ctx,
		&apipb.MoveSiteRequest{Site: county.id, Parent: to.id, Reason: "区划调整"})
	if err != nil {
		return aftermath{}, fmt.Errorf("move %s to %s: %w", county.id, to.id, err)
	}
	after, err := b.flap(ctx, []*cable{b.cables[county.id], line}, func(round int) (lives []*life) {
		for i := range 10 {
			lives = append(lives, askedFor(fmt.Sprintf("moving-%d-%d", round, i), county.path()))
		}
		started = append(started, lives...)
		return lives
	})
	if err != nil {
		return after, err
	}
	county.former = append(county.former, county.parent)
	county.above, county.parent = to, to.id
	b.cables[county.id] = line
	after.moved, after.waiting = true, append(after.waiting, started...)
	return after, b.tree.awaitUp(ctx, healWithin)
}
