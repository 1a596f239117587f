package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/authority"
	"github.com/tierdesk/tierdesk/client"
	"github.com/tierdesk/tierdesk/testbed"
)

// aTreeFromNothing does what an operator does with an empty directory: an authority, three sites of it over TLS, and a ticket
// that goes up from the county to the province.
func aTreeFromNothing(t *testing.T, program testbed.Program) {
	dir, c := t.TempDir(), command{program: program}
	ca := filepath.Join(dir, "ca")
	c.done(t, "ca", "init", ca, "--tree", "浙江省")
	var parent testbed.NodeSpec
	var desks []command
	for _, site := range []testbed.NodeSpec{
		{Site: "330000", Name: "浙江省", Tier: "province"},
		{Site: "330100", Name: "杭州市", Tier: "city"},
		{Site: "330106", Name: "西湖区", Tier: "county"},
	} {
		free := testbed.FreeAddresses(t, 4)
		site.HTTP, site.GRPC, site.Raft, site.Gossip = free[0], free[1], free[2], free[3]
		site.Node, site.Dir, site.Parent = "n1", filepath.Join(dir, site.Site), parent.Site
		site.File, site.CA = filepath.Join(site.Dir, configFile), filepath.Join(site.Dir, authority.CertFile)
		arguments := []string{"init", "--site", site.Site, "--name", site.Name, "--tier", site.Tier, "--dir", site.Dir, "--ca", ca,
			"--http", site.HTTP, "--grpc", site.GRPC, "--raft", site.Raft, "--gossip", site.Gossip}
		if parent.Site == "" {
			arguments = append(arguments, "--sign")
		} else {
			arguments = append(arguments, "--parent", parent.Site, "--parent-address", parent.GRPC)
		}
		if words := c.done(t, arguments...); !strings.Contains(words, "serve --config "+site.File) || !strings.Contains(words, "TIERDESK_ADMIN_PASSWORD") {
			t.Errorf("init does not say what to do next: %s", words)
		}
		ready(t, program.Serve(t, site))
		desk := command{program, []string{"TIERDESK_SERVER=https://" + site.GRPC, "TIERDESK_PASSWORD=" + testbed.Password, "LANG=zh_CN.UTF-8"}}
		token := strings.TrimSpace(desk.done(t, "token", "create", "--user", "admin", "--ca", site.CA))
		desk.environ = append(desk.environ, "TIERDESK_TOKEN="+token)
		desks, parent = append(desks, desk), site
	}
	number := desks[2].ticket(t, "ticket", "create", "--title", "财务系统无法登录", "--category", "系统管理", "--impact", "2", "--urgency", "2", "--ca", parent.CA).Number
	climb(t, desks[2], desks[1], parent.CA, number, "330100")
	climb(t, desks[1], desks[0], parent.CA, number, "330000")
}

// climb escalates a ticket from one desk to the one above, and waits until that has it.
func climb(t *testing.T, from, to command, ca, number, site string) {
	t.Helper()
	from.done(t, "ticket", "escalate", number, "--reason", "需要上级支持", "--ca", ca)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		got := to.run(t, "ticket", "show", number, "--json", "--ca", ca)
		if got.code == client.ExitDone && strings.Contains(got.out, `"custodianSite":"`+site+`"`) {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("ticket %s does not reach %s: exit %d: %s%s", number, site, got.code, got.out, got.stderr)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// theAuthorityOfATree holds the commands of operators to their exit codes and words, and to doing nothing by halves.
func theAuthorityOfATree(t *testing.T, program testbed.Program) {
	dir, c := t.TempDir(), command{program: program}
	ca, n2 := filepath.Join(dir, "ca"), filepath.Join(dir, "n2")
	c.refused(t, client.ExitFailed, []string{"ca", "issue", "--ca", ca, "--site", "330106", "--out", n2}, "tierdesk ca init")
	c.done(t, "ca", "init", ca)
	c.refused(t, client.ExitFailed, []string{"ca", "init", ca}, "holds an authority already")
	c.refused(t, client.ExitUsage, []string{"ca", "issue", "--ca", ca, "--out", n2}, "--site")
	c.refused(t, client.ExitUsage, []string{"ca", "issue", "--site", "330106", "--out", n2}, "--ca")
	c.refused(t, client.ExitFailed, []string{"ca", "issue", "--ca", ca, "--site", "330-106", "--out", n2}, "330-106")
	c.refused(t, client.ExitUsage, []string{"ca", "issue", "--ca", ca, "--site", "330106", "--out", n2, "--days", "0"}, "--days")

	c.done(t, "ca", "issue", "--ca", ca, "--site", "330106", "--node", "n2", "--host", "10.1.6.2", "--days", "30", "--out", n2)
	c.refused(t, client.ExitFailed, []string{"ca", "issue", "--ca", ca, "--site", "330106", "--node", "n2", "--out", n2}, "is there already")
	cert, key := filepath.Join(n2, authority.NodeCertFile), filepath.Join(n2, authority.NodeKeyFile)
	before := contents(t, n2)
	c.done(t, "ca", "renew", "--ca", ca, "--cert", cert, "--key", key)
	renewed := contents(t, n2)
	for file, text := range before {
		if replaced := file == authority.NodeCertFile || file == authority.NodeKeyFile; (renewed[file] != text) != replaced {
			t.Errorf("renewal: %s was replaced: %v", file, !replaced)
		}
	}
	c.refused(t, client.ExitUsage, []string{"ca", "renew", "--ca", ca, "--cert", key, "--key", key}, key)
	c.refused(t, client.ExitUsage, []string{"ca", "revoke", "--ca", ca}, "--serial")
	c.refused(t, client.ExitFailed, []string{"ca", "revoke", "--ca", ca, "--site", "330108"}, "330108")
	c.done(t, "ca", "revoke", "--ca", ca, "--site", "330106", "--node", "n2")
	c.refused(t, client.ExitFailed, []string{"ca", "renew", "--ca", ca, "--cert", cert, "--key", key}, "tierdesk ca issue")
	if after := contents(t, n2); after[authority.NodeCertFile] != renewed[authority.NodeCertFile] {
		t.Error("a refused renewal replaced the certificate")
	}
	if words := c.done(t, "ca", "list", "--ca", ca); strings.Count(words, "已吊销") != 2 || strings.Count(words, "330106") != 2 {
		t.Errorf("ca list: %s", words)
	}

	initial := []string{"init", "--site", "330106", "--tier", "county", "--parent", "330100", "--dir", filepath.Join(dir, "n1")}
	c.refused(t, client.ExitUsage, append(slices.Clone(initial), "--ca", ca, "--sign"), "tls.authority")
	c.refused(t, client.ExitUsage, append(slices.Clone(initial), "--host", "10.1.6.1"), "--ca")
	c.refused(t, client.ExitUsage, append(slices.Clone(initial), "--http", "10.1.6.1:80"), "tls")
	c.refused(t, client.ExitFailed, append(slices.Clone(initial), "--ca", filepath.Join(dir, "nowhere")), "tierdesk ca init")
	if left := contents(t, filepath.Join(dir, "n1")); len(left) != 0 {
		t.Errorf("what was refused left %d files", len(left))
	}
	elsewhere := append(slices.Clone(initial), "--home", "/srv/tierdesk")
	c.refused(t, client.ExitUsage, append(slices.Clone(initial), "--home", "tierdesk"), "--home")
	if words := c.done(t, elsewhere...); !strings.Contains(words, "as /srv/tierdesk") {
		t.Errorf("init for another machine does not say to bring it there: %s", words)
	}
	if text := contents(t, filepath.Join(dir, "n1"))["config.yaml"]; !strings.Contains(text, "data_dir: /srv/tierdesk/data") {
		t.Errorf("the configuration for another machine has no data_dir there:\n%s", text)
	}
	c.refused(t, client.ExitFailed, initial, "is there already")
}

// contents are the files of a directory, none when it does not exist.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[entry.Name()] = string(text)
	}
	return all
}
