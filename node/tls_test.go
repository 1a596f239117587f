package node

import (
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/tierdesk/tierdesk/authority"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
)

// treeAuthority issues certificates of one tree.
type treeAuthority struct {
	*authority.Authority
	dir string
}

func newAuthority(t *testing.T) *treeAuthority {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "authority")
	// It is as old as the oldest certificate of a test.
	_, err := authority.Init(dir, "浙江", 10, func() time.Time { return time.Now().Add(-authority.DefaultLifetime) })
	if err != nil {
		t.Fatal(err)
	}
	now, err := authority.Open(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return &treeAuthority{now, dir}
}

// issue gives a node its certificate.
func (a *treeAuthority) issue(t *testing.T, c *config.Config) { a.issueLong(t, c, 0) }

// issueLong gives a node a certificate as it was issued so long ago.
func (a *treeAuthority) issueLong(t *testing.T, c *config.Config, ago time.Duration) {
	t.Helper()
	then, err := authority.Open(a.dir, func() time.Time { return time.Now().Add(-ago) })
	if err != nil {
		t.Fatal(err)
	}
	issued, err := then.Issue(authority.Node{Site: c.Site.ID, Node: c.Node.ID, Lifetime: authority.DefaultLifetime})
	if err != nil {
		t.Fatal(err)
	}
	files := t.TempDir()
	c.TLS = config.TLS{CA: filepath.Join(a.dir, authority.CertFile), Cert: filepath.Join(files, "node.crt"), Key: filepath.Join(files, "node.key")}
	for path, text := range map[string][]byte{c.TLS.Cert: issued.Cert, c.TLS.Key: issued.Key} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTreeWithCertificates(t *testing.T) {
	tree := newAuthority(t)
	cityConfig := cityConfiguration(t)
	tree.issue(t, cityConfig)
	city := start(t, cityConfig)

	var county []*Node
	var join []string
	for _, id := range []string{"n1", "n2", "n3"} {
		c := configuration(t, id)
		c.Raft = config.Raft{BootstrapExpect: 3, Join: join}
		c.Link.ParentAddresses = []string{city.GRPCAddr()}
		tree.issue(t, c)
		n := start(t, c)
		county, join = append(county, n), append(join, n.GRPCAddr())
	}
	awaitReady(t, append(county, city)...)
	for _, n := range county {
		number := create(t, n, administratorOf(t, n), "由 "+n.config.Node.ID)
		escalate(t, n, administratorOf(t, n), number)
		awaitCustodian(t, city, number, "330100")
		awaitCustodian(t, n, number, "330100")
	}

	t.Run("programs", func(t *testing.T) {
		trust := &tls.Config{InsecureSkipVerify: true} // whose certificate it is is tested elsewhere
		for name, address := range map[string]string{"grpc": city.GRPCAddr(), "http": city.HTTPAddr()} {
			conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(credentials.NewTLS(trust)))
			if err != nil {
				t.Fatal(err)
			}
			_, err = apipb.NewSessionsClient(conn).CreateSession(t.Context(), &apipb.CreateSessionRequest{User: "admin", Password: password})
			if err != nil {
				t.Errorf("sign in at the %s port: %v", name, err)
			}
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		}
		transport := &http.Transport{TLSClientConfig: trust.Clone()}
		defer transport.CloseIdleConnections()
		response, err := (&http.Client{Transport: transport, Timeout: patience}).Get("https://" + city.HTTPAddr() + "/readyz")
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("GET /readyz: %v, %v", response, err)
		}
		_ = response.Body.Close()
	})
	t.Run("a node of another site", func(t *testing.T) {
		_, err := city.peers.Hello(t.Context(), county[0].GRPCAddr(), nil)
		if err == nil {
			t.Error("a node of the city was served as one of the county")
		}
	})
	t.Run("a certificate of another node", func(t *testing.T) {
		c := configuration(t, "n9")
		c.TLS = county[0].config.TLS
		_, err := Start(t.Context(), options(c))
		if err == nil || !strings.Contains(err.Error(), "n9") {
			t.Errorf("start with the certificate of n1: %v, want an error that names n9", err)
		}
	})
}
