package web

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
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
func (p *Pages) serveBegin(v *page.Visit) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.Ctx()), providerDeadline)
	defer cancel()
	address, attempt, err := p.provider.Begin(ctx, page.Local(v.Query("to")))
	if err != nil {
		failed := p.problemOf("begin to sign a visitor in at the provider", err)
		return p.showSignIn(v, p.signInPage(v, failed), failed)
	}
	cookie := p.attemptCookie(v.R, attempt)
	cookie.MaxAge = int(attemptLife.Seconds())
	http.SetCookie(v.W, cookie)
	return v.Redirect(address)
}

// serveCallback takes the provider's answer. It ends in a page and not in a redirect: the session's cookie is for requests that
// begin here, and a redirect would go on with the one that began at the provider.
func (p *Pages) serveCallback(v *page.Visit) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.Ctx()), providerDeadline)
	defer cancel()
	gone := p.attemptCookie(v.R, "")
	gone.MaxAge = -1
	http.SetCookie(v.W, gone)
	attempt := ""
	if cookie, err := v.R.Cookie(gone.Name); err == nil {
		attempt = cookie.Value
	}
	opened, back, err := p.provider.Finish(ctx, attempt, v.R.URL.Query(), page.Address(v.R), v.R.UserAgent())
	v.R.URL.RawQuery = "" // no page repeats the answer
	if err != nil {
		failed := p.problemOf("sign a visitor in at the provider", err)
		return p.showSignIn(v, p.signInPage(v, failed), failed)
	}
	p.kit.Admit(v.W, v.R, opened.GetToken())
	v.Actor = nil
	shown := continuePage{Frame: v.Frame(v.Word("continue.title")), Home: page.Local(back)}
	shown.Refresh = "0; url=" + shown.Home
	return v.Render(http.StatusOK, "continue.html", shown)
}

// continuePage leads from the provider's answer to the site.
type continuePage struct {
	page.Frame
	Home string
}

// attemptCookie carries an attempt to the callback, which another site's redirect opens, and to nothing else.
func (p *Pages) attemptCookie(r *http.Request, attempt string) *http.Cookie {
	return &http.Cookie{
		Name: "tierdesk_attempt_" + p.kit.SiteID, Value: attempt, Path: "/sign-in/",
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil,
	}
}
