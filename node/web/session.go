package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
)

// maxForm is the largest form that is read, in bytes.
const maxForm = 16 << 10

// signInPage is the form for signing in.
type signInPage struct {
	frame
	Problem string // why the last try did not succeed; empty for none
	Name    string // what was typed as the user's name
}

// cookieName is the name of the session's cookie.
func (p *Pages) cookieName() string { return "tierdesk_" + p.siteID }

// visitor returns the name of who is signed in. Without one, problem is the key of the words that say what went wrong,
// empty when nobody tried.
func (p *Pages) visitor(ctx context.Context, r *http.Request) (user, problem string) {
	cookie, err := r.Cookie(p.cookieName())
	if err != nil || cookie.Value == "" {
		return "", ""
	}
	actor, err := p.people.Authenticate(ctx, cookie.Value)
	switch {
	case err == nil:
		return actor.GetUser(), ""
	case refused(err):
		return "", "sign-in.expired"
	}
	p.log.Warn("authenticate a visitor", "error", err)
	return "", "sign-in.unavailable"
}

// refused tells a wrong password or token from a site that cannot answer now.
func refused(err error) bool {
	var refusal *desk.Refusal
	if !errors.As(err, &refusal) {
		return false
	}
	switch refusal.Code {
	case desk.Unauthenticated, desk.InvalidArgument, desk.PermissionDenied, desk.NotFound:
		return true
	}
	return false
}

func (p *Pages) showSignIn(w http.ResponseWriter, r *http.Request, code int, problem, name string) {
	page := signInPage{frame: p.frame(r, ""), Name: name}
	if problem != "" {
		page.Problem = page.Word(problem)
	}
	p.render(w, code, "sign-in.html", page)
}

// serveSignIn opens a session and goes back to the page.
func (p *Pages) serveSignIn(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pageDeadline)
	defer cancel()
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		p.showSignIn(w, r, http.StatusBadRequest, "sign-in.malformed", "")
		return
	}
	name := strings.ToValidUTF8(strings.TrimSpace(r.PostForm.Get("user")), "")
	token, expires, err := p.people.SignIn(ctx, name, r.PostForm.Get("password"), 0)
	switch {
	case err == nil:
	case refused(err):
		p.showSignIn(w, r, http.StatusUnauthorized, "sign-in.wrong", name)
		return
	default:
		p.log.Warn("sign a visitor in", "error", err)
		w.Header().Set("Retry-After", "1")
		p.showSignIn(w, r, http.StatusServiceUnavailable, "sign-in.unavailable", name)
		return
	}
	cookie := p.cookie(r, token)
	cookie.Expires = expires
	http.SetCookie(w, cookie)
	http.Redirect(w, r, home(r), http.StatusSeeOther)
}

// serveSignOut ends the session. The cookie goes also when the site cannot end the session now; it then ends by itself.
func (p *Pages) serveSignOut(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pageDeadline)
	defer cancel()
	if cookie, err := r.Cookie(p.cookieName()); err == nil {
		if err := p.people.SignOut(ctx, cookie.Value); err != nil && !refused(err) {
			p.log.Warn("sign a visitor out", "error", err)
		}
	}
	gone := p.cookie(r, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	http.Redirect(w, r, home(r), http.StatusSeeOther)
}

// cookie carries the session's token. Scripts cannot read it, other web sites cannot make the browser send it, and over
// TLS it is never sent in clear.
func (p *Pages) cookie(r *http.Request, token string) *http.Cookie {
	return &http.Cookie{
		Name:     p.cookieName(),
		Value:    token,
		Path:     "/",
		HttpOnly: true,
		SameSite: http.SameSiteStrictMode,
		Secure:   r.TLS != nil,
	}
}

// home is the address of the page, in the language that the visitor chose.
func home(r *http.Request) string {
	if chosen := r.URL.Query().Get("lang"); chosen != "" {
		return "/?lang=" + url.QueryEscape(chosen)
	}
	return "/"
}
