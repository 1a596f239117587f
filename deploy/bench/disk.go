package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

// probeDisk measures how long the disk under the data takes to sync a small append, which no promise of durability can
// undercut.
func (w *workshop) probeDisk() (setting, error) {
	const appends, bytes = 300, 4096
	s := setting{Machine: machine(), Processors: runtime.NumCPU(), Go: runtime.Version(), Time: time.Now()}
	path := filepath.Join(w.dir, "probe")
	file, err := os.Create(path)
	if err != nil {
		return s, fmt.Errorf("probe the disk: %w", err)
	}
	defer os.Remove(path)
	defer file.Close()
	block := make([]byte, bytes)
	var took []float64
	for range appends {
		began := time.Now()
		if _, err := file.Write(block); err != nil {
			return s, fmt.Errorf("probe the disk: %w", err)
		}
		if err := file.Sync(); err != nil {
			return s, fmt.Errorf("probe the disk: %w", err)
		}
		took = append(took, milliseconds(time.Since(began)))
	}
	slices.Sort(took)
	s.SyncP50, s.SyncP99 = took[appends/2], took[appends*99/100]
	return s, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// sweep removes the data of what ran before and waits until the disk has nothing left to do for it. The program stays.
func (w *workshop) sweep() error {
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := os.RemoveAll(filepath.Join(w.dir, entry.Name())); err != nil {
				return fmt.Errorf("sweep: %w", err)
			}
		}
	}
	syncDisks()
	return nil
}
