package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

const (
	// backupChunk is how many bytes of a backup one message carries.
	backupChunk = 256 << 10
	// maxReason is the longest reason for an operator's act, in characters.
	maxReason = 500
)

// recoveries serves what an operator does before a site is lost, and afterwards.
type recoveries struct {
	apipb.UnimplementedRecoveriesServer
	backend Backend
	tickets *tickets
}

func (r *recoveries) BackupSite(q *apipb.BackupSiteRequest, stream grpc.ServerStreamingServer[apipb.BackupSiteResponse]) (err error) {
	content, backup, err := r.backend.Backup(stream.Context(), q.GetStale())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	if err := r.tellBackup(stream.Context(), q.GetStale()); err != nil {
		return err
	}
	if err := stream.Send(&apipb.BackupSiteResponse{Backup: backup}); err != nil {
		return err
	}
	chunk := make([]byte, backupChunk)
	for {
		n, err := io.ReadFull(content, chunk)
		if n > 0 {
			if err := stream.Send(&apipb.BackupSiteResponse{Data: chunk[:n]}); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return fmt.Errorf("read the backup: %w", err)
		}
	}
}

// tellBackup has the audit log know of a backup before it goes out. A stale one is what is left of a site that has lost its majority:
// its log takes nothing now, and is told as soon as it does.
func (r *recoveries) tellBackup(ctx context.Context, stale bool) error {
	entry := entryOf(ctx, audit.Backup, string(r.backend.Site()))
	if stale {
		r.backend.Record(entry)
		return nil
	}
	return r.backend.RecordNow(ctx, entry)
}

func (r *recoveries) RecoverSite(ctx context.Context, q *apipb.RecoverSiteRequest) (*emptypb.Empty, error) {
	reason := strings.TrimSpace(q.GetReason())
	switch {
	case reason == "":
		return nil, desk.RefuseField("reason", "is missing; say why the site begins another life")
	case utf8.RuneCountInString(reason) > maxReason:
		return nil, desk.RefuseField("reason", "has more than %d characters; shorten it", maxReason)
	}
	if err := r.backend.Recover(ctx, callerOf(ctx).actor.GetUser()+": "+reason); err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}

func (r *recoveries) OverrideTicket(ctx context.Context, q *apipb.OverrideTicketRequest) (*deskpb.Ticket, error) {
	return r.tickets.act(ctx, "override", q, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Reclaim{
		Reclaim: &deskpb.Reclaim{Reason: q.GetReason()},
	}})
}

func (r *recoveries) RetryParked(ctx context.Context, _ *apipb.RetryParkedRequest) (*apipb.RetryParkedResponse, error) {
	return r.backend.RetryParked(ctx)
}
