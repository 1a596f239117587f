package tiers

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
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

// simVerbs are what people do to tickets, the likely ones several times.
var simVerbs = []func() *deskpb.TicketCommand{
	escalate, escalate, escalate, escalate, escalate, resolve, resolve, resolve,
	func() *deskpb.TicketCommand { return note("现场查看") },
	func() *deskpb.TicketCommand {
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Assign{Assign: &deskpb.Assign{Assignee: "zhao"}}}
	},
	func() *deskpb.TicketCommand {
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Start{Start: &deskpb.Start{}}}
	},
	func() *deskpb.TicketCommand {
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Hold{Hold: &deskpb.Hold{Reason: "WAITING_FOR_PART"}}}
	},
	func() *deskpb.TicketCommand {
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Resume{Resume: &deskpb.Resume{}}}
	},
	func() *deskpb.TicketCommand {
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Reply{Reply: &deskpb.Reply{Text: "已收到"}}}
	},
	func() *deskpb.TicketCommand {
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Urge{Urge: &deskpb.Urge{Reason: "着急"}}}
	},
	func() *deskpb.TicketCommand {
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Withdraw{Withdraw: &deskpb.Withdraw{Reason: "已解决"}}}
	},
	func() *deskpb.TicketCommand {
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Return{Return: &deskpb.Return{Reason: "请本地处理"}}}
	},
	func() *deskpb.TicketCommand {
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Confirm{Confirm: &deskpb.Confirm{}}}
	},
	func() *deskpb.TicketCommand {
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Close{Close: &deskpb.Close{Comment: "超期"}}}
	},
	func() *deskpb.TicketCommand {
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Reopen{Reopen: &deskpb.Reopen{Reason: "又坏了"}}}
	},
	func() *deskpb.TicketCommand {
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Cancel{Cancel: &deskpb.Cancel{Reason: "误报"}}}
	},
}

// work has a person do something somewhere.
func (w *simWorld) work() {
	s := w.site()
	numbers := simNumbers(s)
	switch dice := w.rng.IntN(100); {
	case len(numbers) == 0 || dice < 10 && len(numbers) < 12:
		w.ask(s, create("打印机故障"))
	case dice < 18 && len(w.retries) > 0:
		again := w.retries[w.rng.IntN(len(w.retries))]
		if living := w.living(again.at); len(living) > 0 {
			w.send(living[0], again)
		}
	case dice < 19:
		reclaim := &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Reclaim{Reclaim: &deskpb.Reclaim{Reason: "对方长时间不可达"}}}
		reclaim.Number = numbers[w.rng.IntN(len(numbers))]
		w.ask(s, reclaim)
	default:
		c := simVerbs[w.rng.IntN(len(simVerbs))]()
		c.Number = numbers[w.rng.IntN(len(numbers))]
		if w.rng.IntN(3) > 0 {
			s = w.holder(s, c.Number)
		}
		w.ask(s, c)
	}
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

// ask sends a new request, mostly with an id so that it can be repeated.
func (w *simWorld) ask(s *simSite, c *deskpb.TicketCommand) {
	c.Actor = &deskpb.Actor{User: "li", Role: deskpb.User_ADMINISTRATOR}
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
	default:
		w.recorder.answered(s, incarnation, decision)
		if request.command.Number == "" {
			outcome = result.Ticket.Number
		}
	}
	w.recorder.note("%s: %s %s %s: %s", s.name, simKind(c), request.command.Number, request.command.GetRequest().GetId(), outcome)
}
