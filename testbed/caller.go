package testbed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// Outcome is what a caller knows about what it asked for.
type Outcome int

const (
	// Done: the node answered 200.
	Done Outcome = iota
	// Refused: the node answered no, for good; nothing was done.
	Refused
	// NotDone: nobody listened, or the node was overloaded or without a majority; nothing was done, and the call may be made
	// again.
	NotDone
	// Unknown: the node says so, or its answer did not come. A call with a request id may be made again.
	Unknown
)

func (o Outcome) String() string {
	return [...]string{"done", "refused", "not done", "unknown"}[o]
}

// Answer is what came of one call.
type Answer struct {
	Outcome Outcome
	Code    int    // HTTP; 0 when no answer came
	Reason  string // of the error's details, such as STALE_ETAG
	body    []byte
	err     error // why no answer came
}

// Decode reads the answer of a call that was done.
func (a Answer) Decode(into any) error {
	if err := json.Unmarshal(a.body, into); err != nil {
		return fmt.Errorf("decode the answer %.200q: %w", a.body, err)
	}
	return nil
}

// Err says what came instead of an answer that was wanted.
func (a Answer) Err() error {
	if a.err != nil {
		return fmt.Errorf("%s: %w", a.Outcome, a.err)
	}
	return fmt.Errorf("%s: answered %d: %.500s", a.Outcome, a.Code, a.body)
}

// Caller makes calls of the JSON API as one signed-in person. It never repeats a call. It may be used from several
// goroutines.
type Caller struct {
	Token  string // "" before signing in
	client *http.Client
}

// maxIdle is how many connections to one node a caller keeps open between calls.
const maxIdle = 64

// NewCaller makes a caller with connections of its own. It ends with Close.
func NewCaller(token string) *Caller {
	return &Caller{Token: token, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: maxIdle}}}
}

// Close ends the connections that nobody uses.
func (c *Caller) Close() { c.client.CloseIdleConnections() }

// Call makes one call at one node and sorts what comes of it. The body is sent as JSON unless it is nil.
func (c *Caller) Call(ctx context.Context, method, server, path string, body any) Answer {
	var sent io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return Answer{Outcome: NotDone, err: err}
		}
		sent = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, server+path, sent)
	if err != nil {
		return Answer{Outcome: NotDone, err: err}
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return unanswered(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return unanswered(err)
	}
	return sorted(response.StatusCode, answer)
}

// unanswered sorts a call without an answer: what was never connected was never sent.
func unanswered(err error) Answer {
	var broken *net.OpError
	if errors.As(err, &broken) && broken.Op == "dial" {
		return Answer{Outcome: NotDone, err: err}
	}
	return Answer{Outcome: Unknown, err: err}
}

// sorted reads an answer as the API's description has it.
func sorted(code int, body []byte) Answer {
	answer := Answer{Code: code, body: body}
	switch {
	case code == http.StatusOK:
		return answer
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		answer.Outcome = NotDone
	case code >= 400 && code < 499:
		answer.Outcome = Refused
	default:
		answer.Outcome = Unknown
	}
	var status struct{ Details []struct{ Reason string } }
	if json.Unmarshal(body, &status) == nil {
		for _, detail := range status.Details {
			if detail.Reason != "" {
				answer.Reason = detail.Reason
			}
		}
	}
	return answer
}
