package identity

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// meet runs a handshake and passes a byte each way, so that both sides have verified the other. It returns what each
// side found wrong.
func meet(t *testing.T, client, server *tls.Config) (atClient, atServer error) {
	t.Helper()
	near, far := line(t)
	answered := make(chan error, 1)
	go func() { answered <- exchange(tls.Server(far, server)) }()
	atClient = exchange(tls.Client(near, client))
	return atClient, <-answered
}

func exchange(conn *tls.Conn) error {
	defer conn.NetConn().Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return err
	}
	if err := conn.Handshake(); err != nil {
		return err
	}
	_, writing := conn.Write([]byte{1})
	_, reading := io.ReadFull(conn, make([]byte, 1))
	return errors.Join(writing, reading)
}

// line is a connection over the loopback: it buffers, so that both sides may write at once.
func line(t *testing.T) (near, far net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if near, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

// forged is an identity that Load would refuse.
func forged(t *testing.T, a *authority, like *Identity, plan *x509.Certificate) *Identity {
	t.Helper()
	o := a.issue(t, plan)
	own, err := loadPair(o.Cert, o.Key)
	if err != nil {
		t.Fatal(err)
	}
	i := &Identity{files: like.files, roots: like.roots}
	i.own.Store(own)
	i.revoked.Store(&revocations{})
	return i
}

func TestWhoMeetsWhom(t *testing.T) {
	tree := newAuthority(t, "tree")
	city, cityTwo := tree.identity(t, "330100", "n1"), tree.identity(t, "330100", "n2")
	xihu, xihuTwo := tree.identity(t, "330106", "n1"), tree.identity(t, "330106", "n2")
	stranger := newAuthority(t, "another tree").identity(t, "330106", "n1")
	strangeCity := newAuthority(t, "another tree").identity(t, "330100", "n1")

	plan := certificate(t, county)
	plan.NotAfter = time.Now().Add(-time.Minute)
	expired := forged(t, tree, xihu, plan)
	nameless := forged(t, tree, xihu, certificate(t))
	plan = certificate(t, county)
	plan.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	clientOnly := forged(t, tree, xihu, plan)
	plan = certificate(t, county)
	plan.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	serverOnly := forged(t, tree, xihu, plan)
	browser := &tls.Config{InsecureSkipVerify: true}
	old := &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}

	for _, test := range []struct {
		name           string
		client, server *tls.Config
		wrong          string // in the error of the side that refuses; empty: they meet
	}{
		{"nodes of a site, for Raft", xihu.PeerTLS(), xihuTwo.PeerTLS(), ""},
		{"nodes of a site, at the gRPC port", xihu.PeerTLS(), xihuTwo.ServerTLS(), ""},
		{"a county's link to its city", xihu.LinkTLS("330100"), cityTwo.ServerTLS(), ""},
		{"a person at the gRPC port", browser, city.ServerTLS(), ""},
		{"a browser", browser, city.HTTPTLS(), ""},
		{"an old browser", old, city.HTTPTLS(), ""},

		{"Raft dials another site", xihu.PeerTLS(), city.ServerTLS(), "node n1 of site 330100, not of site 330106"},
		{"another site dials Raft", city.LinkTLS("330106"), xihu.PeerTLS(), "node n1 of site 330100, not of site 330106"},
		{"a link to the wrong site", xihu.LinkTLS("330100"), xihuTwo.ServerTLS(), "node n2 of site 330106, not of site 330100"},
		{"nobody dials Raft", browser, xihu.PeerTLS(), "shows no certificate"},
		{"an old client at the gRPC port", old, city.ServerTLS(), "version"},

		{"another tree dials Raft", tolerant(stranger), xihu.PeerTLS(), "unknown authority"},
		{"another tree at the gRPC port", tolerant(stranger), city.ServerTLS(), "unknown authority"},
		{"a link to another tree", xihu.LinkTLS("330100"), strangeCity.ServerTLS(), "unknown authority"},
		{"Raft dials another tree", xihu.PeerTLS(), stranger.ServerTLS(), "unknown authority"},

		{"an expired node dials Raft", expired.PeerTLS(), xihu.PeerTLS(), "expired"},
		{"an expired node at the gRPC port", expired.LinkTLS("330100"), city.ServerTLS(), "expired"},
		{"Raft dials an expired node", xihu.PeerTLS(), expired.PeerTLS(), "expired"},
		{"a link to an expired node", city.LinkTLS("330106"), expired.ServerTLS(), "expired"},

		{"a link to a certificate for clients", city.LinkTLS("330106"), clientOnly.ServerTLS(), "key usage"},
		{"a certificate for servers dials Raft", serverOnly.PeerTLS(), xihu.PeerTLS(), "key usage"},
		{"a certificate without a name at the gRPC port", nameless.LinkTLS("330100"), city.ServerTLS(), "names no node"},
		{"a link to a certificate without a name", city.LinkTLS("330106"), nameless.ServerTLS(), "names no node"},
	} {
		t.Run(test.name, func(t *testing.T) {
			atClient, atServer := meet(t, test.client, test.server)
			if test.wrong == "" {
				if atClient != nil || atServer != nil {
					t.Errorf("they do not meet: client: %v; server: %v", atClient, atServer)
				}
				return
			}
			if atClient == nil || atServer == nil {
				t.Fatalf("they meet: client: %v; server: %v", atClient, atServer)
			}
			if both := atClient.Error() + "\n" + atServer.Error(); !strings.Contains(both, test.wrong) {
				t.Errorf("neither side says %q:\n%s", test.wrong, both)
			}
		})
	}
}

// tolerant dials with an identity's certificate, even where the server did not ask for one of its authority, and
// believes any server.
func tolerant(i *Identity) *tls.Config {
	return &tls.Config{
		InsecureSkipVerify:   true,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &i.own.Load().Certificate, nil },
	}
}

// asked answers health checks and notes who asked.
type asked struct {
	grpc_health_v1.UnimplementedHealthServer
	site, node string
}

func (a *asked) Check(ctx context.Context, _ *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	a.site, a.node = SiteOf(ctx)
	return &grpc_health_v1.HealthCheckResponse{}, nil
}

func TestSiteOfTellsWhoCalls(t *testing.T) {
	tree := newAuthority(t, "tree")
	city, xihu := tree.identity(t, "330100", "n1"), tree.identity(t, "330106", "n2")
	for _, test := range []struct {
		name       string
		client     *tls.Config
		site, node string
	}{
		{"a node", xihu.LinkTLS("330100"), "330106", "n2"},
		{"a person", &tls.Config{InsecureSkipVerify: true}, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			server, seen := grpc.NewServer(grpc.Creds(city.ServerCredentials())), &asked{}
			grpc_health_v1.RegisterHealthServer(server, seen)
			served := make(chan error, 1)
			go func() { served <- server.Serve(listener) }()
			conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(test.client)))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			if _, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{}); err != nil {
				t.Error(err)
			}
			_ = conn.Close()
			server.Stop()
			if err := <-served; err != nil {
				t.Error(err)
			}
			if seen.site != test.site || seen.node != test.node {
				t.Errorf("the caller is node %q of site %q, want %q of %q", seen.node, seen.site, test.node, test.site)
			}
		})
	}
}

func TestSiteOfAnUnprovenCallerIsEmpty(t *testing.T) {
	if site, node := SiteOf(context.Background()); site != "" || node != "" {
		t.Errorf("without a connection the caller is node %q of site %q", node, site)
	}
}
