//go:build unix

package authority

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestWhileOneWritesNobodyElseDoes(t *testing.T) {
	a := newTree(t, newClock())
	other, err := os.Open(filepath.Join(a.dir, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	try := func() error { return syscall.Flock(int(other.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) }
	unlock, err := a.lock()
	if err != nil {
		t.Fatal(err)
	}
	if err := try(); !errors.Is(err, syscall.EWOULDBLOCK) {
		t.Errorf("while it is locked another one gets %v", err)
	}
	unlock()
	if err := try(); err != nil {
		t.Errorf("afterwards another one gets %v", err)
	}
}
