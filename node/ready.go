package node

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

const (
	// readyPatience bounds the proof of a majority when somebody asks whether the node is ready.
	readyPatience = time.Second
	// leastFree is what a disk must have left, in bytes, for the node to count as ready.
	leastFree = 64 << 20
)

// Ready returns the reasons why this node cannot serve, none when it can: the site is founded, has a leader with a
// majority, this node has caught up with it, and its disk has room.
func (b *backend) Ready(ctx context.Context) []string {
	if b.node.stopping.Load() {
		return []string{"the node is stopping"}
	}
	if fault := b.node.broken.Load(); fault != nil {
		return []string{fmt.Sprintf("the node has stopped working: %v", *fault)}
	}
	var reasons []string
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	if err := b.site.Barrier(ctx); err != nil {
		reasons = append(reasons, fmt.Sprintf("no leader with a majority: %v", err))
	}
	founded, err := b.founded()
	switch {
	case err != nil:
		reasons = append(reasons, fmt.Sprintf("the store cannot be read: %v", err))
	case founded == nil:
		reasons = append(reasons, fmt.Sprintf("site %s is not founded yet", b.Site()))
	}
	if free, err := freeBytes(b.node.config.Node.DataDir); err == nil && free < leastFree {
		reasons = append(reasons, fmt.Sprintf("the disk of %s has %d MiB left; free some", b.node.config.Node.DataDir, free>>20))
	}
	return reasons
}

// founded returns the site's own state as this node has it, nil before it is founded.
func (b *backend) founded() (founded *deskpb.Site, err error) {
	err = b.site.View(func(r *store.Reader) error {
		founded, err = r.Site()
		return err
	})
	return founded, err
}

// freeBytes is what the disk of a directory has left for this process.
func freeBytes(dir string) (uint64, error) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return 0, fmt.Errorf("look at the disk of %s: %w", dir, err)
	}
	return disk.Bavail * uint64(disk.Bsize), nil
}
