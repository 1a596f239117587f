package api

import (
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/tierdesk/tierdesk/desk"
)

// What the calls of a node may hold at one time. A call that finds no room is refused at once, before its body is read or
// looked at.
const (
	maxCalls     = 4096
	maxCallBytes = 64 << 20 // bodies
)

// intake bounds the calls that are under way, by number and by the bytes of their bodies. Health, readiness and metrics
// stay outside of it.
type intake struct {
	mostCalls, mostBytes int

	mu    sync.Mutex // guards calls, bytes
	calls int
	bytes int
}

func newIntake() *intake { return &intake{mostCalls: maxCalls, mostBytes: maxCallBytes} }

// admit takes a call in. Who gets one ends it.
func (i *intake) admit() (*admission, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.calls >= i.mostCalls || i.bytes >= i.mostBytes {
		return nil, overloaded(i.calls, i.bytes)
	}
	i.calls++
	return &admission{intake: i}, nil
}

// overloaded refuses a call of which nothing was done.
func overloaded(calls, bytes int) error {
	return desk.Refuse(desk.ResourceExhausted, "OVERLOADED",
		"the node has %d calls with %d KiB under way and takes no more now; nothing was done, try again in a moment", calls, bytes>>10)
}

// admission is one call that was taken in. Only its call uses it.
type admission struct {
	intake *intake
	bytes  int
}

// grow adds bytes of the call's body; an error means that there is no room for them.
func (a *admission) grow(bytes int) error {
	i := a.intake
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.bytes+bytes > i.mostBytes {
		return overloaded(i.calls, i.bytes)
	}
	i.bytes += bytes
	a.bytes += bytes
	return nil
}

// end gives back what the call held.
func (a *admission) end() {
	a.intake.mu.Lock()
	defer a.intake.mu.Unlock()
	a.intake.calls--
	a.intake.bytes -= a.bytes
}

// counted is a body whose bytes are counted while they are read, so that half a body counts as such. It refuses to go on
// when there is no room for more.
type counted struct {
	io.ReadCloser
	admission *admission
}

func (c counted) Read(into []byte) (int, error) {
	n, err := c.ReadCloser.Read(into)
	if full := c.admission.grow(n); full != nil {
		return 0, fmt.Errorf("read the body: %w", full)
	}
	return n, err
}

// count takes an HTTP call in and counts its body. The second result ends the call.
func (i *intake) count(r *http.Request) (*http.Request, func(), error) {
	admitted, err := i.admit()
	if err != nil {
		return nil, nil, err
	}
	inner := *r
	inner.Body = counted{r.Body, admitted}
	return &inner, admitted.end, nil
}
