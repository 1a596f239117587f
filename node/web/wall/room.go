package wall

import (
	"embed"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

//go:embed templates words.yaml
var files embed.FS

// Room has the pages of this package.
func Room() page.Room {
	return page.Room{
		Files: files,
		Routes: []page.Route{
			{Pattern: "GET /wall", Serve: serveWall},
			{Pattern: "GET /wall/part", Serve: serveWallPart},
			{Pattern: "GET /leader", Serve: serveLeader},
			{Pattern: "GET /leader/offices/{site}", Serve: serveOffice},
		},
		Doors: []page.Door{
			{Path: "/leader", Word: "leader", Icon: "chart-bar", Open: mayLook},
			{Path: "/wall", Word: "wall", Icon: "device-tv", Open: mayLook},
		},
	}
}

// mayLook tells whether somebody sees how the offices stand.
func mayLook(a *deskpb.Actor) bool { return a != nil && desk.May(a, desk.SiteRead) == nil }
