package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// process is a running server that this program started.
type process struct {
	name    string
	command *exec.Cmd
	log     string // file with what it writes
	exited  chan struct{}
}

// start runs a server. What it writes goes to a file beside its data.
func (w *workshop) start(name, log string, command *exec.Cmd) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer out.Close() // the process has its own
	command.Stdout, command.Stderr = out, out
	command.SysProcAttr = endsWithParent()
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{name: name, command: command, log: log, exited: make(chan struct{})}
	go func() {
		_ = command.Wait() // who stops it looks at how it ended
		close(p.exited)
	}()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.processes = append(w.processes, p)
	return p, nil
}

// kill ends the process as a power cut does, and waits until it is gone.
func (p *process) kill() {
	_ = p.command.Process.Kill() // it may be gone already
	<-p.exited
}

// stop asks the process to end, and kills it when it does not in time.
func (p *process) stop() {
	const patience = 15 * time.Second
	_ = p.command.Process.Signal(syscall.SIGTERM) // it may be gone already
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.kill()
	}
}

func stopAll(processes []*process) {
	var ending sync.WaitGroup
	for _, p := range processes {
		ending.Go(p.stop)
	}
	ending.Wait()
}

// died tells that the process ended by itself, with the end of its log; nil while it runs.
func (p *process) died() error {
	select {
	case <-p.exited:
	default:
		return nil
	}
	return fmt.Errorf("%s ended by itself:\n%s", p.name, p.logEnd())
}

// logEnd is the end of what the process wrote.
func (p *process) logEnd() string {
	const shown = 2000
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-shown):])
}

// await polls until the process does what is wanted, which it must within the time.
func (p *process) await(ctx context.Context, within time.Duration, what string, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("%s: %s took longer than %s", p.name, what, within))
	defer cancel()
	var death error
	err := poll(ctx, 5*time.Millisecond, func() error {
		if death = p.died(); death != nil {
			return nil
		}
		return try(ctx)
	})
	if err != nil && death == nil {
		err = fmt.Errorf("%w\n%s", err, p.logEnd())
	}
	return errors.Join(err, death)
}
