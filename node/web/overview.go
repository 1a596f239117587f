package web

import (
	"context"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// latestTickets is how many tickets the page shows.
const latestTickets = 50

// overviewPage tells how the site, its links and its latest tickets stand.
type overviewPage struct {
	frame
	Site    bool     // whether the person may see more than tickets
	Banners []string // what to know at once: links that are down, and what the operator should look at
	Missing []string // parts that could not be read now
	Nodes   []nodeRow
	Links   []linkRow
	Sites   []siteRow
	Tickets []ticketRow
}

// mark is a state as people see it: a word with a shape and a colour, so that none of them is needed alone.
type mark struct {
	Word  string
	Shape string
	Tone  string // CSS class: good, wait, bad, calm or off
}

type nodeRow struct {
	ID      string
	Role    string
	Address string
	State   mark
}

type linkRow struct {
	Peer      string
	Direction string
	State     mark
	Since     string
	LastAck   string
	Pending   int32
	Queued    int32
	Parked    int32
	Reason    string
}

type siteRow struct {
	Name  string
	Tier  string
	Nodes int
	State mark
	Here  bool
}

type ticketRow struct {
	Number   string
	Title    string
	State    mark
	Priority int32
	Line     string
	Where    string
	Move     mark // the hand-over under way; no word when there is none
	Updated  string
}

// overview puts the page together, for who may not see the site itself of the tickets alone. A part that cannot be read is named
// on the page and logged; the rest is shown.
func (p *Pages) overview(ctx context.Context, f frame, actor *deskpb.Actor) overviewPage {
	page := overviewPage{frame: f, Site: desk.May(actor, desk.SiteRead) == nil}
	missing := func(part string, err error) {
		p.log.Warn("read a part of the overview", "part", part, "error", err)
		page.Missing = append(page.Missing, f.Word("missing."+part))
	}
	names := siteNames{f.SiteID: f.SiteName}
	known, err := p.desk.Sites(ctx)
	if err != nil {
		missing("sites", err)
	}
	names.learn(known.GetSites())
	if page.Site {
		page.Sites = siteRows(f, known.GetSites())
		here, err := p.desk.Overview(ctx)
		if err != nil {
			missing("site", err)
		}
		page.Nodes = nodeRows(f, here)
		page.Links = linkRows(f, names, here.GetLinks())
		if err == nil {
			page.Banners = banners(f, names, here)
		}
	}
	tickets, err := p.desk.LatestTickets(ctx, actor, latestTickets)
	if err != nil {
		missing("tickets", err)
	}
	page.Tickets = ticketRows(f, names, tickets)
	return page
}

// siteNames knows the names of sites by id.
type siteNames map[string]string

func (n siteNames) learn(sites []*apipb.KnownSite) {
	for _, site := range sites {
		n[site.GetId()] = site.GetName()
	}
}

// full is a site's id and name; the id alone while the name is not known.
func (n siteNames) full(id string) string {
	if n[id] == "" {
		return id
	}
	return id + " " + n[id]
}

// banners says what needs to be known before anything else, calmly: a cut line does not stop the site.
func banners(f frame, names siteNames, here *apipb.GetSiteResponse) []string {
	var found []string
	for _, link := range here.GetLinks() {
		if link.GetState() != apipb.LinkStatus_DOWN {
			continue
		}
		key := "banner.down." + link.GetDirection().String()
		since := f.clock(link.GetSince())
		if since == "" {
			since = f.Word("never")
		}
		found = append(found, f.Word(key, names.full(link.GetPeer()), since, link.GetQueued()))
	}
	if here.GetLeader() == "" {
		found = append(found, f.Word("banner.no-leader"))
	}
	for _, major := range here.GetMajorIncidents() {
		found = append(found, f.Word("banner.major", major.GetNumber(), major.GetTitle(), names.full(major.GetCustodianSite()),
			f.clock(major.GetOpenTime())))
	}
	return append(append(lifeBanners(f, names, here), found...), here.GetAlarms()...)
}

// lifeBanners says that the site decides nothing, or not everything, and why.
func lifeBanners(f frame, names siteNames, here *apipb.GetSiteResponse) (found []string) {
	if here.GetFrozen() != "" {
		found = append(found, f.Word("banner.frozen", strings.TrimRight(here.GetFrozen(), ".。")))
	}
	recovering := here.GetRecovering()
	switch {
	case recovering == nil:
	case len(recovering.GetMissing()) == 0:
		found = append(found, f.Word("banner.recovered-soon", f.clock(recovering.GetSince())))
	default:
		var missing []string
		for _, peer := range recovering.GetMissing() {
			missing = append(missing, names.full(peer))
		}
		found = append(found, f.Word("banner.recovering", f.clock(recovering.GetSince()), strings.Join(missing, ", ")))
	}
	return found
}

func nodeRows(f frame, here *apipb.GetSiteResponse) []nodeRow {
	var rows []nodeRow
	for _, node := range here.GetNodes() {
		rows = append(rows, nodeRow{
			ID:      node.GetId(),
			Role:    f.Word("role." + node.GetRole().String()),
			Address: node.GetAddresses().GetHttp(),
			State:   aliveMark(f, node.GetAlive()),
		})
	}
	return rows
}

func aliveMark(f frame, alive bool) mark {
	if alive {
		return mark{Word: f.Word("alive"), Shape: "●", Tone: "good"}
	}
	return mark{Word: f.Word("not-seen"), Shape: "○", Tone: "off"}
}

func linkRows(f frame, names siteNames, links []*apipb.LinkStatus) []linkRow {
	var rows []linkRow
	for _, link := range links {
		rows = append(rows, linkRow{
			Peer:      names.full(link.GetPeer()),
			Direction: f.Word("direction." + link.GetDirection().String()),
			State:     linkMark(f, link.GetState()),
			Since:     f.clock(link.GetSince()),
			LastAck:   f.clock(link.GetLastAckTime()),
			Pending:   link.GetPending(),
			Queued:    link.GetQueued(),
			Parked:    link.GetParked(),
			Reason:    link.GetReason(),
		})
	}
	return rows
}

func linkMark(f frame, state apipb.LinkStatus_State) mark {
	found := mark{Word: f.Word("link." + state.String()), Shape: "○", Tone: "off"}
	switch state {
	case apipb.LinkStatus_UP:
		found.Shape, found.Tone = "●", "good"
	case apipb.LinkStatus_CATCHING_UP:
		found.Shape, found.Tone = "◐", "wait"
	case apipb.LinkStatus_DOWN:
		found.Shape, found.Tone = "▲", "bad"
	}
	return found
}

// siteRows lists the tree from the province down.
func siteRows(f frame, sites []*apipb.KnownSite) []siteRow {
	sorted := slices.Clone(sites)
	slices.SortStableFunc(sorted, func(a, b *apipb.KnownSite) int { return int(b.GetTier()) - int(a.GetTier()) })
	var rows []siteRow
	for _, site := range sorted {
		row := siteRow{
			Name:  site.GetId() + " " + site.GetName(),
			Tier:  f.Word("tier." + site.GetTier().String()),
			Nodes: len(site.GetNodes()),
			State: aliveMark(f, site.GetAlive()),
			Here:  site.GetId() == f.SiteID,
		}
		if since := f.clock(site.GetNotSeenSince()); !site.GetAlive() && since != "" {
			row.State.Word = f.Word("not-seen-since", since)
		}
		rows = append(rows, row)
	}
	return rows
}

func ticketRows(f frame, names siteNames, tickets []*deskpb.Ticket) []ticketRow {
	var rows []ticketRow
	for _, ticket := range tickets {
		rows = append(rows, ticketRow{
			Number:   ticket.GetNumber(),
			Title:    ticket.GetTitle(),
			State:    stateMark(f, ticket.GetState()),
			Priority: ticket.GetPriority(),
			Line:     f.Word("line." + ticket.GetLine().String()),
			Where:    where(names, ticket),
			Move:     moveMark(f, names, ticket),
			Updated:  f.clock(ticket.GetUpdateTime()),
		})
	}
	return rows
}

func stateMark(f frame, state deskpb.Ticket_State) mark {
	found := mark{Word: f.Word("state." + state.String()), Shape: "○", Tone: "calm"}
	switch state {
	case deskpb.Ticket_ASSIGNED:
		found.Shape = "◔"
	case deskpb.Ticket_IN_PROGRESS:
		found.Shape = "◐"
	case deskpb.Ticket_ON_HOLD:
		found.Shape, found.Tone = "‖", "wait"
	case deskpb.Ticket_RESOLVED:
		found.Shape, found.Tone = "◕", "good"
	case deskpb.Ticket_CLOSED:
		found.Shape, found.Tone = "●", "good"
	case deskpb.Ticket_CANCELED:
		found.Shape, found.Tone = "✕", "off"
	}
	return found
}

// moveMark says where a ticket is going. A hand-over to a higher line goes up, any other goes back towards its home.
func moveMark(f frame, names siteNames, ticket *deskpb.Ticket) mark {
	handover := ticket.GetHandover()
	way := "back"
	if handover.GetToLine() > ticket.GetLine() {
		way = "up"
	}
	switch handover.GetState() {
	case deskpb.Handover_QUEUED:
		return mark{Word: f.Word("move.queued."+way, names.full(handover.GetToSite())), Shape: "→", Tone: "wait"}
	case deskpb.Handover_IN_TRANSIT:
		return mark{Word: f.Word("move.transit."+way, names.full(handover.GetToSite())), Shape: "⇢", Tone: "calm"}
	}
	return mark{}
}

// where names the site that works the ticket; nobody does while it is in transit.
func where(names siteNames, ticket *deskpb.Ticket) string {
	if ticket.GetHandover().GetState() == deskpb.Handover_IN_TRANSIT {
		return ""
	}
	return names.full(ticket.GetCustodianSite())
}
