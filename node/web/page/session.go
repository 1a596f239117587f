package page

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
func (k *Kit) cookieName() string { return "tierdesk_" + k.SiteID }

// Token is the session that the browser brought; empty for none.
func (k *Kit) Token(r *http.Request) string {
	cookie, err := r.Cookie(k.cookieName())
	if err != nil {
		return ""
	}
	return cookie.Value
}

// Visitor returns who is signed in, nil for nobody. The error says what went wrong with a session that was brought, and is nil
// when there was none.
func (k *Kit) Visitor(ctx context.Context, r *http.Request) (*deskpb.Actor, error) {
	token := k.Token(r)
	if token == "" {
		return nil, nil
	}
	actor, err := k.People.Authenticate(ctx, token, Address(r))
	if err != nil {
		return nil, err
	}
	if len(actor.GetLimits()) > 0 { // a program's token, whose limits no page looks at
		return nil, nil
	}
	return actor, nil
}

// Admit gives the browser the session and nothing else: what it sees next depends on where it came from.
func (k *Kit) Admit(w http.ResponseWriter, r *http.Request, token string) {
	cookie := k.cookie(r, token)
	cookie.Expires = k.Now().Add(cookieLife)
	http.SetCookie(w, cookie)
}

// Dismiss takes the session's cookie away.
func (k *Kit) Dismiss(w http.ResponseWriter, r *http.Request) {
	gone := k.cookie(r, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
}

// cookie carries the session's token. Scripts cannot read it, other web sites cannot make the browser send it, and over
// TLS it is never sent in clear.
func (k *Kit) cookie(r *http.Request, token string) *http.Cookie {
	return &http.Cookie{
		Name:     k.cookieName(),
		Value:    token,
		Path:     "/",
		HttpOnly: true,
		SameSite: http.SameSiteStrictMode,
		Secure:   r.TLS != nil,
	}
}

// Address is where a request came from, without its port.
func Address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
