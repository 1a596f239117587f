package manage

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

func policyRoutes() []page.Route {
	return []page.Route{
		{Pattern: "GET /admin/policy", Serve: servePolicy},
		{Pattern: "GET /admin/policy/yaml", Serve: servePolicyText},
		{Pattern: "GET /admin/policy/calendars/{name}", Serve: serveCalendar},
		{Pattern: "GET /admin/policy/history", Serve: serveHistory},
		{Pattern: "GET /admin/policy/history/{version}", Serve: serveVersion},
		{Pattern: "GET /admin/policy/history/{version}/yaml", Serve: serveVersionText},
		{Pattern: "GET /admin/policy/edit", Serve: serveEdit},
		{Pattern: "POST /admin/policy/edit", Serve: serveCheck},
		{Pattern: "POST /admin/policy/apply", Serve: serveApply},
	}
}

// policyPage shows the policy in force, section by section.
type policyPage struct {
	shelf
	Layers []layerRow
	Tables []policySection
	Edit   bool
}

// layerRow is one of the layers that the policy is made of.
type layerRow struct {
	Publisher string
	Own       bool
	Actor     string // by name, where one is known
	Time      page.Moment
	Sections  string // that it says something of
	Locked    string // that the sites below may not change
}

// policySection is a section of the policy as a table.
type policySection struct {
	Key, Title string
	Origin     string // whose layers say something of it
	Own        bool   // this site's own does
	Head       []string
	Rows       [][]cell
}

// cell is one field of such a table.
type cell struct {
	Text, Link string
	Written    bool // by people, in whatever language
}

func cells(texts ...string) (row []cell) {
	for _, text := range texts {
		row = append(row, cell{Text: text})
	}
	return row
}

// written is a row whose texts in some columns were written by people, in whatever language.
func written(row []cell, columns ...int) []cell {
	for _, column := range columns {
		row[column].Written = true
	}
	return row
}

func servePolicy(v *page.Visit) error {
	inForce, err := v.API.Policies.GetPolicy(v.Ctx(), &apipb.GetPolicyRequest{})
	if err != nil {
		return err
	}
	shown := policyPage{shelf: newShelf(v, v.Word("admin.policy")), Edit: v.May(desk.PolicyApply)}
	origins := map[string][]string{}
	// The API tells this site's own layer first, which lies on top; the page builds the policy up from below.
	for _, layer := range slices.Backward(inForce.GetLayers()) {
		keys := sectionsOf(layer.GetSource())
		publisher := v.SiteNamed(layer.GetPublisher())
		for _, key := range keys {
			origins[key] = append(origins[key], layer.GetPublisher())
		}
		shown.Layers = append(shown.Layers, layerRow{
			Publisher: publisher, Own: layer.GetPublisher() == v.SiteID, Actor: cmp.Or(layer.GetActorName(), layer.GetActor()),
			Time: v.Time(layer.GetTime()), Sections: sectionNames(v, keys), Locked: sectionNames(v, layer.GetLocked()),
		})
	}
	for _, section := range policySections(v, inForce.GetPolicy()) {
		section.Title = sectionName(v, section.Key)
		section.Own = slices.Contains(origins[section.Key], v.SiteID)
		from := []string{v.Word("admin.policy.built-in")}
		for _, publisher := range origins[section.Key] {
			from = append(from, v.SiteNamed(publisher))
		}
		section.Origin = strings.Join(from, " → ")
		shown.Tables = append(shown.Tables, section)
	}
	return v.Render(http.StatusOK, "policy.html", shown)
}

// sectionsOf are the sections that a policy file says something of, in its order; none for a text that is no such file.
func sectionsOf(source string) (keys []string) {
	var file yaml.Node
	if err := yaml.Unmarshal([]byte(source), &file); err != nil || len(file.Content) == 0 || file.Content[0].Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i < len(file.Content[0].Content); i += 2 {
		if key := file.Content[0].Content[i].Value; key != "locked" && key != "edition" {
			keys = append(keys, key)
		}
	}
	return keys
}

func sectionName(v *page.Visit, key string) string {
	if word := "admin.section." + key; v.Has(word) {
		return v.Word(word)
	}
	return key
}

func sectionNames(v *page.Visit, keys []string) string {
	var names []string
	for _, key := range keys {
		names = append(names, sectionName(v, key))
	}
	return strings.Join(names, v.Word("admin.comma"))
}

// said is a text of the policy in the visitor's language, in the other one where it has none.
func said(v *page.Visit, words *deskpb.Words) string {
	if v.Lang == page.English && words.GetEn() != "" || words.GetZh() == "" {
		return words.GetEn()
	}
	return words.GetZh()
}

// servePolicyText sends the policy in force as a file that could be applied, or this site's own layer of it as it was written: kept, it
// is what leads back to where the policy was.
func servePolicyText(v *page.Visit) error {
	inForce, err := v.API.Policies.GetPolicy(v.Ctx(), &apipb.GetPolicyRequest{})
	if err != nil {
		return err
	}
	text, name := inForce.GetYaml(), "policy-"+v.SiteID
	if v.Query("layer") == "own" {
		text, name = inForce.GetOwn(), name+"-own-"+v.Now().Format("20060102-1504")
	}
	sendYAML(v, text, name)
	return nil
}
