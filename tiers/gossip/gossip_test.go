package gossip

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tierdesk/tierdesk/testbed"
)

const patience = 30 * time.Second // for what must happen; a test that passes waits for milliseconds

// TestMain lets memberlist's last pings time out before it looks for goroutines that nobody stopped.
func TestMain(m *testing.M) {
	code := m.Run()
	deadline := time.Now().Add(patience)
	err := goleak.Find()
	for err != nil && time.Now().Before(deadline) {
		err = goleak.Find()
	}
	if code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// The tree of the tests: a province with two cities, of which the first has a county.
var (
	zhejiang = Member{Site: "330000", Name: "浙江省", Tier: province, Node: "n1"}
	hangzhou = Member{Site: "330100", Name: "杭州市", Parent: "330000", Tier: city, Node: "n1"}
	ningbo   = Member{Site: "330200", Name: "宁波市", Parent: "330000", Tier: city, Node: "n1"}
	xihu     = Member{Site: "330106", Name: "西湖区", Parent: "330100", Tier: county, Node: "n1"}
)

// options makes m listen at a free port, and dials back into nothing.
func options(t *testing.T, m Member, join ...*Gossip) Options {
	t.Helper()
	m.GRPC = m.Site + ".example:7400"
	m.ServerID = m.Node + "-" + m.Site
	o := Options{Self: m, Listener: "127.0.0.1:0", Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}
	for _, g := range join {
		o.Join = append(o.Join, g.advertised)
	}
	return o
}

func start(t *testing.T, o Options) *Gossip {
	t.Helper()
	g, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Stop)
	return g
}

func eventually(t *testing.T, what string, met func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !met(); {
		if time.Now().After(deadline) {
			t.Fatalf("after %v not yet: %s", patience, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// alive lists the names that g sees alive.
func alive(g *Gossip) []string {
	var names []string
	for _, m := range g.Members() {
		if m.Alive {
			names = append(names, m.member())
		}
	}
	return names
}

func TestEachNodeSeesExactlyItsNeighbourhoods(t *testing.T) {
	a := start(t, options(t, zhejiang))
	b := start(t, options(t, hangzhou, a))
	b2 := start(t, options(t, ningbo, a))
	c := start(t, options(t, xihu, b, a)) // the province's address helps a county nothing
	want := map[*Gossip][]string{
		a:  {"330000/n1", "330100/n1", "330200/n1"},
		b:  {"330000/n1", "330100/n1", "330106/n1", "330200/n1"},
		b2: {"330000/n1", "330100/n1", "330200/n1"},
		c:  {"330100/n1", "330106/n1"},
	}
	for g, names := range want {
		eventually(t, fmt.Sprintf("%s sees %v", g.self.Site, names), func() bool { return slices.Equal(alive(g), names) })
	}
	for g, names := range want {
		if got := alive(g); !slices.Equal(got, names) {
			t.Errorf("%s sees %v when all are settled, want %v", g.self.Site, got, names)
		}
	}
	members := c.Members()
	city := b.self
	city.Alive = true
	if members[0] != city {
		t.Errorf("the county heard of its city %+v, want %+v", members[0], city)
	}
	if got := b.Addresses("330106"); !slices.Equal(got, []string{"330106.example:7400"}) {
		t.Errorf("the city dials its county at %v", got)
	}
	if got := c.Addresses("330000"); got != nil {
		t.Errorf("the county knows addresses of the province: %v", got)
	}
}

func TestNodesFindEachOtherInAnyOrderOfStart(t *testing.T) {
	address := testbed.FreeAddresses(t, 1)[0]
	early := options(t, xihu)
	early.Join = []string{address}
	c := start(t, early)
	late := options(t, hangzhou)
	late.Listener = address
	b := start(t, late)
	eventually(t, "the county that was first sees its city", func() bool { return len(alive(c)) == 2 })
	eventually(t, "the city sees the county that was first", func() bool { return len(alive(b)) == 2 })
}

func TestKeysDecideWhoMeets(t *testing.T) {
	one, other := bytes.Repeat([]byte{1}, keyLength), bytes.Repeat([]byte{2}, keyLength)
	for _, test := range []struct {
		name         string
		city, county []byte
		meet         bool
	}{
		{"equal keys", one, one, true},
		{"different keys", one, other, false},
		{"no key at the county", one, nil, false},
		{"no key at the city", nil, one, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := options(t, hangzhou)
			o.Keys = always(test.city)
			b := start(t, o)
			o = options(t, xihu)
			o.Keys = always(test.county)
			c := start(t, o)
			_, err := c.pools[0].list.Join([]string{b.advertised})
			if met := err == nil; met != test.meet {
				t.Fatalf("joining: %v, want success %v", err, test.meet)
			}
			if got := len(alive(c)) == 2; got != test.meet {
				t.Errorf("the county sees %v, want the city among them: %v", alive(c), test.meet)
			}
		})
	}
}

func TestLabelsKeepPoolsApart(t *testing.T) {
	a := start(t, options(t, zhejiang))
	b2 := start(t, options(t, ningbo))
	c := start(t, options(t, xihu))
	for _, g := range []*Gossip{a, b2} {
		if _, err := c.pools[0].list.Join([]string{g.advertised}); err == nil {
			t.Errorf("the county joined the pool of 330100 at site %s, which has no such pool", g.self.Site)
		}
		if got := alive(g); len(got) != 1 {
			t.Errorf("site %s sees %v, want itself alone", g.self.Site, got)
		}
	}
	if got := alive(c); len(got) != 1 {
		t.Errorf("the county sees %v, want itself alone", got)
	}
}

func TestAddressesAreRememberedOverARestart(t *testing.T) {
	b := start(t, options(t, hangzhou))
	o := options(t, xihu, b)
	c := start(t, o)
	eventually(t, "the county sees its city", func() bool { return len(alive(c)) == 2 })
	c.Stop()

	o.Join = nil
	o.Drop = func(net.Addr) bool { return true } // nothing is heard any more
	c = start(t, o)
	if got := c.Addresses("330100"); !slices.Equal(got, []string{"330100.example:7400"}) {
		t.Errorf("the restarted county dials its city at %v", got)
	}
	if m := c.Members()[0]; m != b.self {
		t.Errorf("the restarted county remembers %+v, want %+v, not alive", m, b.self)
	}
	c.Stop()

	o.Drop = nil
	c = start(t, o)
	eventually(t, "the county finds its city where it was last, without a join address", func() bool { return len(alive(c)) == 2 })
}

// A city whose only node comes back at another address is at none that its county knows.
func TestACityThatMovedIsFoundAgain(t *testing.T) {
	o := options(t, hangzhou)
	b := start(t, o)
	c := start(t, options(t, xihu, b))
	eventually(t, "each sees the other", func() bool { return len(alive(b)) == 2 && len(alive(c)) == 2 })
	old := b.advertised
	b.Stop()

	o.Self.GRPC = "moved.example:7400"
	b = start(t, o) // at another free port
	if b.advertised == old {
		t.Fatalf("the city came back at %s, where it was", old)
	}
	eventually(t, "the county dials the city where it is now", func() bool {
		return slices.Equal(c.Addresses("330100"), []string{"moved.example:7400"})
	})
}

func TestUnreadableMemoryIsPassedOver(t *testing.T) {
	o := options(t, xihu)
	file := filepath.Join(o.Dir, rememberedFile)
	if err := os.WriteFile(file, []byte("{torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	o.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	g := start(t, o)
	g.Stop()
	if !strings.Contains(logged.String(), file) {
		t.Errorf("the log does not name %s:\n%s", file, &logged)
	}
	if err := newDirectory(xihu).remember(file); err != nil {
		t.Errorf("the file is still unreadable after a run: %v", err)
	}
}

func TestADoubledNodeIsAnAlarmAndDoesNotHarmTheFirst(t *testing.T) {
	b := start(t, options(t, hangzhou))
	c := start(t, options(t, xihu, b))
	eventually(t, "the city sees the county", func() bool { return len(alive(b)) == 2 })
	twin := start(t, options(t, xihu, b))
	want := fmt.Sprintf("node 330106/n1 is running twice: at %s and at %s; stop one", c.advertised, twin.advertised)
	eventually(t, "the city says: "+want, func() bool { return slices.Equal(b.Alarms(), []string{want}) })
	twin.Stop()
	eventually(t, "the county that stays is alive where it was", func() bool {
		return len(alive(b)) == 2 && b.directory.siteAt([]string{c.advertised}) == "330106"
	})
}

func TestACutLineIsJoinedWhenItHeals(t *testing.T) {
	b := start(t, options(t, hangzhou))
	var cut atomic.Bool
	cut.Store(true)
	o := options(t, xihu, b)
	o.Drop = func(address net.Addr) bool { return cut.Load() && address.String() == b.advertised }
	c := start(t, o)
	if _, err := c.pools[0].list.Join([]string{b.advertised}); err == nil || !strings.Contains(err.Error(), errCut.Error()) {
		t.Fatalf("joining over the cut line: %v", err)
	}
	if got := alive(c); len(got) != 1 {
		t.Fatalf("the county sees %v over the cut line", got)
	}
	cut.Store(false)
	eventually(t, "the county sees its city", func() bool { return len(alive(c)) == 2 })
}

func TestStartRefusesWhatCannotWork(t *testing.T) {
	key := bytes.Repeat([]byte{1}, keyLength)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, test := range []struct {
		name   string
		change func(*Options)
		want   []string
	}{
		{"listening outside without a key", func(o *Options) { o.Listener = "0.0.0.0:0" }, []string{"0.0.0.0:0", "gossip.key_file"}},
		{"listening anywhere without a key", func(o *Options) { o.Listener = ":7402" }, []string{":7402", "gossip.key_file"}},
		{"advertising outside without a key", func(o *Options) { o.Advertise = "192.0.2.1:7402" }, []string{"192.0.2.1:7402", "gossip.key_file"}},
		{"joining outside without a key", func(o *Options) { o.Join = []string{"city.example:7402"} }, []string{"city.example:7402", "gossip.key_file"}},
		{"an address without a port", func(o *Options) { o.Join = []string{"127.0.0.1"} }, []string{`"127.0.0.1"`, "host:port"}},
		{"a short key", func(o *Options) { o.Keys = always(key[:16]) }, []string{"16 bytes", "gossip.key_file"}},
		{"nothing to advertise", func(o *Options) { o.Keys, o.Listener = always(key), "0.0.0.0:0" }, []string{"advertise.gossip"}},
		{"a taken port", func(o *Options) { o.Listener = taken.Addr().String() }, []string{taken.Addr().String(), "in use"}},
		{"no node id", func(o *Options) { o.Self.Node = "" }, []string{`"330106/"`}},
		{"a slash in the site id", func(o *Options) { o.Self.Site = "33/01" }, []string{`"33/01/n1"`}},
		{"an unknown tier", func(o *Options) { o.Self.Tier = "village" }, []string{`"village"`, "county"}},
		{"a county without a parent", func(o *Options) { o.Self.Parent = "" }, []string{"330106", "county"}},
		{"a site that is its own parent", func(o *Options) { o.Self.Parent = o.Self.Site }, []string{"330106"}},
		{"an announcement that is too long", func(o *Options) { o.Self.GRPC = strings.Repeat("a", 600) + ":7400" }, []string{"330106/n1", "more than 512"}},
		{"no directory", func(o *Options) { o.Dir = "" }, []string{"directory"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := options(t, xihu)
			test.change(&o)
			g, err := Start(o)
			if err == nil {
				g.Stop()
				t.Fatal("it starts")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error %q does not contain %q", err, want)
				}
			}
		})
	}
}

func TestStopTwiceIsHarmless(t *testing.T) {
	g := start(t, options(t, zhejiang))
	if g.Port() == 0 {
		t.Error("the bound port is 0")
	}
	g.Stop()
	g.Stop()
}
