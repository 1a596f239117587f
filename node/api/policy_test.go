package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// body makes a JSON body of one text.
func body(t *testing.T, name, text string) string {
	t.Helper()
	encoded, err := json.Marshal(map[string]string{name: text})
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

// The versions of the own layer tell who changed which sections, and each is had as it was written, with what it changed. Everybody
// reads them who reads the policy.
func TestPolicyVersions(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	agent := header{"Authorization", "Bearer li"}
	list := func() (versions []map[string]any) {
		t.Helper()
		all, _ := a.must("GET", "/api/v1/policy/versions", "", agent).json["versions"].([]any)
		for _, version := range all {
			versions = append(versions, version.(map[string]any))
		}
		return versions
	}
	if got := list(); len(got) != 0 {
		t.Errorf("before anything was applied there are the versions %v", got)
	}
	const first, second = "urging: {cool_down: 5m}\n", "# 夜间慢一些\nurging: {cool_down: 9m}\nprivacy: {mask_above_home: true}\n"
	for _, source := range []string{first, second, "# 只改说明\n" + second, ""} {
		a.must("POST", "/api/v1/policy", body(t, "source", source))
	}
	versions := list()
	if len(versions) != 4 {
		t.Fatalf("after four changes there are the versions %v", versions)
	}
	for i, want := range []string{"[urging privacy]", "[]", "[urging privacy]", "[urging]"} {
		if got := fmt.Sprint(versions[i]["sections"]); got != want {
			t.Errorf("version %d from the newest changed %s, want %s", i, got, want)
		}
		if versions[i]["actor"] != "admin" || versions[i]["inForce"] != (i == 0) || i < 3 && versions[i]["previous"] != versions[i+1]["version"] {
			t.Errorf("version %d from the newest is %v", i, versions[i])
		}
		if versions[i]["source"] != "" || versions[i]["diff"] != "" {
			t.Errorf("a list carries the text of version %d from the newest: %v", i, versions[i])
		}
	}
	one := a.must("GET", "/api/v1/policy/versions/"+versions[2]["version"].(string), "", agent)
	if one.text("source") != second {
		t.Errorf("the text of the second version is %q", one.text("source"))
	}
	for _, want := range []string{"-urging: {cool_down: 5m}", "+# 夜间慢一些", "+urging: {cool_down: 9m}"} {
		if diff := one.text("diff"); !strings.Contains(diff, want) {
			t.Errorf("what the second version changed is shown without %q: %s", want, diff)
		}
	}
	if got := a.call("GET", "/api/v1/policy/versions/7", "", agent); got.status != 404 || got.reason() != "POLICY_VERSION_NOT_FOUND" {
		t.Errorf("a version that is not kept is answered with %d %s", got.status, got.body)
	}
}

// A layer says how those of this site are called whom its groups and rosters name, and nothing else about them: the sites below have no
// accounts of them.
func TestALayerNamesItsPeople(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	a.site.change(t, func(b *store.Batch) error {
		for _, person := range []*deskpb.User{
			{Name: "zhou", DisplayName: "周芳", Phone: "0571-1234", Email: "zhou@example.cn"}, {Name: "wu", DisplayName: "吴岩"}, {Name: "lin", DisplayName: "林枫"},
			{Name: "qian"}, {Name: "absent", DisplayName: "不相干"},
		} {
			if err := b.PutUser(person); err != nil {
				return err
			}
		}
		return nil
	})
	const file = "groups: [{name: net, members: [zhou, qian, nobody], manager: lin}]\nrosters: [{name: night, calendar: office, shifts: [{from: 20:00, to: 08:00, people: [wu, zhou]}]}]\n"
	a.must("POST", "/api/v1/policy", body(t, "source", file))
	layers := a.must("GET", "/api/v1/policy", "").json["layers"].([]any)
	if got := fmt.Sprint(layers[0].(map[string]any)["names"]); got != "map[lin:林枫 wu:吴岩 zhou:周芳]" {
		t.Errorf("the layer names %s", got)
	}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	const file = "# our own\nurging: {cool_down: 5m}\n"
	agent := header{"Authorization", "Bearer li"}

	checked := a.must("POST", "/api/v1/policy:check", body(t, "source", file), agent)
	if diff := checked.text("diff"); !strings.Contains(diff, "-urging: {cool_down: 15m") || !strings.Contains(diff, "+urging: {cool_down: 5m}") {
		t.Errorf("the change is shown as %q", diff)
	}
	if got := a.call("POST", "/api/v1/policy", body(t, "source", file), agent); got.status != 403 || got.reason() != "PERMISSION_DENIED" {
		t.Errorf("an agent applies a policy: %d %s", got.status, got.body)
	}
	applied := a.must("POST", "/api/v1/policy", body(t, "source", file))
	if applied.text("own") != file || !strings.Contains(applied.text("yaml"), "urging: {cool_down: 5m}") {
		t.Errorf("applied: %s", applied.body)
	}
	shown := a.must("GET", "/api/v1/policy", "", agent)
	if layers := shown.json["layers"].([]any); len(layers) != 1 || layers[0].(map[string]any)["publisher"] != "330106" || layers[0].(map[string]any)["actor"] != "admin" {
		t.Errorf("the layers are %v, want the own one by admin", layers)
	}
	if again := a.must("POST", "/api/v1/policy:check", body(t, "source", file)); again.text("diff") != "" {
		t.Errorf("what is applied already would change %q", again.text("diff"))
	}

	const wrong = "urging: {cool_down: 5}\ncolour: red\n"
	problems := a.must("POST", "/api/v1/policy:check", body(t, "source", wrong)).json["problems"].([]any)
	if len(problems) != 2 || problems[1].(map[string]any)["line"] != 2.0 || problems[1].(map[string]any)["path"] != "colour" {
		t.Errorf("the problems are %v, want one in each line", problems)
	}
	refused := a.call("POST", "/api/v1/policy", body(t, "source", wrong))
	if refused.status != 400 || !strings.Contains(refused.body, "line 1") || !strings.Contains(refused.body, "1 more problem") {
		t.Errorf("a policy with problems is answered with %d %s", refused.status, refused.body)
	}
	if got := a.must("GET", "/api/v1/policy", ""); got.text("own") != file {
		t.Errorf("after a refused policy the own layer is %q", got.text("own"))
	}
	unchecked := a.call("POST", "/api/v1/publications", `{"kind":"policy","name":"policy","body":"AA=="}`)
	if unchecked.status != 400 || !strings.Contains(unchecked.body, "policy apply") {
		t.Errorf("a policy that was not checked is answered with %d %s", unchecked.status, unchecked.body)
	}
}

// What was written over one version of the own layer does not take the place of another one.
func TestAPolicyIsAppliedOverTheVersionThatWasLookedAt(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	apply := func(source, over string) answer {
		return a.call("POST", "/api/v1/policy", `{"source":"`+source+`","over":"`+over+`"}`)
	}
	version := func() string {
		own := a.must("GET", "/api/v1/policy", "").json["layers"].([]any)[0].(map[string]any)
		return own["version"].(string)
	}
	if got := apply("# one", "5"); got.status != 409 || got.reason() != "PUBLICATION_CHANGED" {
		t.Errorf("a policy over a version that never was: %d %s", got.status, got.body)
	}
	if got := apply("# one", "0"); got.status != 200 {
		t.Fatalf("the first policy: %d %s", got.status, got.body)
	}
	first := version()
	if got := apply("# two", first); got.status != 200 {
		t.Errorf("a policy over the one that holds: %d %s", got.status, got.body)
	}
	for _, over := range []string{first, "0"} {
		if got := apply("# three", over); got.status != 409 || got.reason() != "PUBLICATION_CHANGED" {
			t.Errorf("a policy over version %s, which was replaced: %d %s", over, got.status, got.body)
		}
	}
	if got := apply("# two", first); got.status != 200 {
		t.Errorf("what holds already, once more: %d %s", got.status, got.body)
	}
	if own := a.must("GET", "/api/v1/policy", "").text("own"); own != "# two" {
		t.Errorf("the own layer is %q", own)
	}
}

func TestPreviewWritesNothing(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	shown := a.must("POST", "/api/v1/tickets:preview", `{"ticket":{"template":"password"}}`)
	if shown.text("title") != "密码重置" || shown.json["priority"] != 4.0 || shown.text("number") != "" || shown.text("etag") != "" {
		t.Errorf("the preview is %s", shown.body)
	}
	if due := shown.json["sla"].([]any); len(due) == 0 {
		t.Errorf("the preview has no clocks: %s", shown.body)
	}
	if got := a.must("GET", "/api/v1/tickets", "").json["tickets"].([]any); len(got) != 0 {
		t.Errorf("after a preview there are the tickets %v", got)
	}
	if got := a.call("POST", "/api/v1/tickets:preview", `{"ticket":{"title":"t","template":"none"}}`); got.status != 400 || !strings.Contains(got.body, "ticket.template") {
		t.Errorf("a preview with a template that is not there: %d %s", got.status, got.body)
	}
}

func TestClassifyTicket(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	number := a.must("POST", "/api/v1/tickets", `{"ticket":{"title":"打印机"}}`).text("number")
	changed := a.must("POST", "/api/v1/tickets/"+number+":classify",
		`{"ticket":{"impact":1,"urgency":1,"title":"not named","fields":{"单据号":"7"}},"fields":["impact","urgency","fields"],"reason":"影响全局"}`)
	if changed.json["priority"] != 1.0 || changed.text("title") != "打印机" || changed.json["fields"].(map[string]any)["单据号"] != "7" {
		t.Errorf("classified: %s", changed.body)
	}
	journal := a.must("GET", "/api/v1/tickets/"+number+"/journal", "").body
	for _, want := range []string{`"CLASSIFIED"`, `"field":"priority"`, `"before":"3"`, `"after":"1"`, `"after":"单据号=7"`, "影响全局"} {
		if !strings.Contains(strings.ReplaceAll(journal, `": `, `":`), want) {
			t.Errorf("the journal lacks %s: %s", want, journal)
		}
	}
	refused := a.call("POST", "/api/v1/tickets/"+number+":classify", `{"ticket":{"number":"x"},"fields":["number"]}`)
	if refused.status != 400 || !strings.Contains(refused.body, "fields[0]") {
		t.Errorf("changing the number is answered with %d %s", refused.status, refused.body)
	}
}
