package page

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tierdesk/tierdesk/desk"
)

func TestAFileIsSentAsTheAPISendsIt(t *testing.T) {
	for _, c := range []struct {
		name   string
		method string
		status int // of the API
		code   desk.Code
		reason string
	}{
		{"a file", http.MethodGet, http.StatusOK, 0, ""},
		{"its headers", http.MethodHead, http.StatusOK, 0, ""},
		{"a file that is not seen", http.MethodGet, http.StatusForbidden, desk.NotFound, ""},
		{"a file that is not there", http.MethodGet, http.StatusNotFound, desk.NotFound, ""},
		{"a file of a site that does not answer", http.MethodGet, http.StatusServiceUnavailable, desk.Unavailable, "FILE_ELSEWHERE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, "/t/330106-20261121-0001/files/x1", nil)
			r.AddCookie(&http.Cookie{Name: "tierdesk_330106", Value: "session-of-li"})
			v := visitOf(t, r)
			var asked *http.Request
			v.Files = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r
				w.Header().Set("Content-Type", "text/plain")
				w.Header().Set("Content-Disposition", "attachment")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, "what the API says")
			})
			err := v.SendFile("/api/v1/tickets/330106-20261121-0001/attachments/x1")
			if asked.Method != c.method || asked.URL.Path != "/api/v1/tickets/330106-20261121-0001/attachments/x1" || asked.Header.Get("Authorization") != "Bearer session-of-li" {
				t.Errorf("the API was asked %s %s as %q", asked.Method, asked.URL, asked.Header.Get("Authorization"))
			}
			answer := v.W.(*httptest.ResponseRecorder)
			if c.code == 0 {
				if err != nil || answer.Code != http.StatusOK || answer.Header().Get("Content-Disposition") != "attachment" || answer.Body.Len() == 0 {
					t.Errorf("the visitor gets %d %v %q, %v", answer.Code, answer.Header(), answer.Body, err)
				}
				return
			}
			refusal := new(desk.Refusal)
			if !errors.As(err, &refusal) || refusal.Code != c.code || refusal.Reason != c.reason {
				t.Errorf("the page tells %v", err)
			}
			if answer.Body.Len() > 0 || answer.Header().Get("Content-Disposition") != "" || answer.Header().Get("Content-Type") != "" {
				t.Errorf("before the page there was sent %q with %v", answer.Body, answer.Header())
			}
		})
	}
}
