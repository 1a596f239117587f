package manage

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// publicationsShown is how many documents a page of the list shows.
const publicationsShown = 50

func publicationRoutes() []page.Route {
	return slices.Concat([]page.Route{
		{Pattern: "GET /admin/publications", Serve: servePublications},
		{Pattern: "GET /admin/publications/{publisher}/{kind}/{name}", Serve: servePublication},
	}, removePublication().routes())
}

// publicationsPage lists the documents that this site has published or received.
type publicationsPage struct {
	shelf
	Publications []publicationRow
	Pager        pager
}

type publicationRow struct {
	Path, Publisher, Kind, Name, Title, Actor, Size string
	Version                                         uint64
	Time                                            page.Moment
	Removed                                         bool
}

func newPublicationRow(v *page.Visit, p *apipb.Publication) publicationRow {
	row := publicationRow{
		Path:      "/admin/publications/" + url.PathEscape(p.GetPublisher()) + "/" + url.PathEscape(p.GetKind()) + "/" + url.PathEscape(p.GetName()),
		Publisher: v.SiteNamed(p.GetPublisher()), Kind: p.GetKind(), Name: p.GetName(), Title: cmp.Or(p.GetTitle(), p.GetName()), Actor: cmp.Or(p.GetActorName(), p.GetActor()),
		Size: bytesShown(int64(p.GetSize())), Version: p.GetVersion(), Time: v.Time(p.GetTime()), Removed: p.GetRemoved(),
	}
	if key := "admin.kind." + p.GetKind(); v.Has(key) {
		row.Kind = v.Word(key)
		if p.GetTitle() == "" && p.GetName() == p.GetKind() {
			row.Title = row.Kind
		}
	}
	return row
}

func servePublications(v *page.Visit) error {
	answer, err := v.API.Publications.ListPublications(v.Ctx(), &apipb.ListPublicationsRequest{PageSize: publicationsShown, PageToken: v.Query("after")})
	if err != nil {
		return err
	}
	shown := publicationsPage{
		shelf: newShelf(v, v.Word("admin.publications")),
		Pager: newPager(v, "/admin/publications", url.Values{}, v.Query("after"), answer.GetNextPageToken()),
	}
	for _, publication := range answer.GetPublications() {
		shown.Publications = append(shown.Publications, newPublicationRow(v, publication))
	}
	return v.Render(http.StatusOK, "publications.html", shown)
}

// publicationPage shows a document, and which version of it each site below has.
type publicationPage struct {
	shelf
	Document   publicationRow
	Facts      []fact
	Text       string // of a document that is text
	Deliveries []deliveryRow
	Remove     bool
}

type deliveryRow struct {
	Site  string
	State page.Mark
	Time  page.Moment
}

func servePublication(v *page.Visit) error {
	publisher, kind, name := v.R.PathValue("publisher"), v.R.PathValue("kind"), v.R.PathValue("name")
	document, err := v.API.Publications.GetPublication(v.Ctx(), &apipb.GetPublicationRequest{Publisher: publisher, Kind: kind, Name: name})
	if err != nil {
		return err
	}
	deliveries, err := v.API.Publications.ListDeliveries(v.Ctx(), &apipb.ListDeliveriesRequest{Publisher: publisher, Kind: kind, Name: name})
	if err != nil {
		return err
	}
	row := newPublicationRow(v, document)
	shown := publicationPage{
		shelf: newShelf(v, row.Title), Document: row,
		Facts: []fact{
			{v.Word("admin.publication.publisher"), row.Publisher}, {v.Word("admin.publication.kind"), row.Kind},
			{v.Word("admin.publication.version"), v.Word("admin.publication.version-by", row.Version, row.Actor)},
			{v.Word("admin.audit.time"), row.Time.Clock}, {v.Word("admin.publication.size"), row.Size + " " + document.GetMediaType()},
		},
		Remove: v.May(desk.PublicationWrite) && publisher == v.SiteID && !row.Removed && kind != "policy",
	}
	if strings.HasPrefix(document.GetMediaType(), "text/") {
		shown.Text = strings.ToValidUTF8(string(document.GetBody()), "\uFFFD")
	}
	for _, delivery := range deliveries.GetDeliveries() {
		shown.Deliveries = append(shown.Deliveries, deliveryRow{
			Site: cmp.Or(delivery.GetSiteName(), v.SiteNamed(delivery.GetSite())), State: deliveryMark(v, delivery.GetState()), Time: v.Time(delivery.GetTime()),
		})
	}
	return v.Render(http.StatusOK, "publication.html", shown)
}

func deliveryMark(v *page.Visit, state apipb.Delivery_State) page.Mark {
	mark := page.Mark{Word: v.Word("admin.delivery." + state.String()), Shape: "○", Tone: "off"}
	switch state {
	case apipb.Delivery_DELIVERED:
		mark.Shape, mark.Tone = "●", "good"
	case apipb.Delivery_OUTDATED:
		mark.Shape, mark.Tone = "◐", "wait"
	}
	return mark
}

// removePublication takes a document back, here and at every site below.
func removePublication() deed {
	return deed{
		path: "/admin/publications/{publisher}/{kind}/{name}/remove", verb: desk.PublicationWrite,
		ask: func(v *page.Visit) (question, error) {
			document, err := v.API.Publications.GetPublication(v.Ctx(), &apipb.GetPublicationRequest{
				Publisher: v.R.PathValue("publisher"), Kind: v.R.PathValue("kind"), Name: v.R.PathValue("name"),
			})
			if err != nil {
				return question{}, err
			}
			row := newPublicationRow(v, document)
			return question{
				Title: v.Word("admin.take-back.title", row.Title), Button: v.Word("admin.take-back.button"), Back: row.Path, Danger: true,
				Consequences: []string{v.Word("admin.take-back.what", row.Title), v.Word("admin.take-back.kept")},
			}, nil
		},
		do: func(v *page.Visit, _ url.Values) (string, error) {
			_, err := v.API.Publications.RemovePublication(v.Ctx(), &apipb.RemovePublicationRequest{Kind: v.R.PathValue("kind"), Name: v.R.PathValue("name")})
			return "/admin/publications?done=admin-take-back", err
		},
	}
}
