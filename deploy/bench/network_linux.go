package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// within does something on a thread that is in the host's namespace. Sockets that are made there stay there. What is done
// must not leave its goroutine.
func (h *host) within(do func() error) (err error) {
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter the network of %s: %w", h.name, err)
	}
	defer home.Close()
	there, err := os.Open(filepath.Join(namespaceDir, h.name))
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter the network of %s: %w", h.name, err)
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter the network of %s: %w", h.name, err)
	}
	err = do()
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		return errors.Join(err, fmt.Errorf("leave the network of %s: %w", h.name, back)) // the thread stays locked and ends with its goroutine
	}
	runtime.UnlockOSThread()
	return err
}
