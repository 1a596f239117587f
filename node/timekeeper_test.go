package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// timedStub is a site without a store: what is due on it is a list of times, and its log notes who was ticked.
type timedStub struct {
	mu      sync.Mutex // guards all below
	leads   bool
	changed chan struct{}
	due     map[string]time.Time
	refuse  map[string]int // how often a tick is refused
	ticks   []string       // who was ticked, and when, in whole seconds from the beginning
	began   time.Time
	most    int // proposals that waited at once
	waiting int
}

func newTimedStub() *timedStub {
	return &timedStub{leads: true, changed: make(chan struct{}), due: map[string]time.Time{}, refuse: map[string]int{}, began: time.Now()}
}

func (s *timedStub) Leading() (leading bool, term uint64, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leads, 1, s.changed
}

// lead makes the node the leader, or not.
func (s *timedStub) lead(leads bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leads = leads
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *timedStub) View(read func(*store.Reader) error) error { return read(nil) }

// list is the stub's agenda.
func (s *timedStub) list(_ *store.Reader, now int64, rests func(string) bool) (errands []errand, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for number, at := range s.due {
		if at.UnixMicro() <= now && !rests(number) && len(errands) < mostErrands {
			errands = append(errands, errand{number, &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: &deskpb.TicketCommand{Number: number}}}})
		}
	}
	return errands, nil
}

func (s *timedStub) Propose(_ context.Context, c *deskpb.Command) (*deskpb.Result, error) {
	s.mu.Lock()
	s.waiting++
	s.most = max(s.most, s.waiting)
	s.mu.Unlock()
	time.Sleep(time.Millisecond) // of the bubble: until all have been proposed
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting--
	number := c.GetTicket().GetNumber()
	s.ticks = append(s.ticks, fmt.Sprintf("%s at %d", number, time.Since(s.began)/time.Second))
	if s.refuse[number] > 0 {
		s.refuse[number]--
		if s.refuse[number]%2 == 0 {
			return nil, errors.New("no outcome")
		}
		return &deskpb.Result{Refusal: &deskpb.Refusal{Message: "not settled"}}, nil
	}
	delete(s.due, number)
	return &deskpb.Result{}, nil
}

// kept runs a timekeeper on the stub while the test goes on.
func (s *timedStub) kept(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	keeper := &timekeeper{
		site: s, now: time.Now, elapsed: func() time.Duration { return time.Since(s.began) }, after: time.After,
		log: slog.New(slog.DiscardHandler), agendas: []agenda{{timerPause, s.list}},
	}
	go func() {
		defer close(ended)
		keeper.run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
}

// after lets time pass and returns who was ticked since the last call, sorted.
func (s *timedStub) after(d time.Duration) []string {
	time.Sleep(d)
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	ticks := s.ticks
	s.ticks = nil
	slices.Sort(ticks)
	return ticks
}

func (s *timedStub) plan(number string, in time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due[number] = time.Now().Add(in)
}

func TestWhatIsDueIsDoneWithinASecondAndOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTimedStub()
		s.kept(t)
		s.plan("a", 2500*time.Millisecond)
		s.plan("b", 10*time.Second)
		if got := s.after(2400 * time.Millisecond); got != nil {
			t.Errorf("before anything is due %v was ticked", got)
		}
		if got := s.after(3 * time.Second); !slices.Equal(got, []string{"a at 3"}) {
			t.Errorf("when one is due %v was ticked", got)
		}
		if got := s.after(time.Minute); len(got) != 1 {
			t.Errorf("in the minute after it %v was ticked, want b once", got)
		}
	})
}

func TestOnlyTheLeaderKeepsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTimedStub()
		s.lead(false)
		s.kept(t)
		s.plan("a", 0)
		if got := s.after(time.Hour); got != nil {
			t.Errorf("a node that does not lead ticked %v", got)
		}
		s.lead(true)
		if got := s.after(time.Second); len(got) != 1 {
			t.Errorf("the new leader ticked %v, want a", got)
		}
	})
}

// TestARefusedTickRests: it does not hold the others up, and comes again after 5, 10, 20 … seconds, at most five minutes.
func TestARefusedTickRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTimedStub()
		s.kept(t)
		s.refuse["a"] = 8
		s.plan("a", 0)
		s.plan("b", 3*time.Second)
		if got := s.after(4 * time.Second); !slices.Equal(got, []string{"a at 0", "b at 3"}) {
			t.Errorf("in the first seconds %v was ticked", got)
		}
		if got := s.after(3 * time.Minute); len(got) != 5 {
			t.Errorf("in three minutes it was tried again as %v, want after 5, 15, 35, 75 and 155 seconds", got)
		}
		if got := s.after(20 * time.Minute); len(got) != 3 {
			t.Errorf("in the minutes after that it was tried again as %v, want three times, each five minutes later and the last with success", got)
		}
	})
}

// TestAFloodIsDoneInBatches: a site that was down has much to do, and does it at once but not all at the same time.
func TestAFloodIsDoneInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTimedStub()
		const many = 10 * mostErrands
		for i := range many {
			s.plan(fmt.Sprint(i), 0)
		}
		s.kept(t)
		if got := s.after(time.Second); len(got) != many {
			t.Errorf("after a second %d of %d were ticked", len(got), many)
		}
		if s.most > mostErrands {
			t.Errorf("%d were proposed at once, want at most %d", s.most, mostErrands)
		}
	})
}

// TestTheSitePassesMarksByItself runs a real node: a ticket that nobody answers has half of its fifteen minutes behind it.
func TestTheSitePassesMarksByItself(t *testing.T) {
	clock := &settable{}
	n := clocked(t, configuration(t, "n1"), clock)
	awaitReady(t, n)
	number := create(t, n, administratorOf(t, n), "没有人接单")
	clock.set(8 * time.Minute)
	eventually(t, "the response clock has passed its first mark", func() string {
		passed := false
		err := n.backend.Read(t.Context(), false, func(r *store.Reader) error {
			record, err := r.Ticket(desk.TicketNumber(number))
			for _, sla := range record.GetTicket().GetSla() {
				passed = passed || sla.GetMetric() == deskpb.Sla_RESPONSE && sla.GetMark() == 50
			}
			return err
		})
		if err != nil || !passed {
			return fmt.Sprintf("it has not, %v", err)
		}
		return ""
	})
}

// TestDueTicketsPassOverThoseThatRest: the earliest that are due, and none that rests or is of later.
func TestDueTicketsPassOverThoseThatRest(t *testing.T) {
	s, err := store.Open(store.Options{Dir: t.TempDir(), Site: "330106", Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const due = mostErrands + 2
	number := func(i int) string { return fmt.Sprintf("330106-20261121-%04d", i) }
	batch := s.NewBatch()
	for i := range due + 1 {
		clock := &deskpb.Sla{Metric: deskpb.Sla_RESOLUTION, State: deskpb.Sla_RUNNING, NextMarkTime: timestamppb.New(time.Unix(int64(i+1), 0))}
		if err := batch.AddTicket(&deskpb.Record{Ticket: &deskpb.Ticket{
			Number: number(i), CustodianSite: "330106", State: deskpb.Ticket_NEW, Sla: []*deskpb.Sla{clock},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Commit(1, 1); err != nil {
		t.Fatal(err)
	}
	for now, want := range map[int64][]string{
		0:       nil,
		3:       {number(1), number(2)},
		due:     {number(1), number(mostErrands)},
		due * 2: {number(1), number(mostErrands)},
	} {
		var errands []errand
		err := s.View(func(r *store.Reader) (err error) {
			errands, err = dueTickets(r, now*1_000_000, func(name string) bool { return name == number(0) })
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		if n := len(errands); n > 0 {
			got = []string{errands[0].name, errands[n-1].name}
		}
		if !slices.Equal(got, want) {
			t.Errorf("after %d seconds the first and the last of %d that are due are %v, want %v", now, len(errands), got, want)
		}
	}
}
