package replication

import (
	"errors"
	"fmt"
	"log/slog"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	// logFormat can tell a damaged write-ahead log from one that ended with the power. The log is never sent, so it is
	// raised when it is useful.
	logFormat = pebble.FormatWALSyncChunks

	logMemTable     = 8 << 20 // bytes; four of them may wait for the disk before writes do
	logMemTables    = 4
	logTableBytes   = 8 << 20
	logCacheBytes   = 1 << 20 // entries are read once; the latest are kept by Raft's own cache
	logOpenFiles    = 74      // ten of them are not tables
	tombstonePeriod = 5 * time.Second
)

// logOptions are those of a small database whose keys only grow and which is cut at its beginning.
func logOptions(fs vfs.FS, logger pebble.Logger, events *pebble.EventListener) *pebble.Options {
	o := &pebble.Options{
		FS:                          fs,
		Logger:                      logger,
		EventListener:               events,
		FormatMajorVersion:          logFormat,
		CacheSize:                   logCacheBytes,
		MaxOpenFiles:                logOpenFiles,
		MemTableSize:                logMemTable,
		MemTableStopWritesThreshold: logMemTables,
		// Tables do not overlap, so they sink without being written again, and those that are cut go without being read.
		L0CompactionThreshold: 2,
		L0StopWritesThreshold: 1000,
		LBaseMaxBytes:         64 << 20,
		// The room of what was cut is given back even when nothing is written afterwards.
		FlushDelayDeleteRange:      tombstonePeriod,
		CompactionConcurrencyRange: func() (int, int) { return 1, 1 },
	}
	o.TargetFileSizes[0] = logTableBytes
	for level := range o.Levels {
		o.Levels[level].Compression = func() *sstable.CompressionProfile { return sstable.SnappyCompression }
	}
	return o
}

// logLogger hands what the database says to slog. What it calls information is for its developers, hence Debug.
type logLogger struct {
	*slog.Logger
	trouble *trouble
}

func (l logLogger) Infof(format string, args ...any)  { l.Debug(fmt.Sprintf(format, args...)) }
func (l logLogger) Errorf(format string, args ...any) { l.Error(fmt.Sprintf(format, args...)) }

// Fatalf is called when the database cannot go on and must not return. It reports the fault and keeps its caller, which
// may hold locks, until the process ends.
func (l logLogger) Fatalf(format string, args ...any) {
	l.trouble.report(fmt.Errorf(format, args...))
	select {}
}

// logEvents reports what an operator should know. A full disk is no fault in the background: the database tries again.
func logEvents(l *slog.Logger, t *trouble) *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			if vfs.IsNoSpaceError(err) || errors.Is(err, syscall.EDQUOT) {
				l.Error("the Raft log cannot be tidied because the disk is full", "directory", t.path, "error", err)
				return
			}
			t.report(err)
		},
		WriteStallBegin: func(info pebble.WriteStallBeginInfo) {
			l.Warn("writes wait until the Raft log has caught up", "reason", info.Reason)
		},
		WriteStallEnd: func() { l.Info("writes to the Raft log go on") },
	}
}
