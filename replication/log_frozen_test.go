//go:build unix

package replication

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// frozenLog is the environment variable that makes the test program append to a log until it is told to end the append.
const frozenLog = "TIERDESK_TEST_FROZEN_LOG"

// A process that is stopped, or whose machine is, for longer than a write may take must not blame the disk when it goes on:
// the disk had no chance to answer.
func TestAFrozenProcessDoesNotBlameTheDisk(t *testing.T) {
	if os.Getenv(frozenLog) != "" {
		fmt.Println(appendOverAFreeze())
		os.Exit(0)
	}
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	process := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestAFrozenProcessDoesNotBlameTheDisk$")
	process.Env = append(os.Environ(), frozenLog+"=1")
	process.Stderr = os.Stderr
	in, err := process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	pipe, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(pipe)
	if line, err := out.ReadString('\n'); err != nil || line != "the disk hangs\n" {
		t.Errorf("it says %q (%v) at first", line, err)
	}
	signal := func(s syscall.Signal) {
		if err := process.Process.Signal(s); err != nil {
			t.Error(err)
		}
	}
	signal(syscall.SIGSTOP)
	time.Sleep(stallLimit + stallLimit/stallSteps)
	signal(syscall.SIGCONT)
	if _, err := io.WriteString(in, "\n"); err != nil {
		t.Error(err)
	}
	rest, err := io.ReadAll(out)
	if err != nil || string(rest) != "the entry is written\n" {
		t.Errorf("after the freeze it says %q (%v)", rest, err)
	}
	if err := process.Wait(); err != nil {
		t.Error(err)
	}
}

// appendOverAFreeze appends an entry on a disk that answers a moment after a line comes from the standard input. It
// returns what became of it.
func appendOverAFreeze() string {
	disk, f := &hangingDisk{}, newFault()
	l, err := openLog(errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(disk.inject)), "raft", nil, f, slog.New(slog.DiscardHandler))
	if err != nil {
		return err.Error()
	}
	gate := make(chan struct{})
	disk.gate.Store(&gate)
	stored := make(chan error, 1)
	go func() { stored <- l.StoreLog(entryOf(1, 1)) }()
	for !disk.hangs.Load() {
		time.Sleep(time.Millisecond)
	}
	fmt.Println("the disk hangs")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err.Error()
	}
	time.Sleep(stallLimit / stallSteps) // every timer that was due during the freeze has its turn
	close(gate)
	if err := <-stored; err != nil {
		return err.Error()
	}
	select {
	case err := <-f.errors:
		return err.Error()
	default:
		return "the entry is written"
	}
}
