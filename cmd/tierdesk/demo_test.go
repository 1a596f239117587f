package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/client"
)

// TestADemoThatIsInterruptedWhileItStarts ends as one that is interrupted later: well, and without its directory.
func TestADemoThatIsInterruptedWhileItStarts(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code := run(ctx, []string{"demo"}); code != client.ExitDone {
		t.Errorf("exit %d, want %d", code, client.ExitDone)
	}
	if code := run(ctx, []string{"demo", "--once"}); code != client.ExitFailed {
		t.Errorf("with --once: exit %d, want %d: the main job was not played", code, client.ExitFailed)
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("disk full"), false},
		{fmt.Errorf("site 1: %w", context.Canceled), true},
		{fmt.Errorf("site 1: sign in: %w", status.Error(codes.Canceled, "context canceled")), true},
		{status.Error(codes.Unavailable, "no leader"), false},
	} {
		if got := interrupted(c.err); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
	}
}
