package peers

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/node/peers/peerpb"
)

// MaxSigns bounds the signs of one call.
const MaxSigns = 256

// PresenceSign says that somebody is at a ticket: viewing, writing or gone.
type PresenceSign struct {
	Ticket string
	User   string
	Name   string // how people call the user
	Doing  string
}

// TellPresence tells the node at the address of signs, at most MaxSigns.
func (c *Client) TellPresence(ctx context.Context, address string, signs []PresenceSign) error {
	in := &peerpb.TellPresenceRequest{Site: c.site}
	for _, s := range signs {
		in.Signs = append(in.Signs, &peerpb.PresenceSign{Ticket: s.Ticket, User: s.User, Name: s.Name, Doing: s.Doing})
	}
	_, err := invoke(ctx, c, address, presenceDeadline, in, peerpb.PeerClient.TellPresence)
	return err
}

// longestSign bounds each text of a sign, in bytes.
const longestSign = 256

// TellPresence takes signs of another node of the site.
func (s *server) TellPresence(ctx context.Context, in *peerpb.TellPresenceRequest) (*peerpb.TellPresenceResponse, error) {
	if err := s.admit(ctx, in.Site); err != nil {
		return nil, err
	}
	if len(in.Signs) > MaxSigns {
		return nil, status.Errorf(codes.InvalidArgument, "signs: %d are more than %d", len(in.Signs), MaxSigns)
	}
	signs := make([]PresenceSign, 0, len(in.Signs))
	for _, sign := range in.Signs {
		for _, text := range []string{sign.Ticket, sign.User, sign.Name, sign.Doing} {
			if len(text) > longestSign {
				return nil, status.Errorf(codes.InvalidArgument, "signs: %.40q… is longer than %d bytes", text, longestSign)
			}
		}
		signs = append(signs, PresenceSign{Ticket: sign.Ticket, User: sign.User, Name: sign.Name, Doing: sign.Doing})
	}
	if s.options.Presence != nil {
		s.options.Presence(signs)
	}
	return &peerpb.TellPresenceResponse{}, nil
}
