package account

import (
	"embed"
	"strings"

	"github.com/tierdesk/tierdesk/node/web/page"
)

//go:embed templates words.yaml
var files embed.FS

// Room has the pages of this package.
func Room() page.Room {
	return page.Room{
		Files: files,
		Routes: []page.Route{
			{Pattern: "GET /me", Serve: serveMe},
			{Pattern: "GET /me/sessions", Serve: serveSessions},
			{Pattern: "POST /me/sessions/{id}/end", Serve: serveEndSession},
			{Pattern: "GET /me/sessions/end-others", Serve: serveAskEndOthers},
			{Pattern: "POST /me/sessions/end-others", Serve: serveEndOthers},
			{Pattern: "GET /me/tokens", Serve: serveTokens},
			{Pattern: "POST /me/tokens", Serve: serveMakeToken},
			{Pattern: "POST /me/tokens/{id}/end", Serve: serveEndToken},
			{Pattern: "GET /me/second-factor", Serve: serveFactor},
			{Pattern: "POST /me/second-factor/enrol", Serve: serveEnrol},
			{Pattern: "POST /me/second-factor/confirm", Serve: serveConfirm},
			{Pattern: "POST /me/second-factor/remove", Serve: serveRemove},
		},
	}
}

// shelf is the frame of a page of this room, with the ways to the others beside it.
type shelf struct {
	page.Frame
	Sections []page.DoorShown
}

func newShelf(v *page.Visit, title string) shelf {
	s := shelf{Frame: v.Frame(title)}
	s.Styles = append(s.Styles, "manage.css")
	s.Scripts = append(s.Scripts, "manage.js")
	for _, to := range []page.DoorShown{
		{Path: "/me", Word: "me.profile", Icon: "user"},
		{Path: "/me/sessions", Word: "me.sessions", Icon: "device-desktop"},
		{Path: "/me/second-factor", Word: "me.factor", Icon: "device-mobile"},
		{Path: "/me/tokens", Word: "me.tokens", Icon: "key"},
	} {
		to.Word, to.Here = v.Word(to.Word), v.R.URL.Path == to.Path || to.Path != "/me" && strings.HasPrefix(v.R.URL.Path, to.Path+"/")
		s.Sections = append(s.Sections, to)
	}
	return s
}
