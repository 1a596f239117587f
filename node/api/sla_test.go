package api

import (
	"net/http"
	"testing"
)

func TestTheClocksOfATicketAreExplained(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	number := a.create("打不开")
	a.must("POST", "/api/v1/tickets/"+number+":hold", `{"reason":"等待零件"}`)
	told := a.must("GET", "/api/v1/tickets/"+number+"/sla", "")
	clocks, _ := told.json["clocks"].([]any)
	if len(clocks) < 2 {
		t.Fatalf("of a new ticket it tells %s", told.body)
	}
	for _, each := range clocks {
		clock := each.(map[string]any)["clock"].(map[string]any)
		want := map[string]string{"RESPONSE": "RUNNING", "RESOLUTION": "PAUSED"}[clock["metric"].(string)]
		if clock["state"] != want || clock["rule"] == "" {
			t.Errorf("on hold it tells of the clock %v", clock)
		}
	}
	if got := a.call("GET", "/api/v1/tickets/330106-20200101-0001/sla", ""); got.status != http.StatusNotFound {
		t.Errorf("an unknown ticket is answered with %d", got.status)
	}
}

// TestAPreviewHasClocks: what a ticket would be due at, without opening one.
func TestAPreviewHasClocks(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	preview := a.must("POST", "/api/v1/tickets:preview", `{"ticket":{"title":"断网","impact":1,"urgency":1,"visit":true}}`)
	metrics := map[string]bool{}
	clocks, _ := preview.json["sla"].([]any)
	for _, each := range clocks {
		clock := each.(map[string]any)
		metrics[clock["metric"].(string)] = clock["dueTime"] != nil
	}
	for _, metric := range []string{"RESPONSE", "RESOLUTION", "ON_SITE"} {
		if !metrics[metric] {
			t.Errorf("the preview has no due time of %s: %s", metric, preview.body)
		}
	}
}
