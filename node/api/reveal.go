package api

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// RevealRequester shows the requester of a ticket without a mask. The audit log knows who asked, and why, before the answer goes
// out; when it cannot, nothing is shown.
func (t *tickets) RevealRequester(ctx context.Context, r *apipb.RevealRequesterRequest) (*deskpb.Requester, error) {
	if err := numberGiven(r.GetNumber()); err != nil {
		return nil, err
	}
	reason := strings.TrimSpace(r.GetReason())
	switch {
	case reason == "":
		return nil, desk.RefuseField("reason", "is missing; say what the number or address is needed for")
	case utf8.RuneCountInString(reason) > maxReason:
		return nil, desk.RefuseField("reason", "has more than %d characters; shorten it", maxReason)
	}
	var requester *deskpb.Requester
	err := t.backend.Read(ctx, false, func(reader *store.Reader) error {
		record, _, err := t.find(ctx, reader, r.GetNumber())
		requester = record.GetTicket().GetRequester()
		return err
	})
	if err != nil {
		return nil, err
	}
	entry := entryOf(ctx, audit.Reveal, r.GetNumber())
	entry.Reason = reason
	if err := t.backend.RecordNow(ctx, entry); err != nil {
		return nil, err
	}
	if requester == nil {
		requester = &deskpb.Requester{}
	}
	return requester, nil
}
