package api

import (
	"context"
	"net"
	"net/http"
	"strings"

	"google.golang.org/grpc/peer"
)

// maxClient bounds what a program says of itself, in bytes.
const maxClient = 200

// origin is where a call came from: the other end of its connection, without a port, and what the program there says of itself.
// Headers in which others are said to have forwarded a call are not read: anybody can write them.
type origin struct{ address, client string }

type originKey struct{}

// withOrigin notes where a request over HTTP came from, before it goes on as a call.
func withOrigin(r *http.Request) *http.Request {
	from := origin{address: hostOf(r.RemoteAddr), client: r.UserAgent()}
	return r.WithContext(context.WithValue(r.Context(), originKey{}, from))
}

// originOf tells where a call came from.
func originOf(ctx context.Context) origin {
	from, ok := ctx.Value(originKey{}).(origin)
	if !ok {
		from.client = firstMetadata(ctx, "user-agent")
		if end, known := peer.FromContext(ctx); known {
			from.address = hostOf(end.Addr.String())
		}
	}
	from.client = strings.ToValidUTF8(from.client[:min(len(from.client), maxClient)], "")
	return from
}

// hostOf is an address without its port.
func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}
