package api

import (
	"context"
	"fmt"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// callBacks serves the work list of call-backs 回访.
type callBacks struct {
	apipb.UnimplementedCallBacksServer
	backend Backend
	clock   func() time.Time
}

func (s *callBacks) ListCallBacks(ctx context.Context, r *apipb.ListCallBacksRequest) (*apipb.ListCallBacksResponse, error) {
	size, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, err
	}
	if r.GetDue() != nil && r.GetDue().CheckValid() != nil {
		return nil, desk.RefuseField("due", "is no time; write one such as 2026-11-21T08:00:00Z")
	}
	by, asked := s.clock().UnixMicro(), ""
	if r.GetDue() != nil {
		by = r.GetDue().AsTime().UnixMicro()
		asked = r.GetDue().String()
	}
	scope := pageScope{"callBacks", asked}
	after, err := scope.open(r.GetPageToken())
	if err != nil {
		return nil, err
	}
	answer := &apipb.ListCallBacksResponse{}
	err = s.backend.Read(ctx, false, func(reader *store.Reader) error {
		sight, err := sightOf(ctx, s.backend.Site(), reader)
		if err != nil {
			return err
		}
		veil, position, err := sight.behind(reader, after)
		if err != nil {
			return err
		}
		calls, next, err := reader.DueCalls(by, position, size)
		if err != nil {
			return fmt.Errorf("list the call-backs: %w", err)
		}
		for _, call := range calls {
			if err := sight.addCall(reader, answer, call); err != nil {
				return err
			}
		}
		answer.NextPageToken = scope.seal(veil.over(next))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// addCall lists a call, unless it is about a ticket that the caller does not see.
func (s sight) addCall(reader *store.Reader, answer *apipb.ListCallBacksResponse, call store.DueCall) error {
	due := &apipb.DueCall{DueTime: moment(call.Due)}
	if call.Customer != nil {
		_, due.Kind = desk.NextCall(call.Customer)
		due.Requester = requesterMessage(call.Customer)
	} else {
		sees, err := s.seesNumber(reader, desk.TicketNumber(call.Ticket.GetNumber()))
		if err != nil || !sees {
			return err
		}
		due.Ticket = s.shown(call.Ticket)
	}
	answer.Calls = append(answer.Calls, due)
	return nil
}

func (s *callBacks) RecordCustomerCall(ctx context.Context, r *apipb.RecordCustomerCallRequest) (*apipb.Requester, error) {
	_, err := s.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_PutCustomerCall{PutCustomerCall: &deskpb.PutCustomerCall{
		Customer: r.GetRequester(),
		Call: &deskpb.CustomerCall{
			Kind: r.GetKind(), Outcome: r.GetOutcome(), Comment: r.GetComment(), Satisfaction: r.GetSatisfaction(),
			Actor: callerOf(ctx).actor.GetUser(),
		},
	}}})
	if err != nil {
		return nil, err
	}
	return readRequester(ctx, s.backend, r.GetRequester())
}
