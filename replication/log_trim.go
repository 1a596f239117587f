package replication

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// maxHeldBytes is how much log is kept for servers that a checkpoint was sent to.
const maxHeldBytes = 1 << 30

// DeleteRange cuts the entries of both indexes and between them: at the beginning when they are in the state for good, at
// the end when they were not agreed on, or all when a checkpoint took their place. A beginning that a server will need
// after its checkpoint stays until the next time.
func (l *entryLog) DeleteRange(low, high uint64) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	first, last := l.ends()
	low, high = max(low, first), min(high, last)
	switch {
	case last == 0 || low > high:
		return nil
	case high == last:
		// The append that follows is durable only with this before it. The sync keeps entries that were cut from coming
		// back when the power fails before that.
		l.severed = true
		return l.cut(low, high, pebble.Sync)
	case low == first:
		if high = l.spared(high, last); high < low {
			return nil
		}
		// Old entries that come back after a crash do no harm.
		return l.cut(low, high, pebble.NoSync)
	default:
		return l.report(fmt.Errorf("the entries %d to %d cannot be cut out between %d and %d", low, high, first, last))
	}
}

// spared is the index up to which the beginning may be cut: at most high, and less while servers need what follows their
// checkpoint, unless that is too much.
func (l *entryLog) spared(high, last uint64) uint64 {
	lowest := l.holds.lowest()
	if lowest == 0 || lowest > high {
		return high
	}
	bytes, err := l.db.EstimateDiskUsage(entryKey(lowest), entryKey(last+1))
	if err != nil || bytes > l.mostHeld {
		l.logger.Warn("the Raft log is cut although a server that got a checkpoint still needs it; it gets another checkpoint",
			"entry", lowest, "bytes", bytes, "error", err)
		return high
	}
	return lowest - 1
}

// cut deletes entries at one end, or all. The caller holds writing.
func (l *entryLog) cut(low, high uint64, options *pebble.WriteOptions) error {
	if l.hasEnded() {
		return l.cause
	}
	l.mu.Lock()
	switch {
	case low == l.first && high == l.last:
		l.first, l.last = 0, 0
	case low == l.first:
		l.first = high + 1
	default:
		l.last = low - 1
	}
	l.mu.Unlock()
	batch := l.db.NewBatch()
	defer batch.Close()
	if err := batch.DeleteRange(entryKey(low), entryKey(high+1), nil); err != nil {
		return l.report(err)
	}
	return l.commit(batch, options)
}
