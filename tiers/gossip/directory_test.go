package gossip

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
)

// at is a time of the tests, some seconds after an arbitrary start.
func at(seconds int) time.Time {
	return time.Date(2026, 11, 21, 8, 0, seconds, 0, time.UTC)
}

func node(site, id, grpc string) Member {
	return Member{Site: site, Node: id, Tier: county, Parent: "330100", GRPC: grpc}
}

func TestAddressesAreLivingFirstThenLatest(t *testing.T) {
	d := newDirectory(hangzhou)
	d.heard("330100", node("330106", "n1", "a:1"), "g1", at(1))
	d.heard("330100", node("330106", "n2", "a:2"), "g2", at(2))
	d.heard("330100", node("330106", "n3", "a:3"), "g3", at(3))
	d.heard("330100", node("330106", "n4", "a:4"), "g4", at(4))
	d.heard("330100", node("330106", "n5", "a:4"), "g5", at(5)) // the same address once more
	d.heard("330100", node("330108", "n1", "b:1"), "g6", at(6))
	d.left("330100", "330106/n4", at(20))
	d.left("330100", "330106/n5", at(20))
	d.left("330100", "330106/n3", at(30))
	if got, want := d.addresses("330106"), []string{"a:2", "a:1", "a:3", "a:4"}; !slices.Equal(got, want) {
		t.Errorf("addresses are %v, want %v", got, want)
	}
	for i := range 2 * maxAddresses {
		d.heard("330100", node("330110", fmt.Sprintf("n%d", i), fmt.Sprintf("c:%d", i)), "", at(i))
	}
	if got := len(d.addresses("330110")); got != maxAddresses {
		t.Errorf("%d addresses are offered, want %d", got, maxAddresses)
	}
}

func TestANodeInTwoPoolsLivesWhileItLivesInOne(t *testing.T) {
	d := newDirectory(hangzhou)
	other := Member{Site: "330100", Node: "n2", Parent: "330000", Tier: city, GRPC: "a:1"}
	living := func() bool { return d.members()[0].Alive }
	d.heard("330000", other, "g", at(1))
	d.heard("330100", other, "g", at(2))
	d.left("330000", "330100/n2", at(3))
	if !living() {
		t.Error("dead after it left one of two pools")
	}
	d.left("330000", "330100/n2", at(4))
	if !living() {
		t.Error("dead after it left the same pool twice")
	}
	d.left("330100", "330100/n2", at(5))
	if living() {
		t.Error("alive after it left both pools")
	}
}

func TestTheDirectoryIsBounded(t *testing.T) {
	d := newDirectory(hangzhou)
	for i := range maxMembers {
		d.heard("330100", node("330106", fmt.Sprintf("n%d", i), "a:1"), "", at(i))
	}
	if err := d.admits("330106/n7"); err != nil {
		t.Errorf("a known name is refused: %v", err)
	}
	if err := d.admits("330106/new"); err == nil {
		t.Errorf("a name beyond %d living ones is admitted", maxMembers)
	}
	d.heard("330100", node("330106", "new", "a:1"), "", at(9000))
	if got := len(d.members()); got != maxMembers {
		t.Fatalf("%d members are known, want %d", got, maxMembers)
	}
	d.left("330100", "330106/n9", at(9001))
	d.left("330100", "330106/n8", at(9002))
	if err := d.admits("330106/new"); err != nil {
		t.Errorf("a name is refused although two are gone: %v", err)
	}
	d.heard("330100", node("330106", "new", "a:1"), "", at(9003))
	names := map[string]bool{}
	for _, m := range d.members() {
		names[m.Node] = true
	}
	if len(names) != maxMembers || !names["new"] || !names["n8"] || names["n9"] {
		t.Errorf("of %d members: new %v, gone later %v, gone first %v; want the one gone first replaced",
			len(names), names["new"], names["n8"], names["n9"])
	}
}

func TestAlarmsExpireAndKnowWhoIsDead(t *testing.T) {
	d := newDirectory(hangzhou)
	d.heard("330100", node("330106", "n1", "a:1"), "g", at(0))
	d.doubled("330100", "330106/n1", "g:1", "g:2", at(0))
	want := []string{"node 330106/n1 is running twice: at g:1 and at g:2; stop one"}
	if got := d.sentences(at(0).Add(alarmKept)); !slices.Equal(got, want) {
		t.Errorf("alarms at the end of the time are %q, want %q", got, want)
	}
	if got := d.sentences(at(1).Add(alarmKept)); got != nil {
		t.Errorf("alarms after the time are %q", got)
	}
	d.doubled("330100", "330106/n1", "g:1", "g:2", at(0))
	d.left("330100", "330106/n1", at(1))
	if got := d.sentences(at(1)); got != nil {
		t.Errorf("alarms after the node died are %q", got)
	}
	d.doubled("330100", "330106/n1", "g:1", "g:2", at(2))
	if got := d.sentences(at(2)); got != nil {
		t.Errorf("a node that comes back elsewhere raises %q", got)
	}
}

func TestWhatIsWrittenDownComesBack(t *testing.T) {
	file := filepath.Join(t.TempDir(), rememberedFile)
	d := newDirectory(hangzhou)
	if err := d.remember(file); err != nil {
		t.Fatalf("remembering nothing: %v", err)
	}
	gone := Member{Site: "330108", Name: "滨江区", Node: "n1", Parent: "330100", Tier: county, GRPC: "b:1", ServerID: "n1-07"}
	d.heard("330100", hangzhou, "g0", at(0))
	d.heard("330100", gone, "g1", at(1))
	d.left("330100", "330108/n1", at(2))
	d.heard("330100", node("330108", "n2", "b:2"), "g2", at(1))
	for range 2 {
		if err := d.writeDown(file, at(60)); err != nil {
			t.Fatal(err)
		}
	}
	again := newDirectory(hangzhou)
	if err := again.remember(file); err != nil {
		t.Fatal(err)
	}
	if got, want := again.members(), []Member{gone, node("330108", "n2", "b:2")}; !slices.Equal(got, want) {
		t.Errorf("remembered %+v, want %+v without this node itself", got, want)
	}
	if got, want := again.gossips("330108"), []string{"g2", "g1"}; !slices.Equal(got, want) {
		t.Errorf("gossip addresses are %v, want the one alive at the end first: %v", got, want)
	}
}

func TestOnlyNeighboursAreTakenIn(t *testing.T) {
	p := &pool{label: "330100", directory: newDirectory(hangzhou)}
	for _, test := range []struct {
		name string
		m    Member
		in   bool
	}{
		{"the parent", hangzhou, true},
		{"a child", xihu, true},
		{"the grandparent", zhejiang, false},
		{"a child of another", Member{Site: "330206", Node: "n1", Parent: "330200", Tier: county}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := test.m
			m.GRPC = "h:1"
			text, err := encodeMeta(m)
			if err != nil {
				t.Fatal(err)
			}
			err = p.NotifyAlive(&memberlist.Node{Name: m.member(), Meta: text})
			if in := err == nil; in != test.in {
				t.Errorf("taking it in: %v, want success %v", err, test.in)
			}
		})
	}
}

func TestTheComingOfANodeIsTold(t *testing.T) {
	d := newDirectory(hangzhou)
	told := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	now := time.Now()
	first := d.coming("330106")
	d.heard("330100", ningbo, "127.0.0.1:1", now)
	if told(first) {
		t.Error("the coming of another site's node was told")
	}
	d.heard("330100", xihu, "127.0.0.1:2", now)
	if !told(first) {
		t.Error("the coming of the node was not told")
	}
	second := d.coming("330106")
	d.heard("330100", xihu, "127.0.0.1:3", now)
	if told(second) {
		t.Error("a node that lived on was told to come")
	}
	d.left("330100", xihu.member(), now)
	d.heard("330100", xihu, "127.0.0.1:3", now)
	if !told(second) {
		t.Error("the return of the node was not told")
	}
}
