//go:build unix

package authority

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lock makes this the one process, and the one caller in it, that writes the directory until unlock is called.
func (a *Authority) lock() (unlock func(), err error) {
	file, err := os.Open(filepath.Join(a.dir, keyFile))
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock %s: %w", file.Name(), err)
	}
	return func() { _ = file.Close() }, nil // which unlocks
}
