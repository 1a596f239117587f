package web

import (
	"errors"
	"net/http"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// passwordPage is the form for setting one's own password.
type passwordPage struct {
	page.Frame
	Failed string // why the last try did not succeed; empty for none
	Must   bool   // nothing else can be done before
}

// servePassword shows the form to who is signed in.
func (p *Pages) servePassword(v *page.Visit) error {
	if v.Actor == nil {
		return p.serveAskSignIn(v)
	}
	return p.showPassword(v, problem{})
}

func (p *Pages) showPassword(v *page.Visit, failed problem) error {
	shown := passwordPage{Frame: v.Frame(v.Word("password.title")), Must: v.Actor.GetMustChangePassword(), Failed: failed.say(v)}
	if shown.Must {
		shown.Title = v.Word("password.own")
	}
	return v.Render(failed.tell(v.W.Header()), "password.html", shown)
}

// serveSetPassword sets another password. That ends all sessions of the user, this one too, so the next page is the one for
// signing in.
func (p *Pages) serveSetPassword(v *page.Visit) error {
	if !p.readForm(v) {
		return nil
	}
	if v.Actor == nil {
		failed := p.expired(v)
		return p.showSignIn(v, p.signInPage(v, failed), failed)
	}
	form, user := v.R.PostForm, v.Actor.GetUser()
	if form.Get("password") != form.Get("again") {
		return p.showPassword(v, problem{status: http.StatusBadRequest, key: "password.differ"})
	}
	err := p.people.SetPassword(v.Ctx(), v.Actor, &apipb.SetPasswordRequest{
		Name: user, Password: form.Get("password"), CurrentPassword: form.Get("current"),
	})
	if err != nil {
		return p.showPassword(v, p.passwordProblem(err))
	}
	p.kit.Dismiss(v.W, v.R)
	shown := p.signInPage(v, problem{})
	shown.Named, shown.Before = user, v.Word("password.done")
	return p.showSignIn(v, shown, problem{})
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
