package web

import (
	"bytes"
	"net/http"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
)

// frame is what every page has.
type frame struct {
	Lang     string // the page's language, as the html element names it
	SiteID   string
	SiteName string
	User     string // who is signed in; empty for nobody
	Query    string // what keeps the chosen language, "?lang=en" or empty
	Now      string // when the page was made, with the zone's name
	Refresh  string // when the browser looks again, and where, as a meta element says it; empty for never

	words catalogue
	zone  *time.Location
	now   time.Time
}

func (p *Pages) frame(r *http.Request, user string) frame {
	now := p.now().In(p.zone)
	f := frame{
		Lang:     languageOf(r),
		SiteID:   p.siteID,
		SiteName: p.siteName,
		User:     user,
		Now:      now.Format("2006-01-02 15:04:05 MST (UTC-07:00)"),
		words:    p.catalogue,
		zone:     p.zone,
		now:      now,
	}
	f.Query = languageQuery(r)
	return f
}

// languageQuery is what keeps the language that the visitor chose, "?lang=en" or empty.
func languageQuery(r *http.Request) string {
	switch chosen := r.URL.Query().Get("lang"); chosen {
	case "en", "zh":
		return "?lang=" + chosen
	}
	return ""
}

// Word returns the text of a key in the page's language.
func (f frame) Word(key string, args ...any) string { return f.words.say(f.Lang, key, args...) }

// clock shows a moment in the site's zone: the time of day for today, with the date otherwise, empty for none.
func (f frame) clock(moment *timestamppb.Timestamp) string {
	if moment == nil || (moment.GetSeconds() == 0 && moment.GetNanos() == 0) {
		return ""
	}
	at := moment.AsTime().In(f.zone)
	switch {
	case at.Format(time.DateOnly) == f.now.Format(time.DateOnly):
		return at.Format("15:04:05")
	case at.Year() == f.now.Year():
		return at.Format("01-02 15:04")
	}
	return at.Format("2006-01-02 15:04")
}

// render writes a page whole or not at all.
func (p *Pages) render(w http.ResponseWriter, code int, name string, page any) {
	var body bytes.Buffer
	if err := p.templates.ExecuteTemplate(&body, name, page); err != nil {
		p.log.Error("render a page", "page", name, "error", err)
		http.Error(w, "the page could not be made; the node's log has the cause", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Vary", "Accept-Language")
	w.WriteHeader(code)
	_, _ = body.WriteTo(w) // the visitor is gone when it fails
}
