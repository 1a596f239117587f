package support

import (
	"embed"
	"slices"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

//go:embed templates words.yaml
var files embed.FS

// Room has the pages of this package.
func Room() page.Room {
	return page.Room{
		Files: files,
		Routes: slices.Concat(placeRoutes(), []page.Route{
			{Pattern: "GET /help", Serve: serveHome, Open: true},
			{Pattern: "GET /help/answers", Serve: serveAnswers, Open: true},
			{Pattern: "GET /help/new", Serve: serveNew, Open: true},
			{Pattern: "POST /help/new", Serve: serveReport, Open: true},
			{Pattern: "GET /help/find", Serve: serveFind, Open: true},
			{Pattern: "POST /help/find", Serve: serveOpen, Open: true},
			{Pattern: "GET /help/mine", Serve: serveMine, Open: true},

			{Pattern: "GET /help/t/{number}", Serve: serveProblem, Open: true},
			{Pattern: "GET /help/t/{number}/part", Serve: servePart},
			{Pattern: "GET /help/t/{number}/files/{id}", Serve: serveFile, Open: true},
			{Pattern: "GET /help/t/{number}/{verb}", Serve: serveAsk, Open: true},
			{Pattern: "POST /help/t/{number}/{verb}", Serve: serveAct},
			{Pattern: "GET /help/s/{token}", Serve: serveSurvey, Open: true},
			{Pattern: "POST /help/s/{token}", Serve: serveAnswerSurvey, Open: true},
			{Pattern: "GET /help/p/{token}", Serve: serveProblem, Open: true},
			{Pattern: "GET /help/p/{token}/part", Serve: servePart, Open: true},
			{Pattern: "GET /help/p/{token}/files/{id}", Serve: serveFile, Open: true},
			{Pattern: "GET /help/p/{token}/{verb}", Serve: serveAsk, Open: true},
			{Pattern: "POST /help/p/{token}/{verb}", Serve: serveAct, Open: true},
		}),
		Doors: []page.Door{{
			Path: "/help", Word: "help", Icon: "help",
			Open: func(*deskpb.Actor) bool { return true },
		}},
	}
}

// frame is the frame of a page of this room.
func frame(v *page.Visit, title string) page.Frame {
	f := v.Frame(title)
	f.Styles = []string{"support.css"}
	f.Scripts = []string{"compose.js", "support.js"}
	return f
}
