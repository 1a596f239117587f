package load

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// Kind is a kind of call.
type Kind string

// What clients call. A mixed load is reported as what it is made of.
const (
	Create Kind = "create" // opens a full ticket, which stays
	Read   Kind = "read"   // gets one ticket drawn from those that are known, linearizably
	List   Kind = "list"   // one page of a queue: new tickets by priority, or a group's by update
	Mixed  Kind = "mixed"  // of ten calls seven read, two create, one lists
)

// Kinds are all kinds of call, in the order in which people are told of them.
func Kinds() []Kind { return []Kind{Create, Read, List, Mixed} }

// Creates tells whether a load of this kind opens tickets.
func (k Kind) Creates() bool { return k == Create || k == Mixed }

// DeskOptions says which site to call and with what.
type DeskOptions struct {
	// Connections to nodes of the site, signed in. Client i begins at connection i, round and round; an attempt that did
	// not get through is repeated over the next one.
	Connections []grpc.ClientConnInterface
	TextBytes   int           // of a ticket's description, up to desk.MaxText; 0: 1024
	PageSize    int32         // of lists, 1 to 500; 0: 50
	Patience    time.Duration // how long one call is repeated until it fails for good; 0: 30 s
	Attempt     time.Duration // how long one attempt may take; 0: 10 s
}

func (o *DeskOptions) validate() error {
	const defaultText, defaultPage, defaultPatience, defaultAttempt = 1024, 50, 30 * time.Second, 10 * time.Second
	setDefault(&o.TextBytes, defaultText)
	setDefault(&o.PageSize, defaultPage)
	setDefault(&o.Patience, defaultPatience)
	setDefault(&o.Attempt, defaultAttempt)
	switch {
	case len(o.Connections) == 0:
		return errors.New("load: no connection to a node was given")
	case o.TextBytes < 0 || o.TextBytes > desk.MaxText:
		return fmt.Errorf("load: %d bytes of text are not between 1 and %d", o.TextBytes, desk.MaxText)
	case o.PageSize < 0 || o.Patience < 0 || o.Attempt < 0:
		return errors.New("load: the page size, the patience or an attempt's time is below zero")
	}
	return nil
}

func setDefault[T ~int | ~int32 | ~int64](value *T, otherwise T) {
	if *value == 0 {
		*value = otherwise
	}
}

// Desk makes the calls of a load at one site. It is safe for concurrent use and remembers the numbers of tickets that
// it made or saw, up to maxKnown, for reads.
type Desk struct {
	options DeskOptions
	nodes   []apipb.TicketsClient
	writer  *writer
	run     string // begins the request ids, so that no other load has the same ones
	made    atomic.Int64
	known   known
}

// NewDesk makes a desk.
func NewDesk(o DeskOptions) (*Desk, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	d := &Desk{options: o, writer: newWriter(o.TextBytes), run: "load-" + rand.Text()}
	for _, connection := range o.Connections {
		d.nodes = append(d.nodes, apipb.NewTicketsClient(connection))
	}
	return d, nil
}

// Request is a create as the desk sends it, with a request id that was not used before.
func (d *Desk) Request() *apipb.CreateTicketRequest {
	return d.writer.request(fmt.Sprintf("%s-%d", d.run, d.made.Add(1)))
}

// Learn reads numbers of the tickets that were changed last, up to mostLearned, and returns how many tickets are known.
// A load that reads needs it at a site where this desk made no ticket.
func (d *Desk) Learn(ctx context.Context) (int, error) {
	const mostLearned, largestPage = 10_000, 500
	q := &apipb.ListTicketsRequest{PageSize: largestPage}
	for learned := 0; learned < mostLearned; {
		page, err := repeat(ctx, d, 0, &Outcome{}, func(ctx context.Context, node apipb.TicketsClient) (*apipb.ListTicketsResponse, error) {
			return node.ListTickets(ctx, q)
		})
		if err != nil {
			return 0, fmt.Errorf("list tickets to read: %w", err)
		}
		for _, t := range page.GetTickets() {
			d.known.add(t.GetNumber())
		}
		learned += len(page.GetTickets())
		if q.PageToken = page.GetNextPageToken(); q.PageToken == "" {
			break
		}
	}
	return d.known.count(), nil
}

// Call returns the call of a kind. Reading needs tickets that are known: Learn them, or create some before.
func (d *Desk) Call(kind Kind) (Call, error) {
	switch kind {
	case Create:
		return d.create, nil
	case Read:
		return d.read, nil
	case List:
		return d.list, nil
	case Mixed:
		return d.mixed, nil
	}
	return nil, fmt.Errorf("load: the kind %q is unknown: use one of %v", kind, Kinds())
}

func (d *Desk) create(ctx context.Context, client int) (Outcome, error) {
	o := Outcome{Kind: Create}
	request := d.Request()
	ticket, err := repeat(ctx, d, client, &o, func(ctx context.Context, node apipb.TicketsClient) (interface{ GetNumber() string }, error) {
		return node.CreateTicket(ctx, request)
	})
	if err == nil {
		d.known.add(ticket.GetNumber())
	}
	return o, err
}

func (d *Desk) read(ctx context.Context, client int) (Outcome, error) {
	o := Outcome{Kind: Read}
	number, ok := d.known.any()
	if !ok {
		return o, status.Error(codes.FailedPrecondition, "no ticket is known that could be read")
	}
	_, err := repeat(ctx, d, client, &o, func(ctx context.Context, node apipb.TicketsClient) (any, error) {
		return node.GetTicket(ctx, &apipb.GetTicketRequest{Number: number})
	})
	return o, err
}

func (d *Desk) list(ctx context.Context, client int) (Outcome, error) {
	o := Outcome{Kind: List}
	q := &apipb.ListTicketsRequest{Filter: "state = NEW", OrderBy: "priority", PageSize: d.options.PageSize}
	if mathrand.IntN(2) == 0 {
		q.Filter, q.OrderBy = fmt.Sprintf("group = %q", groupName(mathrand.IntN(groups))), ""
	}
	_, err := repeat(ctx, d, client, &o, func(ctx context.Context, node apipb.TicketsClient) (any, error) {
		return node.ListTickets(ctx, q)
	})
	return o, err
}

func (d *Desk) mixed(ctx context.Context, client int) (Outcome, error) {
	const ofTen, reads, readsAndCreates = 10, 7, 9
	switch draw := mathrand.IntN(ofTen); {
	case draw < reads && d.known.count() > 0:
		return d.read(ctx, client)
	case draw < readsAndCreates:
		return d.create(ctx, client)
	default:
		return d.list(ctx, client)
	}
}

// repeat makes an attempt over the client's connection, and again over the next ones while it may help, each time after
// a longer wait. The outcome takes down the repetitions.
func repeat[T any](ctx context.Context, d *Desk, client int, o *Outcome,
	attempt func(context.Context, apipb.TicketsClient) (T, error)) (T, error) {
	const shortest, longest = 5 * time.Millisecond, 500 * time.Millisecond
	deadline := time.Now().Add(d.options.Patience)
	for try, wait := 0, shortest; ; try, wait = try+1, min(2*wait, longest) {
		limited, cancel := context.WithTimeout(ctx, d.options.Attempt)
		answer, err := attempt(limited, d.nodes[(client+try)%len(d.nodes)])
		cancel()
		if err == nil || ctx.Err() != nil || !passing(err) || time.Now().Add(wait).After(deadline) {
			return answer, err
		}
		o.Retries = append(o.Retries, status.Code(err))
		select {
		case <-time.After(wait/2 + mathrand.N(wait/2)):
		case <-ctx.Done():
			return answer, err
		}
	}
}

// passing tells whether the same request may get through later. A create carries a request id, so that an attempt whose
// outcome is unknown is repeated safely.
func passing(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded, codes.Aborted, codes.Canceled:
		return true
	}
	return false
}

// maxKnown bounds the numbers that a desk remembers.
const maxKnown = 64 << 10

// known are numbers of tickets that exist: the first maxKnown, and then a sample of all in which each has the same
// chance to be.
type known struct {
	mu      sync.Mutex // guards all below
	numbers []string
	seen    int64
}

func (k *known) add(number string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen++
	if len(k.numbers) < maxKnown {
		k.numbers = append(k.numbers, number)
		return
	}
	if at := mathrand.Int64N(k.seen); at < maxKnown {
		k.numbers[at] = number
	}
}

func (k *known) any() (number string, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.numbers) == 0 {
		return "", false
	}
	return k.numbers[mathrand.IntN(len(k.numbers))], true
}

func (k *known) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.numbers)
}
