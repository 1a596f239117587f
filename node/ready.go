package node

import (
	"context"
	"fmt"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// readyPatience bounds the proof of a majority when somebody asks whether the node is ready.
const readyPatience = time.Second

// Ready returns the reasons why this node cannot serve, none when it can: the site is founded, has a leader with a
// majority, this node has caught up with it, its disk has room for work, and as the leader it refuses none for want of room
// elsewhere. A certificate that has ended is a reason only where the other nodes are missing for it.
func (b *backend) Ready(ctx context.Context) []string {
	if b.node.stopping.Load() {
		return []string{"the node is stopping"}
	}
	if fault := b.node.broken.Load(); fault != nil {
		return []string{fmt.Sprintf("the node has stopped working: %v", *fault)}
	}
	if outside := b.site.replica.Outside(); outside != "" {
		return []string{outside}
	}
	var reasons []string
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	if err := b.site.Barrier(ctx); err != nil {
		reasons = append(reasons, fmt.Sprintf("no leader with a majority: %v", err))
		if ended := b.node.certificates.ended(); ended != "" {
			reasons = append(reasons, ended)
		}
	}
	founded, err := b.founded()
	switch {
	case err != nil:
		reasons = append(reasons, fmt.Sprintf("the store cannot be read: %v", err))
	case founded == nil:
		reasons = append(reasons, b.node.unready())
	case founded.Restored:
		reasons = append(reasons, fmt.Sprintf("site %s was restored and is taking another incarnation", b.Site()))
	}
	if wanting := b.node.wanting(); wanting != "" {
		reasons = append(reasons, "the disk is full: "+wanting)
	} else if why := b.node.refusal.Load(); why != nil {
		reasons = append(reasons, fmt.Sprintf("the disk is full: %v", *why))
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
