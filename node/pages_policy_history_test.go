package node

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// versionLink is a link from the history of the policy to one of its versions.
var versionLink = regexp.MustCompile(`/admin/policy/history/[0-9]+`)

// Who changed the policy is told by name with what was changed; an earlier text is read, downloaded, and brought back by the same
// comparison as any other. Administrators bring it back, others read.
func TestEarlierPoliciesAreReadAndBroughtBack(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	admin := following(signedIn(t, n, "admin", password))
	if _, page := admin.get("/admin/policy/history?lang=zh"); !strings.Contains(page, "本站点还没有改过制度") {
		t.Errorf("before anything was changed the history says %s", page)
	}
	if status, page := admin.send("/admin/people/admin", url.Values{"displayName": {"周敏"}, "role": {"ADMINISTRATOR"}, "scope": {"SUBTREE"}}); status != http.StatusOK {
		t.Fatalf("naming the administrator: %d %s", status, page)
	}
	const first, second = "# 夜间 <放慢>\nurging:\n  cool_down: 20m\n", "urging:\n  cool_down: 25m\nprivacy:\n  mask_above_home: true\n"
	for _, source := range []string{first, second} {
		if _, page := admin.send("/admin/policy/apply", url.Values{"source": {source}}); !strings.Contains(page, "制度已生效") {
			t.Fatalf("applying %q: %s", source, page)
		}
	}
	_, history := admin.get("/admin/policy/history")
	versions := versionLink.FindAllString(history, -1)
	if len(versions) != 2 || strings.Count(history, "周敏") < 3 || strings.Count(history, "现行") < 2 || !strings.Contains(history, "催办、隐私") {
		t.Fatalf("after two changes the history is %s", history)
	}

	_, latest := admin.get(versions[0])
	for _, want := range []string{`class="taken"`, "-  cool_down: 20m", "+  cool_down: 25m", "周敏"} {
		if !strings.Contains(html.UnescapeString(latest), want) {
			t.Errorf("the version in force does not show %q: %s", want, latest)
		}
	}
	if strings.Contains(latest, `name="source"`) {
		t.Error("the version in force is offered to be brought back")
	}
	if _, text := admin.get(versions[1] + "/yaml"); text != first {
		t.Errorf("the first version is downloaded as %q, want %q", text, first)
	}

	_, earlier := admin.get(versions[1])
	back := formAt(t, earlier, "/admin/policy/edit")
	if got := back.values.Get("source"); got != first {
		t.Fatalf("the first version brings back %q, want %q", got, first)
	}
	_, compared := admin.send("/admin/policy/edit", back.values)
	if !strings.Contains(compared, `class="taken"`) || !strings.Contains(compared, "确认生效") {
		t.Fatalf("bringing back is compared as %s", compared)
	}
	if _, text := admin.get("/admin/policy/yaml?layer=own"); text != second {
		t.Errorf("a comparison has put %q in force", text)
	}
	if _, page := admin.send("/admin/policy/apply", formAt(t, compared, "/admin/policy/apply").values); !strings.Contains(page, "制度已生效") {
		t.Errorf("bringing back says %s", page)
	}
	if _, text := admin.get("/admin/policy/yaml?layer=own"); text != first {
		t.Errorf("brought back, the own layer is %q, want %q", text, first)
	}
	readByOthers(t, n, admin, versions)
}

// readByOthers has somebody look at the history who does not change the policy.
func readByOthers(t *testing.T, n *Node, admin *visitor, versions []string) {
	t.Helper()
	form := url.Values{
		"name": {"wang"}, "role": {"DISPATCHER"}, "scope": {"SITE"}, "password": {"made up by admin"}, "again": {"made up by admin"}, "keep": {"yes"},
	}
	if status, page := admin.send("/admin/new/person", form); status != http.StatusOK {
		t.Fatalf("making an account: %d %s", status, page)
	}
	wang := following(signedIn(t, n, "wang", "made up by admin"))
	if _, page := wang.get("/admin/policy/history"); len(versionLink.FindAllString(page, -1)) != 3 || strings.Contains(page, "/admin/audit") {
		t.Errorf("a dispatcher is shown the history as %s", page)
	}
	if status, page := wang.get(versions[0]); status != http.StatusOK || strings.Contains(page, `name="source"`) {
		t.Errorf("a dispatcher is shown a version as %d %s", status, page)
	}
	for _, path := range []string{"/admin/policy/history/7", "/admin/policy/history/none", "/admin/policy/history/7/yaml"} {
		if status, page := wang.get(path + "?lang=zh"); status != http.StatusNotFound || !strings.Contains(page, "历次改动") {
			t.Errorf("%s: %d %s", path, status, page)
		}
	}
}

// The log names people beside their accounts, as they were called when they acted, and tells what is wrong with a day.
func TestTheAuditLogNamesPeople(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	admin := following(signedIn(t, n, "admin", password))
	for _, name := range []string{"周敏", "周小敏"} {
		if status, page := admin.send("/admin/people/admin?lang=zh", url.Values{"displayName": {name}, "role": {"ADMINISTRATOR"}, "scope": {"SUBTREE"}}); status != http.StatusOK {
			t.Fatalf("naming the administrator %s: %d %s", name, status, page)
		}
	}
	_, page := admin.get("/admin/audit?action=user.update&lang=zh")
	for _, want := range []string{`<strong>周敏</strong> <span class="id hint">admin</span>`, `<strong>周小敏</strong>`, `href="/admin/audit?actor=admin"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the log does not show %s: %s", want, page)
		}
	}
	status, page := admin.get("/admin/audit?from=yesterday&to=2026-11-31&actor=admin")
	form := readFilter(t, page)
	if status != http.StatusBadRequest || form.beside["from"] == "" || form.beside["to"] == "" ||
		form.values.Get("from") != "yesterday" || form.values.Get("to") != "2026-11-31" || form.values.Get("actor") != "admin" {
		t.Errorf("days that are none: %d, the form has %v and says %v", status, form.values, form.beside)
	}
}

// readFilter reads the form of a page that searches.
func readFilter(t *testing.T, page string) shownForm {
	t.Helper()
	document, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for node := range document.Descendants() {
		if node.Type == html.ElementNode && node.Data == "form" && attribute(node, "role") == "search" {
			return readForm(node)
		}
	}
	t.Fatalf("the page has no search: %s", page)
	return shownForm{}
}
