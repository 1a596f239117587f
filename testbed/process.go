package testbed

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Password of the administrator of every site that a test founds.
const Password = "correct-horse-battery"

// Program is the built binary.
type Program struct{ Path string }

// Build builds the program with the go tool that runs the test.
func Build(t testing.TB) Program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tierdesk")
	command := exec.Command("go", "build", "-o", path, "github.com/tierdesk/tierdesk/cmd/tierdesk")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	return Program{Path: path}
}

// NodeSpec is one node of a site.
type NodeSpec struct {
	Site, Name, Tier, Parent string
	Node                     string
	Dir                      string // data directory
	HTTP, GRPC, Raft, Gossip string
	BootstrapExpect          int
	Join                     []string // grpc addresses of the site's nodes
	GossipJoin               []string
	ParentAddresses          []string
	Recover                  bool // found a site anew whose data are lost
	// File is a configuration that was written elsewhere; what is said above is only what tests go by. "": one is written.
	File string
	CA   string // the PEM file of who signs the certificate that the node shows; "": it speaks without TLS
}

// yaml is the node's configuration file.
func (s NodeSpec) yaml() string {
	list := func(all []string) string { return `["` + strings.Join(all, `", "`) + `"]` }
	if s.BootstrapExpect == 0 {
		s.BootstrapExpect = 1
	}
	empty := strings.NewReplacer(`[""]`, "[]")
	return empty.Replace(fmt.Sprintf(`
site: {id: %q, name: %q, tier: %s, parent: %q}
node: {id: %s, data_dir: %q}
listen: {http: %q, grpc: %q, raft: %q, gossip: %q}
raft: {bootstrap_expect: %d, join: %s}
gossip: {join: %s}
link: {parent_addresses: %s}
recover: %t
`, s.Site, s.Name, s.Tier, s.Parent, s.Node, s.Dir, s.HTTP, s.GRPC, s.Raft, s.Gossip,
		s.BootstrapExpect, list(s.Join), list(s.GossipJoin), list(s.ParentAddresses), s.Recover))
}

// Configuration writes the node's configuration file beside its data directory and returns its path.
func (s NodeSpec) Configuration(t testing.TB) string {
	t.Helper()
	if s.File != "" {
		return s.File
	}
	path := filepath.Join(filepath.Dir(s.Dir), s.Site+"-"+s.Node+".yaml")
	if err := os.WriteFile(path, []byte(s.yaml()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Process is a running node.
type Process struct {
	Spec    NodeSpec
	program Program
	command *exec.Cmd
	exited  chan struct{} // closed when the process is gone
	log     *logBuffer
	earlier *logBuffer  // what the processes of the node before this one wrote
	again   atomic.Bool // another process of the node was started after this one
}

// Serve starts a node. The test ends it when nobody did before.
func (p Program) Serve(t testing.TB, spec NodeSpec) *Process {
	t.Helper()
	return p.serve(t, spec, &logBuffer{})
}

func (p Program) serve(t testing.TB, spec NodeSpec, earlier *logBuffer) *Process {
	t.Helper()
	if err := os.MkdirAll(spec.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := spec.Configuration(t)
	process := &Process{
		Spec: spec, program: p, log: &logBuffer{}, earlier: earlier, exited: make(chan struct{}),
		command: exec.Command(p.Path, "serve", "--config", path),
	}
	process.command.Env = append(os.Environ(), "TIERDESK_ADMIN_PASSWORD="+Password)
	process.command.Stderr, process.command.Stdout = process.log, process.log
	if err := process.command.Start(); err != nil {
		t.Fatalf("start %s/%s: %v", spec.Site, spec.Node, err)
	}
	go func() {
		_ = process.command.Wait() // ExitCode tells
		close(process.exited)
	}()
	t.Cleanup(func() {
		process.Kill()
		if t.Failed() && !process.again.Load() {
			t.Logf("log of %s/%s:\n%s%s", spec.Site, spec.Node, process.earlier, process.log)
		}
	})
	return process
}

// Kill ends the process as a power cut does, and waits until it is gone.
func (p *Process) Kill() {
	_ = p.command.Process.Kill() // it may be gone already
	<-p.exited
}

// Terminate asks the process to end and returns its exit code.
func (p *Process) Terminate(ctx context.Context) (int, error) {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	return p.Wait(ctx)
}

// Wait returns the exit code when the process has ended.
func (p *Process) Wait(ctx context.Context) (int, error) {
	select {
	case <-p.exited:
		return p.command.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		return 0, fmt.Errorf("%s/%s still runs: %w", p.Spec.Site, p.Spec.Node, ctx.Err())
	}
}

// Restart starts the same node on the same data again; it must have ended.
func (p *Process) Restart(t testing.TB) *Process {
	t.Helper()
	return p.restart(t, p.Spec)
}

// restart starts the node again as another specification says.
func (p *Process) restart(t testing.TB, spec NodeSpec) *Process {
	t.Helper()
	p.again.Store(true)
	_, _ = p.earlier.Write([]byte(p.Log())) // never fails
	return p.program.serve(t, spec, p.earlier)
}

// Running tells whether the process has not ended. One that is frozen runs.
func (p *Process) Running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// Freeze stops the process where it is, as a virtual machine is paused: its connections stay, nobody answers. Thaw lets it
// go on; Kill works meanwhile.
func (p *Process) Freeze() error { return p.signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (p *Process) Thaw() error { return p.signal(syscall.SIGCONT) }

func (p *Process) signal(s syscall.Signal) error {
	if err := p.command.Process.Signal(s); err != nil {
		return fmt.Errorf("send %s to %s/%s: %w", s, p.Spec.Site, p.Spec.Node, err)
	}
	return nil
}

// Log is what the process wrote so far.
func (p *Process) Log() string { return p.log.String() }

// Ready waits until the node answers /readyz with 200.
func (p *Process) Ready(ctx context.Context) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	client, address, err := p.Spec.web()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	var last error
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/readyz", nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("/readyz answers %s", response.Status)
		}
		last = err
		select {
		case <-p.exited:
			return fmt.Errorf("%s/%s ended before it was ready:\n%s", p.Spec.Site, p.Spec.Node, p.log)
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%s/%s is not ready: %w", p.Spec.Site, p.Spec.Node, last), ctx.Err())
		case <-ticker.C:
		}
	}
}

// web is how the node's HTTP port is called.
func (s NodeSpec) web() (client *http.Client, address string, err error) {
	if s.CA == "" {
		return &http.Client{Transport: &http.Transport{}}, "http://" + s.HTTP, nil
	}
	text, err := os.ReadFile(s.CA)
	if err != nil {
		return nil, "", err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, "", fmt.Errorf("%s holds no certificate", s.CA)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}, "https://" + s.HTTP, nil
}

// logBuffer keeps the end of what a process writes.
type logBuffer struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

const maxLog = 64 << 10

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.text.Len() > maxLog {
		b.text.Next(b.text.Len() / 2)
	}
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
