package web

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// Desk is what the pages show.
type Desk interface {
	// Overview tells of this site's nodes and links, Sites of the whole tree as it is known here.
	Overview(ctx context.Context) (*apipb.GetSiteResponse, error)
	Sites(ctx context.Context) (*apipb.ListSitesResponse, error)
	// LatestTickets returns the tickets that changed last of those that the actor sees, latest first, as this node has them: the
	// page must show them also while the site has no leader.
	LatestTickets(ctx context.Context, actor *deskpb.Actor, limit int) ([]*deskpb.Ticket, error)
}

// People knows who may sign in. Refusals come as *desk.Refusal.
type People interface {
	// Authenticate returns whose token it is. Address is where the call came from, without a port.
	Authenticate(ctx context.Context, token, address string) (*deskpb.Actor, error)
	// SignIn checks a password, and the second factor's code where there is one, and opens a session. Client is what the
	// browser says of itself. SECOND_FACTOR_REQUIRED is the reason of the refusal when only the code is missing.
	SignIn(ctx context.Context, r *apipb.CreateSessionRequest, address, client string) (*apipb.CreateSessionResponse, error)
	SignOut(ctx context.Context, token, address string) error
	// SetPassword needs the current one for one's own, and ends all sessions of the user.
	SetPassword(ctx context.Context, actor *deskpb.Actor, r *apipb.SetPasswordRequest) error
}

// Options make the Pages. Every field is required but Provider and Now.
type Options struct {
	Desk   Desk
	People People
	Logger *slog.Logger
	// SiteID and SiteName head the pages. The cookie carries the id in its name, so that sites that share a host name do
	// not end each other's sessions.
	SiteID   string
	SiteName string
	// Provider signs people in elsewhere; nil: nobody does.
	Provider Provider
	// Zone is the site's time zone, in which times are shown.
	Zone *time.Location
	// Now tells the time; nil means time.Now.
	Now func() time.Time
}

func (o Options) validate() error {
	switch {
	case o.Desk == nil:
		return errors.New("web: Options.Desk is nil")
	case o.People == nil:
		return errors.New("web: Options.People is nil")
	case o.Logger == nil:
		return errors.New("web: Options.Logger is nil")
	case o.SiteID == "":
		return errors.New("web: Options.SiteID is empty")
	case o.Zone == nil:
		return errors.New("web: Options.Zone is nil")
	}
	return nil
}

//go:embed templates static words.yaml
var files embed.FS

// Pages serves the pages of one node. It starts no goroutine.
type Pages struct {
	desk      Desk
	people    People
	provider  Provider // nil: there is none
	steps     *steps
	log       *slog.Logger
	siteID    string
	siteName  string
	zone      *time.Location
	now       func() time.Time
	catalogue catalogue
	templates *template.Template
	handler   http.Handler
}

// New makes the pages.
func New(o Options) (*Pages, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	words, err := readCatalogue(files, "words.yaml")
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	templates, err := template.ParseFS(files, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("web: parse the templates: %w", err)
	}
	steps, err := newSteps()
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	p := &Pages{
		desk:      o.Desk,
		people:    o.People,
		provider:  o.Provider,
		steps:     steps,
		log:       o.Logger.With("component", "web"),
		siteID:    o.SiteID,
		siteName:  o.SiteName,
		zone:      o.Zone,
		now:       o.Now,
		catalogue: words,
		templates: templates,
	}
	if p.now == nil {
		p.now = time.Now
	}
	p.handler = p.newHandler()
	return p, nil
}

func (p *Pages) newHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.serveHome)
	mux.HandleFunc("POST /sign-in", p.serveSignIn)
	mux.HandleFunc("GET /sign-in", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, home(r), http.StatusSeeOther) })
	mux.HandleFunc("POST /sign-out", p.serveSignOut)
	mux.HandleFunc("GET /password", p.servePassword)
	mux.HandleFunc("POST /password", p.serveSetPassword)
	if p.provider != nil {
		mux.HandleFunc("GET /sign-in/provider", p.serveBegin)
		mux.HandleFunc("GET /sign-in/callback", p.serveCallback)
	}
	for _, name := range []string{"style.css", "icon.svg"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=3600")
			http.ServeFileFS(w, r, files, "static/"+name)
		})
	}
	return http.NewCrossOriginProtection().Handler(mux)
}

// ServeHTTP serves /, /sign-in, /sign-out, /password and the files that the pages name. No script runs in the pages, and they load
// nothing from elsewhere.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	p.handler.ServeHTTP(w, r)
}

// pageDeadline bounds the time in which a page is put together.
const pageDeadline = 5 * time.Second

// serveHome shows the overview to who is signed in, and the sign-in form to everybody else. Whose password was set by somebody
// else sets another one first.
func (p *Pages) serveHome(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pageDeadline)
	defer cancel()
	actor, failed := p.visitor(ctx, r)
	switch {
	case actor == nil:
		failed.status = http.StatusOK // the form is what was asked for
		p.showSignIn(w, p.signInPage(r, failed), failed)
	case actor.GetMustChangePassword():
		p.showPassword(w, r, actor, problem{})
	default:
		f := p.frame(r, actor.GetUser())
		f.Refresh = "5"
		p.render(w, http.StatusOK, "overview.html", p.overview(ctx, f, actor))
	}
}
