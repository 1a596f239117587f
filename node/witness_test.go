package node

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// checkpointOf is a checkpoint on the last entry of a node's audit log, changed and then signed by another node's key, or its own.
func checkpointOf(t *testing.T, n, by *Node, change func(c *deskpb.AuditCheckpoint)) *deskpb.AuditCheckpoint {
	t.Helper()
	c := &deskpb.AuditCheckpoint{Site: n.config.Site.ID, Node: n.config.Node.ID, Time: n.clock.Now().UnixMicro()}
	err := n.store.View(func(r *store.Reader) error {
		site, err := r.Site()
		if err != nil {
			return err
		}
		c.Incarnation = site.Incarnation
		c.Sequence, c.Hash, err = r.AuditStanding()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	change(c)
	message, err := audit.CheckpointBytes(c)
	if err != nil {
		t.Fatal(err)
	}
	if c.Certificates, c.Signature, err = by.security.identity.Sign(message); err != nil {
		t.Fatal(err)
	}
	return c
}

// What a site has signed of its audit log is kept by its parent. Later the site cannot say that it was otherwise, and nobody else
// can say anything in its name.
func TestTheParentWitnessesTheAuditLog(t *testing.T) {
	tree := &certifiedTree{ca: newAuthority(t), log: map[*Node]*loggedLines{}}
	cityConfig, countyConfig := cityConfiguration(t), configuration(t, "n1")
	tree.ca.issue(t, cityConfig)
	tree.ca.issue(t, countyConfig)
	city := tree.start(t, cityConfig)
	countyConfig.Link.ParentAddresses = []string{city.GRPCAddr()}
	county := tree.start(t, countyConfig)
	awaitReady(t, city, county)
	awaitLink(t, county, "330100", apipb.LinkStatus_UP)
	administratorOf(t, county) // the sign-in stands in the log

	genuine := checkpointOf(t, county, county, func(*deskpb.AuditCheckpoint) {})
	_, err := county.backend.Propose(t.Context(), &deskpb.Command{Kind: &deskpb.Command_PutCheckpoint{PutCheckpoint: &deskpb.PutCheckpoint{Checkpoint: genuine}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := county.handing.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	if waiting, err := county.handing.waiting(); err != nil || len(waiting) > 0 {
		t.Errorf("after the parent took it, %v still waits, %v", waiting, err)
	}
	kept, err := county.tiers.WitnessedAbove(t.Context())
	if err != nil || kept.GetIncarnation() != genuine.Incarnation || !slices.ContainsFunc(kept.GetCheckpoints(), func(c *deskpb.AuditCheckpoint) bool {
		return c.Sequence == genuine.Sequence && string(c.Hash) == string(genuine.Hash)
	}) {
		t.Errorf("the parent keeps %v, %v; want the checkpoint of entry %d and the life %016x", kept, err, genuine.Sequence, genuine.Incarnation)
	}

	for _, tt := range []struct {
		name  string
		c     *deskpb.AuditCheckpoint
		words string
	}{
		{"signed by another site's node", checkpointOf(t, county, city, func(c *deskpb.AuditCheckpoint) { c.Sequence++ }), "but node n1 of site 330100 did"},
		{"changed after it was signed", func() *deskpb.AuditCheckpoint {
			c := checkpointOf(t, county, county, func(*deskpb.AuditCheckpoint) {})
			c.Sequence += 5
			return c
		}(), "signature"},
		{"of a log that was rewritten", checkpointOf(t, county, county, func(c *deskpb.AuditCheckpoint) {
			c.Sequence, c.Hash = genuine.Sequence, slices.Repeat([]byte{7}, len(c.Hash))
		}), "was rewritten"},
	} {
		err := county.tiers.HandUp(t.Context(), tt.c)
		if err == nil || !strings.Contains(err.Error(), tt.words) {
			t.Errorf("a checkpoint %s: %v, want a refusal with %q", tt.name, err, tt.words)
		}
		county.handing.note(err)
		if alarms := county.handing.alarms(); len(alarms) != 1 || !strings.Contains(alarms[0], tt.words) {
			t.Errorf("after a checkpoint %s the county's alarms are %q", tt.name, alarms)
		}
	}
	if alarms := city.tiers.Alarms(); !slices.ContainsFunc(alarms, func(a string) bool { return strings.Contains(a, "330106 was rewritten") }) {
		t.Errorf("the city's alarms are %q, want one that the county's log was rewritten", alarms)
	}
	acknowledged := fmt.Sprintf("tierdesk audit acknowledge 330106 --entry %d", genuine.Sequence)
	alarmed := func() bool {
		overview, err := city.backend.Overview(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(overview.GetAlarms(), func(a string) bool { return strings.Contains(a, acknowledged) })
	}
	if !alarmed() {
		t.Errorf("no alarm of the city says %q", acknowledged)
	}
	acknowledgeAtThePages(t, city, genuine.Sequence)
	if alarmed() {
		t.Error("somebody has seen to it, and the alarm stands")
	}
	county.handing.note(nil)
	if alarms := county.handing.alarms(); len(alarms) > 0 {
		t.Errorf("when the parent takes checkpoints again the alarms are %q", alarms)
	}
}

// acknowledgeAtThePages goes from the alarm about the county's log to the page that ends it.
func acknowledgeAtThePages(t *testing.T, city *Node, entry uint64) {
	t.Helper()
	admin := visit(t, city)
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // whose certificate it is is tested elsewhere
	defer transport.CloseIdleConnections()
	admin.base, admin.http.Transport = "https://"+city.HTTPAddr(), transport
	admin.send("/sign-in", url.Values{"user": {"admin"}, "password": {password}})
	at := fmt.Sprintf("/admin/audit/denials/330106/%d", entry)
	for _, path := range []string{"/admin/site?lang=zh", "/admin/audit/checkpoints?site=330106"} {
		if status, page := admin.get(path); status != http.StatusOK || !strings.Contains(page, `href="`+at+`"`) {
			t.Errorf("%s: %d, and nothing leads to %s", path, status, at)
		}
	}
	if _, page := admin.get("/admin/site"); !strings.Contains(page, "西湖区的审计日志被改写") {
		t.Errorf("the alarm is not told in Chinese: %s", page)
	}
	if _, page := admin.send(at, url.Values{"reason": {"硬盘更换后重建"}}); !strings.Contains(page, "矛盾已确认") {
		t.Errorf("acknowledging says %s", page)
	}
	if _, page := admin.get("/admin/site"); strings.Contains(page, at) {
		t.Error("what was acknowledged is offered again")
	}
}
