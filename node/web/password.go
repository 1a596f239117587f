package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// passwordPage is the form for setting one's own password.
type passwordPage struct {
	frame
	Failed string // why the last try did not succeed; empty for none
	Must   bool   // nothing else can be done before
}

// servePassword shows the form to who is signed in.
func (p *Pages) servePassword(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pageDeadline)
	defer cancel()
	actor, failed := p.visitor(ctx, r)
	if actor == nil {
		p.showSignIn(w, p.signInPage(r, failed), failed)
		return
	}
	p.showPassword(w, r, actor, problem{})
}

func (p *Pages) showPassword(w http.ResponseWriter, r *http.Request, actor *deskpb.Actor, failed problem) {
	page := passwordPage{frame: p.frame(r, actor.GetUser()), Must: actor.GetMustChangePassword()}
	page.Failed = page.Problem(failed)
	p.render(w, failed.tell(w.Header()), "password.html", page)
}

// serveSetPassword sets another password. That ends all sessions of the user, this one too, so the next page is the one for
// signing in.
func (p *Pages) serveSetPassword(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), signInDeadline)
	defer cancel()
	if !p.readForm(w, r) {
		return
	}
	actor, failed := p.visitor(ctx, r)
	if actor == nil {
		p.showSignIn(w, p.signInPage(r, failed), failed)
		return
	}
	if r.PostForm.Get("password") != r.PostForm.Get("again") {
		p.showPassword(w, r, actor, problem{status: http.StatusBadRequest, key: "password.differ"})
		return
	}
	err := p.people.SetPassword(ctx, actor, &apipb.SetPasswordRequest{
		Name: actor.GetUser(), Password: r.PostForm.Get("password"), CurrentPassword: r.PostForm.Get("current"),
	})
	if err != nil {
		p.showPassword(w, r, actor, p.passwordProblem(err))
		return
	}
	p.dismiss(w, r)
	page := p.signInPage(r, problem{})
	page.Name, page.Done = actor.GetUser(), page.Word("password.done")
	p.showSignIn(w, page, problem{})
}

// passwordProblem finds the words for a password that was not taken.
func (p *Pages) passwordProblem(err error) problem {
	var refusal *desk.Refusal
	if errors.As(err, &refusal) {
		switch {
		case refusal.Reason == "WRONG_PASSWORD", refusal.Field == "currentPassword":
			return problem{status: http.StatusUnauthorized, key: "password.current-wrong"}
		case refusal.Code == desk.InvalidArgument:
			return problem{status: http.StatusBadRequest, key: "password.weak"}
		case refusal.Code == desk.FailedPrecondition:
			return problem{status: http.StatusConflict, key: "password.elsewhere"}
		}
	}
	return p.problemOf("set a visitor's password", err)
}
