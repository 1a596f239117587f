package web

import (
	"compress/gzip"
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/klauspost/compress/gzhttp"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/account"
	"github.com/tierdesk/tierdesk/node/web/console"
	"github.com/tierdesk/tierdesk/node/web/live"
	"github.com/tierdesk/tierdesk/node/web/manage"
	"github.com/tierdesk/tierdesk/node/web/page"
	"github.com/tierdesk/tierdesk/node/web/support"
	"github.com/tierdesk/tierdesk/node/web/wall"
)

// People knows who may sign in. Refusals come as *desk.Refusal.
type People interface {
	page.People
	// SignIn checks a password, and the second factor's code where there is one, and opens a session. Client is what the
	// browser says of itself. SECOND_FACTOR_REQUIRED is the reason of the refusal when only the code is missing.
	SignIn(ctx context.Context, r *apipb.CreateSessionRequest, address, client string) (*apipb.CreateSessionResponse, error)
	SignOut(ctx context.Context, token, address string) error
	// SetPassword needs the current one for one's own, and ends all sessions of the user.
	SetPassword(ctx context.Context, actor *deskpb.Actor, r *apipb.SetPasswordRequest) error
}

// Options make the Pages. Every field is required but Provider and those of Live.
type Options struct {
	page.Options
	People People
	// Live is what pages that are open hear of.
	Live live.Options
	// Provider signs people in elsewhere; nil: nobody does.
	Provider Provider
}

//go:embed templates words.yaml
var files embed.FS

// Pages serves the pages of one node. It starts no goroutine.
type Pages struct {
	kit      *page.Kit
	people   People
	provider Provider // nil: there is none
	steps    *steps
	log      *slog.Logger
	handler  http.Handler
}

// New makes the pages.
func New(o Options) (*Pages, error) {
	if o.People == nil {
		return nil, errors.New("web: Options.People is nil")
	}
	o.Options.People = o.People
	kit, err := page.New(o.Options)
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	steps, err := newSteps()
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	p := &Pages{kit: kit, people: o.People, provider: o.Provider, steps: steps, log: kit.Logger}
	mux := http.NewServeMux()
	kit.AddStatic(mux)
	for _, room := range p.rooms(o.Live) {
		if err := kit.Add(mux, room); err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
	}
	pack, err := gzhttp.NewWrapper(gzhttp.ExceptContentTypes([]string{"text/event-stream"}), gzhttp.MinSize(1024), gzhttp.CompressionLevel(gzip.BestSpeed))
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	p.handler = http.NewCrossOriginProtection().Handler(pack(mux))
	return p, nil
}

// rooms are all pages, in the order of their ways in.
func (p *Pages) rooms(o live.Options) []page.Room {
	return []page.Room{p.room(), live.Room(o), console.Room(), support.Room(), wall.Room(), manage.Room(), account.Room()}
}

// Patterns are those of all pages and of everything that is done on them, "GET /desk", as net/http matches them, where there is no
// Provider.
func Patterns() (patterns []string) {
	for _, room := range new(Pages).rooms(live.Options{}) {
		for _, route := range room.Routes {
			patterns = append(patterns, route.Pattern)
		}
	}
	return patterns
}

// room has the pages of signing in and out, the first page, and what is said of addresses that lead nowhere.
func (p *Pages) room() page.Room {
	routes := []page.Route{
		{Pattern: "GET /", Serve: serveNowhere, Open: true},
		{Pattern: "GET /{$}", Serve: p.serveHome, Open: true},
		{Pattern: "GET /sign-in", Serve: p.serveAskSignIn, Open: true},
		{Pattern: signInPattern, Serve: p.serveSignIn, Open: true},
		{Pattern: "POST /sign-out", Serve: p.serveSignOut, Open: true},
		{Pattern: "GET /password", Serve: p.servePassword, Open: true},
		{Pattern: "POST /password", Serve: p.serveSetPassword, Open: true},
		{Pattern: "POST /theme", Serve: serveTheme, Open: true},
	}
	if p.provider != nil {
		routes = append(routes,
			page.Route{Pattern: "GET /sign-in/provider", Serve: p.serveBegin, Open: true},
			page.Route{Pattern: "GET /sign-in/callback", Serve: p.serveCallback, Open: true})
	}
	return page.Room{Files: files, Routes: routes, Stranger: p.serveStranger}
}

// ServeHTTP serves the pages and the files that they name. Pages load nothing from elsewhere, and no script or style that
// stands in them. They name their address to their own site alone: to none, browsers would name no origin either for a form that they
// send, and without TLS nothing else tells that it stood on a page of this site.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "+
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin")
	p.handler.ServeHTTP(w, r)
}

// serveNowhere answers for an address that no page has.
func serveNowhere(v *page.Visit) error {
	return desk.Refuse(desk.NotFound, "UNKNOWN_PAGE", "there is no page at this address; look whether it is typed as it was meant")
}

// serveHome leads everybody to where they work, and asks who is not signed in to do so. Whose password was set by somebody else sets
// another one first.
func (p *Pages) serveHome(v *page.Visit) error {
	switch {
	case v.Actor == nil:
		return p.serveAskSignIn(v)
	case v.Actor.GetMustChangePassword():
		return p.showPassword(v, problem{})
	}
	switch v.Actor.GetRole() {
	case deskpb.User_REQUESTER:
		return v.Redirect("/help")
	case deskpb.User_LEADER:
		return v.Redirect("/leader")
	case deskpb.User_AUDITOR:
		return v.Redirect("/admin/audit")
	}
	return v.Redirect("/desk")
}
