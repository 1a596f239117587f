package peers

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc/stats"
)

// sentKey carries the *atomic.Bool that notes whether a call left this node.
type sentKey struct{}

// sentHandler notes for each call whether its headers were written to a connection. Until then the other end cannot have
// done anything; afterwards it may have.
type sentHandler struct{}

func (sentHandler) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

func (sentHandler) HandleRPC(ctx context.Context, event stats.RPCStats) {
	if _, ok := event.(*stats.OutHeader); !ok {
		return
	}
	if sent, ok := ctx.Value(sentKey{}).(*atomic.Bool); ok {
		sent.Store(true)
	}
}

func (sentHandler) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (sentHandler) HandleConn(context.Context, stats.ConnStats) {}
