package store

import (
	"errors"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options opens a store.
type Options struct {
	// Dir is the data directory of one node; it is made when missing.
	Dir string
	// FS holds Dir; nil is the real one.
	FS vfs.FS
	// Site and Node own the directory for ever; another pair is refused.
	Site string
	Node string
	// CacheBytes bounds the memory for cached blocks together with what is not flushed yet; 0 is 64 MiB. With less than a few
	// times memTableBytes nothing is left for blocks.
	CacheBytes int64
	// Logger takes what the database reports; nil discards it.
	Logger *slog.Logger
}

const (
	defaultCacheBytes = 64 << 20
	memTableBytes     = 16 << 20
	maxOpenFiles      = 200
	walSyncBytes      = 512 << 10
	// Rows come in the order of time within each family, so fewer and larger rewrites touch the same few tables.
	l0Tables  = 8
	baseBytes = 256 << 20

	bloomBitsPerKey = 10

	// pebbleFormat is raised only when every node of every site reads the newer one: a checkpoint may go to any of them.
	pebbleFormat = pebble.FormatTableFormatV6
)

func (o Options) withDefaults() (Options, error) {
	if o.Dir == "" {
		return o, errors.New("store options: Dir is empty: name the node's data directory")
	}
	if o.Site == "" || o.Node == "" {
		return o, errors.New("store options: Site or Node is empty: name both, they own the data directory")
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = defaultCacheBytes
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// pebble returns the options of a database on fs for a small machine: at most about 80 MiB of memory and one compaction at a time.
// The write-ahead log stays on, because a checkpoint without it leaves out what was not flushed. The logger is set when
// it is opened.
func (o Options) pebble(fs vfs.FS) *pebble.Options {
	options := &pebble.Options{
		FS:                          fs,
		CacheSize:                   o.CacheBytes,
		MemTableSize:                memTableBytes,
		MemTableStopWritesThreshold: 3,
		// Otherwise the log of a full memtable reaches the disk all at once, and commits wait for it.
		WALBytesPerSync:            walSyncBytes,
		L0CompactionThreshold:      l0Tables,
		LBaseMaxBytes:              baseBytes,
		MaxOpenFiles:               maxOpenFiles,
		FormatMajorVersion:         pebbleFormat,
		CompactionConcurrencyRange: func() (int, int) { return 1, 1 },
		EventListener:              listener(o.Logger),
	}
	told := options.EventListener.BackgroundError
	options.EventListener.BackgroundError = func(err error) {
		if !vfs.IsNoSpaceError(err) { // a full disk is told where its room is watched, not at each try
			told(err)
		}
	}
	// What was just flushed is soon rewritten; compressing it then is enough.
	options.Levels[0].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
	for level := range options.Levels {
		options.Levels[level].FilterPolicy = bloom.FilterPolicy(bloomBitsPerKey)
	}
	return options
}
