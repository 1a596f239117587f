package peers

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/peers/peerpb"
	"github.com/tierdesk/tierdesk/replication"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// Replica is this node's part in the site's group, as far as other nodes use it.
type Replica interface {
	Greet(known []replication.Server) replication.Hello
	Admit(ctx context.Context, s replication.Server) error
	ProposeHere(ctx context.Context, commands [][]byte, tell func(i int, o replication.Outcome) error) error
	ReadIndex(ctx context.Context) (uint64, error)
	Remove(ctx context.Context, serverID string) error
	TransferLeadership(ctx context.Context, serverID string) error
}

// ServerOptions make a Server. All fields are required but AskNeighbour, without which no
// link is carried, Presence, Refused and CallerSite.
type ServerOptions struct {
	Site    string
	Replica Replica
	// Links tells what this node knows of links and sites.
	Links func() Links
	// Diagnose looks at this node.
	Diagnose func(ctx context.Context) Diagnosis
	// AskNeighbour puts a question about a file to a neighbour; nil when this node does not carry the link.
	AskNeighbour func(ctx context.Context, peer desk.SiteID, w *linkpb.Want) *linkpb.Piece
	// Presence hears who is at tickets by the pages of another node; nil: nobody does.
	Presence func([]PresenceSign)
	// Refused is told of each call by somebody who is no node of the site, and why; nil: nobody is told.
	Refused func(ctx context.Context, reason string)
	// CallerSite returns the site that the caller's certificate names; nil without TLS, when callers are on this machine.
	CallerSite func(ctx context.Context) string
}

func (o ServerOptions) validate() error {
	switch {
	case o.Site == "":
		return errors.New("peers: ServerOptions.Site is empty")
	case o.Replica == nil:
		return errors.New("peers: ServerOptions.Replica is nil")
	case o.Links == nil:
		return errors.New("peers: ServerOptions.Links is nil")
	case o.Diagnose == nil:
		return errors.New("peers: ServerOptions.Diagnose is nil")
	}
	return nil
}

// Register adds the Peer service to the node's grpc server.
func Register(registrar grpc.ServiceRegistrar, o ServerOptions) error {
	if err := o.validate(); err != nil {
		return err
	}
	peerpb.RegisterPeerServer(registrar, &server{options: o})
	return nil
}

// maxKnown bounds the servers that one greeting may name.
const maxKnown = 64

type server struct {
	peerpb.UnimplementedPeerServer
	options ServerOptions
}

// admit lets callers of the same site through: by the certificate when there is TLS, and by what they say.
func (s *server) admit(ctx context.Context, site string) error {
	if s.options.CallerSite != nil {
		if named := s.options.CallerSite(ctx); named != s.options.Site {
			return s.wrongSite(ctx, named)
		}
	}
	if site != s.options.Site {
		return s.wrongSite(ctx, site)
	}
	return nil
}

func (s *server) wrongSite(ctx context.Context, caller string) error {
	if caller == "" {
		caller = "an unnamed site"
	}
	err := fmt.Errorf("%w: this is a node of %s, not of %.64s; look at raft.join", replication.ErrRefused, s.options.Site, caller)
	if s.options.Refused != nil {
		s.options.Refused(ctx, err.Error())
	}
	return toStatus(err)
}

func (s *server) Hello(ctx context.Context, in *peerpb.HelloRequest) (*peerpb.HelloResponse, error) {
	if err := s.admit(ctx, in.Site); err != nil {
		return nil, err
	}
	if len(in.Known) > maxKnown {
		return nil, status.Errorf(codes.InvalidArgument, "known: %d servers are more than %d", len(in.Known), maxKnown)
	}
	return helloToWire(s.options.Replica.Greet(fromWire(in.Known))), nil
}

func (s *server) Join(ctx context.Context, in *peerpb.JoinRequest) (*peerpb.JoinResponse, error) {
	if err := s.admit(ctx, in.Site); err != nil {
		return nil, err
	}
	if err := s.options.Replica.Admit(ctx, serverFromWire(in.Server)); err != nil {
		return nil, toStatus(err)
	}
	return &peerpb.JoinResponse{}, nil
}

func (s *server) ReadIndex(ctx context.Context, in *peerpb.ReadIndexRequest) (*peerpb.ReadIndexResponse, error) {
	if err := s.admit(ctx, in.Site); err != nil {
		return nil, err
	}
	index, err := s.options.Replica.ReadIndex(ctx)
	if err != nil {
		return nil, toStatus(err)
	}
	return &peerpb.ReadIndexResponse{Index: index}, nil
}

func (s *server) Links(ctx context.Context, in *peerpb.LinksRequest) (*peerpb.LinksResponse, error) {
	if err := s.admit(ctx, in.Site); err != nil {
		return nil, err
	}
	return linksToWire(s.options.Links()), nil
}

func (s *server) Diagnose(ctx context.Context, in *peerpb.DiagnoseRequest) (*peerpb.DiagnoseResponse, error) {
	if err := s.admit(ctx, in.Site); err != nil {
		return nil, err
	}
	return diagnosisToWire(s.options.Diagnose(ctx)), nil
}

func (s *server) Remove(ctx context.Context, in *peerpb.RemoveRequest) (*peerpb.RemoveResponse, error) {
	if err := s.admit(ctx, in.Site); err != nil {
		return nil, err
	}
	if err := s.options.Replica.Remove(ctx, in.ServerId); err != nil {
		return nil, toStatus(err)
	}
	return &peerpb.RemoveResponse{}, nil
}

func (s *server) TransferLeadership(ctx context.Context, in *peerpb.TransferLeadershipRequest) (*peerpb.TransferLeadershipResponse, error) {
	if err := s.admit(ctx, in.Site); err != nil {
		return nil, err
	}
	if err := s.options.Replica.TransferLeadership(ctx, in.ServerId); err != nil {
		return nil, toStatus(err)
	}
	return &peerpb.TransferLeadershipResponse{}, nil
}
