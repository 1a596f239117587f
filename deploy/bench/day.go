package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// life is a ticket as a day's work makes it: steps at the offices between its home and the province. It is played by one
// goroutine at a time.
type life struct {
	id     string
	path   []*office // home first
	steps  []step
	next   int // index of the step that comes next
	end    int // index of the step before which it is left for later; at first the number of steps
	number string
}

// step is one call at an office, given by its height over the ticket's home. Only remarks are made where somebody else
// has the ticket.
type step struct {
	height int
	verb   verb
}

type verb string

const (
	create   verb = "create"
	start    verb = "start"
	note     verb = "note"
	urge     verb = "urge" // a remark
	escalate verb = "escalate"
	sendBack verb = "return"
	resolve  verb = "resolve"
	closing  verb = "close"
)

// drawLife draws a life: of a hundred tickets 62 end at home, 31 at the city, which sends every fifth of them back, and 7
// at the province. That is how the 1,500 incidents of the Volvo sample of the BPI Challenge 2013 are spread over
// three lines. A path of two offices ends at the city.
func drawLife(id string, path []*office) *life {
	const atHome, atCity, sentBack = 62, 93, 87 // of a hundred, cumulative
	l := &life{id: id, path: path}
	l.add(0, create, start, note)
	switch draw := rand.IntN(100); {
	case draw < atHome:
		l.add(0, resolve)
	case draw >= atCity && len(path) > 2:
		l.add(0, escalate, urge)
		l.add(1, start, note, escalate)
		l.add(2, start, note, resolve)
	case draw >= sentBack:
		l.add(0, escalate)
		l.add(1, note, sendBack)
		l.add(0, start, resolve)
	default:
		l.add(0, escalate, urge)
		l.add(1, start, note, resolve)
	}
	l.add(0, closing)
	l.end = len(l.steps)
	return l
}

// halfway is a life that is left for later as soon as the city has the ticket, which comes there for certain.
func halfway(id string, path []*office) *life {
	l := &life{id: id, path: path}
	l.add(0, create, note, escalate)
	l.add(1, start)
	l.end = len(l.steps)
	l.add(0, urge)
	l.add(1, note, resolve)
	l.add(0, note, closing)
	return l
}

// askedFor is a life that is left for later as soon as its home has asked for the next line.
func askedFor(id string, path []*office) *life {
	l := &life{id: id, path: path}
	l.add(0, create, note, escalate)
	l.end = len(l.steps)
	l.add(1, note, resolve)
	l.add(0, closing)
	return l
}

// follow has a life go on where its ticket is now that its home stands elsewhere: with the new parent, or with the province,
// which took it over from the former one. The tree is at rest.
func (l *life) follow(ctx context.Context) error {
	l.path = l.path[0].path()
	ticket, err := l.node(l.path[0]).GetTicket(ctx, &apipb.GetTicketRequest{Number: l.number})
	if err != nil {
		return fmt.Errorf("look for %s: %w", l.number, err)
	}
	height := slices.IndexFunc(l.path, func(o *office) bool { return o.id == ticket.CustodianSite })
	if height < 1 {
		return fmt.Errorf("%s %s was escalated and is with %s after its home was moved", l.id, l.number, ticket.CustodianSite)
	}
	for i := range l.steps {
		if l.steps[i].height > 0 {
			l.steps[i].height = height
		}
	}
	return nil
}

// goOn lets a life that was left for later go on to its end.
func (l *life) goOn() { l.end = len(l.steps) }

// drawLives draws so many lives of tickets that are opened at these offices.
func drawLives(name string, homes []*office, count int) []*life {
	var all []*life
	for i := range count {
		all = append(all, drawLife(fmt.Sprintf("%s-%d", name, i), homes[rand.IntN(len(homes))].path()))
	}
	return all
}

func (l *life) add(height int, verbs ...verb) {
	for _, v := range verbs {
		l.steps = append(l.steps, step{height, v})
	}
}

// endBefore leaves the life for later before the first step at an office.
func (l *life) endBefore(o *office) {
	for i, s := range l.steps {
		if l.path[s.height] == o {
			l.end = i
			return
		}
	}
}

// idle tells that there is nothing to do now.
func (l *life) idle() bool { return l.next == l.end }

// play makes the life's steps until it is idle, or until the ticket did not come for so long to where it is worked on next.
func (l *life) play(ctx context.Context, patience time.Duration) error {
	for !l.idle() {
		s := l.steps[l.next]
		at := l.path[s.height]
		if s.verb != create && s.verb != urge {
			there, err := l.comes(ctx, at, patience)
			if err != nil || !there {
				return err
			}
		}
		if err := insist(ctx, func(ctx context.Context) error { return l.call(ctx, at, s.verb) }); err != nil {
			return fmt.Errorf("%s of %s %s at %s: %w", s.verb, l.id, l.number, at.id, err)
		}
		l.next++
	}
	return nil
}

// comes waits until the office has the ticket; false when it did not in time.
func (l *life) comes(ctx context.Context, at *office, patience time.Duration) (there bool, err error) {
	deadline := time.Now().Add(patience)
	for wait := 2 * time.Millisecond; ; wait = min(2*wait, 200*time.Millisecond) {
		err = insist(ctx, func(ctx context.Context) (err error) {
			there, err = holds(ctx, l.node(at), at.id, l.number)
			return err
		})
		if err != nil || there || time.Now().After(deadline) {
			return there, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}

// node is one of an office's nodes; any takes any call.
func (l *life) node(at *office) apipb.TicketsClient {
	return at.desk.Nodes[rand.IntN(len(at.desk.Nodes))]
}

func (l *life) call(ctx context.Context, at *office, v verb) error {
	node, id := l.node(at), fmt.Sprintf("%s-%d", l.id, l.next)
	var err error
	switch v {
	case create:
		var ticket *deskpb.Ticket
		ticket, err = node.CreateTicket(ctx, &apipb.CreateTicketRequest{RequestId: id, Ticket: &deskpb.Ticket{
			Title: "业务系统无法访问 " + l.id, Channel: deskpb.Ticket_PHONE, Impact: 1 + rand.Int32N(3), Urgency: 2}})
		l.number = ticket.GetNumber()
	case start:
		_, err = node.StartTicket(ctx, &apipb.StartTicketRequest{Number: l.number, RequestId: id})
	case note:
		_, err = node.NoteTicket(ctx, &apipb.NoteTicketRequest{Number: l.number, RequestId: id, Text: "已电话联系用户，核实现象并检查线路。 " + id})
	case urge:
		_, err = node.UrgeTicket(ctx, &apipb.UrgeTicketRequest{Number: l.number, RequestId: id, Reason: "窗口排队"})
	case escalate:
		_, err = node.EscalateTicket(ctx, &apipb.EscalateTicketRequest{Number: l.number, RequestId: id, Reason: "本级无法处理"})
	case sendBack:
		_, err = node.ReturnTicket(ctx, &apipb.ReturnTicketRequest{Number: l.number, RequestId: id, Reason: "请补充现象"})
	case resolve:
		_, err = node.ResolveTicket(ctx, &apipb.ResolveTicketRequest{Number: l.number, RequestId: id,
			Resolution: &deskpb.Resolution{Code: "SOLVED", Text: "重启服务后恢复"}})
	case closing:
		_, err = node.CloseTicket(ctx, &apipb.CloseTicketRequest{Number: l.number, RequestId: id})
	}
	return err
}

// playAll plays lives, several at a time, and returns those that wait for a line.
func playAll(ctx context.Context, lives []*life, patience time.Duration) (waiting []*life, err error) {
	const atOnce = 48
	var mu sync.Mutex // guards waiting
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, l := range lives {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			err := l.play(ctx, patience)
			if err == nil && !l.idle() {
				mu.Lock()
				defer mu.Unlock()
				waiting = append(waiting, l)
			}
			return err
		})
	}
	return waiting, group.Wait()
}
