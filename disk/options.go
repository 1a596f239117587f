package disk

import (
	"errors"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options open a disk.
type Options struct {
	// Dir is the data directory; it is made when missing.
	Dir string
	// FS holds Dir; nil is the real one.
	FS vfs.FS
	// Reserve is the size of the reserve in bytes; 0 is 64 MiB, on a small volume a twentieth of it.
	Reserve int64
	// Logger takes a sentence for each change of the room; nil discards it.
	Logger *slog.Logger

	stall time.Duration // nil value: stallLimit
	poll  time.Duration // nil value: pollPause
}

const (
	defaultReserve = 64 << 20
	leastReserve   = 1 << 20
	reserveShare   = 20 // of the volume is the reserve at most

	// stallLimit is how long one operation may take before the disk counts as stalled.
	stallLimit = 10 * time.Second
	// pollPause lies between two looks at the free space.
	pollPause = time.Second
)

func (o Options) withDefaults() (Options, error) {
	if o.Dir == "" {
		return o, errors.New("open disk: Dir is empty: name the node's data directory")
	}
	if o.Reserve < 0 {
		return o, errors.New("open disk: Reserve is negative: give a size in bytes, or 0")
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.stall == 0 {
		o.stall = stallLimit
	}
	if o.poll == 0 {
		o.poll = pollPause
	}
	return o, nil
}

// reserveOf is the size of the reserve on a volume of so many bytes, 0 when that is not known.
func (o Options) reserveOf(total uint64) int64 {
	size := int64(defaultReserve)
	if o.Reserve > 0 {
		return o.Reserve
	}
	if total > 0 {
		size = min(size, int64(total/reserveShare))
	}
	return max(size, leastReserve)
}
