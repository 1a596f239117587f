package node

import (
	"context"
	"sync/atomic"
)

// freshness is what the calls of one page have in common: once one of them has waited until this node's state is the latest, the
// others read that state as it is, since it only moves on. What they read is as late as the page's first question. After the page
// itself had something decided, which a node that does not lead has a moment later, the next call waits again.
type freshness struct{ proven atomic.Bool }

type freshnessKey struct{}

// together makes the calls with a context share one wait for the latest state. The context must not outlive the request that it
// answers.
func together(ctx context.Context) context.Context {
	return context.WithValue(ctx, freshnessKey{}, new(freshness))
}

// latest has barrier wait until this node's state has everything that was acknowledged before, unless a call that shares the wait
// has done so already.
func latest(ctx context.Context, barrier func(context.Context) error) error {
	shared, _ := ctx.Value(freshnessKey{}).(*freshness)
	if shared != nil && shared.proven.Load() {
		return nil
	}
	if err := barrier(ctx); err != nil {
		return err
	}
	if shared != nil {
		shared.proven.Store(true)
	}
	return nil
}

// outdated has the next call with a context wait for the latest state, for this one had something decided.
func outdated(ctx context.Context) {
	if shared, _ := ctx.Value(freshnessKey{}).(*freshness); shared != nil {
		shared.proven.Store(false)
	}
}
