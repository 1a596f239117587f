package node

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/store"
)

// backupOf is a whole backup made by a node.
func backupOf(t *testing.T, n *Node) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, about, err := n.backend.Backup(ctx, false)
	if err != nil {
		t.Fatalf("back up by node %s: %v", n.config.Node.ID, err)
	}
	if _, _, err := n.backend.Backup(ctx, false); err == nil || !strings.Contains(err.Error(), "making a backup already") {
		t.Errorf("a second backup meanwhile: %v, want it refused", err)
	}
	content, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	if int64(len(content)) != about.Size || about.Site != n.config.Site.ID {
		t.Errorf("the backup of %s has %d bytes, want %v", n.config.Site.ID, len(content), about)
	}
	return content
}

// siteOf is a site's own state as a node has it.
func siteOf(t *testing.T, n *Node) *deskpb.Site {
	t.Helper()
	site, err := n.backend.founded()
	if err != nil {
		t.Fatal(err)
	}
	return site
}

func restore(t *testing.T, c *config.Config, backup []byte, replace bool) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := Restore(ctx, RestoreOptions{Config: c, Backup: bytes.NewReader(backup), Replace: replace})
	return err
}

// refusedAlive fails the test unless a restore is refused because the site lives, and leaves the directory empty.
func refusedAlive(t *testing.T, c *config.Config, backup []byte, words string) {
	t.Helper()
	err := restore(t, c, backup, false)
	refusal, ok := errors.AsType[*desk.Refusal](err)
	if !ok || refusal.Reason != "SITE_LIVES" || !strings.Contains(err.Error(), words) {
		t.Errorf("the restore says %v, want SITE_LIVES with %q", err, words)
	}
	left, err := os.ReadDir(c.Node.DataDir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, entry := range left {
		if entry.Name() != "LOCK" {
			t.Errorf("the refused restore has left %s", entry.Name())
		}
	}
}

// mustLack fails the test when a node knows a ticket.
func mustLack(t *testing.T, n *Node, number string) {
	t.Helper()
	err := n.backend.Read(t.Context(), true, func(r *store.Reader) error {
		record, err := r.Ticket(desk.TicketNumber(number))
		if record != nil {
			t.Errorf("node %s knows %s, which came after the backup", n.config.Node.ID, number)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// A site of three is backed up by any of its nodes, works on, and is lost. One node is restored; it goes on alone in
// another life, with the people and tickets of the backup, and a second node joins it.
func TestASiteIsRestored(t *testing.T) {
	three := startThree(t)
	awaitReady(t, three...)
	admin := administratorOf(t, three[0])
	before := create(t, three[0], admin, "备份之前")
	mustHave(t, three[2], before, "备份之前")
	eventually(t, "all nodes are in the directory", func() string {
		own, err := three[2].ownEntry()
		if err != nil || len(own.GetNodes()) != len(three) {
			return own.String()
		}
		return ""
	})
	backup := backupOf(t, three[2])
	after := create(t, three[1], admin, "备份之后")
	first := siteOf(t, three[2])

	c := configuration(t, "n4")
	c.Raft.Join = []string{three[0].GRPCAddr()}
	refusedAlive(t, c, backup, "runs at "+three[0].GRPCAddr())
	// The backup itself knows where the nodes are.
	c.Raft.Join = nil
	refusedAlive(t, c, backup, "of site 330106 runs at")
	for _, n := range three {
		stop(t, n)
	}
	if err := restore(t, c, backup, false); err != nil {
		t.Fatalf("restore: %v", err)
	}
	if err := restore(t, c, backup, true); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("a second restore into the directory: %v, want it refused", err)
	}
	n := start(t, c)
	awaitReady(t, n)
	mustHave(t, n, before, "备份之前")
	mustLack(t, n, after)
	site := siteOf(t, n)
	if site.Restored || site.Incarnation == first.Incarnation || len(site.Letters) != 3 || len(site.Past) != 1 || site.Recovering == 0 {
		t.Errorf("the site is %v, want it in its second life and recovering", site)
	}
	admin = administratorOf(t, n)
	if number := create(t, n, admin, "还原之后"); !strings.HasSuffix(number, "-"+site.Letters) {
		t.Errorf("the next number is %s, want it to end with %s", number, site.Letters)
	}
	eventually(t, "the servers of before are out of the directory", func() string {
		own, err := n.ownEntry()
		if err != nil || len(own.GetNodes()) != 1 || own.Nodes[0].ServerId != n.store.ServerID() {
			return own.String()
		}
		return ""
	})
	joiner := configuration(t, "n5")
	joiner.Raft.Join = []string{n.GRPCAddr()}
	second := start(t, joiner)
	awaitReady(t, second)
	mustHave(t, second, before, "备份之前")
}

// The sessions of a backup are not honoured: whoever was signed out since would be signed in again.
func TestARestoreEndsAllSessions(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	token, err := signIn(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	backup := backupOf(t, n)
	stop(t, n)
	c := configuration(t, "n1")
	if err := restore(t, c, backup, false); err != nil {
		t.Fatal(err)
	}
	again := start(t, c)
	awaitReady(t, again)
	if actor, err := again.people.Authenticate(t.Context(), token, ""); err == nil {
		t.Errorf("the token of before is %v's", actor)
	}
	administratorOf(t, again)
}

func TestARestoreAsksTheParent(t *testing.T) {
	city := start(t, cityConfiguration(t))
	awaitReady(t, city)
	c := configuration(t, "n1")
	c.Link.ParentAddresses = []string{city.GRPCAddr()}
	county := start(t, c)
	awaitReady(t, county)
	awaitAlive(t, city, "330106", true)
	backup := backupOf(t, county)

	other := configuration(t, "n2")
	other.Link.ParentAddresses = c.Link.ParentAddresses
	// Without the address of the node itself, which the backup knows as well, only the parent can tell.
	r := restoring{RestoreOptions: RestoreOptions{Config: other, Logger: county.log}, security: &security{}}
	err := r.refuseLiving(t.Context(), neighbourhood{parent: other.Link.ParentAddresses})
	if err == nil || !strings.Contains(err.Error(), "is connected to its parent 330100 now") {
		t.Errorf("the parent is asked: %v, want that the site is connected", err)
	}
	refusedAlive(t, other, backup, "330106")
	stop(t, county)
	eventually(t, "the restore is taken once the county is gone", func() string {
		if err := restore(t, other, backup, false); err != nil {
			return err.Error()
		}
		return ""
	})
}

// notFounded waits until a node says why it does not found its site.
func notFounded(t *testing.T, n *Node, words string) {
	t.Helper()
	eventually(t, "the node is not ready", func() string {
		if reasons := strings.Join(n.backend.Ready(t.Context()), "; "); !strings.Contains(reasons, words) {
			return reasons
		}
		return ""
	})
	if site := siteOf(t, n); site != nil {
		t.Errorf("the site was founded: %v", site)
	}
}

// A site whose data are lost is known to its parent, so that it is not founded a second time by mistake; when it is told
// to recover, it begins its next life.
func TestALostSiteIsFoundedAgainOnlyToRecover(t *testing.T) {
	city := start(t, cityConfiguration(t))
	awaitReady(t, city)
	c := configuration(t, "n1")
	c.Link.ParentAddresses = []string{city.GRPCAddr()}
	county := start(t, c)
	awaitReady(t, county)
	awaitAlive(t, city, "330106", true)
	first := siteOf(t, county)

	beside := configuration(t, "n1")
	beside.Link.ParentAddresses = c.Link.ParentAddresses
	second := start(t, beside)
	notFounded(t, second, "is connected to it now, so it runs elsewhere: name the nodes there in raft.join")
	stop(t, second)

	stop(t, county)
	awaitAlive(t, city, "330106", false)
	lost := configuration(t, "n1")
	lost.Link.ParentAddresses = c.Link.ParentAddresses
	refused := start(t, lost)
	notFounded(t, refused, "330106 is known to its parent 330100 (incarnation ")
	notFounded(t, refused, "set recover: true to rebuild it from its neighbours, or restore a backup")
	stop(t, refused)

	lost.Recover = true
	began := time.Now()
	rebuilt := start(t, lost)
	awaitReady(t, rebuilt)
	site := siteOf(t, rebuilt)
	if site.Incarnation == first.Incarnation || len(site.Letters) != 3 {
		t.Errorf("the site is %v, want another incarnation than %016x, with letters", site, first.Incarnation)
	}
	if number := create(t, rebuilt, administratorOf(t, rebuilt), "重建之后"); !strings.HasSuffix(number, "-"+site.Letters) {
		t.Errorf("the next number is %s, want it to end with %s", number, site.Letters)
	}
	overview, err := rebuilt.backend.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if overview.Letters != site.Letters || len(overview.Incarnation) != 16 {
		t.Errorf("the overview names the life %q %q", overview.Incarnation, overview.Letters)
	}
	if r := overview.Recovering; r != nil && r.Since.AsTime().Before(began.Add(-time.Second)) {
		t.Errorf("it recovers since %v, want since it was founded", r.Since.AsTime())
	}
}

// An office whose parent is not there yet is founded without its word.
func TestASiteIsFoundedWithoutItsParent(t *testing.T) {
	c := configuration(t, "n1")
	c.Link.ParentAddresses = []string{"127.0.0.1:1"}
	awaitReady(t, start(t, c))
}
