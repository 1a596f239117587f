package replication

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/hashicorp/raft"
)

// brokenLogDisk is the environment variable that makes the test program write a log to a disk that breaks, in the way
// that it names.
const brokenLogDisk = "TIERDESK_TEST_BROKEN_LOG_DISK"

// A database that cannot go on leaves goroutines and locks behind that only the end of the process frees. Hence each disk
// breaks in a process of its own, which must end by itself and say in one line what is wrong.
func TestALogDiskThatBreaksIsAFaultInOneLine(t *testing.T) {
	if kind := os.Getenv(brokenLogDisk); kind != "" {
		fmt.Println(writeUntilItBreaks(kind))
		os.Exit(1)
	}
	for _, kind := range []string{"log is full", "log cannot be synced", "manifest is full", "tables cannot be written", "full from the start"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			process := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestALogDiskThatBreaksIsAFaultInOneLine$")
			process.Env = append(os.Environ(), brokenLogDisk+"="+kind)
			out, err := process.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Fatalf("it ends with %v, want exit 1:\n%s", err, out)
			}
			for _, part := range []string{"the Raft log raft/log cannot be written", "input/output error", "start the node again"} {
				if !strings.Contains(string(out), part) || strings.Count(string(out), "\n") != 1 {
					t.Errorf("it says %q, want one line with %q", out, part)
				}
			}
		})
	}
}

// writeUntilItBreaks appends entries until there is a fault, which it returns.
func writeUntilItBreaks(kind string) error {
	var broken atomic.Bool
	broken.Store(kind == "full from the start")
	disk := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		name := op.Path[strings.LastIndexByte(op.Path, '/')+1:]
		log, manifest, table := strings.HasSuffix(name, ".log"), strings.HasPrefix(name, "MANIFEST"), strings.HasSuffix(name, ".sst")
		write, sync := op.Kind == errorfs.OpFileWrite, op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData
		fails := log && write && kind == "log is full" || log && sync && kind == "log cannot be synced" ||
			manifest && write && (kind == "manifest is full" || kind == "full from the start") || table && write && kind == "tables cannot be written"
		if broken.Load() && fails {
			return syscall.EIO
		}
		return nil
	}))
	fault := newFault()
	l, err := openLog(disk, "raft", nil, fault, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	go func() {
		for index := uint64(1); index < 1<<20; index++ {
			if index == 100 {
				broken.Store(true)
			}
			if l.StoreLog(entryOf(index, 1)) != nil {
				return
			}
		}
	}()
	err = <-fault.errors
	if closed := l.Close(); closed != nil {
		err = errors.Join(err, closed)
	}
	return err
}

// A full disk is no fault as long as the database can try again.
func TestALogIsNotEndedByAFullDiskInTheBackground(t *testing.T) {
	var full atomic.Bool
	var refused atomic.Int64
	f := newFault()
	l, err := openLog(errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && op.Kind == errorfs.OpFileWrite && strings.HasSuffix(op.Path, ".sst") {
			refused.Add(1)
			return syscall.ENOSPC
		}
		return nil
	})), "raft", nil, f, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	storeEntries(t, l, 1, 10, 1)
	full.Store(true)
	flushed, err := l.db.AsyncFlush()
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "a table is refused", func() bool { return refused.Load() > 0 })
	storeEntries(t, l, 11, 20, 1)
	full.Store(false)
	<-flushed
	if f.isRaised() {
		t.Errorf("a fault: %v", <-f.errors)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// hangingDisk is a disk whose syncs of the write-ahead log wait for as long as it is told to.
type hangingDisk struct {
	vfs.FS
	gate  atomic.Pointer[chan struct{}]
	hangs atomic.Bool // a sync has begun to wait
}

func (d *hangingDisk) inject(op errorfs.Op) error {
	gate := d.gate.Load()
	if gate != nil && strings.HasSuffix(op.Path, ".log") && (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData) {
		d.hangs.Store(true)
		<-*gate
	}
	return nil
}

func TestADiskThatDoesNotAnswerIsAFault(t *testing.T) {
	for _, c := range []struct {
		hangs time.Duration
		fault bool
	}{{stallLimit - time.Millisecond, false}, {stallLimit + time.Millisecond, true}} {
		synctest.Test(t, func(t *testing.T) {
			disk := &hangingDisk{}
			f := newFault()
			l, err := openLog(errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(disk.inject)), "raft", nil, f, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			gate := make(chan struct{})
			disk.gate.Store(&gate)
			stored := make(chan error, 1)
			go func() { stored <- l.StoreLog(&raft.Log{Index: 1, Term: 1}) }()
			time.Sleep(c.hangs)
			synctest.Wait()
			if f.isRaised() != c.fault {
				t.Errorf("after %v a fault is %v, want %v", c.hangs, f.isRaised(), c.fault)
			}
			if c.fault {
				if err := <-f.errors; !strings.Contains(err.Error(), "the disk has not answered for 10s") {
					t.Errorf("the fault is %v", err)
				}
			}
			close(gate)
			if err := <-stored; err != nil {
				t.Errorf("the write ends with %v", err)
			}
			if err := l.db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAClosedLogIsNotWritten(t *testing.T) {
	f := newFault()
	d := openTestDisk(t, t.TempDir(), f)
	storeEntries(t, d.entryLog, 1, 3, 1)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.StoreLog(&raft.Log{Index: 4, Term: 1}); err == nil || !f.isRaised() {
		t.Errorf("a write to a closed log: %v", err)
	}
	if err := d.GetLog(1, &raft.Log{}); err == nil {
		t.Error("a closed log is read")
	}
}
