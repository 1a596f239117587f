package tiers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// askPatience bounds one question to a parent, all its addresses together: a site that is founded while its line is cut
// waits no longer.
const askPatience = 2 * time.Second

// Ask tells a site whether this one knows its name. What this node's own state knows is true whatever the others have;
// that it knows nothing is only said behind a barrier.
func (t *Tiers) Ask(ctx context.Context, r *linkpb.AskRequest) (*linkpb.AskResponse, error) {
	if err := t.speaksFor(ctx, r.GetSite()); err != nil {
		return nil, t.refuse(ctx, err)
	}
	answer, err := t.acquaintance(desk.SiteID(r.GetSite()))
	if err == nil && !answer.Known {
		if err = t.barrier(ctx); err == nil {
			answer, err = t.acquaintance(desk.SiteID(r.GetSite()))
		}
	}
	if err != nil {
		return nil, status.Errorf(codes.Unavailable, "%s cannot tell now: %v", t.o.SiteID, err)
	}
	return answer, nil
}

// acquaintance is what this node knows of a site.
func (t *Tiers) acquaintance(site desk.SiteID) (*linkpb.AskResponse, error) {
	answer := &linkpb.AskResponse{Site: string(t.o.SiteID), Connected: t.connected(site)}
	err := t.o.Site.View(func(r *store.Reader) error {
		own, err := r.Site()
		if err == nil && own == nil {
			err = errNotFounded
		}
		if err != nil {
			return err
		}
		link, err := r.Link(site)
		if err != nil {
			return err
		}
		info, err := r.SiteInfo(site)
		if err != nil {
			return err
		}
		answer.Known = info != nil || link.PeerIncarnation != 0
		if answer.Incarnation = link.PeerIncarnation; answer.Incarnation == 0 {
			answer.Incarnation = info.GetIncarnation()
		}
		return nil
	})
	return answer, err
}

// connected tells whether a stream of the site lives at any node of this one.
func (t *Tiers) connected(site desk.SiteID) bool {
	t.mu.Lock()
	here := t.sessions[site] != nil
	t.mu.Unlock()
	if here {
		return true
	}
	for _, reach := range t.Reach() {
		if reach.Site == site {
			return reach.Alive
		}
	}
	return false
}

// Question is what a site that is not running yet asks its parent about itself.
type Question struct {
	Site, Parent desk.SiteID
	Addresses    []string                         // grpc addresses of the parent's nodes
	Credentials  credentials.TransportCredentials // nil: without TLS
	// Dial opens a connection; nil: plain TCP.
	Dial func(ctx context.Context, address string) (net.Conn, error)
}

// Acquaintance is what a parent knows of a site.
type Acquaintance struct {
	Known       bool
	Incarnation uint64 // 0 when it is not known
	Connected   bool   // a node of the site is connected to the parent now
}

// Ask asks all addresses at the same time and returns the first answer of the parent. An error says that nobody answered.
func (q Question) Ask(ctx context.Context) (Acquaintance, error) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	type said struct {
		answer *linkpb.AskResponse
		err    error
	}
	heard := make(chan said, len(q.Addresses))
	for _, address := range q.Addresses {
		go func() {
			answer, err := q.askAt(ctx, address)
			heard <- said{answer, err}
		}()
	}
	err := fmt.Errorf("no address of %s is known", q.Parent)
	var first *linkpb.AskResponse
	for range q.Addresses {
		got := <-heard // each ends with ctx
		if first != nil {
			continue
		}
		if first, err = got.answer, got.err; first != nil {
			cancel()
		}
	}
	if first == nil {
		return Acquaintance{}, fmt.Errorf("ask %s about %s: %w", q.Parent, q.Site, err)
	}
	return Acquaintance{Known: first.Known, Incarnation: first.Incarnation, Connected: first.Connected}, nil
}

// askAt asks one node.
func (q Question) askAt(ctx context.Context, address string) (*linkpb.AskResponse, error) {
	if q.Credentials == nil {
		q.Credentials = insecure.NewCredentials()
	}
	var failure dialFailure
	options := []grpc.DialOption{grpc.WithTransportCredentials(q.Credentials)}
	if q.Dial != nil {
		options = append(options, grpc.WithContextDialer(failure.watch(q.Dial)))
	}
	conn, err := grpc.NewClient("passthrough:///"+address, options...)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", address, err)
	}
	answer, err := linkpb.NewLinkClient(conn).Ask(ctx, &linkpb.AskRequest{Site: string(q.Site)})
	err = errors.Join(err, conn.Close())
	switch {
	case err != nil:
		return nil, fmt.Errorf("call %s: %w", address, failure.explain(ctx, err))
	case answer.Site != string(q.Parent):
		return nil, fmt.Errorf("site %s answers at %s, not %s", answer.Site, address, q.Parent)
	}
	return answer, nil
}
