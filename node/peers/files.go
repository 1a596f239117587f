package peers

import (
	"context"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/peers/peerpb"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// fileDeadline is longer than a neighbour may take to answer a question about a file.
const fileDeadline = 35 * time.Second

// FileQuestion is a question about a file that another node puts to a neighbour whose link it carries.
type FileQuestion struct {
	Peer desk.SiteID // the neighbour
	Want *linkpb.Want
}

// AskNeighbour has the node at the address put a question to a neighbour; nil when it does not carry the link.
func (c *Client) AskNeighbour(ctx context.Context, address string, q FileQuestion) (*linkpb.Piece, error) {
	in := &peerpb.AskNeighbourRequest{Site: c.site, Peer: string(q.Peer), Want: q.Want}
	out, err := invoke(ctx, c, address, fileDeadline, in, peerpb.PeerClient.AskNeighbour)
	return out.GetPiece(), err
}

// AskNeighbour puts the question over the link that this node carries.
func (s *server) AskNeighbour(ctx context.Context, in *peerpb.AskNeighbourRequest) (*peerpb.AskNeighbourResponse, error) {
	if err := s.admit(ctx, in.Site); err != nil {
		return nil, err
	}
	if s.options.AskNeighbour == nil || in.Want == nil {
		return &peerpb.AskNeighbourResponse{}, nil
	}
	return &peerpb.AskNeighbourResponse{Piece: s.options.AskNeighbour(ctx, desk.SiteID(in.Peer), in.Want)}, nil
}
