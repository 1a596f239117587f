package tiers

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// simRequest is a request that a client may send again, because it was not answered or because it is impatient.
type simRequest struct {
	at      desk.SiteID
	command *deskpb.TicketCommand
}

// work has a person do something somewhere.
func (w *simWorld) work() {
	s := w.site()
	numbers := simNumbers(s)
	switch dice := w.rng.IntN(100); {
	case len(numbers) == 0 || dice < 10 && len(numbers) < 12:
		w.ask(s, simOpening, "", w.another(numbers))
	case dice < 18 && len(w.retries) > 0:
		again := w.retries[w.rng.IntN(len(w.retries))]
		if living := w.living(again.at); len(living) > 0 {
			w.send(living[0], again)
		}
	case dice < 19:
		w.ask(s, []string{`reclaim { reason: "对方长时间不可达" }`}, w.another(numbers), "")
	default:
		number, verbs := w.another(numbers), simHandling
		if w.rng.IntN(2) == 0 {
			verbs = simOrganising
		}
		if w.rng.IntN(3) > 0 {
			s = w.holder(s, number)
		}
		w.ask(s, verbs, number, w.another(numbers))
	}
}

// another draws one of the tickets, empty when there is none.
func (w *simWorld) another(numbers []string) string {
	if len(numbers) == 0 {
		return ""
	}
	return numbers[w.rng.IntN(len(numbers))]
}

// holder is where a ticket is held as far as a site knows, when that lives.
func (w *simWorld) holder(s *simSite, number string) *simSite {
	record := simRead(s, func(r *store.Reader) (*deskpb.Record, error) { return r.Ticket(desk.TicketNumber(number)) })
	if living := w.living(desk.SiteID(record.GetTicket().GetCustodianSite())); len(living) > 0 {
		return living[w.rng.IntN(len(living))]
	}
	return s
}

// simNumbers lists the tickets of a site.
func simNumbers(s *simSite) (numbers []string) {
	page := simRead(s, func(r *store.Reader) (store.Page, error) {
		return r.Tickets(store.Query{Index: store.ByNumber, Limit: math.MaxInt32})
	})
	for _, record := range page.Records {
		numbers = append(numbers, record.Ticket.Number)
	}
	return numbers
}

// ask has somebody send one of the verbs about a ticket as a new request, mostly with an id so that it can be repeated.
func (w *simWorld) ask(s *simSite, verbs []string, number, other string) {
	c, err := simCommand(w.rng, verbs, other)
	if err != nil {
		w.recorder.violate(0, "%v", err)
		return
	}
	c.Number, c.Actor = number, &deskpb.Actor{User: "li", Role: deskpb.User_ADMINISTRATOR}
	if user := w.somebody(s, number); w.rng.IntN(3) > 0 {
		c.Actor = &deskpb.Actor{User: user.Name, Role: user.Role}
	}
	request := &simRequest{at: s.id, command: c}
	if w.rng.IntN(4) > 0 {
		w.requests++
		body, err := proto.MarshalOptions{Deterministic: true}.Marshal(c)
		if err != nil {
			w.recorder.violate(0, "encode a request: %v", err)
			return
		}
		hash := sha256.Sum256(body)
		c.Request = &deskpb.RequestKey{Id: fmt.Sprint("r", w.requests), Method: "POST", BodyHash: hash[:16]}
		w.retries = append(w.retries, request)
		if len(w.retries) > 20 {
			w.retries = w.retries[1:]
		}
	}
	w.send(s, request)
}

// somebody draws one of the people, mostly the assignee of a ticket.
func (w *simWorld) somebody(s *simSite, number string) *deskpb.User {
	record := simRead(s, func(r *store.Reader) (*deskpb.Record, error) { return r.Ticket(desk.TicketNumber(number)) })
	assignee := func(u *deskpb.User) bool { return u.Name == record.GetTicket().GetAssignee() }
	if i := slices.IndexFunc(simPeople, assignee); i >= 0 && w.rng.IntN(4) > 0 {
		return simPeople[i]
	}
	return simPeople[w.rng.IntN(len(simPeople))]
}

// send sends a request and notes the answer.
func (w *simWorld) send(s *simSite, request *simRequest) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	incarnation := s.self().GetIncarnation()
	c := &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: request.command}}
	result, decision, err := s.propose(ctx, c)
	outcome := "done"
	switch {
	case err != nil:
		outcome = err.Error()
	case result.Refusal != nil:
		outcome = result.Refusal.Reason
		if outcome == "REQUEST_ID_REUSED" {
			w.recorder.violate(16, "the request %s at %s is refused although it is the same: %s", request.command.Request.Id, s.name, result.Refusal.Message)
		}
	default:
		w.recorder.answered(s, incarnation, decision)
		if request.command.Number == "" {
			outcome = result.Ticket.Number
		}
	}
	w.recorder.note("%s: %s %s %s: %s", s.name, simKind(c), request.command.Number, request.command.GetRequest().GetId(), outcome)
}
