package api

import (
	"context"
	"errors"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// outcome is what a failed write says about itself.
type outcome int

const (
	refused outcome = iota // not done, and the same again will not help
	later                  // not done; try again soon
	unknown                // done or not
)

// outcomeOf reads an outcome as a client does: from the HTTP status or gRPC code alone, and checks what comes with it.
func outcomeOf(t *testing.T, code codes.Code, message, reason string, retry bool) outcome {
	t.Helper()
	switch code {
	case codes.ResourceExhausted, codes.Unavailable:
		if !retry {
			t.Errorf("%v %q does not say when to try again", code, message)
		}
		return later
	case codes.DeadlineExceeded, codes.Canceled:
		if reason != "OUTCOME_UNKNOWN" || !strings.Contains(message, "outcome is unknown") {
			t.Errorf("%v %q has reason %s and does not say that the outcome is unknown", code, message, reason)
		}
		return unknown
	case codes.Internal:
		if !strings.Contains(message, "may have been done") {
			t.Errorf("%v %q does not say that it may have been done", code, message)
		}
		return unknown
	}
	if retry {
		t.Errorf("%v %q asks for another try of what was refused", code, message)
	}
	return refused
}

// TestEveryFailedWriteSaysWhetherItWasDone has the log fail in every way it can, for a write that can be repeated and
// for one that cannot, over HTTP and gRPC.
func TestEveryFailedWriteSaysWhetherItWasDone(t *testing.T) {
	a := newTestAPI(t)
	tickets := apipb.NewTicketsClient(a.dial(t))
	for _, c := range []struct {
		name   string
		err    error
		panics bool
		want   outcome
	}{
		{"wrong field", desk.RefuseField("title", "is too long"), false, refused},
		{"unknown ticket", desk.Refuse(desk.NotFound, "TICKET_NOT_FOUND", "unknown"), false, refused},
		{"id reused", desk.Refuse(desk.AlreadyExists, "REQUEST_ID_REUSED", "used"), false, refused},
		{"not allowed", desk.Refuse(desk.PermissionDenied, "", "not yours"), false, refused},
		{"wrong state", desk.Refuse(desk.FailedPrecondition, "WRONG_STATE", "closed"), false, refused},
		{"changed meanwhile", desk.Refuse(desk.Aborted, "STALE_ETAG", "changed"), false, refused},
		{"queue full", status.Error(codes.ResourceExhausted, "too many wait"), false, later},
		{"disk full", desk.Refuse(desk.ResourceExhausted, "DISK_FULL", "no room"), false, later},
		{"no leader", status.Error(codes.Unavailable, "no leader"), false, later},
		{"late", status.Error(codes.DeadlineExceeded, "leader lost"), false, unknown},
		{"own deadline", context.DeadlineExceeded, false, unknown},
		{"caller left", context.Canceled, false, unknown},
		{"fault", errors.New("the result cannot be decoded"), false, unknown},
		{"panic", nil, true, unknown},
	} {
		for _, id := range []string{"", "r1"} {
			a.site.set(func() { a.site.failWith, a.site.panics = c.err, c.panics })
			got := a.call("POST", "/api/v1/tickets", `{"ticket":{"title":"x"},"requestId":"`+id+`"}`)
			code, _ := got.json["code"].(float64)
			message := got.text("message")
			have := outcomeOf(t, codes.Code(code), message, got.reason(), got.header.Get("Retry-After") != "")
			if have != c.want {
				t.Errorf("%s over HTTP: outcome %v by %d %s, want %v", c.name, have, got.status, got.body, c.want)
			}

			_, err := tickets.CreateTicket(signedIn(t), &apipb.CreateTicketRequest{Ticket: &deskpb.Ticket{Title: "x"}, RequestId: id})
			st := status.Convert(err)
			if have := outcomeOf(t, st.Code(), st.Message(), reasonOf(st), retryAfter(st) > 0); have != c.want {
				t.Errorf("%s over gRPC: outcome %v by %v, want %v", c.name, have, err, c.want)
			}
			for _, words := range []string{message, st.Message()} {
				repeatable := strings.Contains(words, "takes effect once")
				if c.want == unknown && repeatable != (id != "") {
					t.Errorf("%s with request id %q says %q", c.name, id, words)
				}
			}
		}
	}
}

// reasonOf is the machine-readable reason of a status.
func reasonOf(st *status.Status) string {
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}
