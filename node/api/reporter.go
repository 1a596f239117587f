package api

import (
	"cmp"
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// ofReporter returns a new ticket with its requester called as the account says, when a requester opens it and gives no name. Who
// gives one may speak for somebody else, of whom the account knows nothing.
func (t *tickets) ofReporter(ctx context.Context, asked *deskpb.Ticket) (*deskpb.Ticket, error) {
	actor := callerOf(ctx).actor
	if actor.GetRole() != deskpb.User_REQUESTER || asked.GetRequester().GetName() != "" {
		return asked, nil
	}
	var account *deskpb.User
	err := t.backend.Read(ctx, true, func(r *store.Reader) (err error) {
		account, err = r.User(desk.UserID(actor.GetUser()))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the account of %s: %w", actor.GetUser(), err)
	}
	completed := proto.CloneOf(asked)
	if completed.Requester == nil {
		completed.Requester = &deskpb.Requester{}
	}
	said := completed.Requester
	said.Name = account.GetDisplayName()
	said.Unit = cmp.Or(said.Unit, account.GetUnit())
	said.Phone = cmp.Or(said.Phone, account.GetPhone())
	said.Email = cmp.Or(said.Email, account.GetEmail())
	return completed, nil
}
