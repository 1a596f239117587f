package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// brokenDisk is the environment variable that makes the test program work on a disk that breaks, in the way that it names.
const brokenDisk = "TIERDESK_TEST_BROKEN_DISK"

// A database that cannot go on leaves goroutines and locks behind that only the end of the process frees. Hence each
// disk breaks in a process of its own, which must end by itself and say in one line what is wrong.
func TestADiskThatBreaksIsAFaultInOneLine(t *testing.T) {
	for _, disk := range []string{"log is full", "log is full at a mark", "log cannot be synced", "manifest is full", "full from the start"} {
		t.Run(disk, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			process := exec.CommandContext(ctx, os.Args[0])
			process.Env = append(os.Environ(), brokenDisk+"="+disk)
			out, err := process.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Fatalf("it ends with %v, want exit 1:\n%s", err, out)
			}
			for _, part := range []string{testDir + "/db-000001 ", "no space left on device", "start the node again"} {
				if !strings.Contains(string(out), part) || strings.Count(string(out), "\n") != 1 {
					t.Errorf("it says %q, want one line with %q", out, part)
				}
			}
		})
	}
}

// workOn applies entries until the disk breaks, prints the fault, and returns the exit code.
func workOn(kind string) int {
	var broken atomic.Bool
	broken.Store(kind == "full from the start")
	o := options(errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		name := op.Path[strings.LastIndexByte(op.Path, '/')+1:]
		log, manifest := strings.HasSuffix(name, ".log"), strings.HasPrefix(name, "MANIFEST")
		full := op.Kind == errorfs.OpFileWrite && (log && strings.HasPrefix(kind, "log is full") || manifest && kind != "log cannot be synced") ||
			(op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData) && log && kind == "log cannot be synced"
		if broken.Load() && full {
			return syscall.ENOSPC
		}
		return nil
	})))
	s, err := Open(o)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	done := make(chan error, 1)
	go func() { done <- work(s, kind, func() { broken.Store(true) }) }()
	select {
	case err = <-s.Fault():
	case err = <-done:
	}
	if closed := s.Close(); !errors.Is(err, closed) {
		err = errors.Join(err, fmt.Errorf("close: %v, want the fault", closed))
	}
	fmt.Println(err)
	return 1
}

// work commits entries, marks, and flushes as the disk breaks; it returns the first error.
func work(s *Store, kind string, breakDisk func()) error {
	for i := range uint64(1 << 20) {
		if i == 100 {
			breakDisk()
		}
		b := s.NewBatch()
		record := ticket(fmt.Sprintf("330106-20261122-%04d", i+1), func(t *deskpb.Ticket) { t.Description = strings.Repeat("x", 1000) })
		if err := b.PutTicket(record); err != nil {
			return err
		}
		if err := b.Commit(i+1, 1); err != nil {
			return err
		}
		if i < 100 || kind == "log is full" {
			continue
		}
		if kind == "manifest is full" {
			if err := s.db.Flush(); err != nil {
				return err
			}
			continue
		}
		if err := s.SetMark(i+1, 1, nil); err != nil {
			return err
		}
	}
	return errors.New("the disk never broke")
}
