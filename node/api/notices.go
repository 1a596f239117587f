package api

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// notices serves what the callers were told.
type notices struct {
	apipb.UnimplementedNoticesServer
	backend Backend
}

func (n *notices) ListNotices(ctx context.Context, r *apipb.ListNoticesRequest) (*apipb.ListNoticesResponse, error) {
	size, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, err
	}
	user := callerOf(ctx).actor.GetUser()
	scope := pageScope{"notices", user, fmt.Sprint(r.GetUnread())}
	position, err := scope.open(r.GetPageToken())
	switch {
	case err != nil:
		return nil, err
	case position != nil && len(position) != 8:
		return nil, refuseToken()
	}
	before := uint64(math.MaxUint64)
	if position != nil {
		before = binary.BigEndian.Uint64(position)
	}
	var all []*deskpb.Notice
	err = n.backend.Read(ctx, false, func(reader *store.Reader) (err error) {
		sight, err := sightOf(ctx, n.backend.Site(), reader)
		if err != nil {
			return err
		}
		if all, err = reader.Notices(desk.UserID(user)); err != nil {
			return err
		}
		all, err = sight.notices(reader, all)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the notices of %s: %w", user, err)
	}
	answer := &apipb.ListNoticesResponse{}
	last := before
	for _, notice := range all {
		if !notice.GetRead() {
			answer.Unread++
		}
		switch {
		case notice.GetOrder() >= before, r.GetUnread() && notice.GetRead():
		case len(answer.Notices) < size:
			last = notice.GetOrder()
			answer.Notices = append(answer.Notices, noticeMessage(notice))
		case answer.NextPageToken == "":
			answer.NextPageToken = scope.seal(binary.BigEndian.AppendUint64(nil, last))
		}
	}
	return answer, nil
}

// notices returns those about tickets that the caller still sees.
func (s sight) notices(reader *store.Reader, all []*deskpb.Notice) ([]*deskpb.Notice, error) {
	known := map[string]bool{}
	var seen []*deskpb.Notice
	for _, notice := range all {
		number := notice.GetTicket()
		sees, asked := known[number]
		if !asked {
			var err error
			if sees, err = s.seesNumber(reader, desk.TicketNumber(number)); err != nil {
				return nil, err
			}
			known[number] = sees
		}
		if sees {
			seen = append(seen, notice)
		}
	}
	return seen, nil
}

func noticeMessage(n *deskpb.Notice) *apipb.Notice {
	return &apipb.Notice{
		Time: moment(n.GetTime()), Ticket: n.GetTicket(), Title: n.GetTitle(), Kind: n.GetKind(), Text: n.GetText(), Read: n.GetRead(),
	}
}

func (n *notices) MarkNoticesRead(ctx context.Context, r *apipb.MarkNoticesReadRequest) (*emptypb.Empty, error) {
	through := int64(math.MaxInt64)
	if r.GetThrough() != nil {
		if err := r.GetThrough().CheckValid(); err != nil {
			return nil, desk.RefuseField("through", "is no time; give one as 2006-01-02T15:04:05Z")
		}
		through = r.GetThrough().AsTime().UnixMicro()
	}
	_, err := n.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_MarkNotices{
		MarkNotices: &deskpb.MarkNotices{User: callerOf(ctx).actor.GetUser(), Through: through},
	}})
	if err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}
