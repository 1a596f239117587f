package replay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// Site is one office that the incidents travel through.
type Site struct {
	ID    string
	Nodes []apipb.TicketsClient // any node takes any call; the next is tried when one does not answer
}

// Options starts a replay.
type Options struct {
	// Sites of line 1, 2 and 3: a county, its city, the province.
	Sites     [3]Site
	Incidents []Incident
	// Incidents played at once; each one's steps stay in order. 0 means 32.
	Workers int
	// How long one call is tried again while a node or line is down. 0 means two minutes.
	Patience time.Duration
	// Progress, when set, is called after every call that was answered. It must be quick and safe for concurrent use.
	Progress func(Progress)
}

// Progress counts what was done so far.
type Progress struct {
	Incidents, Steps, Actions, Escalations, Returns int64
}

// Result is the outcome of a replay.
type Result struct {
	Progress
	Numbers map[string]string // incident id → ticket number
	Elapsed time.Duration
}

func (o *Options) validate() error {
	for i, site := range o.Sites {
		if site.ID == "" || len(site.Nodes) == 0 {
			return fmt.Errorf("line %d has no site to work at", i+1)
		}
	}
	if len(o.Incidents) == 0 {
		return errors.New("there are no incidents to replay")
	}
	if o.Workers == 0 {
		o.Workers = 32
	}
	if o.Patience == 0 {
		o.Patience = 2 * time.Minute
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	return nil
}

// Run plays all incidents and returns when the last call was answered. Every call carries a request id made of the
// incident and its step, so that a call whose answer was lost is safely made again.
func Run(ctx context.Context, o Options) (Result, error) {
	if err := o.validate(); err != nil {
		return Result{}, err
	}
	began := time.Now()
	r := &run{options: o}
	numbers := make([]string, len(o.Incidents))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(o.Workers)
	for i, incident := range o.Incidents {
		group.Go(func() error {
			number, err := r.incident(ctx, incident)
			if err != nil {
				return fmt.Errorf("incident %s: %w", incident.ID, err)
			}
			numbers[i] = number
			return nil
		})
	}
	err := group.Wait()
	result := Result{Progress: r.progress(), Numbers: make(map[string]string, len(numbers)), Elapsed: time.Since(began)}
	for i, incident := range o.Incidents {
		result.Numbers[incident.ID] = numbers[i]
	}
	return result, err
}

type run struct {
	options                                         Options
	incidents, steps, actions, escalations, returns atomic.Int64
}

func (r *run) progress() Progress {
	return Progress{
		Incidents: r.incidents.Load(), Steps: r.steps.Load(), Actions: r.actions.Load(),
		Escalations: r.escalations.Load(), Returns: r.returns.Load(),
	}
}

// incident plays one incident from its first row to its last.
func (r *run) incident(ctx context.Context, incident Incident) (string, error) {
	var number string
	for i, action := range Plan(incident) {
		site := r.options.Sites[action.Line-1]
		if action.Verb != Create {
			if err := r.await(ctx, site, number); err != nil {
				return "", fmt.Errorf("step %d (%s at %s): %w", i, action.Verb, site.ID, err)
			}
		}
		ticket, err := r.do(ctx, site, number, action, incident, fmt.Sprintf("replay-%s-%d", incident.ID, i))
		if err != nil {
			return "", fmt.Errorf("step %d (%s of %s at %s): %w", i, action.Verb, number, site.ID, err)
		}
		number = ticket.Number
		r.count(action.Verb)
	}
	r.incidents.Add(1)
	r.steps.Add(int64(len(incident.Rows)))
	return number, nil
}

func (r *run) count(verb Verb) {
	r.actions.Add(1)
	switch verb {
	case Escalate:
		r.escalations.Add(1)
	case Return:
		r.returns.Add(1)
	}
	r.options.Progress(r.progress())
}

// await returns when the site holds the ticket: a hand-over on its way has been accepted there.
func (r *run) await(ctx context.Context, site Site, number string) error {
	wait := 5 * time.Millisecond
	deadline := time.Now().Add(r.options.Patience)
	for {
		ticket, err := r.call(ctx, site, func(ctx context.Context, node apipb.TicketsClient) (*deskpb.Ticket, error) {
			return node.GetTicket(ctx, &apipb.GetTicketRequest{Number: number})
		})
		unknown := status.Code(err) == codes.NotFound // the first event has not arrived yet
		if err != nil && !unknown {
			return err
		}
		inTransit := ticket.GetHandover().GetState() == deskpb.Handover_IN_TRANSIT
		if !unknown && ticket.CustodianSite == site.ID && !inTransit {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the ticket did not arrive within %s; as known here it is at %q, hand-over %s",
				r.options.Patience, ticket.GetCustodianSite(), ticket.GetHandover().GetState())
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
		wait = min(2*wait, 200*time.Millisecond)
	}
}

type ticketCall func(ctx context.Context, node apipb.TicketsClient) (*deskpb.Ticket, error)

// call asks the site's nodes in turn until one answers for good. Only answers that say "not now" are tried again.
func (r *run) call(ctx context.Context, site Site, do ticketCall) (*deskpb.Ticket, error) {
	deadline := time.Now().Add(r.options.Patience)
	wait := 20 * time.Millisecond
	for attempt := 0; ; attempt++ {
		attemptCtx, cancel := context.WithTimeout(ctx, 10*time.Second)
		ticket, err := do(attemptCtx, site.Nodes[attempt%len(site.Nodes)])
		cancel()
		switch status.Code(err) {
		case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted:
		default:
			return ticket, err
		}
		if time.Now().After(deadline) {
			return nil, err
		}
		if err := pause(ctx, wait); err != nil {
			return nil, err
		}
		wait = min(2*wait, time.Second)
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// do makes the call of one action.
func (r *run) do(ctx context.Context, site Site, number string, a Action, incident Incident, id string) (*deskpb.Ticket, error) {
	return r.call(ctx, site, func(ctx context.Context, node apipb.TicketsClient) (*deskpb.Ticket, error) {
		switch a.Verb {
		case Create:
			return node.CreateTicket(ctx, &apipb.CreateTicketRequest{RequestId: id, Ticket: opened(incident, a.Text)})
		case Assign:
			return node.AssignTicket(ctx, &apipb.AssignTicketRequest{Number: number, RequestId: id, Assignee: a.Assignee, Group: a.Group, Reason: a.Text})
		case Start:
			return node.StartTicket(ctx, &apipb.StartTicketRequest{Number: number, RequestId: id})
		case Hold:
			return node.HoldTicket(ctx, &apipb.HoldTicketRequest{Number: number, RequestId: id, Reason: a.Text})
		case Resume:
			return node.ResumeTicket(ctx, &apipb.ResumeTicketRequest{Number: number, RequestId: id, Comment: a.Text})
		case Note:
			return node.NoteTicket(ctx, &apipb.NoteTicketRequest{Number: number, RequestId: id, Text: a.Text})
		case Escalate:
			return node.EscalateTicket(ctx, &apipb.EscalateTicketRequest{Number: number, RequestId: id, Reason: a.Text})
		case Return:
			return node.ReturnTicket(ctx, &apipb.ReturnTicketRequest{Number: number, RequestId: id, Reason: a.Text})
		case Resolve:
			return node.ResolveTicket(ctx, &apipb.ResolveTicketRequest{Number: number, RequestId: id,
				Resolution: &deskpb.Resolution{Code: "SOLVED", Text: a.Text}})
		case Review:
			return node.ReviewTicket(ctx, &apipb.ReviewTicketRequest{Number: number, RequestId: id, Text: a.Text})
		case Close:
			return node.CloseTicket(ctx, &apipb.CloseTicketRequest{Number: number, RequestId: id, Comment: a.Text})
		case Reopen:
			return node.ReopenTicket(ctx, &apipb.ReopenTicketRequest{Number: number, RequestId: id, Reason: a.Text})
		}
		return nil, fmt.Errorf("a plan has the unknown verb %q", a.Verb)
	})
}

// opened is the ticket of an incident as the county writes it down.
func opened(incident Incident, title string) *deskpb.Ticket {
	first := incident.Rows[0]
	impact := map[string]int32{"Major": 1, "High": 1, "Medium": 2, "Low": 3}[first.Impact]
	if impact == 0 {
		impact = 2
	}
	return &deskpb.Ticket{
		Title:       title,
		Application: first.Product,
		Channel:     deskpb.Ticket_PHONE,
		Impact:      impact,
		Urgency:     2,
		Major:       first.major(),
		Requester:   &deskpb.Requester{Name: "报告人 " + incident.ID, Unit: strings.ToUpper(first.Country)},
	}
}
