package client

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

func TestServerAddresses(t *testing.T) {
	for server, want := range map[string]struct {
		address   string
		encrypted bool
	}{
		"127.0.0.1:7400":         {"127.0.0.1:7400", false},
		"desk.example:7400":      {"desk.example:7400", false},
		"[::1]:7400":             {"[::1]:7400", false},
		"http://127.0.0.1:8080":  {"127.0.0.1:8080", false},
		"http://127.0.0.1:8080/": {"127.0.0.1:8080", false},
		"http://desk.example":    {"desk.example:80", false},
		"https://desk.example":   {"desk.example:443", true},
		"https://[::1]:8443":     {"[::1]:8443", true},
		"":                       {},
		"desk.example":           {},
		":7400":                  {},
		"desk.example:":          {},
		"http://":                {},
		"http://u:p@x:1":         {},
		"http://x:1/api":         {},
		"http://x:1?a=b":         {},
		"grpc://x:1":             {},
		"https://x:port":         {},
	} {
		address, encrypted, err := parseServer(server)
		if (err == nil) != (want.address != "") || err == nil && (address != want.address || encrypted != want.encrypted) {
			t.Errorf("parseServer(%q) = %q, %t, %v; want %q, %t", server, address, encrypted, err, want.address, want.encrypted)
		}
		if err != nil && ExitCode(err) != ExitUsage {
			t.Errorf("parseServer(%q): exit %d, want %d", server, ExitCode(err), ExitUsage)
		}
	}
}

// selfSigned makes a certificate for the loopback address and writes it as a file to trust.
func selfSigned(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	return selfSignedUntil(t, time.Now().Add(time.Hour))
}

// selfSignedUntil is selfSigned for a certificate that ends then.
func selfSignedUntil(t *testing.T, end time.Time) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: end,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

func TestTLS(t *testing.T) {
	certificate, ca := selfSigned(t)
	_, another := selfSigned(t)
	expired, past := selfSignedUntil(t, time.Now().Add(-time.Minute))
	ended := newFakeNode(t, nil, grpc.Creds(credentials.NewServerTLSFromCert(&expired)))
	node := newFakeNode(t, nil, grpc.Creds(credentials.NewServerTLSFromCert(&certificate)))
	plain := newFakeNode(t, nil)
	for _, c := range []struct {
		name, server, ca, environment string
		exit                          int
		advice                        string
	}{
		{"https with its authority", "https://" + node.address, ca, "", ExitDone, ""},
		{"bare address with its authority", node.address, ca, "", ExitDone, ""},
		{"the authority in the environment", node.address, "", ca, ExitDone, ""},
		{"a flag before the environment", node.address, ca, another, ExitDone, ""},
		{"a certificate that has ended", "https://" + ended.address, past, "", ExitUnreachable, "renewed with tierdesk ca renew"},
		{"another authority", "https://" + node.address, another, "", ExitUnreachable, "name the ca.crt of the node's tree"},
		{"the system's authorities", "https://" + node.address, "", "", ExitUnreachable, "name the ca.crt of the node's tree"},
		{"bare address without an authority", node.address, "", "", ExitUnreachable, "if the node has a certificate"},
		{"no TLS", "http://" + node.address, "", ca, ExitUnreachable, "if the node has a certificate"},
		{"TLS where there is none", plain.address, ca, "", ExitUnreachable, "the node has no certificate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := []string{"site", "links", "--server", c.server}
			if c.ca != "" {
				args = append(args, "--ca", c.ca)
			}
			s := at(t, node)
			s.environ["TIERDESK_CA"] = c.environment
			got := s.run(args...)
			if got.code != c.exit {
				t.Errorf("exit %d, want %d; %s", got.code, c.exit, got.stderr)
			}
			if c.exit != ExitDone && !strings.Contains(got.stderr, strings.TrimPrefix(strings.TrimPrefix(c.server, "https://"), "http://")) {
				t.Errorf("stderr %q does not name the address", got.stderr)
			}
			if !strings.Contains(got.stderr, c.advice) {
				t.Errorf("stderr %q does not say %q", got.stderr, c.advice)
			}
		})
	}
}
