package node

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

const (
	// timerPause lies between two looks at what is due on tickets, which are also told in whole seconds; roundPause between two
	// at the inspection rounds, which are due in minutes.
	timerPause = time.Second
	roundPause = 20 * time.Second
	// mostErrands is how many commands are proposed side by side, so that they share entries of the log.
	mostErrands = 64
	// mostDue is how many timers one look passes over because they rest.
	mostDue = 4096
	// shortRest is how long an errand rests after it was refused, or had no outcome; each time twice as long, up to longRest.
	shortRest = 5 * time.Second
	longRest  = 5 * time.Minute
	// errandPatience bounds one proposal.
	errandPatience = 10 * time.Second
)

// errand is something that the site's log is asked for because its time has come. Its name tells it from others.
type errand struct {
	name    string
	command *deskpb.Command
}

// agenda finds errands.
type agenda struct {
	pause time.Duration // between two looks
	// due lists, earliest first and at most mostErrands, what is due at a time in microseconds since 1970 and does not rest.
	due func(r *store.Reader, now int64, rests func(name string) bool) ([]errand, error)
}

// timedSite is the site as the timekeeper needs it.
type timedSite interface {
	Propose(ctx context.Context, c *deskpb.Command) (*deskpb.Result, error)
	View(read func(*store.Reader) error) error
	Leading() (leading bool, term uint64, changed <-chan struct{})
}

// timekeeper has the site's log do what time brings. It decides nothing: the log refuses what is not due, so that an errand which
// two nodes run, or one runs twice, does no harm. Only the leader's works. A timekeeper serves one call of run.
type timekeeper struct {
	site    timedSite
	now     func() time.Time                     // the site's time
	elapsed func() time.Duration                 // monotonic; pauses and rests go by it
	after   func(time.Duration) <-chan time.Time // waits by elapsed
	log     *slog.Logger
	agendas []agenda
	resting map[string]rest // errands that came to nothing, by name
	turns   []time.Duration // when, by elapsed, each agenda is to be looked at next
}

// rest keeps an errand from being run again and again.
type rest struct {
	length time.Duration
	until  time.Duration // by elapsed
}

// run looks at the agendas until the context ends.
func (k *timekeeper) run(ctx context.Context) {
	k.resting, k.turns = map[string]rest{}, make([]time.Duration, len(k.agendas))
	for {
		leading, _, changed := k.site.Leading()
		var pause <-chan time.Time
		if leading {
			pause = k.after(k.look(ctx))
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-pause:
		}
	}
}

// look runs the errands of every agenda whose turn it is and returns how long to wait. It does not wait while there is more
// than was run at once.
func (k *timekeeper) look(ctx context.Context) (pause time.Duration) {
	pause = timerPause
	k.wake()
	for i, agenda := range k.agendas {
		if k.elapsed() < k.turns[i] {
			continue
		}
		var errands []errand
		err := k.site.View(func(r *store.Reader) (err error) {
			errands, err = agenda.due(r, k.now().UnixMicro(), k.rests)
			return err
		})
		if err != nil {
			k.log.Warn("cannot read what is due", "error", err)
		}
		k.turns[i] = k.elapsed() + agenda.pause
		k.runAll(ctx, errands)
		if len(errands) == mostErrands {
			k.turns[i], pause = 0, 0
		}
	}
	return pause
}

// runAll proposes errands side by side. One that is refused, or has no outcome, rests.
func (k *timekeeper) runAll(ctx context.Context, errands []errand) {
	ctx, cancel := context.WithTimeout(ctx, errandPatience)
	defer cancel()
	failures := make([]string, len(errands))
	var proposals sync.WaitGroup
	for i, errand := range errands {
		proposals.Go(func() {
			result, err := k.site.Propose(ctx, errand.command)
			if err != nil {
				failures[i] = err.Error()
			} else if refusal := result.GetRefusal(); refusal != nil {
				failures[i] = refusal.GetMessage()
			}
		})
	}
	proposals.Wait()
	for i, errand := range errands {
		if failures[i] == "" {
			delete(k.resting, errand.name)
			continue
		}
		length := min(max(2*k.resting[errand.name].length, shortRest), longRest)
		k.resting[errand.name] = rest{length: length, until: k.elapsed() + length}
		k.log.Debug("what was due was not done", "errand", errand.name, "reason", failures[i], "again in", length)
	}
}

func (k *timekeeper) rests(name string) bool { return k.elapsed() < k.resting[name].until }

// wake forgets rests that ended long ago: those errands are not due any more.
func (k *timekeeper) wake() {
	for name, rest := range k.resting {
		if k.elapsed() > rest.until+longRest {
			delete(k.resting, name)
		}
	}
}

// dueTickets lists the tickets on which something is due.
func dueTickets(r *store.Reader, now int64, rests func(name string) bool) (errands []errand, err error) {
	passed := 0
	err = r.EachTimer(func(timer store.Timer) bool {
		number := string(timer.Number)
		switch {
		case timer.Time > now:
			return false
		case rests(number):
			passed++
			return passed < mostDue
		}
		errands = append(errands, errand{name: number, command: &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: &deskpb.TicketCommand{
			Number: number, Verb: &deskpb.TicketCommand_Tick{Tick: &deskpb.Tick{}},
		}}}})
		return len(errands) < mostErrands
	})
	return errands, err
}

// dueRounds lists the inspection rounds that are due.
func dueRounds(r *store.Reader, now int64, rests func(name string) bool) (errands []errand, err error) {
	due, err := tiers.DueRounds(r, now)
	for _, round := range due {
		name := "round " + round.GetRound()
		if !rests(name) && len(errands) < mostErrands {
			errands = append(errands, errand{name: name, command: &deskpb.Command{Kind: &deskpb.Command_OpenRound{OpenRound: round}}})
		}
	}
	return errands, err
}

// keepTime runs the node's timekeeper until the context ends.
func (n *Node) keepTime(ctx context.Context) {
	keeper := &timekeeper{
		site: n.site(), now: n.clock.Now, elapsed: n.options.elapsed, after: n.options.after, log: n.log,
		agendas: []agenda{{timerPause, dueTickets}, {roundPause, dueRounds}},
	}
	keeper.run(ctx)
}
