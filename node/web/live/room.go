package live

import (
	"embed"
	"time"

	"github.com/tierdesk/tierdesk/node/web/page"
)

//go:embed templates words.yaml
var files embed.FS

// Options make the Room.
type Options struct {
	// Hub says what changes; nil: nothing does.
	Hub *Hub
	// Present are those who are at tickets; nil: those who say so at this node.
	Present *Registry
	// Spread passes a sign on to the other nodes of the site; it does not wait. nil: there are none.
	Spread func(Sign)
}

// room is what the handlers of this package share.
type room struct{ Options }

// Room has the pages of this package.
func Room(o Options) page.Room {
	if o.Hub == nil {
		o.Hub = NewHub(time.Now)
	}
	if o.Present == nil {
		o.Present = NewRegistry(time.Now)
	}
	if o.Spread == nil {
		o.Spread = func(Sign) {}
	}
	r := &room{o}
	return page.Room{Files: files, Routes: []page.Route{
		{Pattern: "GET /live", Serve: r.serveLive, Open: true}, // which answers strangers by itself: a stream is no page
		{Pattern: "GET /part/line", Serve: serveLine},
		{Pattern: "GET /part/notices", Serve: serveBell},
		{Pattern: "GET /notices", Serve: serveNotices},
		{Pattern: "POST /notices", Serve: serveMarkNotices},
		{Pattern: "GET /t/{number}/presence", Serve: r.servePresence},
		{Pattern: "POST /t/{number}/presence", Serve: r.serveSign},
	}}
}
