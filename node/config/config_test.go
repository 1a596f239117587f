package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// minimal is the shortest file that a node can run with.
const minimal = `site:
  id: "330106"
  tier: county
  parent: "330100"
node:
  id: n1
  data_dir: /var/lib/tierdesk
`

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMinimalFileHasTheDefaults(t *testing.T) {
	got, err := Load(write(t, "config.yaml", minimal), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Site = Site{ID: "330106", Tier: County, Parent: "330100"}
	want.Node = Node{ID: "n1", DataDir: "/var/lib/tierdesk"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Load = %+v, want %+v", got, want)
	}
	if got.DisplayName() != "330106" || got.Site.Tier.Proto() != deskpb.Site_COUNTY {
		t.Errorf("name %q tier %v, want the id and COUNTY", got.DisplayName(), got.Site.Tier.Proto())
	}
}

func TestWholeFile(t *testing.T) {
	keyFile := write(t, "gossip.key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
	got, err := Load(write(t, "config.yaml", `
site: {id: 330100, name: 杭州市, tier: city, parent: 330000, time_zone: Asia/Shanghai}
node: {id: n2, data_dir: /data}
listen: {http: "0.0.0.0:80", grpc: "10.0.0.2:7400", raft: "10.0.0.2:7401", gossip: "10.0.0.2:7402"}
advertise: {http: "10.0.0.2:80"}
raft: {bootstrap_expect: 3, join: ["10.0.0.1:7400", "10.0.0.3:7400"]}
gossip: {join: ["10.0.9.1:7402"], key_file: `+keyFile+`}
link: {parent_addresses: ["10.0.9.1:7400"]}
tls: {ca: ca.pem, cert: node.pem, key: node.key}
admin: {user: root, password_env: DESK_PASSWORD}
recover: true
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Site:      Site{ID: "330100", Name: "杭州市", Tier: City, Parent: "330000", TimeZone: "Asia/Shanghai"},
		Node:      Node{ID: "n2", DataDir: "/data"},
		Listen:    Addresses{HTTP: "0.0.0.0:80", GRPC: "10.0.0.2:7400", Raft: "10.0.0.2:7401", Gossip: "10.0.0.2:7402"},
		Advertise: Addresses{HTTP: "10.0.0.2:80"},
		Raft:      Raft{BootstrapExpect: 3, Join: []string{"10.0.0.1:7400", "10.0.0.3:7400"}},
		Gossip:    Gossip{Join: []string{"10.0.9.1:7402"}, KeyFile: keyFile},
		Link:      Link{ParentAddresses: []string{"10.0.9.1:7400"}},
		TLS:       TLS{CA: "ca.pem", Cert: "node.pem", Key: "node.key"},
		Admin:     Admin{User: "root", PasswordEnv: "DESK_PASSWORD"},
		SignIn:    Default().SignIn,
		Recover:   true,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Load = %+v, want %+v", got, want)
	}
	if keys, err := got.GossipKeys(); err != nil || len(keys) != 1 || len(keys[0]) != 32 {
		t.Errorf("the gossip keys are %d, %v, want one of 32 bytes", len(keys), err)
	}
	if zone, err := got.Location(); err != nil || zone.String() != "Asia/Shanghai" {
		t.Errorf("Location = %v, %v, want Asia/Shanghai", zone, err)
	}
}

func TestEnvironmentWinsOverTheFile(t *testing.T) {
	got, err := Load(write(t, "config.yaml", minimal), []string{
		"TIERDESK_SITE_ID=330107", "TIERDESK_LISTEN_HTTP=127.0.0.1:9090", "TIERDESK_RAFT_BOOTSTRAP_EXPECT=3",
		"TIERDESK_RAFT_JOIN=127.0.0.1:1, 127.0.0.1:2", "TIERDESK_RECOVER=true", "TIERDESK_NODE_ID=", "TIERDESK_SERVER=elsewhere:1", "HOME=/root",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Site.ID != "330107" || got.Listen.HTTP != "127.0.0.1:9090" || got.Raft.BootstrapExpect != 3 || !got.Recover {
		t.Errorf("Load = %+v, want the environment's values", got)
	}
	if want := []string{"127.0.0.1:1", "127.0.0.1:2"}; !reflect.DeepEqual(got.Raft.Join, want) {
		t.Errorf("raft.join = %q, want %q", got.Raft.Join, want)
	}
	if got.Node.ID != "n1" {
		t.Errorf("node.id = %q; an empty variable must leave the file's n1", got.Node.ID)
	}
}

func TestEveryKeyHasATwin(t *testing.T) {
	seen := map[string]string{}
	for _, k := range keys(Default()) {
		if strings.Contains(k.name, "..") || strings.HasSuffix(k.name, ".") {
			t.Errorf("key %q: its field has no yaml name", k.name)
		}
		if other := seen[k.variable()]; other != "" {
			t.Errorf("%s is the twin of both %s and %s", k.variable(), other, k.name)
		}
		seen[k.variable()] = k.name
	}
	if seen["TIERDESK_GOSSIP_KEY_FILE"] != "gossip.key_file" {
		t.Errorf("twins = %v, want TIERDESK_GOSSIP_KEY_FILE among them", seen)
	}
}

func TestBadFiles(t *testing.T) {
	swap := func(old, replacement string) string { return strings.Replace(minimal, old, replacement, 1) }
	for _, test := range []struct {
		name, text, want string
		environ          []string
	}{
		{name: "unknown key", text: swap("  id: \"330106\"", "  idd: x"), want: "config.yaml:2: unknown key site.idd; did you mean site.id?"},
		{name: "unknown section", text: minimal + "gosip: {}\n", want: "config.yaml:8: unknown key gosip; did you mean gossip?"},
		{name: "unknown word", text: minimal + "colour: red\n", want: "config.yaml:8: unknown key colour"},
		{name: "given twice", text: minimal + "node: {id: n2}\n", want: "config.yaml:8: node is given twice"},
		{name: "list for text", text: swap("id: n1", "id: [n1]"), want: "config.yaml:6: node.id must be text, not a list"},
		{name: "text for list", text: minimal + "raft:\n  join: 127.0.0.1:1\n", want: `config.yaml:9: raft.join must be a list such as [a, b], not "127.0.0.1:1"`},
		{name: "text for section", text: minimal + "raft: 3\n", want: `config.yaml:8: raft must be a section of keys, not "3"`},
		{name: "text for everything", text: "hello", want: `config.yaml:1: the configuration must be a section of keys, not "hello"`},
		{name: "text for number", text: minimal + "raft: {bootstrap_expect: three}\n", want: `config.yaml:8: raft.bootstrap_expect: "three" is not a whole number`},
		{name: "text for number in the environment", text: minimal, environ: []string{"TIERDESK_RAFT_BOOTSTRAP_EXPECT=x"},
			want: `TIERDESK_RAFT_BOOTSTRAP_EXPECT: raft.bootstrap_expect: "x" is not a whole number`},
		{name: "text for yes or no", text: minimal + "recover: perhaps\n", want: `config.yaml:8: recover: "perhaps" is neither true nor false`},
		{name: "section for yes or no", text: minimal + "recover: {site: true}\n", want: `config.yaml:8: recover must be true or false, not a section`},
		{name: "alias", text: "site: &s {id: a}\nnode: *s\n", want: "config.yaml:2: node must be a section of keys, not an alias"},
		{name: "two documents", text: minimal + "---\n" + minimal, want: "config.yaml: holds more than one document; a node has one"},
		{name: "no YAML", text: "site: [", want: "config.yaml: line 1: did not find expected node content"},
		{name: "empty", text: "", want: "config.yaml: site.id is missing; set it to the office's division code, such as 330106"},
		{name: "site id", text: swap("330106", "33-01"), want: `config.yaml:2: site.id is "33-01"; use 1 to 32 letters and digits, such as 330106`},
		{name: "tier", text: swap("tier: county", "tier: village"), want: `config.yaml:3: site.tier is "village"; use county, city or province`},
		{name: "tier in the environment", text: minimal, environ: []string{"TIERDESK_SITE_TIER=town"},
			want: `TIERDESK_SITE_TIER: site.tier is "town"; use county, city or province`},
		{name: "no tier", text: swap("tier: county", "name: 西湖区"), want: "config.yaml: site.tier is missing; set it to county, city or province"},
		{name: "no parent", text: swap("parent: \"330100\"", "parent:"), want: "config.yaml: site.parent is missing; set it to the id of the site above this county"},
		{name: "province with a parent", text: swap("county", "province"), want: `config.yaml:4: site.parent is "330100"; a province has no parent; leave it empty`},
		{name: "own parent", text: swap("330100", "330106"), want: `config.yaml:4: site.parent is "330106"; a site is not its own parent; name the site above it`},
		{name: "time zone", text: swap("tier: county", "tier: county\n  time_zone: Asia/Hangzhou"),
			want: `config.yaml:4: site.time_zone is "Asia/Hangzhou"; use an IANA name such as Asia/Shanghai`},
		{name: "node id", text: swap("id: n1", "id: N1"), want: `config.yaml:6: node.id is "N1"; use 1 to 32 of a-z, 0-9 and -, such as n1`},
		{name: "no data directory", text: swap("  data_dir: /var/lib/tierdesk\n", ""),
			want: "config.yaml: node.data_dir is missing; set it to a directory of this node's own, such as /var/lib/tierdesk"},
		{name: "no port", text: minimal + "listen: {http: localhost}\n", want: `config.yaml:8: listen.http is "localhost"; use host:port, such as 127.0.0.1:7400`},
		{name: "port too high", text: minimal + "listen: {grpc: \"localhost:70000\"}\n", want: `config.yaml:8: listen.grpc is "localhost:70000"; use a port from 0 to 65535`},
		{name: "join without a port", text: minimal + "raft: {join: [\"localhost:0\"]}\n", want: `config.yaml:8: raft.join is "localhost:0"; use a port from 1 to 65535`},
		{name: "everywhere without an address for others", text: minimal + "listen: {http: \":80\"}\n",
			want: "config.yaml: advertise.http is missing; set it to the one address that others use, since listen.http is :80"},
		{name: "outside without TLS", text: minimal + "listen: {http: \"10.0.0.1:80\"}\n",
			want: `config.yaml:8: listen.http is "10.0.0.1:80"; without tls only loopback addresses are allowed; set tls.ca, tls.cert and tls.key`},
		{name: "advertised outside without TLS", text: minimal + "advertise: {raft: \"10.0.0.1:80\"}\n",
			want: `config.yaml:8: advertise.raft is "10.0.0.1:80"; without tls only loopback addresses are allowed; set tls.ca, tls.cert and tls.key`},
		{name: "parent outside without TLS", text: minimal + "link: {parent_addresses: [\"city:7400\"]}\n",
			want: `config.yaml:8: link.parent_addresses is "city:7400"; without tls only loopback addresses are allowed; set tls.ca, tls.cert and tls.key`},
		{name: "gossip outside without a key", text: minimal + "gossip: {join: [\"10.0.0.1:80\"]}\n",
			want: `config.yaml:8: gossip.join is "10.0.0.1:80"; without gossip.key_file only loopback addresses are allowed; set gossip.key_file`},
		{name: "bootstrap", text: minimal + "raft: {bootstrap_expect: 2}\n", want: `config.yaml:8: raft.bootstrap_expect is "2"; use 1, 3 or 5: how many nodes found the site`},
		{name: "dead too soon", text: minimal + "raft: {remove_dead_after: 9m}\n",
			want: `config.yaml:8: raft.remove_dead_after is "9m"; use a duration of at least 10m, such as 72h, or leave it empty`},
		{name: "dead after no duration", text: minimal + "raft: {remove_dead_after: 3 days}\n",
			want: `config.yaml:8: raft.remove_dead_after is "3 days"; use a duration of at least 10m, such as 72h, or leave it empty`},
		{name: "half of TLS", text: minimal + "tls: {ca: ca.pem, key: k.pem}\n",
			want: "config.yaml: tls.cert is missing; set it to the file of this node's certificate, or leave all of tls empty"},
		{name: "an authority without TLS", text: minimal + "tls: {authority: /ca}\n",
			want: "config.yaml: tls.ca is missing; set it to the file of the tree's certificate authority, or leave all of tls empty"},
		{name: "the authority at a county", text: minimal + "tls: {ca: ca.pem, cert: n.pem, key: k.pem, authority: /ca}\n",
			want: `config.yaml:8: tls.authority is "/ca"; only a province keeps the tree's authority; leave it empty at a county`},
		{name: "admin", text: minimal + "admin: {user: 管理员}\n", want: `config.yaml:8: admin.user is "管理员"; use 1 to 64 of a-z, 0-9, '.', '_' and '-', such as admin`},
		{name: "password in the file", text: minimal + "admin: {password_env: s3cret!}\n",
			want: "config.yaml:8: admin.password_env is not the name of an environment variable; put the password into a variable and its name here, such as TIERDESK_ADMIN_PASSWORD"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, "config.yaml", test.text)
			_, err := Load(path, test.environ)
			if err == nil {
				t.Fatalf("Load took it; want %q", test.want)
			}
			if got := strings.ReplaceAll(err.Error(), path, "config.yaml"); got != test.want {
				t.Errorf("error\n got %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestRemoveDeadAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "0": 0, "10m": 10 * time.Minute, "72h": 72 * time.Hour} {
		c, err := Load(write(t, "config.yaml", minimal+"raft: {remove_dead_after: "+text+"}\n"), nil)
		if err != nil || c.Raft.RemoveDead() != want {
			t.Errorf("remove_dead_after %q: %v, %v, want %v", text, c, err, want)
		}
	}
}

func TestBadGossipKeys(t *testing.T) {
	for name, text := range map[string]string{"short": "AAAA", "not base64": strings.Repeat("*", 44), "empty": ""} {
		t.Run(name, func(t *testing.T) {
			keyFile := write(t, "gossip.key", text)
			_, err := Load(write(t, "config.yaml", minimal+"gossip: {key_file: "+keyFile+"}\n"), nil)
			if err == nil || !strings.Contains(err.Error(), keyFile) || !strings.Contains(err.Error(), "openssl rand -base64 32") {
				t.Errorf("error = %v, want one that names %s and says how to make a key", err, keyFile)
			}
		})
	}
	if _, err := Load(write(t, "config.yaml", minimal+"gossip: {key_file: /nowhere}\n"), nil); err == nil {
		t.Error("Load took a key file that does not exist")
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(minimal)
	f.Add("site: &a {id: *a}")
	f.Add("sign_in: {ldap: {roles: [{group: a, role: b, groups: [c]}]}}")
	f.Add("sign_in: {ldap: {roles: [[a], b]}}")
	f.Add("? [a]\n: b")
	f.Add("? \"0\\n0\"\n: b")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := Load(write(t, "config.yaml", text), nil); err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("the error has more than one line: %q", err)
		}
	})
}
