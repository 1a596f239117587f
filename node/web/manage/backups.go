package manage

import (
	"cmp"
	"net/http"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

func backupRoutes() []page.Route {
	return []page.Route{{Pattern: "GET /admin/backups", Serve: serveBackups}}
}

// backupsShown is how many of the latest backups the page lists.
const backupsShown = 20

// backupsPage tells of the backups that were taken of this site, and of the room on the disks.
type backupsPage struct {
	shelf
	Known  bool // whether the visitor may read who took backups
	Taken  []backupRow
	Old    bool // the latest one is older than a week, or there is none
	Disks  []finding
	Server string // the address of this node for the command, as its site knows it
	File   string
}

type backupRow struct {
	Time                   page.Moment
	Actor, Address, Object string
	Outcome                page.Mark
}

// oldBackup is after how many days the page says that a backup is due.
const oldBackup = 7

func serveBackups(v *page.Visit) error {
	found, err := v.API.Sites.DiagnoseSite(v.Ctx(), &apipb.DiagnoseSiteRequest{})
	if err != nil {
		return err
	}
	shown := backupsPage{
		shelf: newShelf(v, v.Word("admin.backups")), Known: v.May(desk.AuditRead),
		File: v.SiteID + "-" + v.Now().Format("20060102") + ".backup",
	}
	for _, check := range found.GetChecks() {
		if check.GetName() == "disk" || check.GetName() == "log" {
			shown.Disks = append(shown.Disks, newFinding(v, check))
		}
	}
	for _, node := range v.Standing.Site().GetNodes() {
		if node.GetRole() == apipb.Node_LEADER || shown.Server == "" {
			shown.Server = node.GetAddresses().GetGrpc()
		}
	}
	if shown.Known {
		answer, err := v.API.Audits.ListAudit(v.Ctx(), &apipb.ListAuditRequest{
			Filter: `action = "` + audit.Backup + `"`, PageSize: backupsShown, NewestFirst: true,
		})
		if err != nil {
			return err
		}
		shown.Old = true
		for _, entry := range answer.GetEntries() {
			shown.Taken = append(shown.Taken, backupRow{
				Time: v.Time(entry.GetTime()), Actor: cmp.Or(entry.GetActorName(), entry.GetActor()), Address: entry.GetAddress(), Object: entry.GetNode(), Outcome: outcome(v, entry.GetOutcome()),
			})
			if entry.GetOutcome() == "DONE" && entry.GetTime().AsTime().After(v.Now().AddDate(0, 0, -oldBackup)) {
				shown.Old = false
			}
		}
	}
	return v.Render(http.StatusOK, "backups.html", shown)
}
