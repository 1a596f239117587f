package support

import (
	"net/http"

	"github.com/tierdesk/tierdesk/node/web/page"
)

// place is a part of the support site whose content comes from elsewhere. While it has none, the way there says so, and who goes there is
// told what it is for and where to go instead.
type place struct{ path, icon, title, about string }

// places are the parts of the support site that have no content yet.
func places() []place {
	return []place{
		{path: "/help/faq", icon: "book", title: "help.faq", about: "help.faq.about"},
		{path: "/help/downloads", icon: "download", title: "help.downloads", about: "help.downloads.about"},
		{path: "/help/forum", icon: "messages", title: "help.forum", about: "help.forum.about"},
	}
}

// placeDoor is the way to a place.
type placeDoor struct{ Path, Icon, Title string }

func placeDoors(v *page.Visit) (doors []placeDoor) {
	for _, p := range places() {
		doors = append(doors, placeDoor{Path: p.path, Icon: p.icon, Title: v.Word(p.title)})
	}
	return doors
}

// placeRoutes show the places.
func placeRoutes() (routes []page.Route) {
	for _, p := range places() {
		routes = append(routes, page.Route{Pattern: "GET " + p.path, Serve: servePlace(p), Open: true})
	}
	return routes
}

// placePage is a place without content.
type placePage struct {
	page.Frame
	Icon, About string
}

func servePlace(p place) func(*page.Visit) error {
	return func(v *page.Visit) error {
		return v.Render(http.StatusOK, "help-place.html", placePage{Frame: frame(v, v.Word(p.title)), Icon: p.icon, About: v.Word(p.about)})
	}
}
