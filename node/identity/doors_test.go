package identity

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
)

// revoke signs a list of serial numbers.
func (a *authority) revoke(t *testing.T, number int64, serials ...int64) []byte {
	t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour)}
	for _, serial := range serials {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: big.NewInt(serial), RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.cert, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// show is what somebody shows who comes to a node.
func (a *authority) show(t *testing.T, change func(*x509.Certificate)) *tls.Certificate {
	t.Helper()
	plan := certificate(t, "tierdesk://330106/n2")
	change(plan)
	o := a.issue(t, plan)
	own, err := loadPair(o.Cert, o.Key)
	if err != nil {
		t.Fatal(err)
	}
	return &own.Certificate
}

// selfSigned is a certificate that vouches for itself.
func selfSigned(t *testing.T) *tls.Certificate {
	t.Helper()
	key, plan := newKey(t), certificate(t, "tierdesk://330106/n2")
	return &tls.Certificate{Certificate: [][]byte{sign(t, plan, plan, &key.PublicKey, key).Raw}, PrivateKey: key}
}

// doors are the ways to a node of county 330106 at which certificates are shown. Each is opened for a node, and lets somebody
// with a certificate try once to come in.
var doors = map[string]func(t *testing.T, county *Identity) func(*tls.Certificate) error{
	"the Raft port": func(t *testing.T, county *Identity) func(*tls.Certificate) error {
		port := listen(t)
		var accepting sync.WaitGroup
		accepting.Go(func() {
			for {
				conn, err := port.Accept()
				if err != nil {
					return
				}
				_ = exchange(tls.Server(conn, county.PeerTLS()))
			}
		})
		t.Cleanup(func() {
			_ = port.Close()
			accepting.Wait()
		})
		return func(shown *tls.Certificate) error { return call(port.Addr(), shown) }
	},
	"the gRPC port": func(t *testing.T, county *Identity) func(*tls.Certificate) error {
		port, server := listen(t), grpc.NewServer(grpc.Creds(county.ServerCredentials()))
		var serving sync.WaitGroup
		serving.Go(func() { _ = server.Serve(port) })
		t.Cleanup(func() {
			server.Stop()
			serving.Wait()
		})
		return func(shown *tls.Certificate) error { return call(port.Addr(), shown) }
	},
	"the other end of a link": func(t *testing.T, county *Identity) func(*tls.Certificate) error {
		return func(shown *tls.Certificate) error { return answer(t, county, shown) }
	},
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// call comes to a port with a certificate, whatever the other side asks for, and waits for a byte: whoever is let in gets one.
func call(to net.Addr, shown *tls.Certificate) error {
	conn, err := tls.Dial("tcp", to.String(), &tls.Config{
		InsecureSkipVerify: true, NextProtos: []string{"h2"},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return shown, nil },
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return err
	}
	_, writing := conn.Write([]byte{1})
	_, reading := io.ReadFull(conn, make([]byte, 1))
	return errors.Join(writing, reading)
}

// answer is a server with the certificate that the county dials, for a link to a site that has its own number.
func answer(t *testing.T, county *Identity, shown *tls.Certificate) error {
	near, far := line(t)
	var answering sync.WaitGroup
	answering.Go(func() {
		defer far.Close()
		conn := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{*shown}, NextProtos: []string{"h2"}})
		_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
		_ = conn.Handshake()
	})
	defer answering.Wait()
	conn, _, err := county.LinkCredentials("330106").ClientHandshake(context.Background(), "city", near)
	if err == nil {
		_ = conn.Close()
	}
	return err
}

func TestWhoIsLetInAtWhichDoor(t *testing.T) {
	defer goleak.VerifyNone(t)
	t.Run("doors", func(t *testing.T) {
		tree, other := newAuthority(t, "tree"), newAuthority(t, "another tree")
		named := func(uris ...string) func(*x509.Certificate) {
			return func(c *x509.Certificate) { c.URIs = certificate(t, uris...).URIs }
		}
		const everywhere, nowhere, elsewhere = "everywhere", "", "where a node of the county is wanted"
		for name, test := range map[string]struct {
			shown   *tls.Certificate
			refused string
			reason  string
		}{
			"a node of the site": {tree.show(t, func(*x509.Certificate) {}), nowhere, ""},
			"a node of another site, whom the gRPC port knows as such": {tree.show(t, named("tierdesk://330108/n1")), elsewhere, "node n1 of site 330108"},
			"a node of another tree":                                   {other.show(t, func(*x509.Certificate) {}), everywhere, "unknown authority"},
			"one that has expired":                                     {tree.show(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), everywhere, "expired"},
			"one of tomorrow":                                          {tree.show(t, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(30 * time.Minute) }), everywhere, "not count yet"},
			"a revoked one":                                            {tree.show(t, func(c *x509.Certificate) { c.SerialNumber = big.NewInt(66) }), everywhere, "42 is revoked"},
			"one without a name":                                       {tree.show(t, func(c *x509.Certificate) { c.URIs = nil }), everywhere, "names no node"},
			"one with two names":                                       {tree.show(t, named("tierdesk://330106/n1", "tierdesk://330106/n2")), everywhere, "more than one node"},
			"one with a name of its own":                               {tree.show(t, named("tierdesk://330106/n1/root")), everywhere, "not of the form"},
			"one for clients only":                                     {tree.show(t, func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[1:] }), everywhere, "key usage"},
			"one for servers only":                                     {tree.show(t, func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[:1] }), everywhere, "key usage"},
			"one that signed itself":                                   {selfSigned(t), everywhere, "unknown authority"},
			"one that a node signed":                                   {signedByANode(t, tree), everywhere, "cannot sign"},
		} {
			for door, open := range doors {
				t.Run(name+" at "+door, func(t *testing.T) {
					var log guarded
					o := tree.issue(t, certificate(t, county))
					o.Refused = NewRefusals(slog.New(slog.NewTextHandler(&log, nil)), time.Now).Tell
					here, err := Load(o)
					if err != nil {
						t.Fatal(err)
					}
					if _, err := here.Revoked(tree.revoke(t, 1, 66)); err != nil {
						t.Fatal(err)
					}
					try := open(t, here)
					if test.refused == nowhere || test.refused == elsewhere && door == "the gRPC port" {
						if err := try(test.shown); err != nil || log.take() != "" {
							t.Errorf("refused: %v", err)
						}
						return
					}
					for range 100 {
						if err := try(test.shown); err == nil {
							t.Fatal("let in")
						}
					}
					if lines := log.take(); strings.Count(lines, "\n") != 1 || !strings.Contains(lines, test.reason) {
						t.Errorf("after 100 attempts the log has %q, want one line that says %q", lines, test.reason)
					}
				})
			}
		}
	})
}

// signedByANode is a certificate that a node of the tree made with its own.
func signedByANode(t *testing.T, tree *authority) *tls.Certificate {
	t.Helper()
	node := tree.show(t, func(*x509.Certificate) {})
	vouching, err := x509.ParseCertificate(node.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	key, plan := newKey(t), certificate(t, "tierdesk://330106/n2")
	der, err := x509.CreateCertificate(rand.Reader, plan, vouching, &key.PublicKey, node.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der, node.Certificate[0]}, PrivateKey: key}
}

// guarded is a log that a test reads while a node writes.
type guarded struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (g *guarded) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.text.Write(p)
}

// take returns what was written since the last time.
func (g *guarded) take() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.text.Reset()
	return g.text.String()
}

// The name must be whole: what a certificate says in other names does not count.
func TestOtherNamesDoNotCount(t *testing.T) {
	plan := certificate(t)
	plan.DNSNames = []string{"330106"}
	plan.Subject.CommonName = "tierdesk://330106/n1"
	plan.URIs = []*url.URL{{Scheme: "https", Host: "330106", Path: "/n1"}}
	if site, node, err := Parse(plan); err == nil {
		t.Errorf("parsed as node %s of site %s", node, site)
	}
}
