package peers

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/tierdesk/tierdesk/node/peers/peerpb"
	"github.com/tierdesk/tierdesk/replication"
)

// How long a call may take when its caller sets no earlier deadline.
const (
	greetDeadline    = 2 * time.Second
	joinDeadline     = 30 * time.Second
	proposeDeadline  = 10 * time.Second
	readDeadline     = 5 * time.Second
	statusDeadline   = 2 * time.Second
	diagnoseDeadline = 5 * time.Second
	transferDeadline = 10 * time.Second
	presenceDeadline = time.Second
)

// ClientOptions make a Client.
type ClientOptions struct {
	Site        string                           // of this node; every call names it
	Credentials credentials.TransportCredentials // nil: without TLS
}

// Client reaches the other nodes of the site at their grpc addresses. It is safe for concurrent use.
type Client struct {
	site  string
	conns *connections
}

// NewClient makes a client; it dials when it is asked for something.
func NewClient(o ClientOptions) (*Client, error) {
	if o.Site == "" {
		return nil, errors.New("peers: ClientOptions.Site is empty")
	}
	if o.Credentials == nil {
		o.Credentials = insecure.NewCredentials()
	}
	return &Client{site: o.Site, conns: newConnections(o.Credentials)}, nil
}

// Close closes the connections; calls on their way end with an error.
func (c *Client) Close() { c.conns.close() }

// Hello tells the node at the address whom this one knows, and returns what it tells.
func (c *Client) Hello(ctx context.Context, address string, known []replication.Server) (replication.Hello, error) {
	in := &peerpb.HelloRequest{Site: c.site, Known: toWire(known)}
	out, err := invoke(ctx, c, address, greetDeadline, in, peerpb.PeerClient.Hello)
	if err != nil {
		return replication.Hello{}, err
	}
	return helloFromWire(out), nil
}

// Join asks the node at the address to take this one in.
func (c *Client) Join(ctx context.Context, address string, self replication.Server) error {
	in := &peerpb.JoinRequest{Site: c.site, Server: serverToWire(self)}
	_, err := invoke(ctx, c, address, joinDeadline, in, peerpb.PeerClient.Join)
	return err
}

// ReadIndex has the leader at the address prove its majority and returns an index that it has applied.
func (c *Client) ReadIndex(ctx context.Context, address string) (uint64, error) {
	in := &peerpb.ReadIndexRequest{Site: c.site}
	out, err := invoke(ctx, c, address, readDeadline, in, peerpb.PeerClient.ReadIndex)
	return out.GetIndex(), err
}

// Links asks the node at the address what it knows of links and sites.
func (c *Client) Links(ctx context.Context, address string) (Links, error) {
	in := &peerpb.LinksRequest{Site: c.site}
	out, err := invoke(ctx, c, address, statusDeadline, in, peerpb.PeerClient.Links)
	if err != nil {
		return Links{}, err
	}
	return linksFromWire(out), nil
}

// Diagnose has the node at the address look at itself.
func (c *Client) Diagnose(ctx context.Context, address string) (Diagnosis, error) {
	in := &peerpb.DiagnoseRequest{Site: c.site}
	out, err := invoke(ctx, c, address, diagnoseDeadline, in, peerpb.PeerClient.Diagnose)
	if err != nil {
		return Diagnosis{}, err
	}
	return diagnosisFromWire(out), nil
}

// Remove has the leader at the address take a server out of the group.
func (c *Client) Remove(ctx context.Context, address, serverID string) error {
	in := &peerpb.RemoveRequest{Site: c.site, ServerId: serverID}
	_, err := invoke(ctx, c, address, transferDeadline, in, peerpb.PeerClient.Remove)
	return err
}

// TransferLeadership has the leader at the address hand the lead to a server, or to the furthest voter for "".
func (c *Client) TransferLeadership(ctx context.Context, address, serverID string) error {
	in := &peerpb.TransferLeadershipRequest{Site: c.site, ServerId: serverID}
	_, err := invoke(ctx, c, address, transferDeadline, in, peerpb.PeerClient.TransferLeadership)
	return err
}

// invoke makes one call with a deadline and says of its error what it means.
func invoke[In, Out any](ctx context.Context, c *Client, address string, limit time.Duration, in *In,
	method func(peerpb.PeerClient, context.Context, *In, ...grpc.CallOption) (*Out, error)) (*Out, error) {
	conn, err := c.conns.get(address)
	if err != nil {
		return nil, fmt.Errorf("node at %q: %w: %w", address, replication.ErrUnreachable, err)
	}
	sent := &atomic.Bool{}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, sentKey{}, sent), limit)
	defer cancel()
	out, err := method(peerpb.NewPeerClient(conn), ctx, in)
	if err != nil {
		return nil, fromStatus(address, sent.Load(), err)
	}
	return out, nil
}
