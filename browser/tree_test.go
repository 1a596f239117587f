package browser

import (
	"context"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/demo"
)

// The offices of the tree that all tests look at.
const (
	province = "330000"
	city     = "330100"
	county   = "330106"
)

// starting bounds the start of the tree and its samples, and of Chromium, on a busy machine.
const starting = 3 * time.Minute

// stopTree ends what the tests share.
var stopTree func()

// tree is a province, a city and a county of three nodes each, with sample people and tickets. All tests share it: starting it takes
// longer than any of them.
var tree = sync.OnceValues(func() (*demo.Demo, error) {
	ctx, cancel := context.WithTimeout(context.Background(), starting)
	defer cancel()
	d, err := demo.Start(ctx, demo.Options{Nodes: 3, Out: io.Discard})
	if err != nil {
		return nil, err
	}
	stopTree = func() {
		ctx, cancel := context.WithTimeout(context.Background(), starting)
		defer cancel()
		_ = d.Stop(ctx) // the tests have said what there was to say
	}
	return d, d.Seed(ctx)
})

// offices returns the running tree.
func offices(t *testing.T) *demo.Demo {
	t.Helper()
	d, err := tree()
	if err != nil {
		t.Fatalf("start the tree: %v", err)
	}
	return d
}
