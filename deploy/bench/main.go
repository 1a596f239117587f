// Command bench measures a real site of tierdesk on this machine, beside etcd where that tells something: it builds the
// program, runs its nodes as processes on loopback ports with data in a temporary directory, puts them under load, and
// prints a table. It is for people who want to check docs/benchmarks.md or to see what a change costs; nothing that ships
// uses it. The commands on several sites have a county and its city, or a whole province. Every command ends by itself, ends what it started and removes its data.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// command is one benchmark.
type command struct {
	name, short string
	run         func(ctx context.Context, args []string) error
}

func commands() []command {
	return []command{
		{"versus", "create tickets and read them at a site of three nodes, and put and get the same bytes at etcd, by turns", versus},
		{"queue", "list pages of a queue at ten thousand and at a million tickets", queue},
		{"restart", "start a node that has a million tickets until it is ready", restart},
		{"join", "have an empty node join a site of a million tickets under load", join},
		{"million", "queue, restart and join over one data set", million},
		{"failover", "kill the leader and write until it works again", failover},
		{"looks", "open the pages of queues and of a ticket at a site with a hundred thousand tickets", looks},
		{"idle", "memory of a county's only node with a hundred thousand tickets", idle},
		{"handover", "hand single tickets from a county to its city, both idle", handover},
		{"handovers", "hand over many tickets that waited for the line", handovers},
		{"backlog", "cut the line, write a hundred thousand events, and catch up", backlog},
		{"heal", "cut and mend the line until the waiting hand-over is accepted, again and again", heal},
		{"wire", "count the bytes on the line for a ticket's life", wireCommand},
		{"province", "run a whole province on this machine, cut it from its cities, and compare all sites", province},
		{"wan", "cut, flap and slow the lines of a province in network namespaces; kill, restore, copy and move its sites (root)", wanCommand},
		{nodeCommand, "run one node that reaches its parent over a line; others start it", runOnLine},
		{memberCommand, "run one etcd member; versus starts it", member},
	}
}

func main() {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, restore)
	os.Exit(run(ctx, os.Args[1:]))
}

// run executes one command line and returns its exit code: 0 done, 1 the benchmark broke down, 2 wrong usage.
func run(ctx context.Context, args []string) int {
	all := commands()
	named := -1
	if len(args) > 0 {
		named = slices.IndexFunc(all, func(c command) bool { return c.name == args[0] })
	}
	if named < 0 {
		fmt.Fprintln(os.Stderr, "usage: go run . COMMAND [flags]; go run . COMMAND -h tells the flags")
		for _, c := range all {
			fmt.Fprintf(os.Stderr, "  %-12s %s\n", c.name, c.short)
		}
		return 2
	}
	began := time.Now()
	err := all[named].run(ctx, args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(os.Stderr, "bench %s: %v\n", args[0], err)
		return 1
	}
	if args[0] != memberCommand && args[0] != nodeCommand {
		fmt.Fprintf(os.Stderr, "bench %s: done in %s\n", args[0], time.Since(began).Round(time.Second))
	}
	return 0
}
