package wall

import (
	"net/http"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// wallPage is the wall 大屏: what a screen across the room shows.
type wallPage struct {
	page.Frame
	Figures []figure
	Picture pictured
	Today   string
	Moves   []move // the latest first
	Told    bool   // the moves are known
}

// serveWall shows the wall. A screen stays signed in as a user with the role LEADER: asking for the part every few seconds keeps the
// session in use, and it ends when it has lived as long as any session may. Then the wall says what to do and keeps its last picture.
func serveWall(v *page.Visit) error {
	shown, err := lookAtAll(v)
	if err != nil {
		return err
	}
	return v.Render(http.StatusOK, "wall.html", shown)
}

// serveWallPart shows what changes on the wall.
func serveWallPart(v *page.Visit) error {
	shown, err := lookAtAll(v)
	if err != nil {
		return err
	}
	return v.Render(http.StatusOK, "wall-update", shown)
}

// lookAtAll finds out how this office and all below it stand. Where the figures cannot be told the picture is shown without them.
func lookAtAll(v *page.Visit) (*wallPage, error) {
	if err := desk.May(v.Actor, desk.SiteRead); err != nil {
		return nil, err
	}
	figures, err := figuresOf(v, []string{"*"}, 1)
	if err != nil {
		return nil, err
	}
	shown := &wallPage{Frame: v.Frame(v.Word("wall.title", v.SiteName)), Today: v.Now().Format(time.DateOnly)}
	shown.Theme = "dark"
	shown.Styles, shown.Scripts = []string{"wall.css"}, []string{"wall.js"}
	shown.Figures = fiveFigures(v, of(figures.GetOffices()), figures != nil)
	shown.Picture = picture(v, figures.GetOffices())
	shown.Moves, shown.Told, err = recent(v)
	return shown, err
}

// figuresOf asks how offices stand and what they did on the last days; nil without an error when the site cannot tell at the moment.
func figuresOf(v *page.Visit, sites []string, days int32) (*apipb.GetFiguresResponse, error) {
	figures, err := v.API.Queues.GetFigures(v.Ctx(), &apipb.GetFiguresRequest{Sites: sites, Days: days})
	if told, err := understood(err); !told {
		return nil, err
	}
	return figures, nil
}
