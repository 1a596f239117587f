package node

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
)

// authority issues certificates of one tree.
type authority struct {
	file string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tree"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der := sign(t, template, template, a.key, a.key)
	var err error
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.file = writePEM(t, "ca.pem", "CERTIFICATE", der)
	return a
}

// issue gives a node its certificate.
func (a *authority) issue(t *testing.T, c *config.Config) {
	t.Helper()
	name := &url.URL{Scheme: "tierdesk", Host: c.Site.ID, Path: "/" + c.Node.ID}
	key := newKey(t)
	der := sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		URIs: []*url.URL{name}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, key, a.key)
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	c.TLS = config.TLS{CA: a.file, Cert: writePEM(t, "node.pem", "CERTIFICATE", der), Key: writePEM(t, "node.key", "PRIVATE KEY", encoded)}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t *testing.T, template, parent *x509.Certificate, key, by *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func writePEM(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
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
