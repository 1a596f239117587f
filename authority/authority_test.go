package authority

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is a time that tests move.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC)} }

func (c *clock) read() time.Time { return c.now }

func newTree(t *testing.T, c *clock) *Authority {
	t.Helper()
	a, err := Init(filepath.Join(t.TempDir(), "ca"), "浙江省", 20, c.read)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var xihu = Node{Site: "330106", Node: "n1", Hosts: []string{"desk.xihu.example", "10.1.6.2"}, Lifetime: DefaultLifetime}

func issue(t *testing.T, a *Authority, n Node) (*Issued, *x509.Certificate) {
	t.Helper()
	issued, err := a.Issue(n)
	if err != nil {
		t.Fatal(err)
	}
	return issued, decode(t, issued.Cert)
}

func decode(t *testing.T, text []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatalf("no PEM block in %q", text)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func modeOf(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestAnAuthorityIsThereAsAWhole(t *testing.T) {
	c := newClock()
	a := newTree(t, c)
	opened, err := Open(a.dir, c.read)
	if err != nil {
		t.Fatal(err)
	}
	cert := opened.Certificate()
	if !cert.IsCA || cert.Subject.CommonName != "浙江省" || !cert.NotAfter.Equal(c.now.AddDate(20, 0, 0)) || cert.MaxPathLen != 0 {
		t.Errorf("the certificate is of %s until %s, authority: %v, %d below", cert.Subject, cert.NotAfter, cert.IsCA, cert.MaxPathLen)
	}
	for file, want := range map[string]fs.FileMode{".": 0o700, keyFile: 0o600, GossipFile: 0o600, CertFile: 0o644, RevokedFile: 0o644} {
		if got := modeOf(t, filepath.Join(a.dir, file)); got != want {
			t.Errorf("%s has the mode %o, want %o", file, got, want)
		}
	}
	if left, err := os.ReadDir(filepath.Dir(a.dir)); err != nil || len(left) != 1 {
		t.Errorf("beside the authority there is %v, %v", left, err)
	}
}

func TestAnAuthorityIsNotReplaced(t *testing.T) {
	c := newClock()
	a := newTree(t, c)
	before, err := os.ReadFile(filepath.Join(a.dir, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Init(a.dir, "another", 1, c.read); err == nil || !strings.Contains(err.Error(), "holds an authority already") {
		t.Errorf("made again: %v", err)
	}
	if after, err := os.ReadFile(filepath.Join(a.dir, keyFile)); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the key changed: %v", err)
	}
	occupied := t.TempDir()
	if err := os.WriteFile(filepath.Join(occupied, "thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Init(occupied, "tree", 1, c.read); err == nil || !strings.Contains(err.Error(), "thesis.txt") {
		t.Errorf("made in a directory with something else: %v", err)
	}
	for _, bad := range []struct {
		tree  string
		years int
	}{{"", 1}, {strings.Repeat("x", 65), 1}, {"tree", 0}, {"tree", 51}} {
		if _, err := Init(filepath.Join(t.TempDir(), "ca"), bad.tree, bad.years, c.read); err == nil {
			t.Errorf("made an authority %q for %d years", bad.tree, bad.years)
		}
	}
	if _, err := Init(t.TempDir(), "tree", 1, c.read); err != nil {
		t.Errorf("in an empty directory: %v", err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	c := newClock()
	other := newTree(t, c)
	foreign, err := os.ReadFile(filepath.Join(other.dir, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	_, node := issue(t, other, xihu)
	for name, test := range map[string]struct {
		file, want string
		text       []byte
	}{
		"another's key":        {keyFile, "is not the key of", foreign},
		"a key that is none":   {keyFile, "no key in PEM form", []byte("x")},
		"a key that is broken": {keyFile, "no key in PKCS #8 form", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("secret")})},
		"no certificate":       {CertFile, "no certificate in PEM form", nil},
		"a node's certificate": {CertFile, "is no authority's", EncodeCertificates([][]byte{node.Raw})},
	} {
		t.Run(name, func(t *testing.T) {
			a := newTree(t, c)
			if err := os.WriteFile(filepath.Join(a.dir, test.file), test.text, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(a.dir, c.read); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("opened: %v, want %q", err, test.want)
			}
		})
	}
	if _, err := Open(t.TempDir(), c.read); err == nil || !strings.Contains(err.Error(), "tierdesk ca init") {
		t.Errorf("opened an empty directory: %v", err)
	}
}

func TestACertificateNamesItsNode(t *testing.T) {
	c := newClock()
	a := newTree(t, c)
	issued, cert := issue(t, a, xihu)
	if _, err := tls.X509KeyPair(issued.Cert, issued.Key); err != nil {
		t.Errorf("the key does not fit: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.Certificate())
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: c.now, KeyUsages: []x509.ExtKeyUsage{usage}}); err != nil {
			t.Errorf("it does not hold for usage %d: %v", usage, err)
		}
	}
	if len(cert.URIs) != 1 || cert.URIs[0].String() != "tierdesk://330106/n1" || cert.IsCA {
		t.Errorf("it names %v, authority: %v", cert.URIs, cert.IsCA)
	}
	for _, host := range xihu.Hosts {
		if err := cert.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if !cert.NotAfter.Equal(c.now.Add(90*24*time.Hour)) || !cert.NotBefore.Equal(c.now.Add(-time.Hour)) {
		t.Errorf("it counts from %s to %s", cert.NotBefore, cert.NotAfter)
	}
	_, again := issue(t, a, xihu)
	if again.SerialNumber.Cmp(cert.SerialNumber) == 0 || cert.SerialNumber.BitLen() < 64 {
		t.Errorf("serial numbers %x and %x", cert.SerialNumber, again.SerialNumber)
	}
}

func TestWhatCannotBeCertified(t *testing.T) {
	c := newClock()
	a := newTree(t, c)
	for want, n := range map[string]Node{
		"the site":               {Site: "33/01", Node: "n1", Lifetime: time.Hour},
		`the site ""`:            {Node: "n1", Lifetime: time.Hour},
		"the node":               {Site: "330106", Node: "N1", Lifetime: time.Hour},
		"the lifetime":           {Site: "330106", Node: "n1"},
		`host "https://desk"`:    {Site: "330106", Node: "n1", Lifetime: time.Hour, Hosts: []string{"https://desk"}},
		`host "10.0.0.1:7400"`:   {Site: "330106", Node: "n1", Lifetime: time.Hour, Hosts: []string{"10.0.0.1:7400"}},
		"33 hosts are more than": {Site: "330106", Node: "n1", Lifetime: time.Hour, Hosts: make([]string, 33)},
	} {
		if _, err := a.Issue(n); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("issued to %+v: %v, want %q", n, err, want)
		}
	}
	if entries, err := a.List(); err != nil || len(entries) != 0 {
		t.Errorf("the ledger has %v, %v", entries, err)
	}
	_, cert := issue(t, a, Node{Site: "330106", Node: "n1", Lifetime: 50 * 365 * 24 * time.Hour})
	if !cert.NotAfter.Equal(a.Certificate().NotAfter) {
		t.Errorf("it ends on %s, after its authority", cert.NotAfter)
	}
	c.now = c.now.AddDate(20, 0, 1)
	if _, err := a.Issue(xihu); err == nil || !strings.Contains(err.Error(), "the authority ended on 2046-03-01") {
		t.Errorf("issued after the authority's end: %v", err)
	}
}

// Each of several processes that issue at once gets a certificate that the ledger has.
func TestSeveralMayIssueAtOnce(t *testing.T) {
	c := newClock()
	a := newTree(t, c)
	const processes, each = 4, 5
	var wait sync.WaitGroup
	for range processes {
		wait.Go(func() {
			own, err := Open(a.dir, c.read)
			if err != nil {
				t.Error(err)
				return
			}
			for range each {
				if _, err := own.Issue(xihu); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if entries, err := a.List(); err != nil || len(entries) != processes*each {
		t.Errorf("the ledger has %d certificates, want %d: %v", len(entries), processes*each, err)
	}
}

func TestHandOutReplacesNothing(t *testing.T) {
	c := newClock()
	a := newTree(t, c)
	dir := filepath.Join(t.TempDir(), "n1")
	entry, err := a.HandOut(xihu, dir)
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]fs.FileMode{NodeKeyFile: 0o600, GossipFile: 0o600, CertFile: 0o644, NodeCertFile: 0o644} {
		if got := modeOf(t, filepath.Join(dir, file)); got != want {
			t.Errorf("%s has the mode %o, want %o", file, got, want)
		}
	}
	if _, err := tls.LoadX509KeyPair(filepath.Join(dir, NodeCertFile), filepath.Join(dir, NodeKeyFile)); err != nil {
		t.Error(err)
	}
	if _, err := a.HandOut(xihu, dir); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("handed out twice: %v", err)
	}
	if entries, err := a.List(); err != nil || len(entries) != 1 || entries[0].Serial != entry.Serial {
		t.Errorf("the ledger has %v, %v; want only %s", entries, err, entry.Serial)
	}
}
