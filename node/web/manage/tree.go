package manage

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

func treeRoutes() []page.Route {
	return slices.Concat([]page.Route{{Pattern: "GET /admin/tree", Serve: serveTree}}, moveSite().routes(), closeSite().routes())
}

// treePage shows every office of the tree that is known here.
type treePage struct {
	shelf
	Offices []office
	Moves   bool // whether the visitor may move offices here
}

// office is a site in the tree, below the one that stands before it with a smaller depth.
type office struct {
	ID, Name, Tier string
	Depth          int // from 0, the province
	Here           bool
	State          page.Mark
	Nodes          int
	Place          string // what is under way; empty for nothing
	Why            string // why it was placed there last, and by whom
	Placed         page.Moment
	City           bool // it can be closed
	Top            bool // it stays where it is
}

func serveTree(v *page.Visit) error {
	known, err := v.API.Sites.ListSites(v.Ctx(), &apipb.ListSitesRequest{})
	if err != nil {
		return err
	}
	placed, err := v.API.Tree.ListTree(v.Ctx(), &apipb.ListTreeRequest{})
	if err != nil {
		return err
	}
	if v.Tier == apipb.Site_PROVINCE { // whose people place the offices; no other site knows what they are called
		people, err := readColleagues(v, &holding{})
		if err != nil {
			return err
		}
		for _, place := range placed.GetPlaces() {
			place.Actor = people.find(place.GetActor()).Name
		}
	}
	return v.Render(http.StatusOK, "tree.html", treePage{
		shelf: newShelf(v, v.Word("admin.tree")), Offices: offices(v, known.GetSites(), placed.GetPlaces()),
		Moves: v.May(desk.TreeMove) && v.Tier == apipb.Site_PROVINCE,
	})
}

// offices lays the tree out, from the top down, each office below its parent. An office whose parent is not known stands at the top.
func offices(v *page.Visit, sites []*apipb.KnownSite, places []*apipb.Place) []office {
	alive := map[string]*apipb.KnownSite{}
	for _, site := range sites {
		alive[site.GetId()] = site
	}
	below, known := map[string][]*apipb.Place{}, map[string]bool{}
	for _, place := range places {
		known[place.GetSite()] = true
	}
	for _, place := range places {
		parent := place.GetParent()
		if !known[parent] || parent == place.GetSite() {
			parent = ""
		}
		below[parent] = append(below[parent], place)
	}
	var found []office
	shown := map[string]bool{}
	var add func(parent string, depth int)
	add = func(parent string, depth int) {
		for _, place := range below[parent] {
			if shown[place.GetSite()] {
				continue
			}
			shown[place.GetSite()] = true
			found = append(found, newOffice(v, place, alive[place.GetSite()], depth))
			add(place.GetSite(), depth+1)
		}
	}
	add("", 0)
	return found
}

func newOffice(v *page.Visit, place *apipb.Place, site *apipb.KnownSite, depth int) office {
	id := place.GetSite()
	made := office{
		ID: id, Name: cmp.Or(place.GetName(), site.GetName(), id), Tier: v.Word("tier." + place.GetTier().String()), Depth: depth,
		Here: id == v.SiteID, State: v.Alive(site.GetAlive()), Nodes: len(site.GetNodes()), Placed: v.Time(place.GetTime()),
		City: place.GetTier() == apipb.Site_CITY && place.GetPhase() == apipb.Place_PLACED, Top: place.GetTier() == apipb.Site_PROVINCE,
	}
	if since := v.Time(site.GetNotSeenSince()); !site.GetAlive() && since.Clock != "" {
		made.State.Word = v.Word("admin.tree.not-seen-since", since.Clock)
	}
	if place.GetActor() != "" {
		made.Why = v.Word("admin.tree.why", place.GetActor(), place.GetReason())
	}
	switch place.GetPhase() {
	case apipb.Place_LEAVING:
		made.Place = v.Word("admin.tree.LEAVING", v.SiteNamed(place.GetNextParent()), place.GetTickets(), v.SiteNamed(place.GetHolder()))
	case apipb.Place_CLOSING:
		made.Place = v.Word("admin.tree.CLOSING", place.GetTickets(), v.SiteNamed(place.GetHolder()))
	case apipb.Place_FOLLOWING:
		made.Place = v.Word("admin.tree.FOLLOWING", v.SiteNamed(place.GetParent()))
	case apipb.Place_CLOSED:
		made.Place, made.State = v.Word("admin.tree.CLOSED"), page.Mark{Word: v.Word("admin.tree.CLOSED"), Shape: "✕", Tone: "off"}
	}
	return made
}

// placeOf returns the place of an office, and all others.
func placeOf(v *page.Visit, id string) (*apipb.Place, []*apipb.Place, error) {
	placed, err := v.API.Tree.ListTree(v.Ctx(), &apipb.ListTreeRequest{})
	if err != nil {
		return nil, nil, err
	}
	for _, place := range placed.GetPlaces() {
		if place.GetSite() == id {
			return place, placed.GetPlaces(), nil
		}
	}
	return nil, nil, desk.Refuse(desk.NotFound, "SITE_NOT_FOUND", "there is no site %.64q in the tree", id)
}

// moveSite puts an office below another parent.
func moveSite() deed {
	return deed{
		path: "/admin/tree/{site}/move", verb: desk.TreeMove,
		ask: func(v *page.Visit) (question, error) {
			place, all, err := placeOf(v, v.R.PathValue("site"))
			if err != nil {
				return question{}, err
			}
			name, parent := cmp.Or(place.GetName(), place.GetSite()), v.SiteNamed(place.GetParent())
			asked := question{
				Title: v.Word("admin.move.title", name), Button: v.Word("admin.move.button"), Back: "/admin/tree",
				Consequences: []string{v.Word("admin.move.what", name, parent), v.Word("admin.move.tickets", parent), v.Word("admin.move.undo")},
				Choose:       v.Word("admin.move.to"), Reason: true, Lost: v.Word("admin.move.lost", parent),
			}
			for _, to := range all {
				if to.GetTier() > place.GetTier() && to.GetSite() != place.GetParent() && to.GetPhase() == apipb.Place_PLACED {
					asked.Choices = append(asked.Choices, choice{Value: to.GetSite(), Word: cmp.Or(to.GetName(), to.GetSite())})
				}
			}
			if len(asked.Choices) == 0 {
				return question{}, desk.Refuse(desk.FailedPrecondition, "NO_OTHER_PARENT", "there is no other site that %s could stand below", name)
			}
			return asked, nil
		},
		do: func(v *page.Visit, form url.Values) (string, error) {
			_, err := v.API.Tree.MoveSite(v.Ctx(), &apipb.MoveSiteRequest{
				Site: v.R.PathValue("site"), Parent: form.Get("choose"), Reason: form.Get("reason"), Now: form.Get("now") == "yes",
			})
			return "/admin/tree?done=admin-move", err
		},
	}
}

// closeSite closes a city.
func closeSite() deed {
	return deed{
		path: "/admin/tree/{site}/close", verb: desk.TreeMove,
		ask: func(v *page.Visit) (question, error) {
			place, _, err := placeOf(v, v.R.PathValue("site"))
			name := cmp.Or(place.GetName(), place.GetSite())
			return question{
				Title: v.Word("admin.close.title", name), Button: v.Word("admin.close.button", name), Back: "/admin/tree",
				Consequences: []string{v.Word("admin.close.what", name), v.Word("admin.close.offices", name), v.Word("admin.close.undo")},
				Reason:       true, Lost: v.Word("admin.close.lost", name), Type: place.GetSite(), Danger: true,
			}, err
		},
		do: func(v *page.Visit, form url.Values) (string, error) {
			_, err := v.API.Tree.CloseSite(v.Ctx(), &apipb.CloseSiteRequest{
				Site: v.R.PathValue("site"), Reason: form.Get("reason"), Now: form.Get("now") == "yes",
			})
			return "/admin/tree?done=admin-close", err
		},
	}
}
