package api

import (
	"context"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// PreviewTicket decides about a new ticket as the log would, and throws the decision away.
func (t *tickets) PreviewTicket(ctx context.Context, r *apipb.PreviewTicketRequest) (preview *deskpb.Ticket, err error) {
	if r.GetTicket() == nil {
		return nil, desk.RefuseField("ticket", "is missing; give at least its title")
	}
	command := &deskpb.TicketCommand{
		Actor: callerOf(ctx).actor,
		Verb:  &deskpb.TicketCommand_Create{Create: &deskpb.Create{Ticket: r.GetTicket()}},
	}
	err = t.backend.Read(ctx, false, func(reader *store.Reader) error {
		preview, err = tiers.Preview(reader, command, desk.Stamp{Time: time.Now().UnixMicro()})
		return err
	})
	return preview, err
}
