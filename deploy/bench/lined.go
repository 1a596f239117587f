package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/node"
	"github.com/tierdesk/tierdesk/node/config"
)

// nodeCommand runs a node that reaches its parent over a line. tierdesk serve would find the way around the line: the
// directory tells it where the parent's nodes truly are.
const nodeCommand = "node-on-a-line"

// ways are the addresses of the parent's nodes, each with that of the line which leads there.
type ways map[string]string

// ways lists where the line leads.
func (l *line) ways() ways {
	w := make(ways)
	for i, target := range l.targets {
		w[target] = l.addresses[i]
	}
	return w
}

// dial opens a connection to a node of the parent, over the line or not at all.
func (w ways) dial(ctx context.Context, address string) (net.Conn, error) {
	by, known := w[address]
	if !known {
		return nil, fmt.Errorf("no line leads to %s", address)
	}
	return dialHere(ctx, by)
}

func (w ways) String() string {
	var all []string
	for target, by := range w {
		all = append(all, target+"="+by)
	}
	return strings.Join(all, ",")
}

// Set reads what String wrote.
func (w ways) Set(text string) error {
	for way := range strings.SplitSeq(text, ",") {
		target, by, found := strings.Cut(way, "=")
		if !found {
			return fmt.Errorf("%q is not ADDRESS=ADDRESS", way)
		}
		w[target] = by
	}
	return nil
}

// onLine is the command of a node on a line, with the garbage collector set as tierdesk serve sets it.
func (s *site) onLine(n *siteNode) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	command := exec.Command(self, nodeCommand, "-config", n.file, "-ways", s.line.ways().String())
	command.Env = os.Environ()
	if s.tier != config.County {
		command.Env = append(command.Env, "GOGC=400", "GOMEMLIMIT=384MiB")
	}
	return command, nil
}

// runOnLine runs a node until SIGTERM.
func runOnLine(ctx context.Context, args []string) error {
	const drain = 8 * time.Second
	f, by := flag.NewFlagSet(nodeCommand, flag.ContinueOnError), make(ways)
	file := f.String("config", "", "the node's configuration")
	f.Var(by, "ways", "ADDRESS=ADDRESS of the line, for each node of the parent")
	if err := f.Parse(args); err != nil {
		return err
	}
	c, err := config.Load(*file, os.Environ())
	if err != nil {
		return err
	}
	n, err := node.Start(ctx, node.Options{Config: c, AdminPassword: os.Getenv(c.Admin.PasswordEnv), Dial: by.dial,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	var fault error
	select {
	case <-ctx.Done():
	case fault = <-n.Fault():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	return errors.Join(fault, n.Stop(last))
}
