package replication

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"github.com/prometheus/client_golang/prometheus"
)

func TestStartRefusesWrongOptions(t *testing.T) {
	s := newSite(t, 1)
	for _, c := range []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"no site", func(o *Options) { o.Site = "" }, "Site"},
		{"a server id of two words", func(o *Options) { o.Self.ID = "n1 a" }, "n1 a"},
		{"two founders", func(o *Options) { o.BootstrapExpect = 2 }, "bootstrap_expect is 2"},
		{"no grpc address", func(o *Options) { o.Self.GRPC = "" }, "grpc address"},
		{"no machine", func(o *Options) { o.Machine = nil }, "Machine"},
		{"open to the world without TLS", func(o *Options) { o.Listener = anywhere{o.Listener} }, "without TLS"},
	} {
		n := s.add()
		o := n.options()
		c.change(&o)
		_, err := Start(o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if conn, err := net.Dial("tcp", n.self.Raft); err == nil {
			conn.Close()
			t.Errorf("%s: the listener is still open", c.name)
		}
	}
}

type anywhere struct{ net.Listener }

func (anywhere) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero, Port: 7401} }

func TestMetricsComeAndGoWithTheReplica(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := newSite(t, 1)
	n := s.add()
	for range 2 { // the second start registers the same names again
		o := n.options()
		o.Metrics = registry
		r, err := Start(o)
		if err != nil {
			t.Fatal(err)
		}
		n.Replica = r
		n.propose("a")
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		grouped := false
		for _, f := range families {
			grouped = grouped || f.GetName() == "tierdesk_replication_group_commands" && f.Metric[0].Histogram.GetSampleCount() > 0
		}
		if !grouped {
			t.Errorf("a command was grouped and no metric shows it: %v", families)
		}
		n.stop()
	}
	if families, _ := registry.Gather(); len(families) != 0 {
		t.Errorf("metrics of a stopped replica: %v", families)
	}
}

func TestRaftWritesToTheLogger(t *testing.T) {
	var out bytes.Buffer
	l := raftLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo})))
	l.Named("raft").With("node", "n1").Warn("failed to contact", "servers", hclog.Fmt("%d of %d", 1, 3))
	l.Debug("quiet")
	if got := out.String(); !strings.Contains(got, `level=WARN msg="failed to contact" node=n1 servers="1 of 3"`) || strings.Contains(got, "quiet") {
		t.Errorf("logged %q", got)
	}
}

func TestMembershipBytes(t *testing.T) {
	c := raft.Configuration{Servers: []raft.Server{{Suffrage: raft.Voter, ID: "n1-a", Address: "127.0.0.1:7401"}}}
	index, got, err := unpackMembers(packMembers(42, raft.EncodeConfiguration(c)))
	if err != nil || index != 42 || len(got.Servers) != 1 || got.Servers[0] != c.Servers[0] {
		t.Errorf("unpacked %d, %+v, %v", index, got, err)
	}
	for _, wrong := range [][]byte{nil, []byte("short"), []byte("12345678 and no membership")} {
		if _, _, err := unpackMembers(wrong); err == nil {
			t.Errorf("%q is taken for a membership", wrong)
		}
	}
}
