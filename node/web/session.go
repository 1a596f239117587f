package web

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// cookieLife is how long a browser keeps the cookie: longer than any session, which ends by itself.
const cookieLife = 30 * 24 * time.Hour

// cookieName is the name of the session's cookie.
func (p *Pages) cookieName() string { return "tierdesk_" + p.siteID }

// visitor returns who is signed in. Without one, failed says what went wrong, and is empty when nobody tried.
func (p *Pages) visitor(ctx context.Context, r *http.Request) (actor *deskpb.Actor, failed problem) {
	cookie, err := r.Cookie(p.cookieName())
	if err != nil || cookie.Value == "" {
		return nil, problem{}
	}
	actor, err = p.people.Authenticate(ctx, cookie.Value, address(r))
	switch {
	case err == nil && len(actor.GetLimits()) > 0: // a program's token, whose limits no page looks at
		return nil, problem{}
	case err == nil:
		return actor, problem{}
	}
	if failed = p.problemOf("authenticate a visitor", err); failed.status == http.StatusUnauthorized {
		failed.key = "sign-in.expired"
	}
	return nil, failed
}

// admit gives the browser the session and nothing else: what it sees next depends on where it came from.
func (p *Pages) admit(w http.ResponseWriter, r *http.Request, token string) {
	cookie := p.cookie(r, token)
	cookie.Expires = p.now().Add(cookieLife)
	http.SetCookie(w, cookie)
}

// dismiss takes the session's cookie away.
func (p *Pages) dismiss(w http.ResponseWriter, r *http.Request) {
	gone := p.cookie(r, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
}

// serveSignOut ends the session. The cookie goes also when the site cannot end the session now; it then ends by itself.
func (p *Pages) serveSignOut(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pageDeadline)
	defer cancel()
	if cookie, err := r.Cookie(p.cookieName()); err == nil {
		if err := p.people.SignOut(ctx, cookie.Value, address(r)); err != nil {
			p.problemOf("sign a visitor out", err)
		}
	}
	p.dismiss(w, r)
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

// address is where a request came from, without its port.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// home is the address of the page, in the language that the visitor chose.
func home(r *http.Request) string { return "/" + languageQuery(r) }
