package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/testbed"
)

const (
	crashRounds = 15
	crashCalls  = 6 // callers at once
)

// crashDesk is callers of a node that is killed again and again. A call whose answer did not come is made again with the
// same request id until it is answered.
type crashDesk struct {
	server, token string

	mu    sync.Mutex        // guards acked
	acked map[string]string // request id to the number in the answer
}

// Nothing that a node acknowledged is lost when it is killed, and nothing that is repeated is done twice.
func aNodeKilledAgainAndAgain(t *testing.T, program testbed.Program) {
	node := program.Serve(t, county(t))
	ready(t, node)
	d := &crashDesk{server: "http://" + node.Spec.HTTP, acked: map[string]string{}}
	d.signIn(t)

	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	working, stop := context.WithCancel(ctx)
	defer stop()
	var callers sync.WaitGroup
	for caller := range crashCalls {
		callers.Go(func() {
			for i := 0; working.Err() == nil; i++ {
				d.create(ctx, fmt.Sprintf("crash-%d-%d", caller, i))
			}
		})
	}
	for round := range crashRounds {
		moment := 1500 * time.Millisecond // while it starts
		if round%2 == 0 {
			ready(t, node)
			d.await(ctx, t, 10*(round+1))
			moment = 40 * time.Millisecond // in the midst of the work
		}
		select {
		case <-time.After(rand.N(moment)):
		case <-ctx.Done():
		}
		node.Kill()
		node = node.Restart(t)
	}
	ready(t, node)
	stop()
	callers.Wait()
	if ctx.Err() != nil {
		t.Fatalf("the callers were not answered in time: %v", ctx.Err())
	}
	d.check(ctx, t)
}

// signIn retries nothing: the node is ready.
func (d *crashDesk) signIn(t *testing.T) {
	var session struct{ Token string }
	body := fmt.Sprintf(`{"user": "admin", "password": %q}`, testbed.Password)
	if code, err := d.call(t.Context(), http.MethodPost, "/api/v1/sessions", body, &session); err != nil || code != http.StatusOK {
		t.Fatalf("sign in: %d, %v", code, err)
	}
	d.token = session.Token
}

// call makes one request and decodes the answer of a 200.
func (d *crashDesk) call(ctx context.Context, method, path, body string, into any) (int, error) {
	request, err := http.NewRequestWithContext(ctx, method, d.server+path, bytes.NewBufferString(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+d.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return response.StatusCode, err
	}
	return response.StatusCode, json.Unmarshal(answer, into)
}

// create makes a ticket, as often as it takes until somebody acknowledges it.
func (d *crashDesk) create(ctx context.Context, id string) {
	body := fmt.Sprintf(`{"ticket": {"title": %q}, "requestId": %q}`, id, id)
	for ctx.Err() == nil {
		var ticket struct{ Number string }
		code, err := d.call(ctx, http.MethodPost, "/api/v1/tickets", body, &ticket)
		if err == nil && code == http.StatusOK {
			d.mu.Lock()
			d.acked[id] = ticket.Number
			d.mu.Unlock()
			return
		}
		select { // the node is being started
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// await returns when so many tickets were acknowledged.
func (d *crashDesk) await(ctx context.Context, t *testing.T, tickets int) {
	t.Helper()
	for {
		d.mu.Lock()
		acked := len(d.acked)
		d.mu.Unlock()
		if acked >= tickets {
			return
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("%d tickets were acknowledged, want %d: %v", acked, tickets, ctx.Err())
		}
	}
}

// check compares what was acknowledged with the tickets that the node has: one for each request, under its number.
func (d *crashDesk) check(ctx context.Context, t *testing.T) {
	numbers := map[string][]string{} // by title, which is the request id
	for token := ""; ; {
		var page struct {
			Tickets       []struct{ Number, Title string }
			NextPageToken string
		}
		path := "/api/v1/tickets?orderBy=number&pageSize=500&pageToken=" + token
		if code, err := d.call(ctx, http.MethodGet, path, "", &page); err != nil || code != http.StatusOK {
			t.Fatalf("list: %d, %v", code, err)
		}
		for _, ticket := range page.Tickets {
			numbers[ticket.Title] = append(numbers[ticket.Title], ticket.Number)
		}
		if token = page.NextPageToken; token == "" {
			break
		}
	}
	for id, number := range d.acked {
		if !slices.Equal(numbers[id], []string{number}) {
			t.Errorf("request %s was acknowledged as %s; the node has %q", id, number, numbers[id])
		}
	}
	if len(numbers) != len(d.acked) {
		t.Errorf("the node has tickets of %d requests, %d were acknowledged", len(numbers), len(d.acked))
	}
	t.Logf("%d tickets were acknowledged over %d kills", len(d.acked), crashRounds)
}
