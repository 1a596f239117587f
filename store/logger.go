package store

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// logger hands what the database at the path says to slog. What it calls information is for its developers, hence Debug.
type logger struct {
	*slog.Logger
	path  string
	fault *fault
}

func (l logger) Infof(format string, args ...any)  { l.Debug(fmt.Sprintf(format, args...)) }
func (l logger) Errorf(format string, args ...any) { l.Error(fmt.Sprintf(format, args...)) }

// Fatalf is called when the database cannot go on, such as after a write error on its log or its manifest, and must not
// return. It is called from goroutines of the database too, where a panic could only end the process without a word, so
// it reports the fault and keeps its caller for ever.
func (l logger) Fatalf(format string, args ...any) {
	l.fault.report(l.path, fmt.Errorf(format, args...))
	select {}
}

// listener reports what an operator should know about the database.
func listener(l *slog.Logger) *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			l.Error("the database cannot write in the background", "error", err)
		},
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			l.Error("a database file is corrupt; "+advice, "file", info.Path, "error", firstLine(info.Details))
		},
		WriteStallBegin: func(info pebble.WriteStallBeginInfo) {
			l.Warn("writes wait until the database has caught up", "reason", info.Reason)
		},
		WriteStallEnd: func() { l.Info("writes go on") },
	}
}

// slowDisk is how long a write to the disk may take before it is reported.
const slowDisk = 5 * time.Second

// watched is the file system with a watch on how long its writes take, which counts the slow ones; the closer ends it.
func watched(fs vfs.FS, l *slog.Logger, slow *slowness) (vfs.FS, io.Closer) {
	return vfs.WithDiskHealthChecks(fs, slowDisk, nil, func(info vfs.DiskSlowInfo) {
		slow.note()
		l.Warn("the disk is slow", "file", info.Path, "operation", info.OpType.String(), "seconds", info.Duration.Seconds())
	})
}
