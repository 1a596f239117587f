package web

import (
	"net/http"

	"github.com/tierdesk/tierdesk/node/web/page"
)

// themeLife is how long a browser keeps the chosen colours, in seconds: a year.
const themeLife = 365 * 24 * 60 * 60

// serveTheme has the pages look as the form says, "machine", "dark" or "light"; without such a word it goes on from how they look to the
// next of these.
func serveTheme(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	next := map[string]string{"": "dark", "dark": "light", "light": ""}
	chosen := next[v.Frame("").Theme]
	switch wanted := form.Get("theme"); wanted {
	case "machine":
		chosen = ""
	case "dark", "light":
		chosen = wanted
	}
	kept := http.Cookie{
		Name: page.ThemeCookie, Value: chosen, Path: "/", MaxAge: themeLife, SameSite: http.SameSiteLaxMode, Secure: v.R.TLS != nil,
	}
	if kept.Value == "" {
		kept.MaxAge = -1
	}
	http.SetCookie(v.W, &kept)
	return v.Redirect(page.Local(form.Get("to")))
}
