package page

import (
	"fmt"
	"net/http"

	"github.com/tierdesk/tierdesk/desk"
)

// SendFile answers with a file of a ticket, as the API sends it at a path, with the API's checks and headers. A long file may take
// longer than a page. The error is one to return, and comes before anything is sent.
func (v *Visit) SendFile(path string) error {
	r, err := http.NewRequestWithContext(v.R.Context(), v.R.Method, path, http.NoBody)
	if err != nil {
		return fmt.Errorf("ask the API for a file: %w", err)
	}
	r.RemoteAddr = v.R.RemoteAddr
	r.Header.Set("Authorization", "Bearer "+v.Token(v.R))
	r.Header.Set("User-Agent", v.R.UserAgent())
	answer := &fileAnswer{ResponseWriter: v.W}
	v.Files.ServeHTTP(answer, r)
	switch {
	case answer.status < http.StatusBadRequest:
		return nil
	case answer.status == http.StatusServiceUnavailable:
		return desk.Refuse(desk.Unavailable, "FILE_ELSEWHERE", "the content of the file is at another site, which does not answer; try again later")
	}
	return desk.Refuse(desk.NotFound, "", "there is no such file")
}

// fileAnswer passes a file on, and keeps a refusal to itself: people are told it on a page.
type fileAnswer struct {
	http.ResponseWriter
	status int
}

func (a *fileAnswer) WriteHeader(status int) {
	if a.status = status; status < http.StatusBadRequest {
		a.ResponseWriter.WriteHeader(status)
		return
	}
	for _, name := range []string{"Content-Type", "Content-Length", "Content-Disposition"} {
		a.Header().Del(name)
	}
}

func (a *fileAnswer) Write(content []byte) (int, error) {
	if a.status >= http.StatusBadRequest {
		return len(content), nil
	}
	return a.ResponseWriter.Write(content)
}

// Unwrap lets the API set the deadlines of the connection.
func (a *fileAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
