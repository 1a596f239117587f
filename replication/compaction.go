package replication

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/raft"
)

const (
	// markBytes of log behind the mark call for the next one: a start reads all of them.
	markBytes = 32 << 20
	// trailingBytes of log are kept before the mark, about, and leastTrailing entries in any case, so that a server that
	// was away for a moment finds what it lacks.
	trailingBytes = 256 << 20
	leastTrailing = 1024
	// lastMarkTime bounds the mark that is set when the replica stops.
	lastMarkTime = 2 * time.Second
)

// keepLogShort sets the mark, and has Raft cut its log, as soon as a start would have to read much of it. Raft's own
// timer counts entries alone, and one entry may be as large as two hundred others.
func (r *Replica) keepLogShort(ctx context.Context, p *pace) {
	look := time.NewTicker(p.markCheck)
	defer look.Stop()
	var bytes int64 // appended when the last mark was set here
	_, last := r.disk.ends()
	began := last
	for {
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
		appended := r.disk.appended.Load()
		applied, _ := r.position.get()
		behind := applied - min(applied, r.position.getMark())
		if behind == 0 || behind < p.markEntries && appended-bytes < markBytes {
			continue
		}
		_, last := r.disk.ends()
		r.boundTrail(appended, last-min(last, began), p)
		if r.mark(ctx) {
			bytes = appended
		}
	}
}

// boundTrail has Raft keep as many entries before the mark as fit the bound, by their mean size since the start.
func (r *Replica) boundTrail(bytes int64, entries uint64, p *pace) {
	if bytes == 0 || entries == 0 {
		return
	}
	fit := max(uint64(trailingBytes)*entries/uint64(bytes), leastTrailing)
	if err := r.set(func(c *raft.ReloadableConfig) { c.TrailingLogs = min(fit, p.trailingLogs) }); err != nil {
		r.logger.Warn("the length of the Raft log is not adjusted", "error", err)
	}
}

// mark sets the mark at what is applied now, and tells whether that was possible: Raft waits until it has applied its
// latest membership.
func (r *Replica) mark(ctx context.Context) bool {
	err := r.await(ctx, func() error { return r.raft.Snapshot().Error() })
	if err != nil && !errors.Is(err, raft.ErrNothingNewToSnapshot) {
		r.logger.Debug("the snapshot mark is not set yet", "error", err)
		return false
	}
	return true
}

// markNow sets a last mark, so that the next start reads nothing of the log.
func (r *Replica) markNow(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lastMarkTime)
	defer cancel()
	r.mark(ctx)
}
