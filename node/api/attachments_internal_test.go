package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// TestAFileOfANoteIsForAgents adds one file for everybody and one for agents, and looks at the ticket as each side sees it.
func TestAFileOfANoteIsForAgents(t *testing.T) {
	t.Parallel()
	a, _ := newPortalAPI(t)
	number := a.open(&deskpb.Ticket{Title: "票据打印错位", Requester: &deskpb.Requester{Name: "王丽", Phone: "13812345678", User: "requester"}})
	files := "/api/v1/tickets/" + number + "/attachments"
	a.must("POST", files+"?name=open.txt", "open")
	a.must("POST", files+"?name=config.txt&internal=true", "secret", as("agent"))
	link := problems + "/" + a.must("POST", problems+":open", fmt.Sprintf(`{"number":%q,"phone":"13812345678"}`, number), nobody()).text("token")
	var secret string
	for _, listed := range a.must("GET", files, "", as("agent")).json["attachments"].([]any) {
		file := listed.(map[string]any)["attachment"].(map[string]any)
		if file["name"] == "config.txt" {
			secret = file["id"].(string)
		}
	}
	if secret == "" {
		t.Fatal("an agent does not see the file of the note")
	}
	if got := a.must("GET", files+"/"+secret, "", as("agent")); got.body != "secret" {
		t.Errorf("an agent reads %q", got.body)
	}
	for name, got := range map[string]answer{
		"the requester's ticket":  a.must("GET", "/api/v1/tickets/"+number, "", as("requester")),
		"the requester's journal": a.must("GET", "/api/v1/tickets/"+number+"/journal", "", as("requester")),
		"the requester's files":   a.must("GET", files, "", as("requester")),
		"the requester's problem": a.must("GET", "/api/v1/tickets/"+number+"/progress", "", as("requester")),
		"a guest's problem":       a.must("GET", link, "", nobody()),
	} {
		if strings.Contains(got.body, "config.txt") || !strings.Contains(got.body, "open.txt") {
			t.Errorf("%s shows the wrong files: %s", name, got.body)
		}
	}
	for name, got := range map[string]answer{
		"the requester": a.call("GET", files+"/"+secret, "", as("requester")),
		"a guest":       a.call("GET", link+"/attachments/"+secret, "", nobody()),
	} {
		if got.status != http.StatusNotFound || got.reason() != "ATTACHMENT_NOT_FOUND" {
			t.Errorf("%s reads the file of a note: %d %s", name, got.status, got.body)
		}
	}
	for name, got := range map[string]answer{
		"the requester": a.call("POST", files+"?name=a.txt&internal=true", "x", as("requester")),
		"a guest":       a.call("POST", link+"/attachments?name=a.txt&internal=true", "x", nobody()),
	} {
		if got.reason() != "INTERNAL_FILE" {
			t.Errorf("%s adds a file that only agents see: %d %s", name, got.status, got.body)
		}
	}
	if got := a.call("POST", files+"?name=a.txt&internal=perhaps", "x"); got.field() != "internal" {
		t.Errorf("a value that is neither true nor false comes to %d %s", got.status, got.body)
	}
}
