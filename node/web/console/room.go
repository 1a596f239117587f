package console

import (
	"embed"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

//go:embed templates words.yaml
var files embed.FS

// Room has the pages of this package.
func Room() page.Room {
	return page.Room{
		Files:  files,
		Routes: slices.Concat(deskRoutes(), ticketRoutes(), callRoutes()),
		Doors: []page.Door{{
			Path: "/desk", Word: "desk", Icon: "inbox",
			Open: func(a *deskpb.Actor) bool { return a != nil && desk.May(a, desk.TicketPreview) == nil },
		}},
	}
}
