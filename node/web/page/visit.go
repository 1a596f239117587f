package page

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

const (
	// pageDeadline bounds the time in which a page is put together.
	pageDeadline = 10 * time.Second
	// MaxForm is the largest form that is read, in bytes: a description of the greatest length, percent-encoded, has room.
	MaxForm = 512 << 10
)

// Visit is one request for a page, and its answer.
type Visit struct {
	*Kit
	W http.ResponseWriter
	R *http.Request
	// Actor is who looks, nil for somebody who is not signed in.
	Actor *deskpb.Actor
	Lang  string

	ctx       context.Context
	cancel    context.CancelFunc // of ctx, once it was renewed
	zone      *time.Location
	now       time.Time
	templates *template.Template
	caller    *apipb.Caller
	brought   bool // files came with the form
}

// serve answers one request.
func (k *Kit) serve(w http.ResponseWriter, r *http.Request, route Route, templates *template.Template) {
	ctx, cancel := context.WithTimeout(r.Context(), pageDeadline)
	defer cancel()
	keepLanguage(w, r)
	v := k.Visit(ctx, w, r)
	defer v.end()
	v.templates = templates
	actor, err := k.Visitor(ctx, r)
	v.Actor = actor
	switch {
	case actor.GetMustChangePassword() && !route.Open:
		err = v.Redirect("/password")
	case actor != nil || route.Open:
		err = route.Serve(v)
	case err == nil || v.Problem(err).Status == http.StatusUnauthorized:
		err = v.askWho()
	}
	if err != nil {
		v.Fail(err)
	}
}

// signedOut is the part of a page that tells who was signed out on it.
type signedOut struct {
	Frame
	SignIn string // the address of the page for signing in
}

// askWho leads somebody to sign in who is not signed in, or not any more. A page of which a script asks for a part stays as it is, with
// what stands in its forms; a form that is sent goes to the stranger's answer.
func (v *Visit) askWho() error {
	signIn := "/sign-in?to=" + url.QueryEscape(v.back())
	switch {
	case v.Partial():
		v.W.Header().Set("HX-Retarget", "#messages")
		v.W.Header().Set("HX-Reswap", "innerHTML")
		return v.Render(http.StatusUnauthorized, "signed-out", signedOut{Frame: v.Frame(""), SignIn: signIn})
	case v.R.Method == http.MethodPost && v.stranger != nil:
		v.templates = v.strangerTemplates
		return v.stranger(v)
	}
	return v.Redirect(signIn)
}

// Visit makes a visit of nobody yet, for what is served without a route.
func (k *Kit) Visit(ctx context.Context, w http.ResponseWriter, r *http.Request) *Visit {
	v := &Visit{Kit: k, W: w, R: r, Lang: languageOf(r), zone: zoneOf(r, k.Zone), templates: k.layout}
	v.now = k.Now().In(v.zone)
	v.ctx = v.carrying(ctx)
	return v
}

// carrying gives a context what the API knows a visitor by.
func (v *Visit) carrying(ctx context.Context) context.Context {
	ctx = metadata.AppendToOutgoingContext(ctx, "user-agent", v.R.UserAgent())
	if token := v.Token(v.R); token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	}
	if v.Together != nil {
		ctx = v.Together(ctx)
	}
	return peer.NewContext(ctx, &peer.Peer{Addr: remote(v.R.RemoteAddr)})
}

// renew gives the page its whole time again, after something that took the visitor's line long.
func (v *Visit) renew() {
	ctx, cancel := context.WithTimeout(v.R.Context(), pageDeadline)
	if v.cancel != nil {
		v.cancel()
	}
	v.ctx, v.cancel = v.carrying(ctx), cancel
}

// end lets go of what the visit holds: a renewed context, and files that came with a form.
func (v *Visit) end() {
	if v.cancel != nil {
		v.cancel()
	}
	if v.R.MultipartForm != nil {
		_ = v.R.MultipartForm.RemoveAll() // the machine's temporary directory is cleared otherwise
	}
}

// remote is an address as the connection says it.
type remote string

func (remote) Network() string  { return "tcp" }
func (r remote) String() string { return string(r) }

// Ctx carries the visitor's session to the services of the API, and ends with the page's time.
func (v *Visit) Ctx() context.Context { return v.ctx }

// Word returns the text of a key in the visitor's language.
func (v *Visit) Word(key string, args ...any) string { return v.catalogue.say(v.Lang, key, args...) }

// Has tells whether there is a text of a key.
func (v *Visit) Has(key string) bool { return v.catalogue[key].Chinese != "" }

// May tells whether the visitor may do something at all.
func (v *Visit) May(verb desk.Verb) bool { return may(v.Actor, verb) }

// Caller is the visitor's account and rights.
func (v *Visit) Caller() (*apipb.Caller, error) {
	if v.caller != nil {
		return v.caller, nil
	}
	caller, err := v.API.Sessions.GetCaller(v.ctx, &apipb.GetCallerRequest{})
	if err == nil {
		v.caller = caller
	}
	return caller, err
}

// Partial tells whether a part of a page is asked for, by a script, and not a whole one.
func (v *Visit) Partial() bool { return v.R.Header.Get("HX-Request") == "true" }

// Form reads a form of bounded length. The error is one to return.
func (v *Visit) Form() (url.Values, error) {
	v.R.Body = http.MaxBytesReader(v.W, v.R.Body, MaxForm)
	err := v.R.ParseForm()
	if strings.HasPrefix(v.R.Header.Get("Content-Type"), "multipart/") {
		err = v.R.ParseMultipartForm(MaxForm)
	}
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return nil, formTooLarge()
	}
	if err != nil {
		return nil, desk.Refuse(desk.InvalidArgument, "FORM_MALFORMED", "the form cannot be read; send it again")
	}
	tidy(v.R.PostForm)
	return v.R.PostForm, nil
}

func formTooLarge() error {
	return desk.Refuse(desk.InvalidArgument, "FORM_TOO_LARGE", "the form has more than %d bytes; write less, or attach it as a file", MaxForm)
}

// tidy makes what browsers send text with lines that end in \n alone.
func tidy(form url.Values) {
	for _, values := range form {
		for i, value := range values {
			values[i] = strings.ToValidUTF8(strings.ReplaceAll(value, "\r\n", "\n"), "\uFFFD")
		}
	}
}

// lengthOf is how long the names and values of a form are together, in bytes.
func lengthOf(form url.Values) (length int) {
	for name, values := range form {
		for _, value := range values {
			length += len(name) + len(value)
		}
	}
	return length
}

// Query returns a parameter of the address.
func (v *Visit) Query(name string) string {
	return strings.ToValidUTF8(v.R.URL.Query().Get(name), "\uFFFD")
}

// Redirect sends the browser to another page of this site. With ?done=KEY the page there says the word "done.KEY".
func (v *Visit) Redirect(path string) error {
	v.Sent()
	if v.Partial() {
		v.W.Header().Set("HX-Redirect", path)
		v.W.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(v.W, v.R, path, http.StatusSeeOther)
	return nil
}

// back is the page to come back to after signing in: the one that was asked for, or the one that a form stood on.
func (v *Visit) back() string {
	if v.R.Method == http.MethodGet && !v.Partial() {
		return address(v.R)
	}
	for _, from := range []string{v.R.Header.Get("HX-Current-URL"), v.R.Header.Get("Referer")} {
		if at, err := url.Parse(from); err == nil && at.Path != "" {
			return Local(at.RequestURI())
		}
	}
	return "/"
}

// Local is an address of this site, "/" in place of any other.
func Local(path string) string {
	at, err := url.Parse(path)
	if err != nil || at.Scheme != "" || at.Host != "" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.Contains(path, `\`) {
		return "/"
	}
	return path
}

// Render writes a template whole or not at all: a page, or a part of one.
func (v *Visit) Render(status int, name string, data any) error {
	body, _ := v.bodies.Get().(*bytes.Buffer)
	defer v.bodies.Put(body)
	body.Reset()
	if err := v.templates.ExecuteTemplate(body, name, data); err != nil {
		v.Logger.Error("render a page", "page", name, "error", err)
		http.Error(v.W, "500 此页面出错，日志中有原因 The page could not be made; the node's log has the cause.", http.StatusInternalServerError)
		return nil
	}
	header := v.W.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Vary", "Accept-Language, Cookie, HX-Request")
	v.W.WriteHeader(status)
	_, _ = body.WriteTo(v.W) // the visitor is gone when it fails
	return nil
}
