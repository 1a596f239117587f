package testbed

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
)

// What a caller believes about a call decides what a test may demand afterwards.
func TestCallsAreSortedByWhatIsKnown(t *testing.T) {
	for _, c := range []struct {
		code   int
		body   string
		want   Outcome
		reason string
	}{
		{200, `{"number": "1"}`, Done, ""},
		{409, `{"code": 10, "details": [{"reason": "STALE_ETAG"}]}`, Refused, "STALE_ETAG"},
		{401, `{}`, Refused, ""},
		{429, `{"details": [{"reason": "OVERLOADED"}]}`, NotDone, "OVERLOADED"},
		{503, `{"details": [{"reason": "NO_LEADER"}]}`, NotDone, "NO_LEADER"},
		{504, `{"details": [{"reason": "OUTCOME_UNKNOWN"}]}`, Unknown, "OUTCOME_UNKNOWN"},
		{500, `not JSON`, Unknown, ""},
		{499, `{}`, Unknown, ""},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer secret" {
				t.Errorf("the call carries %q", r.Header.Get("Authorization"))
			}
			w.WriteHeader(c.code)
			_, _ = w.Write([]byte(c.body))
		}))
		caller := NewCaller("secret")
		answer := caller.Call(t.Context(), http.MethodPost, server.URL, "/api/v1/tickets", map[string]string{"requestId": "1"})
		if answer.Outcome != c.want || answer.Reason != c.reason || answer.Code != c.code {
			t.Errorf("%d %s: %+v, want %s and reason %q", c.code, c.body, answer, c.want, c.reason)
		}
		caller.Close()
		server.Close()
	}
}

func TestCallsWithoutAnAnswer(t *testing.T) {
	held, asked := make(chan struct{}), make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-held
	}))
	broken := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer func() {
		close(held)
		silent.Close()
		broken.Close()
	}()
	caller := NewCaller("")
	defer caller.Close()
	for name, c := range map[string]struct {
		server string
		want   Outcome
	}{
		"it never comes": {silent.URL, Unknown}, "the connection breaks": {broken.URL, Unknown}, "nobody listens": {"http://127.0.0.1:1", NotDone},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		if c.server == silent.URL {
			go func() {
				<-asked
				cancel()
			}()
		}
		if answer := caller.Call(ctx, http.MethodGet, c.server, "/", nil); answer.Outcome != c.want || answer.Err() == nil {
			t.Errorf("%s: %+v, want %s", name, answer, c.want)
		}
		cancel()
	}
}
