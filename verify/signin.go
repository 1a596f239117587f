package verify

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// maxAnswerBytes fits a page of 500 tickets, each with its longest description.
const maxAnswerBytes = 64 << 20

// patient makes reads of whole lists survive a node that is just being started again.
const patient = `{"methodConfig": [{
	"name": [
		{"service": "tierdesk.v1.Tickets", "method": "ListTickets"},
		{"service": "tierdesk.v1.Tickets", "method": "ListJournal"},
		{"service": "tierdesk.v1.Sites", "method": "GetSite"}],
	"retryPolicy": {"maxAttempts": 5, "initialBackoff": "0.3s", "maxBackoff": "5s", "backoffMultiplier": 3,
		"retryableStatusCodes": ["UNAVAILABLE"]}}]}`

// Desk is one site's API, signed in, with a connection to each of its nodes.
type Desk struct {
	Nodes []apipb.TicketsClient
	Sites apipb.SitesClient
	Users apipb.UsersClient
	conns []*grpc.ClientConn
}

// SignIn connects to the gRPC addresses of a site's nodes, without TLS, and opens one session that all of them honour.
// The caller closes the desk.
func SignIn(ctx context.Context, addresses []string, user, password string) (*Desk, error) {
	if len(addresses) == 0 {
		return nil, errors.New("sign in: no address of a node was given")
	}
	var token string
	authorize := func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn,
		invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		if token != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
		}
		return invoke(ctx, method, request, reply, conn, options...)
	}
	authorizeStream := func(ctx context.Context, about *grpc.StreamDesc, conn *grpc.ClientConn, method string,
		open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
		if token != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
		}
		return open(ctx, about, conn, method, options...)
	}
	d := &Desk{}
	for _, address := range addresses {
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithUnaryInterceptor(authorize), grpc.WithStreamInterceptor(authorizeStream), grpc.WithDefaultServiceConfig(patient),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswerBytes)))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("connect to %s: %w", address, err), d.Close())
		}
		d.conns = append(d.conns, conn)
		d.Nodes = append(d.Nodes, apipb.NewTicketsClient(conn))
	}
	d.Sites, d.Users = apipb.NewSitesClient(d.conns[0]), apipb.NewUsersClient(d.conns[0])
	session, err := apipb.NewSessionsClient(d.conns[0]).CreateSession(ctx,
		&apipb.CreateSessionRequest{User: user, Password: password}, grpc.WaitForReady(true))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sign in at %s as %s: %w", addresses[0], user, err), d.Close())
	}
	token = session.Token
	return d, nil
}

// Site is the desk as Compare and Settle want it.
func (d *Desk) Site(id, name, parent string) Site {
	return Site{ID: id, Name: name, Parent: parent, Tickets: d.Nodes[0], Sites: d.Sites}
}

// Conn is the signed-in connection to the first node, for the clients of the API's other services. It ends with the desk.
func (d *Desk) Conn() grpc.ClientConnInterface { return d.conns[0] }

// Close ends the connections.
func (d *Desk) Close() error {
	var errs []error
	for _, conn := range d.conns {
		errs = append(errs, conn.Close())
	}
	return errors.Join(errs...)
}
