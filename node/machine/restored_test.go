package machine

import (
	"bytes"
	"io"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// restoredLog is the log of a new node on a backup of a founded site.
func restoredLog(t *testing.T) *log {
	t.Helper()
	l := founded(t)
	r, _, _, err := l.options.Store.Backup()
	if err != nil {
		t.Fatal(err)
	}
	backup, err := io.ReadAll(r)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	o := store.Options{Dir: "data", FS: vfs.NewMem(), Site: string(county), Node: "n2"}
	restored, err := store.BeginRestore(o, bytes.NewReader(backup))
	if err != nil {
		t.Fatal(err)
	}
	if err := restored.Complete([]byte("alone")); err != nil {
		t.Fatal(err)
	}
	again := openLog(t, o)
	again.index = again.Applied()
	return again
}

func reincarnate(before, incarnation uint64) *deskpb.Command {
	return &deskpb.Command{Kind: &deskpb.Command_Reincarnate{Reincarnate: &deskpb.Reincarnate{
		Before: before, Incarnation: incarnation, Letters: "K7Q", Reason: "restored",
	}}}
}

func (l *log) site(t *testing.T) (site *deskpb.Site) {
	t.Helper()
	l.view(t, func(r *store.Reader) (err error) { site, err = r.Site(); return err })
	return site
}

// Until a restored site has another incarnation its log takes no command at all: whatever it would write could be known
// to others as something else.
func TestARestoredSiteDecidesNothingBeforeItsNextLife(t *testing.T) {
	l := restoredLog(t)
	before := l.site(t).Incarnation
	if !l.site(t).Restored {
		t.Fatal("the site does not know that it was restored")
	}
	for what, command := range map[string]*deskpb.Command{
		"a ticket": createCommand("x"), "a session": openSession("admin", 1, noon+1e9), "a node": registerNode(&deskpb.NodeInfo{Id: "n2", ServerId: "n2-a"}),
		"a neighbour": {Kind: &deskpb.Command_AdmitPeer{AdmitPeer: &deskpb.AdmitPeer{Peer: "330100", Incarnation: 9}}},
		"items":       {Kind: &deskpb.Command_Receive{Receive: &deskpb.Receive{Peer: "330100"}}},
	} {
		if got := l.one(t, noon, command); got != "RESTORED" {
			t.Errorf("%s: reason %q, want RESTORED", what, got)
		}
	}
	// A proposal from before, which another node made of what it saw, ends nothing.
	l.apply(t, noon, reincarnate(before+1, 11))
	if !l.site(t).Restored {
		t.Error("a command that changed nothing has ended the wait")
	}
	// Whatever shares an entry with the new life comes after it.
	results := l.apply(t, noon, createCommand("early"), reincarnate(before, 12), createCommand("late"))
	if results[0].Refusal.GetReason() != "RESTORED" || results[1].Refusal != nil || results[2].Refusal != nil {
		t.Errorf("the results are %v, want the first one alone refused", results)
	}
	if site := l.site(t); site.Restored || site.Incarnation != 12 {
		t.Errorf("the site is %v, want incarnation 12", site)
	}
	l.must(t, noon, openSession("admin", 1, noon+1e9))
}
