package client

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/authority"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
)

func checked(node, name string, state apipb.Check_State, message, remedy string) *apipb.Check {
	return &apipb.Check{Node: node, Name: name, State: state, Message: message, Remedy: remedy}
}

func TestDoctorPutsProblemsFirst(t *testing.T) {
	found := &apipb.DiagnoseSiteResponse{Checks: []*apipb.Check{
		checked("n1", "disk", apipb.Check_OK, "9000 MiB left", ""),
		checked("n2", "clock", apipb.Check_WARNING, "the clocks differ by 4s", "use one time server"),
		checked("n2", "disk", apipb.Check_OK, "9000 MiB left", ""),
		checked("", "quorum", apipb.Check_FAILED, "no leader.", "start n3"),
		checked("n1", "state", apipb.Check_OK, "30 MiB", ""),
		checked("n1", "evil", apipb.Check_OK, "a\x1b[2Jb", ""),
	}}
	for language, want := range map[string]string{
		"en_US.UTF-8": "FAILED  site  quorum: no leader; start n3\n" +
			"WARNING  n2  clock: the clocks differ by 4s; use one time server\n" +
			"OK  n1  9000 MiB left; 30 MiB; a\ufffd[2Jb\n",
		"zh_CN.UTF-8": "故障  站点  quorum: no leader; start n3\n" +
			"警告  n2  clock: the clocks differ by 4s; use one time server\n" +
			"正常  n1  9000 MiB left; 30 MiB; a\ufffd[2Jb\n",
	} {
		s := at(t, newFakeNode(t, always(found, nil)))
		s.environ["LANG"] = language
		got := s.run("doctor")
		if got.code != ExitFailed || got.out != want || !strings.Contains(got.stderr, "1 of 6 checks failed") {
			t.Errorf("exit %d, stderr %q, out:\n%swant:\n%s", got.code, got.stderr, got.out, want)
		}
	}
	s := at(t, newFakeNode(t, always(&apipb.DiagnoseSiteResponse{Checks: found.Checks[:3]}, nil)))
	if out := s.done(t, "doctor"); !strings.HasPrefix(out, "WARNING") {
		t.Errorf("with nothing but warnings it printed %q", out)
	}
	s = at(t, newFakeNode(t, always(found, nil)))
	if got := s.run("doctor", "--json"); !strings.HasPrefix(got.out, `{"checks":[{`) || strings.Count(got.out, "\n") != 1 || got.code != ExitFailed {
		t.Errorf("--json: exit %d, %q", got.code, got.out)
	}
}

// freeAddress is a loopback address at which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// configFile writes a node's configuration and returns its path and the addresses in it.
func configFile(t *testing.T, dir string) (path string, addresses []string) {
	t.Helper()
	for range 4 {
		addresses = append(addresses, freeAddress(t))
	}
	path = filepath.Join(t.TempDir(), "node.yaml")
	text := fmt.Sprintf("site: {id: '330106', tier: county, parent: '330100'}\nnode: {id: n1, data_dir: %s}\n"+
		"listen: {http: %s, grpc: %s, raft: %s, gossip: %s}\n", dir, addresses[0], addresses[1], addresses[2], addresses[3])
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, addresses
}

func TestDoctorLooksAtThisMachineWhenNoNodeAnswers(t *testing.T) {
	s := &shell{ctx: t.Context(), environ: map[string]string{"LANG": "en"}}
	dir := t.TempDir()
	file, addresses := configFile(t, dir)

	got := s.run("doctor", "--config", file)
	if got.code != ExitUnreachable || !strings.Contains(got.stderr, "no node is reachable at "+addresses[1]) {
		t.Errorf("exit %d, stderr %q; want 3 and the address of the configuration", got.code, got.stderr)
	}
	if !strings.HasPrefix(got.out, "OK  n1  ") || !strings.Contains(got.out, "can be written") || !strings.Contains(got.out, "MiB left") ||
		!strings.Contains(got.out, "no node runs here") {
		t.Errorf("a sound machine: %q", got.out)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("it left %v in the data directory, %v", left, err)
	}

	// Something else has a port, and the data directory is away.
	taken, err := net.Listen("tcp", addresses[2])
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	got = s.run("doctor", "--config", file)
	lines := strings.Split(got.out, "\n")
	if got.code != ExitUnreachable || len(lines) != 3 || !strings.HasPrefix(lines[0], "FAILED  n1  ports: listen.raft (tcp) cannot be bound") ||
		!strings.HasPrefix(lines[1], "WARNING  n1  data directory: "+dir+" does not exist") {
		t.Errorf("a broken machine: exit %d, %q", got.code, got.out)
	}

	// The configuration itself is wrong.
	if err := os.WriteFile(file, []byte("site: {id: '330106', teir: county}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got = s.run("doctor", "--config", file, "--server", freeAddress(t))
	if got.code != ExitUnreachable || !strings.Contains(got.out, "did you mean site.tier?") {
		t.Errorf("a wrong configuration: exit %d, %q", got.code, got.out)
	}
}

func TestDoctorSaysThatItCanLookHere(t *testing.T) {
	s := at(t, &fakeNode{address: freeAddress(t)})
	got := s.run("doctor")
	got.oneErrorLine(t, ExitUnreachable)
	if !strings.Contains(got.stderr, "--config FILE") {
		t.Errorf("stderr %q does not speak of --config", got.stderr)
	}
}

func TestDoctorWithoutRights(t *testing.T) {
	file, _ := configFile(t, t.TempDir())
	s := at(t, newFakeNode(t, always(nil, refusal(t, codes.Unauthenticated, "sign in", "NO_TOKEN", ""))))
	got := s.run("doctor", "--config", file)
	if got.code != ExitRefused || !strings.Contains(got.out, "can be written") {
		t.Errorf("exit %d, %q; want 4 and what can be seen here", got.code, got.out)
	}
}

func TestExamineDirectoryThatIsNone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if check := examineDirectory(file); check.GetState() != apipb.Check_FAILED || !strings.Contains(check.GetMessage(), "no directory") {
		t.Errorf("a file for a data directory: %v", check)
	}
}

// The doctor looks at the certificate as an authority issues it, some days before its end, and at who may read its key.
func TestExamineCertificate(t *testing.T) {
	dir := t.TempDir()
	tree, err := authority.Init(filepath.Join(dir, "ca"), "tree", 1, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	of := filepath.Join(dir, "n1")
	if _, err := tree.HandOut(authority.Node{Site: "330106", Node: "n1", Lifetime: authority.DefaultLifetime}, of); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(of, authority.NodeKeyFile)
	c := &config.Config{Site: config.Site{ID: "330106"}, Node: config.Node{ID: "n1"},
		TLS: config.TLS{CA: filepath.Join(of, authority.CertFile), Cert: filepath.Join(of, authority.NodeCertFile), Key: key}}
	const day = 24 * time.Hour
	for _, step := range []struct {
		after time.Duration
		mode  os.FileMode
		want  apipb.Check_State
		words string
	}{
		{0, 0o600, apipb.Check_OK, "ends on"},
		{75 * day, 0o600, apipb.Check_OK, "ends on"},
		{77 * day, 0o600, apipb.Check_WARNING, "tierdesk ca renew"},
		{0, 0o640, apipb.Check_WARNING, "chmod 600 " + key},
	} {
		if err := os.Chmod(key, step.mode); err != nil {
			t.Fatal(err)
		}
		check := examineCertificate(c, time.Now().Add(step.after))
		if check.State != step.want || !strings.Contains(check.Message+check.Remedy, step.words) {
			t.Errorf("after %s with the mode %o: %v, want %s and %q", step.after, step.mode, check, step.want, step.words)
		}
	}
	c.Node.ID = "n2"
	if check := examineCertificate(c, time.Now()); check.State != apipb.Check_FAILED || !strings.Contains(check.Message, "node n1") {
		t.Errorf("the certificate of another node: %v", check)
	}
}

// The configuration of a node with a certificate says whom to trust; a node that refuses the caller is not taken for one that
// does not run.
func TestDoctorCallsTheNodeOfAConfiguration(t *testing.T) {
	certificate, ca := selfSigned(t)
	refused := always(nil, status.Error(codes.PermissionDenied, "ask an administrator"))
	node := newFakeNode(t, refused, grpc.Creds(credentials.NewServerTLSFromCert(&certificate)))
	file, addresses := configFile(t, t.TempDir())
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	whole := strings.Replace(string(text), addresses[1], node.address, 1) + fmt.Sprintf("tls: {ca: %s, cert: %s, key: %s}\n", ca, ca, ca)
	if err := os.WriteFile(file, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &shell{ctx: t.Context(), environ: map[string]string{"LANG": "en"}}
	got := s.run("doctor", "--config", file)
	if got.code != ExitRefused || !strings.Contains(got.stderr, "ask an administrator") || strings.Contains(got.out, "ports") {
		t.Errorf("exit %d, it printed %q and %q; want the node's refusal, and nothing about its ports", got.code, got.out, got.stderr)
	}
}

func TestExamineCertificateThatIsNone(t *testing.T) {
	_, ca := selfSigned(t)
	check := examineCertificate(&config.Config{TLS: config.TLS{CA: ca, Cert: ca, Key: ca}}, time.Now())
	if check.GetState() != apipb.Check_FAILED || !strings.Contains(check.GetMessage(), "tls.cert") {
		t.Errorf("an authority for a certificate: %v", check)
	}
}
