package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

const (
	// maxForm is the largest form that is read, in bytes.
	maxForm = 16 << 10
	// signInDeadline bounds the check of a password, as that of a call of the API: it may wait for a directory that is silent, and
	// then do without it.
	signInDeadline = 10 * time.Second
)

// signInPage is the form for signing in: the first step asks for name and password, the second one for the second factor's
// code. Where the first step was lost on the way, all three are asked for at once.
type signInPage struct {
	frame
	Failed string // why the last try did not succeed; empty for none
	Done   string // what was done before that makes signing in necessary; empty for nothing
	Name   string // what was typed as the user's name
	Step   string // the first step, sealed; empty while it is asked for
	Code   bool   // whether the second factor's code is asked for
	// Provider names where people can sign in instead; empty for nowhere.
	Provider string
}

func (p *Pages) signInPage(r *http.Request, failed problem) signInPage {
	page := signInPage{frame: p.frame(r, "")}
	page.Failed = page.Problem(failed)
	if p.provider != nil {
		page.Provider = p.provider.Label()
	}
	return page
}

func (p *Pages) showSignIn(w http.ResponseWriter, page signInPage, failed problem) {
	p.render(w, failed.tell(w.Header()), "sign-in.html", page)
}

// readForm reads a form of bounded length; when it cannot be read, it answers so.
func (p *Pages) readForm(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		malformed := problem{status: http.StatusBadRequest, key: "sign-in.malformed"}
		p.showSignIn(w, p.signInPage(r, malformed), malformed)
		return false
	}
	return true
}

// serveSignIn opens a session and goes back to the page, or asks for what is still missing.
func (p *Pages) serveSignIn(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), signInDeadline)
	defer cancel()
	if !p.readForm(w, r) {
		return
	}
	first := credentials{
		User: strings.ToValidUTF8(strings.TrimSpace(r.PostForm.Get("user")), ""), Password: r.PostForm.Get("password"),
	}
	if sealed := r.PostForm.Get("step"); sealed != "" {
		kept, ok := p.steps.open(sealed, p.now())
		if !ok {
			p.askAll(w, r, first.User)
			return
		}
		first = kept
	}
	code := strings.Join(strings.Fields(r.PostForm.Get("code")), "")
	opened, err := p.people.SignIn(ctx, &apipb.CreateSessionRequest{User: first.User, Password: first.Password, Code: code}, address(r), r.UserAgent())
	if err != nil {
		p.signInFailed(w, r, first, err)
		return
	}
	p.admit(w, r, opened.GetToken())
	http.Redirect(w, r, home(r), http.StatusSeeOther)
}

// signInFailed shows the form again, at the step that is to be repeated or comes next.
func (p *Pages) signInFailed(w http.ResponseWriter, r *http.Request, first credentials, err error) {
	failed := p.problemOf("sign a visitor in", err)
	var refusal *desk.Refusal
	if errors.As(err, &refusal) && (refusal.Reason == "SECOND_FACTOR_REQUIRED" || refusal.Reason == "WRONG_CODE") {
		asked := failed
		if refusal.Reason == "SECOND_FACTOR_REQUIRED" {
			asked.key = "" // the page asks for it; nothing went wrong
		}
		page := p.signInPage(r, asked)
		page.Name, page.Code, page.Step = first.User, true, p.steps.seal(first, p.now())
		p.showSignIn(w, page, failed)
		return
	}
	page := p.signInPage(r, failed)
	page.Name = first.User
	p.showSignIn(w, page, failed)
}

// askAll asks for everything at once, because the first step took too long or was taken at another node.
func (p *Pages) askAll(w http.ResponseWriter, r *http.Request, name string) {
	lost := problem{status: http.StatusUnauthorized, key: "sign-in.step-lost"}
	page := p.signInPage(r, lost)
	page.Name, page.Code = name, true
	p.showSignIn(w, page, lost)
}
