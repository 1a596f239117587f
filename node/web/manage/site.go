package manage

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// parkedShown is how many items that were set aside the page shows.
const parkedShown = 50

func siteRoutes() []page.Route {
	routes := []page.Route{
		{Pattern: "GET /admin/site", Serve: serveSite},
		{Pattern: "GET /admin/site/diagnosis", Serve: serveDiagnosis},
	}
	return slices.Concat(routes, transferLeadership().routes(), removeNode().routes(), retryParked().routes())
}

// sitePage tells how this site stands.
type sitePage struct {
	shelf
	Facts   []fact
	Alarms  []string
	Denials []denialRow // audit logs below that were rewritten, which the visitor may acknowledge
	Nodes   []nodeRow
	Links   []linkRow
	Parked  []parkedRow
	More    bool // more items are set aside than are shown
	Operate bool // whether the visitor may hand leadership on and remove nodes
	Retry   bool
}

// fact is a name with its value.
type fact struct{ Name, Value string }

type nodeRow struct {
	ID, Role, HTTP, GRPC, Raft string
	State                      page.Mark
	Leader                     bool
}

type linkRow struct {
	Peer, ID, Direction string
	State               page.Mark
	Since, LastAck      page.Moment
	Figures             []fact
	Reason              string
	Progress            string // of comparing; empty for nothing compared
}

type parkedRow struct {
	Peer, Reason, Ticket, Text string
	Sequence                   uint64
	Time                       page.Moment
}

func serveSite(v *page.Visit) error {
	here, err := v.API.Sites.GetSite(v.Ctx(), &apipb.GetSiteRequest{})
	if err != nil {
		return err
	}
	shown := sitePage{
		shelf: newShelf(v, v.Word("admin.site")), Facts: siteFacts(v, here), Alarms: sentences(v, here.GetAlarms()), Nodes: nodeRows(v, here),
		Operate: v.May(desk.SiteOperate), Retry: v.May(desk.ParkedRetry),
	}
	for _, link := range here.GetLinks() {
		shown.Links = append(shown.Links, newLinkRow(v, link))
	}
	if v.May(desk.AuditAcknowledge) {
		shown.Denials = denialRows(v, here.GetDenials())
	}
	parked, err := v.API.Sites.ListParked(v.Ctx(), &apipb.ListParkedRequest{PageSize: parkedShown})
	if err != nil {
		return err
	}
	for _, item := range parked.GetItems() {
		shown.Parked = append(shown.Parked, parkedRow{
			Peer: v.SiteNamed(item.GetPeer()), Sequence: item.GetSequence(), Reason: v.Sentence(item.GetReason()), Ticket: item.GetTicket(),
			Text: item.GetText(), Time: v.Time(item.GetTime()),
		})
	}
	shown.More = parked.GetNextPageToken() != ""
	return v.Render(http.StatusOK, "site.html", shown)
}

// siteFacts say what the site is and where its log stands.
func siteFacts(v *page.Visit, here *apipb.GetSiteResponse) []fact {
	found := []fact{
		{v.Word("admin.site.id"), here.GetSite().GetId()},
		{v.Word("admin.site.tier"), v.Word("tier." + here.GetSite().GetTier().String())},
	}
	if parent := here.GetSite().GetParent(); parent != "" {
		found = append(found, fact{v.Word("admin.site.parent"), v.SiteNamed(parent)})
	}
	found = append(found, fact{v.Word("admin.site.leader"), cmp.Or(here.GetLeader(), v.Word("admin.site.no-leader"))},
		fact{v.Word("admin.site.log"), v.Word("admin.site.log-at", here.GetAppliedIndex(), here.GetTerm())})
	if here.GetIncarnation() != "" {
		found = append(found, fact{v.Word("admin.site.life"), here.GetIncarnation()})
	}
	if here.GetLetters() != "" {
		found = append(found, fact{v.Word("admin.site.letters"), here.GetLetters()})
	}
	return found
}

func nodeRows(v *page.Visit, here *apipb.GetSiteResponse) (rows []nodeRow) {
	for _, node := range here.GetNodes() {
		rows = append(rows, nodeRow{
			ID: node.GetId(), Role: v.Word("admin.node." + node.GetRole().String()), State: v.Alive(node.GetAlive()),
			HTTP: node.GetAddresses().GetHttp(), GRPC: node.GetAddresses().GetGrpc(), Raft: node.GetAddresses().GetRaft(),
			Leader: node.GetRole() == apipb.Node_LEADER,
		})
	}
	return rows
}

func newLinkRow(v *page.Visit, link *apipb.LinkStatus) linkRow {
	row := linkRow{
		Peer: v.SiteNamed(link.GetPeer()), ID: link.GetPeer(), Direction: v.Word("admin.direction." + link.GetDirection().String()),
		State: v.Link(link.GetState()), Since: v.Time(link.GetSince()), LastAck: v.Time(link.GetLastAckTime()), Reason: v.Sentence(link.GetReason()),
		Figures: []fact{
			{v.Word("admin.link.pending"), fmt.Sprint(link.GetPending())}, {v.Word("admin.link.queued"), fmt.Sprint(link.GetQueued())},
			{v.Word("admin.link.transit"), fmt.Sprint(link.GetInTransit())}, {v.Word("admin.link.parked"), fmt.Sprint(link.GetParked())},
			{v.Word("admin.link.sent"), bytesShown(link.GetSentBytes())}, {v.Word("admin.link.received"), bytesShown(link.GetReceivedBytes())},
		},
	}
	if oldest := v.Time(link.GetOldestPendingTime()); oldest.Ago != "" {
		row.Figures = append(row.Figures, fact{v.Word("admin.link.oldest"), oldest.Ago})
	}
	if link.GetEstimate() != nil {
		row.Figures = append(row.Figures, fact{v.Word("admin.link.estimate"), v.Span(max(link.GetEstimate().AsDuration(), time.Minute))})
	}
	if link.GetNode() != "" {
		row.Figures = append(row.Figures, fact{v.Word("admin.link.node"), link.GetNode()})
	}
	if link.GetComparing() {
		row.Progress = v.Word("admin.link.comparing", link.GetCompared(), link.GetToCompare())
	}
	return row
}

// bytesShown is an amount of bytes as people read it.
func bytesShown(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}

// diagnosisPage is what the nodes found when they looked at themselves and at the site.
type diagnosisPage struct {
	shelf
	Bad  []finding
	Good []finding
}

type finding struct {
	Mark                      page.Mark
	Node, What, Words, Remedy string
}

// serveDiagnosis shows what was found, as a part of the site's page or as a page of its own.
func serveDiagnosis(v *page.Visit) error {
	found, err := v.API.Sites.DiagnoseSite(v.Ctx(), &apipb.DiagnoseSiteRequest{})
	if err != nil {
		return err
	}
	shown := diagnosisPage{shelf: newShelf(v, v.Word("admin.diagnosis"))}
	for _, check := range found.GetChecks() {
		if check.GetState() == apipb.Check_OK {
			shown.Good = append(shown.Good, newFinding(v, check))
		} else {
			shown.Bad = append(shown.Bad, newFinding(v, check))
		}
	}
	if v.Partial() {
		return v.Render(http.StatusOK, "findings", shown)
	}
	return v.Render(http.StatusOK, "diagnosis.html", shown)
}

func newFinding(v *page.Visit, check *apipb.Check) finding {
	found := finding{
		Mark: page.Mark{Word: v.Word("admin.check." + check.GetState().String()), Shape: "●", Tone: "good"},
		Node: check.GetNode(), What: check.GetName(), Words: v.Sentence(check.GetMessage()), Remedy: v.Sentence(check.GetRemedy()),
	}
	if key := "admin.check.name." + check.GetName(); v.Has(key) {
		found.What = v.Word(key)
	}
	switch check.GetState() {
	case apipb.Check_WARNING:
		found.Mark.Shape, found.Mark.Tone = "▲", "wait"
	case apipb.Check_FAILED:
		found.Mark.Shape, found.Mark.Tone = "✕", "bad"
	}
	return found
}

// transferLeadership hands the lead on.
func transferLeadership() deed {
	return deed{
		path: "/admin/site/transfer", verb: desk.SiteOperate,
		ask: func(v *page.Visit) (question, error) {
			here, err := v.API.Sites.GetSite(v.Ctx(), &apipb.GetSiteRequest{})
			asked := question{
				Title: v.Word("admin.transfer.title"), Button: v.Word("admin.transfer.button"), Back: "/admin/site",
				Consequences: []string{v.Word("admin.transfer.what", here.GetLeader()), v.Word("admin.transfer.pause")},
				Choose:       v.Word("admin.transfer.to"), Choices: []choice{{Word: v.Word("admin.transfer.any")}},
			}
			for _, node := range here.GetNodes() {
				if node.GetRole() == apipb.Node_FOLLOWER {
					asked.Choices = append(asked.Choices, choice{Value: node.GetId(), Word: node.GetId()})
				}
			}
			return asked, err
		},
		do: func(v *page.Visit, form url.Values) (string, error) {
			_, err := v.API.Sites.TransferLeadership(v.Ctx(), &apipb.TransferLeadershipRequest{Node: form.Get("choose")})
			return "/admin/site?done=admin-transfer", err
		},
	}
}

// removeNode takes a node out of the group that is gone for good.
func removeNode() deed {
	return deed{
		path: "/admin/site/nodes/{node}/remove", verb: desk.SiteOperate,
		ask: func(v *page.Visit) (question, error) {
			node := v.R.PathValue("node")
			return question{
				Title: v.Word("admin.remove-node.title", node), Button: v.Word("admin.remove-node.button", node), Back: "/admin/site",
				Consequences: []string{v.Word("admin.remove-node.what", node), v.Word("admin.remove-node.majority"), v.Word("admin.remove-node.undo")},
				Type:         node, Danger: true,
			}, nil
		},
		do: func(v *page.Visit, _ url.Values) (string, error) {
			_, err := v.API.Sites.RemoveNode(v.Ctx(), &apipb.RemoveNodeRequest{Node: v.R.PathValue("node")})
			return "/admin/site?done=admin-remove-node", err
		},
	}
}

// retryParked tries again to apply what was set aside.
func retryParked() deed {
	return deed{
		path: "/admin/site/retry", verb: desk.ParkedRetry,
		ask: func(v *page.Visit) (question, error) {
			return question{
				Title: v.Word("admin.retry.title"), Button: v.Word("admin.retry.button"), Back: "/admin/site",
				Consequences: []string{v.Word("admin.retry.what"), v.Word("admin.retry.again")},
			}, nil
		},
		do: func(v *page.Visit, _ url.Values) (string, error) {
			_, err := v.API.Recoveries.RetryParked(v.Ctx(), &apipb.RetryParkedRequest{})
			return "/admin/site?done=admin-retry", err
		},
	}
}
