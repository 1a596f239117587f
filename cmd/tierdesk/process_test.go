package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/client"
	"github.com/tierdesk/tierdesk/testbed"
)

// patience bounds every wait for a process.
const patience = 30 * time.Second

// command is the program as a person calls it.
type command struct {
	program testbed.Program
	environ []string
}

// result is what a command left behind.
type result struct {
	code        int
	out, stderr string
}

func (c command) run(t *testing.T, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	process := exec.CommandContext(ctx, c.program.Path, args...)
	process.Env = append(os.Environ(), c.environ...)
	var out, stderr bytes.Buffer
	process.Stdout, process.Stderr = &out, &stderr
	if err := process.Run(); err != nil && process.ProcessState == nil {
		t.Fatalf("tierdesk %s: %v", strings.Join(args, " "), err)
	}
	return result{process.ProcessState.ExitCode(), out.String(), stderr.String()}
}

// done runs a command that must succeed, and returns what it printed.
func (c command) done(t *testing.T, args ...string) string {
	t.Helper()
	got := c.run(t, args...)
	if got.code != client.ExitDone {
		t.Fatalf("tierdesk %s: exit %d: %s", strings.Join(args, " "), got.code, got.stderr)
	}
	return got.out
}

// ticket runs a command that answers with a ticket.
func (c command) ticket(t *testing.T, args ...string) (ticket struct {
	Number, State, Title, CustodianSite string
	Handover                            struct{ State, ToSite string }
}) {
	t.Helper()
	if err := json.Unmarshal([]byte(c.done(t, append(args, "--json")...)), &ticket); err != nil {
		t.Fatalf("tierdesk %s: %v", strings.Join(args, " "), err)
	}
	return ticket
}

// refused runs a command that must end with the exit code and one line that says all the words.
func (c command) refused(t *testing.T, code int, args []string, words ...string) {
	t.Helper()
	got := c.run(t, args...)
	if got.code != code || strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("tierdesk %s: exit %d, stderr %q; want exit %d and one line", strings.Join(args, " "), got.code, got.stderr, code)
	}
	for _, word := range words {
		if !strings.Contains(got.stderr, word) {
			t.Errorf("tierdesk %s: stderr %q, want it to say %q", strings.Join(args, " "), got.stderr, word)
		}
	}
}

// county is a county's only node, below a city that is not there.
func county(t *testing.T) testbed.NodeSpec {
	free := testbed.FreeAddresses(t, 5)
	return testbed.NodeSpec{
		Site: "330106", Name: "西湖区", Tier: "county", Parent: "330100", Node: "n1", Dir: filepath.Join(t.TempDir(), "data"),
		HTTP: free[0], GRPC: free[1], Raft: free[2], Gossip: free[3], ParentAddresses: []string{free[4]},
	}
}

func ready(t *testing.T, p *testbed.Process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := p.Ready(ctx); err != nil {
		t.Fatal(err)
	}
}

// ends waits until a node that cannot start has given up, and returns its exit code and its last line.
func ends(t *testing.T, p *testbed.Process) (code int, line string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	code, err := p.Wait(ctx)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(p.Log()), "\n")
	return code, lines[len(lines)-1]
}

// signedIn is the program with the node's address and an administrator's token in its environment.
func signedIn(t *testing.T, program testbed.Program, server string) command {
	t.Helper()
	c := command{program, []string{"TIERDESK_SERVER=" + server, "TIERDESK_PASSWORD=" + testbed.Password, "LANG=zh_CN.UTF-8"}}
	token := strings.TrimSpace(c.done(t, "token", "create", "--user", "admin"))
	c.environ = append(c.environ, "TIERDESK_TOKEN="+token)
	return c
}

// The tests of the program share one build of it.
func TestTheProgram(t *testing.T) {
	program := testbed.Build(t)
	for name, test := range map[string]func(*testing.T, testbed.Program){
		"a node at work":           aNodeAtWork,
		"people":                   people,
		"a node that cannot start": aNodeThatCannotStart,
		"a node without its site":  aNodeWithoutItsSite,
		"a wrong configuration":    aWrongConfiguration,
		"a county there twice":     aCountyThatIsThereTwice,
		"a county restored":        aCountyThatIsRestored,
		"a county rebuilt":         aCountyThatIsRebuilt,
		"a county that moves":      aCountyThatMoves,
		"a tree from nothing":      aTreeFromNothing,
		"the authority of a tree":  theAuthorityOfATree,
		"an audit log":             anAuditLog,
	} {
		t.Run(name, func(t *testing.T) { test(t, program) })
	}
}

// A node takes the desk's work over both of its ports, keeps it over a restart, and ends in time when it is asked to.
func aNodeAtWork(t *testing.T, program testbed.Program) {
	node := program.Serve(t, county(t))
	ready(t, node)
	c := signedIn(t, program, node.Spec.GRPC)

	created := c.ticket(t, "ticket", "create", "--title", "打印机没有反应", "--category", "系统管理", "--impact", "3", "--urgency", "2",
		"--channel", "phone", "--requester-name", "王芳", "--request-id", "create-1")
	if created.State != "NEW" || created.CustodianSite != "330106" {
		t.Errorf("created %+v, want a new ticket at 330106", created)
	}
	again := c.ticket(t, "ticket", "create", "--title", "打印机没有反应", "--category", "系统管理", "--impact", "3", "--urgency", "2",
		"--channel", "phone", "--requester-name", "王芳", "--request-id", "create-1", "--server", "http://"+node.Spec.HTTP)
	if again.Number != created.Number {
		t.Errorf("the same request made %s and %s", created.Number, again.Number)
	}
	if words := c.done(t, "ticket", "list"); !strings.Contains(words, created.Number) || !strings.Contains(words, "打印机没有反应") {
		t.Errorf("ticket list: %s", words)
	}
	c.done(t, "ticket", "note", created.Number, "已联系用户")
	queued := c.ticket(t, "ticket", "escalate", created.Number, "--reason", "需要市级支持")
	if queued.Handover.State != "QUEUED" || queued.Handover.ToSite != "330100" {
		t.Errorf("escalated without a line: %+v, want it queued for 330100", queued.Handover)
	}
	if words := c.done(t, "ticket", "show", created.Number); !strings.Contains(words, "已联系用户") || !strings.Contains(words, "待送出") {
		t.Errorf("ticket show: %s", words)
	}
	if words := c.done(t, "site", "links"); !strings.Contains(words, "330100") || !strings.Contains(words, "中断") {
		t.Errorf("site links: %s", words)
	}
	refusals(t, c, created.Number)

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if code, err := node.Terminate(ctx); err != nil || code != client.ExitDone {
		t.Errorf("after SIGTERM: exit %d, %v; want exit 0 within %s", code, err, patience)
	}
	c.refused(t, client.ExitUnreachable, []string{"ticket", "list"}, node.Spec.GRPC, "--server")

	ready(t, node.Restart(t))
	if kept := c.ticket(t, "ticket", "show", created.Number); kept.Handover.State != "QUEUED" {
		t.Errorf("after a restart: %+v, want the escalation still queued", kept)
	}
}

// refusals holds the exit code and the line of what a node refuses.
func refusals(t *testing.T, c command, number string) {
	t.Helper()
	c.refused(t, client.ExitRefused, []string{"ticket", "confirm", number, "--score", "5"})
	c.refused(t, client.ExitRefused, []string{"ticket", "show", "330106-20200101-0001"}, "330106-20200101-0001")
	c.refused(t, client.ExitRefused, []string{"ticket", "start", number, "--etag", "stale"})
	c.refused(t, client.ExitRefused, []string{"ticket", "create", "--title", strings.Repeat("长", 201)}, "title")
	c.refused(t, client.ExitRefused, []string{"ticket", "list", "--page-size", "501"}, "501")
	c.refused(t, client.ExitRefused, []string{"ticket", "list", "--page-token", "bogus"}, "pageToken")
	c.refused(t, client.ExitRefused, []string{"ticket", "list", "--token", "bogus"}, "tierdesk token create")
	c.refused(t, client.ExitUsage, []string{"ticket", "show"}, "NUMBER")
}

// People are made, sign in, set a password of their own before anything else, and are removed, from the command line alone.
func people(t *testing.T, program testbed.Program) {
	node := program.Serve(t, county(t))
	ready(t, node)
	admin := signedIn(t, program, node.Spec.GRPC)
	admin.environ = append(admin.environ, "TIERDESK_NEW_PASSWORD=the-first-password")
	admin.done(t, "user", "add", "li", "--display-name", "李雷")
	if words := admin.done(t, "user", "list"); !strings.Contains(words, "李雷") || !strings.Contains(words, "服务台人员") {
		t.Errorf("user list: %s", words)
	}
	as := func(password string) command {
		c := command{program, []string{"TIERDESK_SERVER=" + node.Spec.GRPC, "TIERDESK_PASSWORD=" + password, "TIERDESK_NEW_PASSWORD=another-long-password"}}
		c.environ = append(c.environ, "TIERDESK_TOKEN="+strings.TrimSpace(c.done(t, "token", "create", "--user", "li")))
		return c
	}
	li := as("the-first-password")
	li.refused(t, client.ExitRefused, []string{"ticket", "list"}, "tierdesk user password")
	li.done(t, "user", "password")
	li = as("another-long-password")
	li.done(t, "ticket", "create", "--title", "网络中断", "--impact", "1", "--urgency", "1")
	li.refused(t, client.ExitRefused, []string{"user", "list"})
	li.done(t, "token", "end")
	li.refused(t, client.ExitRefused, []string{"ticket", "list"})
	admin.done(t, "user", "remove", "li")
	li.refused(t, client.ExitRefused, []string{"token", "create", "--user", "li"})
}

// A node that cannot start says in one last line what is in the way.
func aNodeThatCannotStart(t *testing.T, program testbed.Program) {
	first := program.Serve(t, county(t))
	ready(t, first)

	taken := county(t)
	taken.HTTP = first.Spec.HTTP
	locked := county(t)
	locked.Dir = first.Spec.Dir
	for name, c := range map[string]struct {
		spec testbed.NodeSpec
		word string
	}{
		"taken port":                     {taken, taken.HTTP},
		"data directory of running node": {locked, first.Spec.Dir},
	} {
		if code, line := ends(t, program.Serve(t, c.spec)); code != client.ExitFailed || !strings.HasPrefix(line, "tierdesk: ") ||
			!strings.Contains(line, c.word) {
			t.Errorf("%s: exit %d, last line %q; want exit %d and a line that names %s", name, code, line, client.ExitFailed, c.word)
		}
	}

	first.Kill()
	anotherNode, anotherSite := first.Spec, first.Spec
	anotherNode.Node, anotherSite.Site = "n2", "330108"
	for name, spec := range map[string]testbed.NodeSpec{"another node": anotherNode, "another site": anotherSite} {
		if code, line := ends(t, program.Serve(t, spec)); code != client.ExitFailed || !strings.Contains(line, spec.Dir) {
			t.Errorf("data directory of %s: exit %d, last line %q; want exit %d and a line that names %s", name, code, line,
				client.ExitFailed, spec.Dir)
		}
	}
}

// A wrong configuration is wrong usage, so that a supervisor can tell it from a fault that may pass.
func aWrongConfiguration(t *testing.T, program testbed.Program) {
	c := command{program: program}
	wrong := filepath.Join(t.TempDir(), "wrong.yaml")
	if err := os.WriteFile(wrong, []byte("site: {id: \"330106\", tier: county, parent: \"330100\"}\nnode: {ID: n1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.refused(t, client.ExitUsage, []string{"serve", "--config", wrong}, wrong, "node.ID")
	c.refused(t, client.ExitUsage, []string{"serve", "--config", "/does/not/exist"}, "/does/not/exist")
	c.refused(t, client.ExitUsage, []string{"serve"}, "--config")
	c.refused(t, client.ExitUsage, []string{"serve", "--config", wrong, "--log-format", "xml"}, "xml", "text or json")
	c.refused(t, client.ExitUsage, []string{"serve", wrong}, "takes none")
	c.refused(t, client.ExitUsage, []string{"demo", "--nodes", "2"}, "1, 3 or 5")
	c.refused(t, client.ExitUsage, []string{"sevre"}, "did you mean tierdesk serve?")
	c.refused(t, client.ExitUsage, nil, "no command was given")
	if words := c.done(t, "version"); !strings.HasPrefix(words, "tierdesk ") || !strings.Contains(words, "go1.") {
		t.Errorf("version: %q", words)
	}
}

// A node whose site has no majority is reachable and not ready.
func aNodeWithoutItsSite(t *testing.T, program testbed.Program) {
	spec := county(t)
	spec.BootstrapExpect = 3
	spec.Join = testbed.FreeAddresses(t, 2)
	node := program.Serve(t, spec)
	c := command{program, []string{"TIERDESK_SERVER=" + spec.GRPC, "TIERDESK_PASSWORD=" + testbed.Password}}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !strings.Contains(node.Log(), "serving") {
		select {
		case <-ctx.Done():
			t.Fatalf("the node does not serve: %v", errors.Join(ctx.Err(), errors.New(node.Log())))
		case <-time.After(10 * time.Millisecond):
		}
	}
	c.refused(t, client.ExitUnreachable, []string{"token", "create", "--user", "admin", "--timeout", "2s"})
}
