package page

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// ThemeCookie keeps whether a visitor wants the pages "light" or "dark"; without it they follow the machine.
const ThemeCookie = "tierdesk_theme"

// Frame is what every page has around it.
type Frame struct {
	Title     string
	Lang      string // the page's language, as the html element names it
	Theme     string // "light", "dark", or empty to follow the machine
	SiteID    string
	SiteName  string
	Tier      string // the site's tier in words
	User      string // who is signed in; empty for nobody
	Name      string // how the person is called
	Role      string // in words
	Path      string // of this page, with its query
	Doors     []DoorShown
	Line      LineShown
	Banners   []string // what to know before anything else
	Faults    []string // the major incidents that nobody has solved yet, after those
	OwnFaults bool     // the page tells of these itself
	Done      string   // what was done just before; empty for nothing
	Refused   []string // what did not succeed beside it
	Refresh   string   // when the browser looks again, and where, as a meta element says it; empty for never
	Now       Moment
	Styles    []string // files of its own that the page loads, such as "console.css"
	Scripts   []string

	visit *Visit
}

// DoorShown is a way into a room at the head of a page.
type DoorShown struct {
	Path, Word, Icon string
	Here             bool
}

// Frame makes the frame of a page with a title.
func (v *Visit) Frame(title string) Frame {
	f := Frame{
		Title: title, Lang: v.Lang, SiteID: v.SiteID, SiteName: v.SiteName, Tier: v.Word("tier." + v.Tier.String()),
		User: v.Actor.GetUser(), Name: v.Actor.GetUser(), Path: address(v.R), Now: v.Moment(v.now), visit: v,
	}
	if cookie, err := v.R.Cookie(ThemeCookie); err == nil && (cookie.Value == "light" || cookie.Value == "dark") {
		f.Theme = cookie.Value
	}
	if v.Actor != nil {
		f.Role = v.Word("user-role." + v.Actor.GetRole().String())
		if caller, err := v.Caller(); err == nil && caller.GetUser().GetDisplayName() != "" {
			f.Name = caller.GetUser().GetDisplayName()
		}
		f.Line, f.Banners, f.Faults = v.Line(), v.banners(), v.faults()
	}
	for _, door := range v.doors {
		if door.Open(v.Actor) && !v.Actor.GetMustChangePassword() {
			here := v.R.URL.Path == door.Path || strings.HasPrefix(v.R.URL.Path, door.Path+"/")
			f.Doors = append(f.Doors, DoorShown{Path: door.Path, Word: v.Word(door.Word), Icon: door.Icon, Here: here})
		}
	}
	if done := v.Query("done"); done != "" && v.Has("done."+done) {
		f.Done = v.Word("done." + done)
	}
	f.Refused = v.told()
	return f
}

// address is what the browser asked for, as it may stand in a page and in the address of the next one: without what somebody may have
// put into the query that is for nobody's eyes. No page takes a secret there.
func address(r *http.Request) string {
	at, query := *r.URL, r.URL.Query()
	secret := false
	for _, name := range []string{"token", "password", "code", "secret"} {
		secret = secret || query.Has(name)
		query.Del(name)
	}
	if secret {
		at.RawQuery = query.Encode()
	}
	return at.RequestURI()
}

// Word returns the text of a key in the page's language.
func (f Frame) Word(key string, args ...any) string { return f.visit.Word(key, args...) }

// Say is Word for a key in two parts, such as an enum's name behind its prefix.
func (f Frame) Say(prefix, name string) string { return f.visit.Word(prefix + name) }

// LanguageLink is this page in the other language.
func (f Frame) LanguageLink() string {
	at, err := url.Parse(f.Path)
	if err != nil || f.visit.R.Method != http.MethodGet {
		at = &url.URL{Path: "/"}
	}
	query := at.Query()
	query.Set("lang", f.Word("language.code"))
	query.Del("done")
	at.RawQuery = query.Encode()
	return at.String()
}

// Enters tells whether a way into a room is open to the visitor.
func (f Frame) Enters(path string) bool {
	return slices.ContainsFunc(f.Doors, func(d DoorShown) bool { return d.Path == path })
}

// Everyone tells whether nobody is signed in.
func (f Frame) Everyone() bool { return f.User == "" }

// Free tells whether somebody is signed in and may go where they like. Who has to set another password first may not: a page for that
// asks for no part of itself, which would only lead back to it.
func (f Frame) Free() bool { return f.User != "" && !f.visit.Actor.GetMustChangePassword() }

// Staff tells whether the visitor works here and may go on, as opposed to one who reports problems.
func (f Frame) Staff() bool { return f.Free() && f.visit.Actor.GetRole() != deskpb.User_REQUESTER }

// zoneOf is the visitor's time zone, which a script of the pages has put into a cookie; the site's where it did not.
func zoneOf(r *http.Request, site *time.Location) *time.Location {
	cookie, err := r.Cookie("tierdesk_zone")
	if err != nil || len(cookie.Value) > 64 || cookie.Value == "" || cookie.Value == "Local" {
		return site
	}
	zone, err := time.LoadLocation(cookie.Value)
	if err != nil {
		return site
	}
	return zone
}
