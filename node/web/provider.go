package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// Provider signs people in elsewhere, at OpenID Connect. Refusals come as *desk.Refusal.
type Provider interface {
	// Label names it on the button.
	Label() string
	// Begin starts an attempt: the browser goes to the address, and has to bring the attempt along to Finish within ten
	// minutes. back comes out of Finish again.
	Begin(ctx context.Context, back string) (address, attempt string, err error)
	// Finish opens a session for the person that the provider's answer speaks of. Address and client are as for SignIn.
	Finish(ctx context.Context, attempt string, answer url.Values, address, client string) (opened *apipb.CreateSessionResponse, back string, err error)
}

const (
	// providerDeadline bounds a page that has to ask the provider.
	providerDeadline = 20 * time.Second
	// attemptLife is how long the browser keeps an attempt.
	attemptLife = 10 * time.Minute
)

// serveBegin sends the browser to the provider. It is a plain link: a form would have to name the provider in the page's
// security policy.
func (p *Pages) serveBegin(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), providerDeadline)
	defer cancel()
	address, attempt, err := p.provider.Begin(ctx, languageQuery(r))
	if err != nil {
		failed := p.problemOf("begin to sign a visitor in at the provider", err)
		p.showSignIn(w, p.signInPage(r, failed), failed)
		return
	}
	cookie := p.attemptCookie(r, attempt)
	cookie.MaxAge = int(attemptLife.Seconds())
	http.SetCookie(w, cookie)
	http.Redirect(w, r, address, http.StatusSeeOther)
}

// serveCallback takes the provider's answer. It ends in a page and not in a redirect: the session's cookie is for requests that
// begin here, and a redirect would go on with the one that began at the provider.
func (p *Pages) serveCallback(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), providerDeadline)
	defer cancel()
	answer := r.URL.Query()
	gone := p.attemptCookie(r, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	attempt := ""
	if cookie, err := r.Cookie(gone.Name); err == nil {
		attempt = cookie.Value
	}
	opened, back, err := p.provider.Finish(ctx, attempt, answer, address(r), r.UserAgent())
	here := r.Clone(ctx)
	here.URL.RawQuery = strings.TrimPrefix(back, "?") // the page's language, and nothing of the answer
	if err != nil {
		failed := p.problemOf("sign a visitor in at the provider", err)
		p.showSignIn(w, p.signInPage(here, failed), failed)
		return
	}
	p.admit(w, r, opened.GetToken())
	page := continuePage{frame: p.frame(here, ""), Home: home(here)}
	page.Refresh = "0; url=" + page.Home
	p.render(w, http.StatusOK, "continue.html", page)
}

// continuePage leads from the provider's answer to the site.
type continuePage struct {
	frame
	Home string
}

// attemptCookie carries an attempt to the callback, which another site's redirect opens, and to nothing else.
func (p *Pages) attemptCookie(r *http.Request, attempt string) *http.Cookie {
	return &http.Cookie{
		Name: "tierdesk_attempt_" + p.siteID, Value: attempt, Path: "/sign-in/",
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil,
	}
}
