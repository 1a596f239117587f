package node

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"testing"
)

// mustTell makes a call that has to be answered with a status, and returns what is told.
func mustTell(t *testing.T, n *Node, method, path, token, body string, status int) (answer map[string]any) {
	t.Helper()
	got, _, text := ask(t, n, method, path, token, body)
	if got != status {
		t.Fatalf("%s %s at node %s is answered %d, want %d\n%s", method, path, n.config.Node.ID, got, status, text)
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatalf("%s %s: %v\n%s", method, path, err, text)
	}
	return answer
}

// everywhere waits until each node answers whose token it is with a status.
func everywhere(t *testing.T, nodes []*Node, what, token string, status int) {
	t.Helper()
	for _, n := range nodes {
		eventually(t, what+" at node "+n.config.Node.ID, func() string {
			if got, _, text := ask(t, n, http.MethodGet, "/api/v1/sessions/current", token, ""); got != status {
				return fmt.Sprintf("%d, want %d\n%s", got, status, text)
			}
			return ""
		})
	}
}

// A person is made at one node, signs in at another, and is out at all of them when somebody says so.
func TestPeopleAreTheSameAtEveryNode(t *testing.T) {
	nodes := startThree(t)
	a, b, c := nodes[0], nodes[1], nodes[2]
	admin, err := signIn(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	mustTell(t, a, "POST", "/api/v1/users", admin, `{"user":{"name":"wang","role":"AGENT"},"password":"a first one"}`, 200)
	opened := mustTell(t, b, "POST", "/api/v1/sessions", "", `{"user":"wang","password":"a first one"}`, 200)
	first := opened["token"].(string)
	if opened["mustChangePassword"] != true {
		t.Error("wang need not change a password that somebody else set")
	}
	mustTell(t, c, "GET", "/api/v1/tickets", first, "", 403)
	mustTell(t, c, "POST", "/api/v1/users/wang:setPassword", first, `{"password":"one of her own","currentPassword":"a first one"}`, 200)
	everywhere(t, nodes, "the session of before the change", first, 401)

	second := mustTell(t, b, "POST", "/api/v1/sessions", "", `{"user":"wang","password":"one of her own"}`, 200)["token"].(string)
	everywhere(t, nodes, "the next session", second, 200)
	who := mustTell(t, c, "GET", "/api/v1/sessions/current", second, "", 200)
	if got := who["session"].(map[string]any)["address"]; got != "127.0.0.1" {
		t.Errorf("it was opened from %v, want 127.0.0.1", got)
	}
	program := mustTell(t, a, "POST", "/api/v1/users/wang/tokens", second, `{"token":{"title":"报表","limits":["tickets:read"]}}`, 200)["secret"].(string)
	everywhere(t, nodes, "the access token", program, 200)
	mustTell(t, b, "GET", "/api/v1/tickets", program, "", 200)
	mustTell(t, b, "POST", "/api/v1/tickets", program, `{"ticket":{"title":"报表"}}`, 403)

	mustTell(t, c, "PATCH", "/api/v1/users/wang", admin, `{"disabled":true}`, 200)
	everywhere(t, nodes, "the session of a disabled user", second, 401)
	everywhere(t, nodes, "the access token of a disabled user", program, 401)
	for _, user := range []string{"wang", "nobody"} {
		for range 5 {
			mustTell(t, b, "POST", "/api/v1/sessions", "", `{"user":"`+user+`","password":"one of her own"}`, 401)
		}
		status, header, text := ask(t, b, "POST", "/api/v1/sessions", "", `{"user":"`+user+`","password":"one of her own"}`)
		pause, err := strconv.Atoi(header.Get("Retry-After")) // what is left of the minute that began with the fifth
		if status != 429 || err != nil || pause < 1 || pause > 60 {
			t.Errorf("%s after five wrong tries: %d, Retry-After %q\n%s", user, status, header.Get("Retry-After"), text)
		}
	}
}
