package manage

import (
	"net/http"
	"strconv"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// historyPage lists the versions of the site's own layer of the policy, the newest first.
type historyPage struct {
	shelf
	Versions []versionRow
	Audit    bool // the visitor reads the audit log, which tells of older ones
}

// versionRow is one version: whose it is, and what it changed.
type versionRow struct {
	Path      string
	When      string // to the second, in the visitor's zone
	Time      page.Moment
	User      string
	Name      string // how the person was called then; empty where nobody knows
	Sections  string // that it changed
	InForce   bool
	Beginning bool // the oldest one that is kept
}

func newVersionRow(v *page.Visit, version *apipb.PolicyVersion) versionRow {
	return versionRow{
		Path: versionPath(version), When: version.GetTime().AsTime().In(v.Zone()).Format(time.DateTime), Time: v.Time(version.GetTime()),
		User: version.GetActor(), Name: nameBeside(version.GetActorName(), version.GetActor()),
		Sections: sectionNames(v, version.GetSections()), InForce: version.GetInForce(), Beginning: version.GetPrevious() == 0,
	}
}

func versionPath(version *apipb.PolicyVersion) string {
	return "/admin/policy/history/" + strconv.FormatUint(version.GetVersion(), 10)
}

// nameBeside is how an account's person is called, empty where that says no more than the account.
func nameBeside(name, user string) string {
	if name == user {
		return ""
	}
	return name
}

func serveHistory(v *page.Visit) error {
	answer, err := v.API.Policies.ListPolicyVersions(v.Ctx(), &apipb.ListPolicyVersionsRequest{})
	if err != nil {
		return err
	}
	shown := historyPage{shelf: newShelf(v, v.Word("admin.history")), Audit: v.May(desk.AuditRead)}
	for _, version := range answer.GetVersions() {
		shown.Versions = append(shown.Versions, newVersionRow(v, version))
	}
	return v.Render(http.StatusOK, "policy-history.html", shown)
}

// versionPage is one version with what it changed and its text. To bring it back is to check it like any other text.
type versionPage struct {
	shelf
	Row     versionRow
	Changes []diffLine
	Source  string
	File    string // the address of the text as a file
	Restore bool
}

// versionOf is the version that the address names.
func versionOf(v *page.Visit, named string) (*apipb.PolicyVersion, error) {
	number, err := strconv.ParseUint(named, 10, 64)
	if err != nil {
		return nil, desk.Refuse(desk.NotFound, "POLICY_VERSION_NOT_FOUND", "%.40q is no version of the policy; list the versions that are kept", named)
	}
	return v.API.Policies.GetPolicyVersion(v.Ctx(), &apipb.GetPolicyVersionRequest{Version: number})
}

func serveVersion(v *page.Visit) error {
	version, err := versionOf(v, v.R.PathValue("version"))
	if err != nil {
		return err
	}
	row := newVersionRow(v, version)
	return v.Render(http.StatusOK, "policy-version.html", versionPage{
		shelf: newShelf(v, v.Word("admin.history.version", row.When)), Row: row, Changes: diffLines(v, version.GetDiff()),
		Source: version.GetSource(), File: row.Path + "/yaml", Restore: v.May(desk.PolicyApply) && !version.GetInForce(),
	})
}

// serveVersionText sends the text of a version as it was written.
func serveVersionText(v *page.Visit) error {
	version, err := versionOf(v, v.R.PathValue("version"))
	if err != nil {
		return err
	}
	written := version.GetTime().AsTime().In(v.Zone())
	sendYAML(v, version.GetSource(), "policy-"+v.SiteID+"-own-"+written.Format("20060102-1504"))
	return nil
}

// sendYAML sends a text as a file of a name.
func sendYAML(v *page.Visit, text, name string) {
	header := v.W.Header()
	header.Set("Content-Type", "application/yaml; charset=utf-8")
	header.Set("Content-Disposition", `attachment; filename="`+name+`.yaml"`)
	header.Set("Cache-Control", "no-store")
	_, _ = v.W.Write([]byte(text)) // the visitor is gone when it fails
}
