package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

const (
	// heartbeat is how often a stream says something although nothing happens, so that nothing between takes it for dead, and the page
	// knows it for dead when it says nothing for longer.
	heartbeat = 15 * time.Second
	// recheck is how often a stream looks whether the session still stands and the ticket is still to be seen.
	recheck = time.Minute
	// longest bounds a stream; the browser opens another one.
	longest = time.Hour
	// breath is the least time between two events: what happens meanwhile is one event.
	breath = 200 * time.Millisecond
	// writeTime bounds the wait for a browser that does not read.
	writeTime = 10 * time.Second
	// askTime bounds one look at the session or at the ticket.
	askTime = 5 * time.Second
	// oldestPage is the age that a page may have when it begins to listen, in milliseconds, and skew how far the clocks of the site may
	// be apart, and how long the question may be on its way.
	oldestPage = 60_000
	skew       = time.Second
	// tryAgain is told to a browser whose stream is refused.
	tryAgain = 5 * time.Second
)

// serveLive streams events to the browser: a JSON object of Events each. ?ticket= asks for those of a ticket, which a visitor who may not
// see it does not hear of, ?moves=1 for those of tickets that move. What has changed within its ?age= a page is told at once.
func (r *room) serveLive(v *page.Visit) error {
	if v.Actor == nil || v.Actor.GetMustChangePassword() {
		http.Error(v.W, "sign in first", http.StatusUnauthorized)
		return nil
	}
	s := stream{Visit: v, out: http.NewResponseController(v.W)}
	interest := s.interest()
	watcher, err := r.Hub.Watch(interest)
	if refusal := new(desk.Refusal); errors.As(err, &refusal) {
		v.W.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(tryAgain.Seconds()))))
		http.Error(v.W, refusal.Message, http.StatusServiceUnavailable)
		return nil
	}
	defer watcher.Leave()
	if age, told := s.age(); told && s.late(interest.Ticket, age) {
		watcher.Hear(Events{Ticket: true})
	}
	s.run(watcher, r.Hub.Closed()) // whatever ends it, the browser comes again
	return nil
}

// stream is one answer that goes on.
type stream struct {
	*page.Visit
	out *http.ResponseController
}

// interest is what the visitor asks to hear of, and may.
func (s *stream) interest() Interest {
	i := Interest{
		User: s.Actor.GetUser(), Ticket: s.Query("ticket"), Queues: s.Actor.GetRole() != deskpb.User_REQUESTER,
		Moves: s.Query("moves") == "1" && s.May(desk.SiteRead), Numbers: desk.SeesAll(s.Actor),
	}
	if age, told := s.age(); told {
		i.Since = time.Now().Add(-age - skew) // by this node's clock, as the hub notes what is told here
	}
	if i.Ticket != "" && s.ticket(s.R.Context(), i.Ticket) == nil {
		i.Ticket = ""
	}
	return i
}

// age is how long ago the page that listens now was asked for, by its ?age= in milliseconds; false when it does not say.
func (s *stream) age() (time.Duration, bool) {
	age, err := strconv.Atoi(s.Query("age"))
	return time.Duration(age) * time.Millisecond, err == nil && age >= 0 && age <= oldestPage
}

// ticket returns a ticket as the visitor may see it and this node knows it, nil when that is not at all or cannot be told.
func (s *stream) ticket(ctx context.Context, number string) *deskpb.Ticket {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	fresh := s.Kit.Visit(ctx, s.W, s.R) // the page's own time is over while the stream goes on
	found, err := fresh.API.Tickets.GetTicket(fresh.Ctx(), &apipb.GetTicketRequest{Number: number, Consistency: "stale"})
	if err != nil {
		return nil
	}
	return found
}

// late tells whether a ticket has changed within the age of the page that shows it: nobody told it.
func (s *stream) late(number string, age time.Duration) bool {
	if number == "" {
		return false
	}
	changed := s.ticket(s.R.Context(), number).GetUpdateTime().AsTime()
	return s.Kit.Now().Sub(changed) < age+skew
}

// stands tells whether the session is still that of the same person with the same rights.
func (s *stream) stands(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	actor, err := s.Visitor(ctx, s.R)
	if err != nil {
		refusal := new(desk.Refusal)
		return !errors.As(err, &refusal) // a fault says nothing of the session
	}
	return proto.Equal(actor, s.Actor)
}

// run writes what the watcher hears until the browser leaves, the session ends, the node stops or the stream has lasted for long.
func (s *stream) run(watcher *Watcher, closed <-chan struct{}) {
	ctx, cancel := context.WithTimeout(s.R.Context(), longest)
	defer cancel()
	header := s.W.Header()
	header.Set("Content-Type", "text/event-stream; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no")
	if s.out.SetReadDeadline(time.Time{}) != nil || s.send(": open\n\n") != nil {
		return
	}
	beat, check := time.NewTicker(heartbeat), time.NewTicker(recheck)
	defer beat.Stop()
	defer check.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-closed:
			return
		case <-beat.C:
			s.Standing.Site() // keeps it looked at
			err = s.send("data: {}\n\n")
		case <-check.C:
			err = s.check(ctx, watcher)
		case <-watcher.Wake():
			err = s.tell(ctx, watcher)
		}
		if err != nil {
			return
		}
	}
}

// errEnded is why a stream ends whose visitor may not listen any more.
var errEnded = errors.New("the session has ended")

// check looks whether the visitor may still listen, and still sees the ticket.
func (s *stream) check(ctx context.Context, watcher *Watcher) error {
	if !s.stands(ctx) {
		return errEnded
	}
	if ticket := s.Query("ticket"); ticket != "" && s.ticket(ctx, ticket) == nil {
		watcher.Forget()
	}
	return nil
}

// tell writes the events that wait, and then takes a breath.
func (s *stream) tell(ctx context.Context, watcher *Watcher) error {
	e := watcher.Take()
	if e.Rights {
		if err := s.check(ctx, watcher); err != nil {
			return err
		}
	}
	if e.silent() {
		return nil
	}
	text, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode events: %w", err)
	}
	if err := s.send("data: " + string(text) + "\n\n"); err != nil {
		return err
	}
	select {
	case <-time.After(breath):
	case <-ctx.Done():
	}
	return nil
}

// send writes text to the browser at once. The error says that it is gone.
func (s *stream) send(text string) error {
	if err := s.out.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	if _, err := s.W.Write([]byte(text)); err != nil {
		return err
	}
	return s.out.Flush()
}
