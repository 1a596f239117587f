package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// maxForm is the largest form of a sign-in that is read, in bytes: a form that is kept meanwhile has room in it.
const maxForm = 2*maxKept + 16<<10

// signInPattern is where the form for signing in is sent to.
const signInPattern = "POST /sign-in"

// signInPage is the form for signing in: the first step asks for name and password, the second one for the second factor's
// code. Where the first step was lost on the way, all three are asked for at once.
type signInPage struct {
	page.Frame
	Failed string // why the last try did not succeed; empty for none
	Before string // what was done before that makes signing in necessary; empty for nothing
	Named  string // what was typed as the user's name
	Step   string // the first step, sealed; empty while it is asked for
	Code   bool   // whether the second factor's code is asked for
	To     string // the page to go on to
	Kept   string // the form that waits until somebody has signed in, sealed; empty for none
	// Provider names where people can sign in instead; empty for nowhere.
	Provider string
}

func (p *Pages) signInPage(v *page.Visit, failed problem) signInPage {
	v.Actor = nil
	shown := signInPage{Frame: v.Frame(v.Word("sign-in")), Failed: failed.say(v), To: page.Local(cmp.Or(v.R.PostForm.Get("to"), v.Query("to")))}
	if v.R.Pattern == signInPattern {
		shown.Kept = v.R.PostForm.Get("kept")
	}
	if p.provider != nil {
		shown.Provider = p.provider.Label()
	}
	return shown
}

func (p *Pages) showSignIn(v *page.Visit, shown signInPage, failed problem) error {
	return v.Render(failed.tell(v.W.Header()), "sign-in.html", shown)
}

// serveAskSignIn asks who it is, and says why when a session was brought that does not count.
func (p *Pages) serveAskSignIn(v *page.Visit) error {
	if v.Actor != nil && !v.Actor.GetMustChangePassword() {
		return v.Redirect(page.Local(v.Query("to")))
	}
	failed := p.expired(v)
	failed.status = http.StatusOK // the form is what was asked for
	return p.showSignIn(v, p.signInPage(v, failed), failed)
}

// expired is what is wrong with the session that the browser brought; nothing when it brought none.
func (p *Pages) expired(v *page.Visit) problem {
	_, err := p.kit.Visitor(v.Ctx(), v.R)
	if err == nil {
		return problem{}
	}
	failed := p.problemOf("authenticate a visitor", err)
	if failed.status == http.StatusUnauthorized {
		failed.key = "sign-in.expired"
	}
	return failed
}

// readForm reads a form of bounded length; when it cannot be read, it answers so.
func (p *Pages) readForm(v *page.Visit) bool {
	v.R.Body = http.MaxBytesReader(v.W, v.R.Body, maxForm)
	if err := v.R.ParseForm(); err != nil {
		malformed := problem{status: http.StatusBadRequest, key: "sign-in.malformed"}
		_ = p.showSignIn(v, p.signInPage(v, malformed), malformed) // it answers by itself when it fails
		return false
	}
	return true
}

// serveSignIn opens a session and goes on to the page that was asked for, or asks for what is still missing.
func (p *Pages) serveSignIn(v *page.Visit) error {
	if !p.readForm(v) {
		return nil
	}
	form := v.R.PostForm
	first := credentials{User: strings.ToValidUTF8(strings.TrimSpace(form.Get("user")), ""), Password: form.Get("password")}
	if sealed := form.Get("step"); sealed != "" {
		kept, ok := p.steps.open(sealed, v.Kit.Now())
		if !ok {
			return p.askAll(v, first.User)
		}
		first = kept
	}
	code := strings.Join(strings.Fields(form.Get("code")), "")
	opened, err := p.people.SignIn(v.Ctx(), &apipb.CreateSessionRequest{User: first.User, Password: first.Password, Code: code},
		page.Address(v.R), v.R.UserAgent())
	if err != nil {
		return p.signInFailed(v, first, err)
	}
	p.kit.Admit(v.W, v.R, opened.GetToken())
	if kept, ok := p.steps.openForm(form.Get("kept"), v.Kit.Now()); ok {
		return p.serveResume(v, kept)
	}
	return v.Redirect(page.Local(form.Get("to")))
}

// signInFailed shows the form again, at the step that is to be repeated or comes next.
func (p *Pages) signInFailed(v *page.Visit, first credentials, err error) error {
	failed := p.problemOf("sign a visitor in", err)
	var refusal *desk.Refusal
	if errors.As(err, &refusal) && (refusal.Reason == "SECOND_FACTOR_REQUIRED" || refusal.Reason == "WRONG_CODE") {
		asked := failed
		if refusal.Reason == "SECOND_FACTOR_REQUIRED" {
			asked.key = "" // the page asks for it; nothing went wrong
		}
		shown := p.signInPage(v, asked)
		shown.Named, shown.Code, shown.Step = first.User, true, p.steps.seal(first, v.Kit.Now())
		return p.showSignIn(v, shown, failed)
	}
	shown := p.signInPage(v, failed)
	shown.Named = first.User
	return p.showSignIn(v, shown, failed)
}

// askAll asks for everything at once, because the first step took too long or was taken at another node.
func (p *Pages) askAll(v *page.Visit, name string) error {
	lost := problem{status: http.StatusUnauthorized, key: "sign-in.step-lost"}
	shown := p.signInPage(v, lost)
	shown.Named, shown.Code = name, true
	return p.showSignIn(v, shown, lost)
}

// signOutTime bounds the end of a session; the browser forgets it in any case.
const signOutTime = 5 * time.Second

// serveSignOut ends the session. The cookie goes also when the site cannot end the session now; it then ends by itself.
func (p *Pages) serveSignOut(v *page.Visit) error {
	ctx, cancel := context.WithTimeout(v.Ctx(), signOutTime)
	defer cancel()
	if token := p.kit.Token(v.R); token != "" {
		if err := p.people.SignOut(ctx, token, page.Address(v.R)); err != nil {
			p.problemOf("sign a visitor out", err)
		}
	}
	p.kit.Dismiss(v.W, v.R)
	return v.Redirect("/")
}
