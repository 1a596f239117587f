package node

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// Backup returns a consistent copy of the site as this node has it, which is the latest unless stale allows less. The
// stream must be closed; until then this node makes no other one, since each keeps files from being deleted.
func (b *backend) Backup(ctx context.Context, stale bool) (io.ReadCloser, *apipb.Backup, error) {
	if !stale {
		if err := b.site.Barrier(ctx); err != nil {
			return nil, nil, statusOf(err)
		}
	}
	founded, err := b.founded()
	if err != nil {
		return nil, nil, err
	}
	if founded == nil {
		return nil, nil, desk.Refuse(desk.FailedPrecondition, "NOT_FOUNDED", "site %s is not founded, so there is nothing to back up", b.Site())
	}
	if !b.node.copying.CompareAndSwap(false, true) {
		return nil, nil, desk.Refuse(desk.ResourceExhausted, "BACKUP_UNDER_WAY",
			"node %s is making a backup already; wait for it, or ask another node", b.node.config.Node.ID)
	}
	content, size, made, err := b.node.store.Backup()
	if err != nil {
		b.node.copying.Store(false)
		return nil, nil, fmt.Errorf("make a backup: %w", err)
	}
	return copying{content, &b.node.copying}, &apipb.Backup{
		Site: made.Site, Name: made.Name, Node: made.Node, Time: timestamppb.New(made.Time), AppliedIndex: made.Index, Size: size,
	}, nil
}

// copying is the stream of a backup, and makes room for the next one when it is closed.
type copying struct {
	io.ReadCloser
	under *atomic.Bool
}

func (c copying) Close() error {
	defer c.under.Store(false)
	return c.ReadCloser.Close()
}
