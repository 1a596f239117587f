package api

import (
	"context"
	"crypto/rand"
	"net/http"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const (
	// requestHeader carries a request's id, in gRPC's metadata as well.
	requestHeader = "X-Request-Id"
	// maxRequestID bounds an id that a caller brings along, in characters.
	maxRequestID = 64
)

type requestIDKey struct{}

// Identified gives every request an id, by which an answer, an error and the node's log are brought together: the caller's
// own when it is well formed, else a random one. The answer carries it in the header X-Request-Id.
func Identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := requestID(r.Header.Get(requestHeader))
		w.Header().Set(requestHeader, id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
	})
}

// RequestID is the id of the request that the context belongs to, "" outside of one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// requestID is the id that a caller brought along, or another one when that could not stand in a log as it is.
func requestID(brought string) string {
	if brought == "" || len(brought) > maxRequestID {
		return rand.Text()
	}
	for i := range len(brought) {
		switch c := brought[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return rand.Text()
		}
	}
	return brought
}

// identified gives a gRPC call its id; one that comes from the JSON gateway has it already.
func identified(ctx context.Context) context.Context {
	if RequestID(ctx) != "" {
		return ctx
	}
	id := requestID(firstMetadata(ctx, requestHeader))
	_ = grpc.SetHeader(ctx, metadata.Pairs(requestHeader, id)) // a call inside the process has no header
	return context.WithValue(ctx, requestIDKey{}, id)
}

// withRequestID names the request in an error's details.
func withRequestID(st *status.Status, id string) *status.Status {
	if id == "" {
		return st
	}
	for _, detail := range st.Details() {
		if _, named := detail.(*errdetails.RequestInfo); named {
			return st
		}
	}
	if with, err := st.WithDetails(&errdetails.RequestInfo{RequestId: id}); err == nil {
		return with
	}
	return st
}
