package node

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/store"
)

// settable is a machine's clock that somebody sets wrong.
type settable struct{ wrong atomic.Int64 }

func (s *settable) now() time.Time { return time.Now().Add(time.Duration(s.wrong.Load())) }

func (s *settable) set(wrong time.Duration) { s.wrong.Store(int64(wrong)) }

// clocked runs a node with such a clock.
func clocked(t *testing.T, c *config.Config, s *settable) *Node {
	t.Helper()
	o := options(c)
	o.wall = s.now
	n, err := Start(t.Context(), o)
	if err != nil {
		t.Fatalf("start node %s: %v", c.Node.ID, err)
	}
	t.Cleanup(func() { stop(t, n) })
	return n
}

// counter makes tickets and holds them against each other.
type counter struct {
	numbers []string
	opened  time.Time // of the last ticket
}

// take makes a ticket, whose number and time must follow all before, and returns the local day in its number.
func (c *counter) take(t *testing.T, n *Node, admin *deskpb.Actor, readers ...*Node) string {
	t.Helper()
	number := create(t, n, admin, "钟")
	if slices.Contains(c.numbers, number) {
		t.Fatalf("the number %s was given twice", number)
	}
	c.numbers = append(c.numbers, number)
	for _, reader := range append(readers, n) {
		mustHave(t, reader, number, "钟")
	}
	err := n.backend.Read(t.Context(), false, func(r *store.Reader) error {
		record, err := r.Ticket(desk.TicketNumber(number))
		opened := record.GetTicket().GetOpenTime().AsTime()
		if err == nil && !opened.After(c.opened) {
			t.Errorf("%s was opened at %v, after one that was opened at %v", number, opened, c.opened)
		}
		c.opened = opened
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(number, "-")[1]
}

// days are the local days in which the test ran, two at midnight.
func days(began time.Time, zone *time.Location) []string {
	return []string{began.In(zone).Format("20060102"), time.Now().In(zone).Format("20060102")}
}

func TestJumpingClocksDoNotMoveTheSite(t *testing.T) {
	const day = 25 * time.Hour
	began := time.Now()
	clocks := map[*Node]*settable{}
	var nodes []*Node
	var join []string
	for _, id := range []string{"n1", "n2", "n3"} {
		c := configuration(t, id)
		c.Raft = config.Raft{BootstrapExpect: 3, Join: join}
		s := &settable{}
		n := clocked(t, c, s)
		nodes, clocks[n], join = append(nodes, n), s, append(join, n.GRPCAddr())
	}
	awaitReady(t, nodes...)
	admin, token := administratorOf(t, nodes[0]), tokenOf(t, nodes[0])
	var c counter
	for _, step := range []struct {
		wrong func(n, leader *Node) time.Duration
		move  bool // the lead goes to another node
	}{
		{func(*Node, *Node) time.Duration { return 0 }, false},
		{func(n, leader *Node) time.Duration { return map[bool]time.Duration{true: day}[n == leader] }, false},
		{func(*Node, *Node) time.Duration { return day }, true},
		{func(*Node, *Node) time.Duration { return -day }, false},
		{func(n, leader *Node) time.Duration {
			return map[bool]time.Duration{true: -day, false: day}[n == leader]
		}, true},
		{func(*Node, *Node) time.Duration { return 0 }, false},
	} {
		// A busy machine makes the site elect now and then. Clocks that did would do it each time.
		eventually(t, "wrong clocks do not make the site elect", func() string {
			leader := leaderOf(t, nodes)
			_, term, _ := leader.replica.Leading()
			for _, n := range nodes {
				clocks[n].set(step.wrong(n, leader))
			}
			if step.move {
				moveLead(t, nodes, leader)
				_, term, _ = leaderOf(t, nodes).replica.Leading()
			}
			for _, n := range nodes {
				if got, want := c.take(t, n, admin, nodes...), days(began, n.zone); !slices.Contains(want, got) {
					t.Errorf("a ticket is of the day %s, want %v", got, want)
				}
				if who, err := n.people.Authenticate(t.Context(), token, ""); err != nil || who.User != "admin" {
					t.Errorf("the session at node %s: %v, %v", n.config.Node.ID, who, err)
				}
			}
			if _, now, _ := leaderOf(t, nodes).replica.Leading(); now != term {
				for _, n := range nodes {
					clocks[n].set(0)
				}
				return fmt.Sprintf("term %d after %d", now, term)
			}
			return ""
		})
	}
}

// moveLead hands the lead to another node.
func moveLead(t *testing.T, nodes []*Node, leader *Node) {
	t.Helper()
	to := nodes[(slices.Index(nodes, leader)+1)%len(nodes)]
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := leader.backend.TransferLeadership(ctx, to.config.Node.ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, to.config.Node.ID+" leads", func() string {
		if leading, _, _ := to.replica.Leading(); !leading {
			return "another node leads"
		}
		return ""
	})
}

// A start confirms the time that the machine shows. Setting it right again gives no number twice and no time before.
func TestStartConfirmsTheClockAndTimeNeverGoesBack(t *testing.T) {
	s, c := &settable{}, configuration(t, "n1")
	var count counter
	n := clocked(t, c, s)
	awaitReady(t, n)
	admin := administratorOf(t, n)
	count.take(t, n, admin)
	for _, wrong := range []time.Duration{25 * time.Hour, 0, -25 * time.Hour, 0} {
		stop(t, n)
		s.set(wrong)
		n = clocked(t, c, s)
		awaitReady(t, n)
		before := s.now().In(n.zone).Format("20060102")
		got := count.take(t, n, admin)
		if after := s.now().In(n.zone).Format("20060102"); wrong > 0 && got != before && got != after {
			t.Errorf("after a start with the clock %v ahead a ticket is of the day %s, want %s", wrong, got, after)
		}
		count.take(t, n, admin)
	}
}
