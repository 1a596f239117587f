package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/load"
)

// cell is one load that both sides get.
type cell struct {
	Kind    load.Kind `json:"kind"`
	Clients int       `json:"clients"`
}

func (c cell) String() string {
	if c.Clients == 1 {
		return fmt.Sprintf("%s, 1 client", c.Kind)
	}
	return fmt.Sprintf("%s, %d clients", c.Kind, c.Clients)
}

// The sides of the comparison, in the order in which they take turns.
const (
	tierdeskSide = "tierdesk"
	etcdSide     = "etcd"
)

// contest is what versus compares and how.
type contest struct {
	cells           []cell
	sides           []string
	repeat          int
	duration, warm  time.Duration
	text, perNode   int
	nodes           int
	firstOnFollower bool // the first connection goes to a follower instead of the leader
}

// versus compares creates and reads of a site of three nodes with puts and gets of etcd.
func versus(ctx context.Context, args []string) error {
	c := commonFlags("versus")
	var t contest
	cells := c.flags.String("cells", "create:1,create:64,create:256,read:64", "what to measure, in this order: kind:clients")
	only := c.flags.String("only", "", "measure one side alone: tierdesk or etcd")
	c.flags.IntVar(&t.repeat, "repeat", 3, "how often each side takes its turn")
	c.flags.DurationVar(&t.duration, "duration", 10*time.Second, "of each measurement")
	c.flags.DurationVar(&t.warm, "warm-up", 3*time.Second, "before each measurement")
	c.flags.IntVar(&t.text, "text", 1024, "bytes of a ticket's description")
	c.flags.IntVar(&t.perNode, "connections", 4, "to each node; clients share them evenly")
	c.flags.IntVar(&t.nodes, "nodes", 3, "of the site, and members of etcd")
	c.flags.BoolVar(&t.firstOnFollower, "follower", false, "a single client calls a follower instead of the leader")
	return c.inWorkshop(ctx, args, func(ctx context.Context, w *workshop) error {
		if err := t.parse(*cells, *only); err != nil {
			return err
		}
		return t.play(ctx, w)
	})
}

func (t *contest) parse(cells, only string) error {
	for text := range strings.SplitSeq(cells, ",") {
		kind, clients, _ := strings.Cut(text, ":")
		n, err := strconv.Atoi(clients)
		if err != nil || n < 1 || kind != string(load.Create) && kind != string(load.Read) {
			return fmt.Errorf("-cells: %q is not create:N or read:N", text)
		}
		t.cells = append(t.cells, cell{load.Kind(kind), n})
	}
	if t.cells[0].Kind != load.Create {
		return errors.New("-cells: the first one must create, for the others read what it made")
	}
	switch only {
	case "":
		t.sides = []string{tierdeskSide, etcdSide}
	case tierdeskSide, etcdSide:
		t.sides = []string{only}
	default:
		return fmt.Errorf("-only %s: use tierdesk or etcd", only)
	}
	if t.repeat < 1 || t.perNode < 1 || t.duration <= 0 {
		return errors.New("-repeat, -connections and -duration must be above zero")
	}
	return nil
}

// turn is what one side did in one of its turns in one cell.
type turn struct {
	cell
	Side   string   `json:"side"`
	Repeat int      `json:"repeat"`
	Row    load.Row `json:"row"`
	// ServerMicros is the processor time of all of the side's processes for one call, in microseconds.
	ServerMicros float64 `json:"serverMicros"`
}

// play has the sides take turns. Each turn begins with empty data, and what it wrote is gone and synced before the next.
func (t *contest) play(ctx context.Context, w *workshop) error {
	probe, err := w.probeDisk()
	if err != nil {
		return err
	}
	var turns []turn
	for repeat := range t.repeat {
		for _, side := range t.sides {
			play := t.tierdeskTurn
			if side == etcdSide {
				play = t.etcdTurn
			}
			done, err := play(ctx, w, repeat)
			if err != nil {
				return fmt.Errorf("%s, turn %d: %w", side, repeat+1, err)
			}
			turns = append(turns, done...)
			if err := w.sweep(); err != nil {
				return err
			}
		}
	}
	return t.print(w, probe, turns)
}

func (t *contest) tierdeskTurn(ctx context.Context, w *workshop, repeat int) (turns []turn, err error) {
	s, err := w.newSite("site", t.nodes)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	addresses, err := s.leaderFirst(ctx)
	if err != nil {
		return nil, err
	}
	l, err := openLines(t.order(addresses), t.perNode, s.dial)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	desk, err := load.NewDesk(load.DeskOptions{Connections: l.connections(), TextBytes: t.text, Attempt: attemptTime})
	if err != nil {
		return nil, err
	}
	return t.measure(ctx, tierdeskSide, repeat, desk.Call, s.processes())
}

func (t *contest) etcdTurn(ctx context.Context, w *workshop, repeat int) (turns []turn, err error) {
	e, err := w.newEtcd(ctx, "etcd", t.nodes)
	if err != nil {
		return nil, err
	}
	defer e.close()
	l, err := openLines(t.order(e.addresses), t.perNode, dialPlain)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	sizes, err := load.NewDesk(load.DeskOptions{Connections: l.connections(), TextBytes: t.text})
	if err != nil {
		return nil, err
	}
	return t.measure(ctx, etcdSide, repeat, newPuts(l, sizes).call, e.members)
}

// order puts the node first that a single client calls.
func (t *contest) order(leaderFirst []string) []string {
	if !t.firstOnFollower {
		return leaderFirst
	}
	return append(slices.Clone(leaderFirst[1:]), leaderFirst[0])
}

// measure puts one side under every load.
func (t *contest) measure(ctx context.Context, side string, repeat int, callOf func(load.Kind) (load.Call, error),
	processes []*process) ([]turn, error) {
	var turns []turn
	for _, c := range t.cells {
		call, err := callOf(c.Kind)
		if err != nil {
			return nil, err
		}
		before, err := processorTime(processes)
		if err != nil {
			return nil, err
		}
		report, err := load.Run(ctx, load.Options{Clients: c.Clients, Duration: t.duration, WarmUp: t.warm}, call)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c, err)
		}
		after, err := processorTime(processes)
		if err != nil {
			return nil, err
		}
		row := report.Row(c.Kind)
		done := turn{cell: c, Side: side, Repeat: repeat, Row: row}
		if report.Done > 0 {
			done.ServerMicros = float64((after - before).Microseconds()) / float64(report.Done)
		}
		say("%-8s turn %d  %-19s %8.0f/s  p50 %6.2f ms  p99 %6.2f ms  %4.0f µs of processor a call  retries %v errors %v", side,
			repeat+1, c, row.Rate, row.Latency.P50, row.Latency.P99, done.ServerMicros, row.Retries, row.Errors)
		turns = append(turns, done)
	}
	return turns, nil
}

func processorTime(processes []*process) (time.Duration, error) {
	var sum time.Duration
	for _, p := range processes {
		used, err := p.processorTime()
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}
