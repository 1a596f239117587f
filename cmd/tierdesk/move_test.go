package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/client"
	"github.com/tierdesk/tierdesk/testbed"
)

// office is one node that is a whole site, below the sites whose grpc addresses it is given.
func office(t *testing.T, site, name, tier, parent string, parents ...string) testbed.NodeSpec {
	free := testbed.FreeAddresses(t, 4)
	return testbed.NodeSpec{
		Site: site, Name: name, Tier: tier, Parent: parent, Node: "n1", Dir: filepath.Join(t.TempDir(), "data"),
		HTTP: free[0], GRPC: free[1], Raft: free[2], Gossip: free[3], ParentAddresses: parents,
	}
}

// until polls a condition and says what it saw last when it never held.
func until(t *testing.T, what string, condition func() (seen string, ok bool)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		seen, ok := condition()
		if ok {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain until %s: %v", what, errors.Join(ctx.Err(), errors.New(seen)))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// A county is moved to another city from the command line: its tickets keep their numbers, its escalation goes the new way,
// documents of its parents follow, and a restart with the old configuration goes where the province said.
func aCountyThatMoves(t *testing.T, program testbed.Program) {
	top := office(t, "330000", "浙江省", "province", "")
	old, fresh := office(t, "330100", "杭州市", "city", "330000", top.GRPC), office(t, "330200", "宁波市", "city", "330000", top.GRPC)
	low := office(t, "330106", "西湖区", "county", "330100", old.GRPC)
	desks := map[string]command{}
	var county *testbed.Process
	for _, spec := range []testbed.NodeSpec{top, old, fresh, low} {
		node := program.Serve(t, spec)
		ready(t, node)
		desks[spec.Site], county = signedIn(t, program, spec.GRPC), node
	}
	province, county2 := desks["330000"], desks["330106"]
	until(t, "the province knows the whole tree", func() (string, bool) {
		words := province.done(t, "tree", "list")
		return words, strings.Count(words, "已就位") == 4
	})

	notice := filepath.Join(t.TempDir(), "notice.md")
	if err := os.WriteFile(notice, []byte("周六停电"), 0o600); err != nil {
		t.Fatal(err)
	}
	province.done(t, "publication", "put", "notice", "停电", "--file", notice, "--type", "text/markdown", "--title", "停电通知")
	until(t, "the notice is delivered everywhere", func() (string, bool) {
		words := province.done(t, "publication", "deliveries", "330000", "notice", "停电")
		return words, strings.Count(words, "已送达") == 3
	})
	if words := county2.done(t, "publication", "show", "330000", "notice", "停电"); words != "周六停电" {
		t.Errorf("the county shows %q", words)
	}
	county2.refused(t, client.ExitRefused, []string{"publication", "put", "Notice", "x", "--file", notice}, "kind")

	first := county2.ticket(t, "ticket", "create", "--title", "专线中断").Number
	county2.done(t, "ticket", "escalate", first, "--reason", "需要市级")
	until(t, "the old city holds the ticket", func() (string, bool) {
		got := county2.ticket(t, "ticket", "show", first)
		return got.CustodianSite, got.CustodianSite == "330100" && got.Handover.State == "NONE"
	})
	county2.refused(t, client.ExitRefused, []string{"tree", "move", "330106", "--to", "330200"}, "province")
	if words := province.done(t, "tree", "move", "330106", "--to", "330200", "--reason", "区划调整"); !strings.Contains(words, "移交") {
		t.Errorf("tree move says %q", words)
	}
	until(t, "the county stands below the new city", func() (string, bool) {
		words := county2.done(t, "site", "links") + province.done(t, "tree", "list")
		return words, strings.Contains(words, "330200") && !strings.Contains(words, "移交中") && !strings.Contains(words, "切换中")
	})
	until(t, "the ticket is at the province", func() (string, bool) {
		got := county2.ticket(t, "ticket", "show", first)
		return got.CustodianSite, got.CustodianSite == "330000" && got.Handover.State == "NONE"
	})
	second := county2.ticket(t, "ticket", "create", "--title", "移交之后").Number
	county2.done(t, "ticket", "escalate", second, "--reason", "需要市级")
	until(t, "the new city holds the next escalation", func() (string, bool) {
		got := county2.ticket(t, "ticket", "show", second)
		return got.CustodianSite, got.CustodianSite == "330200"
	})

	// The configuration still names the old city.
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if code, err := county.Terminate(ctx); err != nil || code != client.ExitDone {
		t.Fatalf("stop the county: exit %d, %v", code, err)
	}
	ready(t, county.Restart(t))
	until(t, "the restarted county is connected with the new city", func() (string, bool) {
		words := county2.done(t, "site", "links")
		return words, strings.Contains(words, "330200") && strings.Contains(words, "连通")
	})
	if words := county2.run(t, "doctor").out; !strings.Contains(words, `set site.parent to "330200"`) {
		t.Errorf("the doctor does not say that the configuration is old: %s", words)
	}
	for site, desk := range desks {
		if words := desk.done(t, "site", "parked"); !strings.Contains(words, "没有") {
			t.Errorf("%s has parked items: %s", site, words)
		}
	}
}
