package peers

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

// maxConnections bounds the cache. A site has at most five nodes; the rest is room for addresses that have changed.
const maxConnections = 16

// maxMessage bounds a message in bytes: a command of at most 1 MiB and its envelope.
const maxMessage = 2 << 20

// connections caches one connection for each address and closes the one that was unused for longest when it is full.
type connections struct {
	credentials credentials.TransportCredentials

	mu     sync.Mutex
	closed bool         // guarded by mu
	cached []connection // guarded by mu; the last used stands last
}

type connection struct {
	address string
	conn    *grpc.ClientConn
}

func newConnections(creds credentials.TransportCredentials) *connections {
	return &connections{credentials: creds}
}

// get returns the connection to an address. It does not wait for it to be up.
func (c *connections) get(address string) (*grpc.ClientConn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, errors.New("the node is stopping")
	case address == "":
		return nil, errors.New("no address is known")
	}
	if i := slices.IndexFunc(c.cached, func(one connection) bool { return one.address == address }); i >= 0 {
		used := c.cached[i]
		c.cached = append(slices.Delete(c.cached, i, i+1), used)
		return used.conn, nil
	}
	conn, err := c.dial(address)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	if len(c.cached) == maxConnections {
		_ = c.cached[0].conn.Close() // it only ever says that it is closed already
		c.cached = slices.Delete(c.cached, 0, 1)
	}
	c.cached = append(c.cached, connection{address: address, conn: conn})
	return conn, nil
}

func (c *connections) dial(address string) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(c.credentials),
		grpc.WithNoProxy(), // the nodes of a site stand in one office
		grpc.WithStatsHandler(sentHandler{}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		grpc.WithConnectParams(grpc.ConnectParams{
			// A node that restarts is back within seconds, and its peers want it at once.
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
			MinConnectTimeout: 2 * time.Second,
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 3 * time.Second}),
	)
}

func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, one := range c.cached {
		_ = one.conn.Close() // it only ever says that it is closed already
	}
	c.cached = nil
}
