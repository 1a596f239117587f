package api

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// sites serves this site's nodes and links and the directory of the tree.
type sites struct {
	apipb.UnimplementedSitesServer
	backend Backend
}

func (s *sites) GetSite(ctx context.Context, _ *apipb.GetSiteRequest) (*apipb.GetSiteResponse, error) {
	return s.backend.Overview(ctx)
}

func (s *sites) DiagnoseSite(ctx context.Context, _ *apipb.DiagnoseSiteRequest) (*apipb.DiagnoseSiteResponse, error) {
	return s.backend.Diagnose(ctx)
}

func (s *sites) ListSites(ctx context.Context, _ *apipb.ListSitesRequest) (*apipb.ListSitesResponse, error) {
	return s.backend.Sites(ctx)
}

func (s *sites) ListParked(ctx context.Context, r *apipb.ListParkedRequest) (*apipb.ListParkedResponse, error) {
	size, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, err
	}
	scope := pageScope{"parked"}
	after, err := scope.open(r.GetPageToken())
	if err != nil {
		return nil, err
	}
	answer := &apipb.ListParkedResponse{}
	err = s.backend.Read(ctx, false, func(reader *store.Reader) error {
		parked, next, err := reader.Parked(after, size)
		if err != nil {
			return fmt.Errorf("read parked items: %w", err)
		}
		sight, err := sightOf(ctx, s.backend.Site(), reader)
		if err != nil {
			return err
		}
		for _, item := range parked {
			told, err := sight.parkedItem(reader, item)
			if err != nil {
				return err
			}
			answer.Items = append(answer.Items, told)
		}
		answer.NextPageToken = scope.seal(next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// parkedItem tells of an item what people can read of it, and the words of an event only to a caller who sees its ticket.
func (s sight) parkedItem(reader *store.Reader, item *deskpb.Parked) (*apipb.ParkedItem, error) {
	told := parkedItem(item)
	sees, err := s.seesNumber(reader, desk.TicketNumber(told.GetTicket()))
	if !sees {
		told.Ticket, told.Type, told.Text = "", "", ""
	}
	return told, err
}

// parkedItem tells of an event its ticket, kind and words.
func parkedItem(item *deskpb.Parked) *apipb.ParkedItem {
	told := &apipb.ParkedItem{
		Peer:     item.GetPeer(),
		Sequence: item.GetSequence(),
		Reason:   item.GetReason(),
		Time:     timestamppb.New(time.UnixMicro(item.GetTime())),
		Size:     int32(len(item.GetItem())),
	}
	var content deskpb.Item
	if proto.Unmarshal(item.GetItem(), &content) != nil || content.GetEvent() == nil {
		return told
	}
	event, err := desk.Open(content.GetEvent())
	if err != nil {
		return told
	}
	told.Ticket, told.Type, told.Text = event.GetTicket(), event.GetType().String(), event.GetBody().GetText()
	if opened := event.GetBody().GetOpened(); opened != nil {
		told.Text = opened.GetTicket().GetTitle()
	}
	return told
}

func (s *sites) TransferLeadership(ctx context.Context, r *apipb.TransferLeadershipRequest) (*emptypb.Empty, error) {
	if err := s.backend.TransferLeadership(ctx, r.GetNode()); err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}

func (s *sites) RemoveNode(ctx context.Context, r *apipb.RemoveNodeRequest) (*emptypb.Empty, error) {
	if r.GetNode() == "" {
		return nil, desk.RefuseField("node", "is missing; give the id of the node that is gone")
	}
	if err := s.backend.RemoveNode(ctx, r.GetNode()); err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}
