package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/client"
	"github.com/tierdesk/tierdesk/testbed"
)

// journal is what a site tells of a ticket, as text that is equal when it is.
func journal(t *testing.T, c command, number string) string {
	t.Helper()
	return c.done(t, "ticket", "journal", number, "--json")
}

// awaitEqual waits until two sites tell the same of a ticket.
func awaitEqual(t *testing.T, one, other command, number string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		first, second := one.run(t, "ticket", "journal", number, "--json"), other.run(t, "ticket", "journal", number, "--json")
		if first.code == client.ExitDone && first.out == second.out {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s the sites tell of %s\n%s%s\n%s%s", patience, number, first.out, first.stderr, second.out, second.stderr)
		}
	}
}

// recovered waits until a site has compared itself with all its neighbours.
func recovered(t *testing.T, c command) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		var site struct {
			Letters    string
			Recovering *struct{ Missing []string }
		}
		if err := json.Unmarshal([]byte(c.done(t, "site", "status", "--json")), &site); err != nil {
			t.Fatal(err)
		}
		if site.Letters != "" && site.Recovering == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s the site is %+v", patience, site)
		}
	}
}

// underLoad opens tickets until the returned function is called, which returns their numbers.
func underLoad(t *testing.T, c command) (stop func() []string) {
	var (
		ended   = make(chan struct{})
		numbers []string
		working sync.WaitGroup
	)
	working.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-ended:
				return
			default:
			}
			got := c.run(t, "ticket", "create", "--title", fmt.Sprintf("备份期间 %d", i), "--json")
			var ticket struct{ Number string }
			if err := json.Unmarshal([]byte(got.out), &ticket); err != nil {
				t.Errorf("create under load: exit %d: %s", got.code, got.stderr)
				return
			}
			numbers = append(numbers, ticket.Number)
		}
	})
	return func() []string {
		close(ended)
		working.Wait()
		return numbers
	}
}

// wiped takes a node's data away, as a broken disk does.
func wiped(t *testing.T, p *testbed.Process) {
	t.Helper()
	p.Kill()
	if err := os.RemoveAll(p.Spec.Dir); err != nil {
		t.Fatal(err)
	}
}

// A county is backed up while it works, goes on, and loses its disk. Restored, it has the backup, and its city gives back
// what came afterwards: whatever the city knew, and who holds it now.
func aCountyThatIsRestored(t *testing.T, program testbed.Program) {
	_, county, atCity, atCounty := cityAndCounty(t, program)
	kept := atCounty.ticket(t, "ticket", "create", "--title", "备份之前").Number
	backup := filepath.Join(t.TempDir(), "330106.backup")
	stop := underLoad(t, atCounty)
	if words := atCounty.done(t, "backup", backup); !strings.Contains(words, "已备份站点 330106") {
		t.Errorf("backup: %s", words)
	}
	during := stop()
	after := atCounty.ticket(t, "ticket", "create", "--title", "备份之后").Number
	escalated := atCounty.ticket(t, "ticket", "create", "--title", "已升级").Number
	atCounty.done(t, "ticket", "escalate", escalated, "--reason", "需要市级支持")
	awaitCustodian(t, atCity, escalated, "330100")
	for _, number := range []string{after, escalated} {
		awaitEqual(t, atCounty, atCity, number)
	}

	configuration := county.Spec.Configuration(t)
	anywhere := command{program: program}
	anywhere.refused(t, client.ExitRefused, []string{"restore", backup, "--config", configuration}, "330106", "--replace")
	wiped(t, county)
	atCity.done(t, "ticket", "start", escalated)
	atCity.done(t, "ticket", "note", escalated, "县级失联期间处理")
	restoreRefusals(t, anywhere, backup, configuration, county.Spec.Dir)
	awaitRestore(t, anywhere, backup, configuration)
	ready(t, county.Restart(t))
	atCounty = signedIn(t, program, county.Spec.GRPC)
	recovered(t, atCounty)
	for _, number := range append([]string{kept, after, escalated}, during...) {
		awaitEqual(t, atCounty, atCity, number)
	}
	awaitCustodian(t, atCounty, escalated, "330100")
	next := atCounty.ticket(t, "ticket", "create", "--title", "还原之后").Number
	if len(next) != len(kept)+len("-K7Q") {
		t.Errorf("the number after the restore is %s, want letters behind it", next)
	}
	worksOn(t, atCounty, atCity, after, escalated)
	if words := atCounty.done(t, "site", "status"); !strings.Contains(words, "站点代次") || strings.Contains(words, "正在恢复") {
		t.Errorf("site status: %s", words)
	}
}

// awaitRestore restores as soon as the city has noticed that the county is gone.
func awaitRestore(t *testing.T, c command, backup, configuration string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		got := c.run(t, "restore", backup, "--config", configuration)
		if got.code == client.ExitDone {
			return
		}
		if got.code != client.ExitRefused || time.Now().After(deadline) {
			t.Fatalf("restore: exit %d: %s", got.code, got.stderr)
		}
	}
}

// restoreRefusals holds what is not restored to one line that says why, and an empty directory.
func restoreRefusals(t *testing.T, c command, backup, configuration, data string) {
	t.Helper()
	content, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(t.TempDir(), "damaged")
	written := bytes.Index(content, []byte("备份之前"))
	if written < 0 {
		t.Fatal("the backup does not hold the ticket as it was written")
	}
	content[written] ^= 1
	if err := os.WriteFile(damaged, content, 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := testbed.NodeSpec{
		Site: "330108", Name: "滨江区", Tier: "county", Parent: "330100", Node: "n1", Dir: filepath.Join(t.TempDir(), "data"),
		HTTP: "127.0.0.1:0", GRPC: "127.0.0.1:0", Raft: "127.0.0.1:0", Gossip: "127.0.0.1:0",
	}
	c.refused(t, client.ExitUsage, []string{"restore", backup}, "--config")
	c.refused(t, client.ExitUsage, []string{"restore", "/does/not/exist", "--config", configuration}, "/does/not/exist")
	c.refused(t, client.ExitFailed, []string{"restore", configuration, "--config", configuration, "--replace"}, "it is no backup")
	c.refused(t, client.ExitFailed, []string{"restore", damaged, "--config", configuration, "--replace"}, "checksum")
	c.refused(t, client.ExitFailed, []string{"restore", backup, "--config", foreign.Configuration(t)}, "330106", "330108")
	if left, err := os.ReadDir(data); err == nil && len(left) > 1 {
		t.Errorf("the refused restores have left %v", left)
	}
}

// worksOn takes the tickets that came back to their end, over the line.
func worksOn(t *testing.T, atCounty, atCity command, here, above string) {
	t.Helper()
	atCounty.done(t, "ticket", "start", here)
	atCounty.done(t, "ticket", "resolve", here, "--text", "已处理", "--code", "fixed")
	atCity.done(t, "ticket", "resolve", above, "--text", "市级已处理", "--code", "fixed")
	awaitCustodian(t, atCounty, above, "330106")
	for _, number := range []string{here, above} {
		atCounty.done(t, "ticket", "confirm", number, "--score", "5")
		awaitEqual(t, atCounty, atCity, number)
	}
}

// A county that has lost its disk and has no backup is not founded again by mistake; told to recover, it gets back from
// its city what the city knows.
func aCountyThatIsRebuilt(t *testing.T, program testbed.Program) {
	_, county, atCity, atCounty := cityAndCounty(t, program)
	here := atCounty.ticket(t, "ticket", "create", "--title", "县级工单").Number
	above := atCounty.ticket(t, "ticket", "create", "--title", "已升级").Number
	atCounty.done(t, "ticket", "escalate", above, "--reason", "需要市级支持")
	awaitCustodian(t, atCity, above, "330100")
	awaitEqual(t, atCounty, atCity, here)
	story := journal(t, atCity, here)

	wiped(t, county)
	mistaken := county.Restart(t)
	awaitUnready(t, mistaken, "set recover: true to rebuild it from its neighbours, or restore a backup")
	mistaken.Kill()
	if err := os.RemoveAll(mistaken.Spec.Dir); err != nil {
		t.Fatal(err)
	}
	spec := mistaken.Spec
	spec.Recover = true
	ready(t, program.Serve(t, spec))
	atCounty = signedIn(t, program, spec.GRPC)
	recovered(t, atCounty)
	awaitEqual(t, atCounty, atCity, here)
	awaitEqual(t, atCounty, atCity, above)
	if got := journal(t, atCity, here); got != story {
		t.Errorf("the city's journal became\n%s\nwant\n%s", got, story)
	}
	worksOn(t, atCounty, atCity, here, above)
}
