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
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
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
	node := newFakeNode(t, nil, grpc.Creds(credentials.NewServerTLSFromCert(&certificate)))
	for _, c := range []struct {
		name, server, ca string
		exit             int
	}{
		{"https with its authority", "https://" + node.address, ca, ExitDone},
		{"bare address with its authority", node.address, ca, ExitDone},
		{"another authority", "https://" + node.address, another, ExitUnreachable},
		{"the system's authorities", "https://" + node.address, "", ExitUnreachable},
		{"no TLS", "http://" + node.address, "", ExitUnreachable},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := []string{"site", "links", "--server", c.server}
			if c.ca != "" {
				args = append(args, "--ca", c.ca)
			}
			got := at(t, node).run(args...)
			if got.code != c.exit {
				t.Errorf("exit %d, want %d; %s", got.code, c.exit, got.stderr)
			}
			if c.exit != ExitDone && !strings.Contains(got.stderr, node.address) {
				t.Errorf("stderr %q does not name the address", got.stderr)
			}
		})
	}
}
