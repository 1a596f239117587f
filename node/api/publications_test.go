package api

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestPublications(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	put := `{"kind":"notice","name":"停电","title":"周六停电","body":"` + base64.StdEncoding.EncodeToString([]byte("全天")) + `"}`
	if got := a.call("POST", "/api/v1/publications", put, header{"Authorization", "Bearer li"}); got.status != 403 || got.reason() != "PERMISSION_DENIED" {
		t.Errorf("an agent publishes: %d %s", got.status, got.body)
	}
	if got := a.call("POST", "/api/v1/publications", strings.Replace(put, "notice", "Notice", 1)); got.status != 400 || !strings.Contains(got.body, `"kind"`) {
		t.Errorf("a kind that cannot be: %d %s", got.status, got.body)
	}
	made := a.must("POST", "/api/v1/publications", put)
	if made.text("publisher") != "330106" || made.text("actor") != "admin" || made.text("mediaType") == "" || made.text("version") == "" || made.json["size"] != 6.0 {
		t.Errorf("published %s", made.body)
	}
	listed := a.must("GET", "/api/v1/publications?publisher=330106", "").json["publications"].([]any)
	if len(listed) != 1 || listed[0].(map[string]any)["body"] != "" || listed[0].(map[string]any)["size"] != 6.0 {
		t.Errorf("the list is %v, want one document without its body", listed)
	}
	const path = "/api/v1/publications/330106/notice/停电"
	if got := a.must("GET", path, ""); got.text("body") != base64.StdEncoding.EncodeToString([]byte("全天")) {
		t.Errorf("the document is %s", got.body)
	}
	if got := a.must("GET", path+"/deliveries", ""); got.text("version") != made.text("version") || len(got.json["deliveries"].([]any)) != 0 {
		t.Errorf("the deliveries are %s, want none: nobody is below a county", got.body)
	}
	removed := a.must("POST", "/api/v1/publications:remove", `{"kind":"notice","name":"停电"}`)
	if removed.json["removed"] != true || removed.text("title") != "周六停电" || removed.text("body") != "" {
		t.Errorf("taken back: %s", removed.body)
	}
	for _, missing := range []string{"/api/v1/publications/330106/notice/none", "/api/v1/publications/330106/notice/none/deliveries"} {
		if got := a.call("GET", missing, ""); got.status != 404 || got.reason() != "NOT_PUBLISHED" {
			t.Errorf("GET %s: %d %s", missing, got.status, got.body)
		}
	}
}

func TestTree(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	places := a.must("GET", "/api/v1/tree", "").json["places"].([]any)
	if len(places) != 3 {
		t.Fatalf("the tree is %v", places)
	}
	if county := places[2].(map[string]any); county["site"] != "330106" || county["parent"] != "330100" || county["phase"] != "PLACED" {
		t.Errorf("the county stands at %v", county)
	}
	agent := header{"Authorization", "Bearer li"}
	for path, body := range map[string]string{"/api/v1/tree/330106:move": `{"parent":"330200"}`, "/api/v1/tree/330100:close": `{}`} {
		if got := a.call("POST", path, body, agent); got.status != 403 {
			t.Errorf("an agent's POST %s: %d %s", path, got.status, got.body)
		}
		if got := a.call("POST", path, body); got.status != 409 || got.reason() != "NOT_THE_PROVINCE" {
			t.Errorf("POST %s at a county: %d %s", path, got.status, got.body)
		}
	}
	if got := a.call("POST", "/api/v1/tree/330106:move", `{}`); got.status != 400 || !strings.Contains(got.body, `"parent"`) {
		t.Errorf("a move to nowhere: %d %s", got.status, got.body)
	}
}

// A policy is a document too, and no token for documents takes it back.
func TestATokenForDocumentsTakesNoPolicyBack(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	a.people.admit("documents", &deskpb.Actor{User: "admin", Role: deskpb.User_ADMINISTRATOR, Limits: []string{"publications"}})
	a.must("POST", "/api/v1/policy", `{"source":"privacy: {mask_above_home: true}"}`)
	remove := `{"kind":"policy","name":"policy"}`
	if got := a.call("POST", "/api/v1/publications:remove", remove, header{"Authorization", "Bearer documents"}); got.reason() != "TOKEN_LIMITED" {
		t.Errorf("a token for documents takes the policy back: %d %s", got.status, got.body)
	}
	a.must("POST", "/api/v1/publications:remove", remove)
}
