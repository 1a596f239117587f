package manage

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// auditPageSize is how many entries of the log a page shows.
const auditPageSize = 50

func auditRoutes() []page.Route {
	routes := []page.Route{
		{Pattern: "GET /admin/audit", Serve: serveAudit},
		{Pattern: "GET /admin/audit/verify", Serve: serveVerify},
		{Pattern: "GET /admin/audit/checkpoints", Serve: serveCheckpoints},
	}
	return slices.Concat(routes, acknowledgeDenial().routes())
}

// auditPage is a page of the log, the newest entry first.
type auditPage struct {
	shelf
	Search  auditSearch
	Actions []choice
	Entries []auditRow
	Failed  string
	Pager   pager
}

// auditSearch is what somebody looks for in the log; what is empty fits all.
type auditSearch struct {
	Actor, Action, Object, Outcome, Address string
	From, To                                string // days, as they were typed
	WrongActor, WrongFrom, WrongTo          string // what is wrong with them; empty for nothing
	Meant                                   string // who is meant by a part of a name; empty for what needs no explanation
	People                                  colleagues
	user, name                              string // whose entries are looked for: a user's, or of those who were called by a name
	since, until                            time.Time
}

// Wrong tells whether something that was typed cannot be looked for.
func (s auditSearch) Wrong() bool { return s.WrongActor+s.WrongFrom+s.WrongTo != "" }

type auditRow struct {
	Sequence                              uint32
	Time                                  page.Moment
	User                                  string // who acted; empty for the site itself
	Name                                  string // how the person was called; empty where nobody knows
	Others                                string // the address of all that the person did
	Role, Address, Action, Object         string
	Outcome                               page.Mark
	Reason, Node, Session, Hash, Previous string
	Count                                 uint32
	Changes                               []*apipb.AuditChange
}

// auditActions are the actions that a search offers, in the order of the log's words.
func auditActions() []string {
	return []string{
		"session.create", "session.end", "session.revoke", "token.create", "token.revoke", "user.lock", "user.unlock", "user.create", "user.update",
		"user.delete", "own.second-factor", "policy.apply", "publication.put", "publication.remove", "requester.create", "requester.update",
		"requester.delete", "call-back.record", "duty.set", "tree.move", "tree.close", "site.found", "site.recover", "site.freeze", "site.remove-node",
		"site.backup", "parked.retry", "ticket.override", "ticket.reveal", "audit.read", "audit.verify", "audit.export",
		"audit.dropped", "audit.contradicted", "audit.acknowledge",
	}
}

// actionShown is an action in words; the log's own word where there is none.
func actionShown(v *page.Visit, action string) string {
	if key := "admin.action." + action; v.Has(key) {
		return v.Word(key)
	}
	return action
}

func serveAudit(v *page.Visit) error {
	query := v.R.URL.Query()
	search := auditSearch{
		Actor: strings.TrimSpace(v.Query("actor")), Action: v.Query("action"), Object: strings.TrimSpace(v.Query("object")),
		Outcome: v.Query("outcome"), Address: strings.TrimSpace(v.Query("address")),
		From: strings.TrimSpace(v.Query("from")), To: strings.TrimSpace(v.Query("to")),
	}
	search.readDays(v)
	var err error
	if search.People, err = readColleagues(v, &holding{}); err != nil {
		return err
	}
	if err := search.findActor(v); err != nil {
		return err
	}
	shown := auditPage{shelf: newShelf(v, v.Word("admin.audit")), Search: search}
	shown.Actions = append([]choice{{Word: v.Word("admin.audit.any-action")}},
		choices(auditActions(), func(action string) string { return actionShown(v, action) }, search.Action)...)
	if search.Wrong() {
		return v.Render(http.StatusBadRequest, "audit.html", shown)
	}
	answer, err := v.API.Audits.ListAudit(v.Ctx(), &apipb.ListAuditRequest{
		Filter: search.filter(), PageSize: auditPageSize, PageToken: v.Query("after"), NewestFirst: true,
	})
	status := http.StatusOK
	if err != nil {
		problem, told := refused(v, err)
		if !told {
			return err
		}
		shown.Failed, status = problem.Text, problem.Status
	}
	for _, entry := range answer.GetEntries() {
		shown.Entries = append(shown.Entries, newAuditRow(v, entry))
	}
	query.Del("lang")
	shown.Pager = newPager(v, "/admin/audit", query, v.Query("after"), answer.GetNextPageToken())
	return v.Render(status, "audit.html", shown)
}

// readDays reads the days of the search, which are those of the visitor's zone, the last one included, and says what is wrong with them.
func (s *auditSearch) readDays(v *page.Visit) {
	day := func(typed string) (at time.Time, wrong string) {
		if typed == "" {
			return at, ""
		}
		at, err := time.ParseInLocation(time.DateOnly, typed, v.Zone())
		if err != nil {
			return at, v.Word("admin.audit.no-day")
		}
		return at, ""
	}
	s.since, s.WrongFrom = day(s.From)
	s.until, s.WrongTo = day(s.To)
	if s.WrongFrom == "" && !s.until.IsZero() && s.until.Before(s.since) {
		s.WrongTo = v.Word("admin.audit.days-crossed")
	}
}

// filter is the search in the language of the log.
func (s auditSearch) filter() string {
	var conditions []string
	for _, c := range []struct{ field, value string }{
		{"actor", s.user}, {"actorName", s.name}, {"action", s.Action}, {"object", s.Object}, {"outcome", s.Outcome}, {"address", s.Address},
	} {
		if c.value != "" {
			conditions = append(conditions, c.field+" = "+strconv.Quote(c.value))
		}
	}
	if !s.since.IsZero() {
		conditions = append(conditions, `time >= "`+s.since.UTC().Format(time.RFC3339)+`"`)
	}
	if !s.until.IsZero() {
		conditions = append(conditions, `time < "`+s.until.AddDate(0, 0, 1).UTC().Format(time.RFC3339)+`"`)
	}
	return strings.Join(conditions, " AND ")
}

func newAuditRow(v *page.Visit, entry *apipb.AuditEntry) auditRow {
	row := auditRow{
		Sequence: entry.GetSequence(), Time: v.Time(entry.GetTime()), User: entry.GetActor(), Name: nameBeside(entry.GetActorName(), entry.GetActor()),
		Address: entry.GetAddress(), Action: actionShown(v, entry.GetAction()), Object: entry.GetObject(), Outcome: outcome(v, entry.GetOutcome()),
		Reason: entry.GetReason(), Node: entry.GetNode(), Session: entry.GetSession(), Hash: entry.GetHash(), Previous: entry.GetPrevious(),
		Count: entry.GetCount(), Changes: entry.GetChanges(),
	}
	if entry.GetRole() != "" {
		row.Role = v.Word("user-role." + entry.GetRole())
	}
	if row.User != "" {
		row.Others = "/admin/audit?" + url.Values{"actor": {row.User}}.Encode()
	}
	return row
}

// outcome marks how something that stands in the log ended.
func outcome(v *page.Visit, name string) page.Mark {
	switch name {
	case "DONE":
		return page.Mark{Word: v.Word("admin.outcome.DONE"), Shape: "●", Tone: "good"}
	case "REFUSED":
		return page.Mark{Word: v.Word("admin.outcome.REFUSED"), Shape: "✕", Tone: "wait"}
	}
	return page.Mark{Word: v.Word("admin.outcome.unknown"), Shape: "○", Tone: "off"}
}

// verifyPage tells how a walk through a part of the chain went.
type verifyPage struct {
	shelf
	Well                   bool
	From, Through          uint32
	Checkpoints, Witnessed uint32
	Hash                   string
	Problems, Remarks      []string
	Next                   string // the address of the next part; empty at the end
}

// serveVerify walks through a part of the chain, and leads on to the next one.
func serveVerify(v *page.Visit) error {
	from := uint64(1)
	if given := v.Query("from"); given != "" {
		var err error
		if from, err = strconv.ParseUint(given, 10, 32); err != nil {
			return desk.RefuseField("from", "%.20q is no entry of the log", given)
		}
	}
	report, err := v.API.Audits.VerifyAudit(v.Ctx(), &apipb.VerifyAuditRequest{FromSequence: uint32(from)})
	if err != nil {
		return err
	}
	shown := verifyPage{
		shelf: newShelf(v, v.Word("admin.verify")), Well: len(report.GetProblems()) == 0, From: uint32(from),
		Through: uint32(from) + report.GetEntries() - 1, Checkpoints: report.GetCheckpoints(), Witnessed: report.GetWitnessed(),
		Hash: report.GetHash(), Problems: sentences(v, report.GetProblems()), Remarks: sentences(v, report.GetRemarks()),
	}
	if next := report.GetNextSequence(); next != 0 {
		shown.Next = fmt.Sprintf("/admin/audit/verify?from=%d", next)
	}
	return v.Render(http.StatusOK, "verify.html", shown)
}

// sentences says what the API says, in the visitor's language.
func sentences(v *page.Visit, told []string) (said []string) {
	for _, sentence := range told {
		said = append(said, v.Sentence(sentence))
	}
	return said
}

// checkpointsPage lists the signed checkpoints of a site.
type checkpointsPage struct {
	shelf
	Site        string
	Sites       []choice
	Checkpoints []checkpointRow
}

type checkpointRow struct {
	Time       page.Moment
	Node, Hash string
	Sequence   uint32
	Witnessed  page.Mark
	Denies     string // the page that ends the alarm about it; empty for a checkpoint that denies nothing
}

func serveCheckpoints(v *page.Visit) error {
	site := v.Query("site")
	answer, err := v.API.Audits.ListCheckpoints(v.Ctx(), &apipb.ListCheckpointsRequest{Site: site})
	if err != nil {
		return err
	}
	shown := checkpointsPage{
		shelf: newShelf(v, v.Word("admin.checkpoints")), Site: cmp.Or(site, v.SiteID), Sites: []choice{{Word: v.SiteName}},
	}
	denials := map[uint32]string{}
	for _, denial := range v.Standing.Site().GetDenials() {
		if v.May(desk.AuditAcknowledge) && denial.GetSite() == site {
			denials[denial.GetSequence()] = denialPath(denial)
		}
	}
	for _, link := range v.Standing.Site().GetLinks() {
		if link.GetDirection() == apipb.LinkStatus_CHILD {
			shown.Sites = append(shown.Sites, choice{Value: link.GetPeer(), Word: v.SiteNamed(link.GetPeer()), Chosen: link.GetPeer() == site})
		}
	}
	for _, c := range answer.GetCheckpoints() {
		row := checkpointRow{
			Time: v.Time(c.GetTime()), Node: c.GetNode(), Hash: c.GetHash(), Sequence: c.GetSequence(), Denies: denials[c.GetSequence()],
			Witnessed: page.Mark{Word: v.Word("admin.checkpoint.alone"), Shape: "○", Tone: "off"},
		}
		if c.GetWitnessed() {
			row.Witnessed = page.Mark{Word: v.Word("admin.checkpoint.witnessed"), Shape: "●", Tone: "good"}
		}
		shown.Checkpoints = append(shown.Checkpoints, row)
	}
	return v.Render(http.StatusOK, "checkpoints.html", shown)
}

// denialRow leads to the page that ends the alarm about a rewritten log.
type denialRow struct{ Path, Word string }

func denialRows(v *page.Visit, denials []*apipb.AuditDenial) (rows []denialRow) {
	for _, denial := range denials {
		rows = append(rows, denialRow{
			Path: denialPath(denial), Word: v.Word("admin.denial.title", v.SiteNamed(denial.GetSite())),
		})
	}
	return rows
}

func denialPath(denial *apipb.AuditDenial) string {
	return fmt.Sprintf("/admin/audit/denials/%s/%d", url.PathEscape(denial.GetSite()), denial.GetSequence())
}

// acknowledgeDenial ends the alarm that the log of a site below was rewritten.
func acknowledgeDenial() deed {
	return deed{
		path: "/admin/audit/denials/{site}/{sequence}", verb: desk.AuditAcknowledge,
		ask: func(v *page.Visit) (question, error) {
			site := v.SiteNamed(v.R.PathValue("site"))
			return question{
				Title: v.Word("admin.denial.title", site), Button: v.Word("admin.denial.button"), Back: "/admin/audit/checkpoints?site=" + url.QueryEscape(v.R.PathValue("site")),
				Consequences: []string{v.Word("admin.denial.what", site, v.R.PathValue("sequence")), v.Word("admin.denial.kept"), v.Word("admin.denial.sure")},
				Reason:       true, Danger: true,
			}, nil
		},
		do: func(v *page.Visit, form url.Values) (string, error) {
			sequence, err := strconv.ParseUint(v.R.PathValue("sequence"), 10, 32)
			if err != nil {
				return "", desk.RefuseField("sequence", "%.20q is no entry of the log", v.R.PathValue("sequence"))
			}
			_, err = v.API.Audits.AcknowledgeDenial(v.Ctx(), &apipb.AcknowledgeDenialRequest{
				Site: v.R.PathValue("site"), Sequence: uint32(sequence), Reason: form.Get("reason"),
			})
			return "/admin/audit?done=admin-denial", err
		},
	}
}
