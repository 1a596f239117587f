package web

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/tierdesk/tierdesk/node/web/page"
)

const (
	// keptLife is how long the form of somebody who was signed out is kept while that person signs in again.
	keptLife = time.Hour
	// maxKept bounds what is kept of a form, in bytes as it is sealed; sealed it goes along with the form for signing in.
	maxKept = 256 << 10
)

// keptForm is a form that somebody has sent whose session had ended.
type keptForm struct {
	Path    string     `json:"path"`
	Values  url.Values `json:"values"`
	Files   bool       `json:"files"`   // files came with it, which are not kept
	Expires int64      `json:"expires"` // seconds since 1970
}

// secretFields are those that nobody is shown again, not even sealed in a page: they are typed anew.
func secretFields() []string { return []string{"password", "again", "current", "code"} }

// resumePage offers somebody who has signed in again to send the form of before once more.
type resumePage struct {
	page.Frame
	Action string
	Fields []keptField
	Files  bool
	Back   string // the page to go to without sending it
}

// keptField is a value of a form under its name.
type keptField struct{ Name, Value string }

// serveStranger asks who has sent a form to sign in, and keeps the form meanwhile. Nothing is done before that person sends it again.
func (p *Pages) serveStranger(v *page.Visit) error {
	form, files, err := v.TakeForm()
	kept := keptForm{Path: page.Local(v.R.URL.RequestURI()), Values: form, Files: len(files) > 0}
	for _, name := range secretFields() {
		kept.Values.Del(name)
	}
	lost := problem{status: http.StatusUnauthorized, key: "sign-in.kept"}
	sealed := ""
	if err == nil {
		sealed = p.steps.sealForm(kept, v.Kit.Now())
	}
	if sealed == "" {
		lost.key = "sign-in.expired"
	}
	shown := p.signInPage(v, lost)
	shown.Kept, shown.To = sealed, "/"
	return p.showSignIn(v, shown, lost)
}

// serveResume offers a form that was kept to who has just signed in.
func (p *Pages) serveResume(v *page.Visit, kept keptForm) error {
	shown := resumePage{Frame: v.Frame(v.Word("resume.title")), Action: kept.Path, Files: kept.Files, Back: "/"}
	for _, name := range slices.Sorted(maps.Keys(kept.Values)) {
		for _, value := range kept.Values[name] {
			shown.Fields = append(shown.Fields, keptField{Name: name, Value: value})
		}
	}
	return v.Render(http.StatusOK, "resume.html", shown)
}
