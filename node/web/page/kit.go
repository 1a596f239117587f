package page

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// People knows who may look. Refusals come as *desk.Refusal.
type People interface {
	// Authenticate returns whose token it is. Address is where the call came from, without a port.
	Authenticate(ctx context.Context, token, address string) (*deskpb.Actor, error)
}

// Standing tells how the site stands, as this node has looked last, a second or so ago. It waits for a look, a second at most, only when
// nobody has asked for a while. What it returns is not changed.
type Standing interface {
	// Site tells of this site's nodes and links, Sites of the whole tree as it is known here.
	Site() *apipb.GetSiteResponse
	Sites() *apipb.ListSitesResponse
}

// Options make a Kit. Every field is required but Now and Together.
type Options struct {
	// API reaches the services of the API, whose every check pages pass: they see and do what a program with the visitor's session
	// sees and does.
	API grpc.ClientConnInterface
	// Files takes and sends the contents of attachments, as the API does over HTTP.
	Files    http.Handler
	People   People
	Standing Standing
	Logger   *slog.Logger
	// SiteID and SiteName head the pages. The cookie carries the id in its name, so that sites that share a host name do
	// not end each other's sessions.
	SiteID   string
	SiteName string
	Tier     apipb.Site_Tier
	// Zone is the site's time zone, for visitors whose own is not known.
	Zone *time.Location
	// Now tells the time; nil means time.Now.
	Now func() time.Time
	// Together makes the calls of the API with a context wait once for what is latest: each of them sees what was there when the
	// first one was made, or something later. Nil: each waits for itself.
	Together func(context.Context) context.Context
}

func (o Options) validate() error {
	switch {
	case o.API == nil:
		return errors.New("page: Options.API is nil")
	case o.Files == nil:
		return errors.New("page: Options.Files is nil")
	case o.People == nil:
		return errors.New("page: Options.People is nil")
	case o.Standing == nil:
		return errors.New("page: Options.Standing is nil")
	case o.Logger == nil:
		return errors.New("page: Options.Logger is nil")
	case o.SiteID == "":
		return errors.New("page: Options.SiteID is empty")
	case o.Zone == nil:
		return errors.New("page: Options.Zone is nil")
	}
	return nil
}

//go:embed templates static words.yaml sentences.yaml refusals.yaml lines.yaml
var files embed.FS

// Kit is what rooms of pages are made with. It starts no goroutine.
type Kit struct {
	Options
	API       *API
	catalogue catalogue
	static    *static
	sentences []sentence
	layout    *template.Template
	doors     []Door
	bodies    sync.Pool // of *bytes.Buffer, in which pages are made: they are large
	// stranger answers a form of somebody who is not signed in, with the templates of its room; nil where no room does.
	stranger          func(*Visit) error
	strangerTemplates *template.Template
	// A token for each large form that is being read: of those who are signed in, and of strangers, who must not keep the others out.
	uploads, strangersUploads chan struct{}
}

// Door is a way into a room of pages, shown at the head of every page to those who may enter.
type Door struct {
	Path string // "/desk"
	Word string // key of its name
	Icon string
	// Open tells who sees it; the actor is nil for somebody who is not signed in.
	Open func(*deskpb.Actor) bool
}

// Route is a page, or something that one does with it.
type Route struct {
	// Pattern is one of net/http, "GET /desk".
	Pattern string
	// Serve answers. An error that it returns is told to the visitor as a page, or as a part of one.
	Serve func(*Visit) error
	// Open lets in who is not signed in; the visit's actor is nil then.
	Open bool
}

// Room is a set of pages that belong together. Files hold templates/*.html and words.yaml.
type Room struct {
	Files  fs.FS
	Routes []Route
	Doors  []Door
	// Stranger answers a form that somebody has sent who is not signed in, or not any more, so that what was typed is not lost. One room
	// has it; without it that person is led to the page for signing in.
	Stranger func(*Visit) error
}

// New makes a kit for rooms whose words it knows.
func New(o Options) (*Kit, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	k := &Kit{
		Options: o, API: newAPI(o.API), catalogue: catalogue{},
		uploads: make(chan struct{}, maxUploads), strangersUploads: make(chan struct{}, maxStrangersUploads),
	}
	if err := k.catalogue.read(files, "words.yaml"); err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	var err error
	if k.sentences, err = readSentences(files, sentenceFiles()...); err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	if k.static, err = newStatic(files); err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	if k.layout, err = template.New("").Funcs(k.functions()).ParseFS(files, "templates/*.html"); err != nil {
		return nil, fmt.Errorf("page: parse the templates: %w", err)
	}
	k.bodies.New = func() any { return new(bytes.Buffer) }
	k.Logger = o.Logger.With("component", "web")
	return k, nil
}

// Add puts the pages of a room on a mux. All rooms are added before any page is served.
func (k *Kit) Add(mux *http.ServeMux, room Room) error {
	if err := k.catalogue.read(room.Files, "words.yaml"); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	templates, err := template.Must(k.layout.Clone()).ParseFS(room.Files, "templates/*.html")
	if err != nil {
		return fmt.Errorf("page: parse the templates: %w", err)
	}
	k.doors = slices.Concat(k.doors, room.Doors)
	if room.Stranger != nil {
		k.stranger, k.strangerTemplates = room.Stranger, templates
	}
	for _, route := range room.Routes {
		mux.HandleFunc(route.Pattern, func(w http.ResponseWriter, r *http.Request) { k.serve(w, r, route, templates) })
	}
	return nil
}

// AddStatic puts the files that browsers load on a mux.
func (k *Kit) AddStatic(mux *http.ServeMux) {
	mux.HandleFunc("GET /static/{stamp}/{name...}", k.static.serve)
}

// functions are what templates call.
func (k *Kit) functions() template.FuncMap {
	return template.FuncMap{
		"static": func(name string) (string, error) { return k.static.path(name) },
		"icon":   k.icon,
		"dict":   dict,
	}
}

// icon is a picture of the set, beside a word that says the same.
func (k *Kit) icon(name string) (template.HTML, error) {
	path, err := k.static.path("vendor/icons.svg")
	if err != nil {
		return "", err
	}
	return template.HTML(`<svg class="icon" aria-hidden="true" focusable="false"><use href="` + path + `#` +
		template.HTMLEscapeString(name) + `"></use></svg>`), nil
}

// dict makes one value of several for a template that another one calls: names and values in turn.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errors.New("dict: a name has no value")
	}
	made := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", pairs[i])
		}
		made[name] = pairs[i+1]
	}
	return made, nil
}

// may tells whether an actor may do something at all.
func may(actor *deskpb.Actor, verb desk.Verb) bool {
	return actor != nil && desk.May(actor, verb) == nil
}
