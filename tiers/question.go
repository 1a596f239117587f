package tiers

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// way is where a single question goes, beside the stream of a link: to the nodes of one site.
type way struct {
	site      desk.SiteID
	addresses []string // grpc addresses of its nodes
}

// wayUp leads to the parent; at the province it has no site.
func (t *Tiers) wayUp() way {
	parent := t.parent()
	if parent == "" {
		return way{}
	}
	return way{site: parent, addresses: t.o.ParentAddresses()}
}

// askEach puts one question to the nodes in turn, each over a connection of its own, until one answers or refuses. A refusal
// is a *desk.Refusal with the words of who refused; any other error says why the last node gave no answer.
func askEach[A any](ctx context.Context, t *Tiers, to way, ask func(context.Context, linkpb.LinkClient) (*A, error)) (*A, error) {
	err := fmt.Errorf("no address of %s is known", to.site)
	for _, address := range to.addresses {
		var answer *A
		if answer, err = askOnce(ctx, t, to.site, address, ask); err == nil {
			return answer, nil
		}
		var refusal *desk.Refusal
		if errors.As(err, &refusal) || ctx.Err() != nil {
			break
		}
	}
	return nil, err
}

// askOnce puts a question to the node at one address.
func askOnce[A any](ctx context.Context, t *Tiers, site desk.SiteID, address string, ask func(context.Context, linkpb.LinkClient) (*A, error)) (*A, error) {
	var failure dialFailure
	conn, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(t.o.Credentials(site)), grpc.WithContextDialer(failure.watch(t.reachOut)))
	if err != nil {
		return nil, fmt.Errorf("call %s at %s: %w", site, address, err)
	}
	defer conn.Close()
	answer, err := ask(ctx, linkpb.NewLinkClient(conn))
	if err == nil {
		return answer, nil
	}
	if code := status.Code(err); decided(code) {
		return nil, desk.Refuse(desk.Code(code), "REFUSED", "%s", status.Convert(err).Message())
	}
	return nil, fmt.Errorf("call %s at %s: %w", site, address, failure.explain(ctx, err))
}

// decided tells whether a code is the other end's decision, which its other nodes would repeat, and not a lack of an answer.
func decided(code codes.Code) bool {
	switch code {
	case codes.InvalidArgument, codes.PermissionDenied, codes.FailedPrecondition, codes.Aborted, codes.NotFound, codes.AlreadyExists:
		return true
	default:
		return false
	}
}

// refuse answers a call with an error. Where that is a refusal, it is told here as well.
func (t *Tiers) refuse(ctx context.Context, err error) error {
	var refusal *desk.Refusal
	if errors.As(err, &refusal) {
		t.o.Refused(ctx, refusal.Message)
	}
	return toStatus(err)
}

// toStatus gives an error the code by which decided knows it at the other end.
func toStatus(err error) error {
	var refusal *desk.Refusal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refusal):
		return status.Error(codes.Code(refusal.Code), refusal.Message)
	default:
		return status.Error(codes.Unavailable, err.Error())
	}
}
