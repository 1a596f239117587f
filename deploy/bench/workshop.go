package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// workshop is what every benchmark needs: a directory of its own, the built program, and the processes it started.
type workshop struct {
	dir     string
	program string
	json    bool
	lines   []*line

	mu        sync.Mutex // guards processes
	processes []*process
}

// common are the flags that every benchmark has.
type common struct {
	flags   *flag.FlagSet
	json    bool
	dir     string
	program string
	limit   time.Duration
}

func commonFlags(name string) *common {
	c := &common{flags: flag.NewFlagSet(name, flag.ContinueOnError)}
	c.flags.BoolVar(&c.json, "json", false, "print the results as JSON")
	c.flags.StringVar(&c.dir, "dir", "", "where to make the temporary directory; the disk under it is what is measured")
	c.flags.StringVar(&c.program, "program", "", "a built tierdesk; without it, it is built from this checkout. What reaches its parent over a line is always this checkout's")
	c.flags.DurationVar(&c.limit, "limit", 2*time.Hour, "when to give up")
	return c
}

// inWorkshop parses the flags and runs a benchmark in a workshop, which is cleared away afterwards.
func (c *common) inWorkshop(ctx context.Context, args []string, body func(context.Context, *workshop) error) (err error) {
	if err := c.flags.Parse(args); err != nil {
		return err
	}
	if c.flags.NArg() > 0 {
		return fmt.Errorf("%q is no flag: this benchmark takes only flags", c.flags.Arg(0))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.limit, fmt.Errorf("it took longer than -limit %s", c.limit))
	defer cancel()
	w := &workshop{json: c.json}
	if w.dir, err = os.MkdirTemp(c.dir, "tierdesk-bench-"); err != nil {
		return fmt.Errorf("make a temporary directory: %w", err)
	}
	defer func() { err = errors.Join(err, w.clear()) }()
	if w.program, err = w.build(ctx, c.program); err != nil {
		return err
	}
	err = body(ctx, w)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// clear ends what still runs and removes the data.
func (w *workshop) clear() error {
	w.endAll()
	if err := os.RemoveAll(w.dir); err != nil {
		return fmt.Errorf("remove the data: %w", err)
	}
	return nil
}

// endAll ends all processes and lines. Once more does no harm.
func (w *workshop) endAll() {
	for _, p := range w.processes {
		p.kill()
	}
	for _, l := range w.lines {
		l.close()
	}
}

// build builds the program, or takes one that is there.
func (w *workshop) build(ctx context.Context, program string) (string, error) {
	if program != "" {
		return filepath.Abs(program)
	}
	path := filepath.Join(w.dir, "tierdesk")
	build := exec.CommandContext(ctx, "go", "build", "-o", path, "./cmd/tierdesk")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program; run this in deploy/bench of the checkout: %w\n%s", err, out)
	}
	return path, nil
}

// say tells the person who waits how far it is.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// poll tries until it works or the context ends.
func poll(ctx context.Context, every time.Duration, try func() error) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		case <-ticker.C:
		}
	}
}
