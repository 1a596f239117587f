package signin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/node"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/testbed"
)

const (
	adminPassword = "of-the-administrator"
	// patience bounds the wait for what must come.
	patience = 30 * time.Second
)

// site is a running node of a site of its own.
type site struct {
	t    *testing.T
	base string // its address for browsers and programs
	log  *journal
}

// journal keeps what a node logs.
type journal struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// freeAddress returns an address of this machine that nobody listens at, and that nobody else is given.
func freeAddress(t *testing.T) string {
	t.Helper()
	return testbed.FreeAddresses(t, 1)[0]
}

// startSite starts a site at an address with a section sign_in as a configuration file has it, and the secrets that it names.
func startSite(t *testing.T, address, signIn, directoryPassword, providerSecret string) *site {
	t.Helper()
	file := filepath.Join(t.TempDir(), "node.yaml")
	text := fmt.Sprintf(`site: {id: "330106", name: 西湖区, tier: province}
node: {id: n1, data_dir: %q}
listen: {http: "%s", grpc: "127.0.0.1:0", raft: "127.0.0.1:0", gossip: "127.0.0.1:0"}
%s`, filepath.Join(t.TempDir(), "n1"), address, signIn)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, base: "http://" + address, log: &journal{}}
	n, err := node.Start(t.Context(), node.Options{
		Config: c, AdminPassword: adminPassword, DirectoryPassword: directoryPassword, ProviderSecret: providerSecret,
		Logger: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := n.Stop(ctx); err != nil {
			t.Errorf("stop the site: %v", err)
		}
		if t.Failed() {
			t.Logf("the site's log:\n%s", s.log)
		}
	})
	s.awaitFounding()
	return s
}

// awaitFounding waits until the site serves. Nobody tries to sign in before: wrong passwords are counted, and so is that of an
// administrator who is not made yet.
func (s *site) awaitFounding() {
	s.t.Helper()
	eventually(s.t, "the site is ready", func() bool {
		response, err := http.Get(s.base + "/readyz")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	s.mustSignIn("admin", adminPassword)
}

// call does one call of the JSON API.
func (s *site) call(method, path, token string, body any) (code int, answer map[string]any) {
	s.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, bytes.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	if text, err = io.ReadAll(response.Body); err != nil {
		s.t.Fatal(err)
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		s.t.Fatalf("%s %s answered no JSON: %s", method, path, text)
	}
	return response.StatusCode, answer
}

func (s *site) signIn(user, password string) (code int, answer map[string]any) {
	s.t.Helper()
	return s.call(http.MethodPost, "/api/v1/sessions", "", map[string]string{"user": user, "password": password})
}

// mustSignIn signs a person in and returns the account that the site has of the person.
func (s *site) mustSignIn(user, password string) map[string]any {
	s.t.Helper()
	code, answer := s.signIn(user, password)
	if code != http.StatusOK {
		s.t.Fatalf("%s cannot sign in: %d %v", user, code, answer)
	}
	return s.account(answer["token"].(string))
}

// account is what the site says of a token's owner.
func (s *site) account(token string) map[string]any {
	s.t.Helper()
	code, caller := s.call(http.MethodGet, "/api/v1/sessions/current", token, nil)
	if code != http.StatusOK {
		s.t.Fatalf("a token that was just given out: %d %v", code, caller)
	}
	return caller["user"].(map[string]any)
}

// keepsSecrets looks for secrets in what the site logged.
func (s *site) keepsSecrets(secrets ...string) {
	s.t.Helper()
	for _, secret := range secrets {
		if strings.Contains(s.log.String(), secret) {
			s.t.Errorf("the site's log tells %q", secret)
		}
	}
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}
