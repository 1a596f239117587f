package node

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/store"
)

// A broken disk may keep the store's users waiting for ever. A view that does not return stands for them.
func TestABrokenNodeStopsInTimeAlthoughTheStoreHangs(t *testing.T) {
	n, err := Start(t.Context(), options(configuration(t, "n1")))
	if err != nil {
		t.Fatal(err)
	}
	awaitReady(t, n)
	reading, release := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- n.store.View(func(*store.Reader) error {
			close(reading)
			<-release
			return nil
		})
	}()
	<-reading
	n.fail(errors.New("the disk is gone"))
	if fault := <-n.Fault(); !strings.Contains(fault.Error(), "the disk is gone") {
		t.Errorf("fault %v", fault)
	}
	began := time.Now()
	if err := n.Stop(t.Context()); err == nil || !strings.Contains(err.Error(), "still runs") {
		t.Errorf("stop: %v, want that something still runs", err)
	}
	if took := time.Since(began); took > longestStop {
		t.Errorf("the stop of a broken node took %v", took)
	}
	close(release)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
