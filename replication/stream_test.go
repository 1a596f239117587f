package replication

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

func newTestStream(t *testing.T, site, id string, log io.Writer) *stream {
	t.Helper()
	return newTLSStream(t, site, id, nil, log)
}

func newTLSStream(t *testing.T, site, id string, config *tls.Config, log io.Writer) *stream {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newStream(Options{Site: site, Self: Server{ID: id, Raft: l.Addr().String()}, Listener: l, TLS: config}, slog.New(slog.NewTextHandler(log, nil)))
	t.Cleanup(func() { s.Close() })
	return s
}

func TestServersOfAnotherSiteAndStrangersAreRefusedByName(t *testing.T) {
	log := &lines{}
	here := newTestStream(t, "330106", "n1-a", log)
	for _, c := range []struct {
		name     string
		from     *stream
		to, want string
	}{
		{"another site", newTestStream(t, "330100", "n7-a", io.Discard), "n1-a", "server n7-a belongs to site 330100; this is site 330106"},
		{"a server that was wiped", newTestStream(t, "330106", "n2-a", io.Discard), "n1-old", "server n2-a looks for server n1-old; this is server n1-a"},
	} {
		conn, err := c.from.Dial(raft.ServerAddress(c.to+"@"+here.self.Raft), patience)
		if err == nil {
			conn.Close()
			t.Errorf("%s is taken", c.name)
			continue
		}
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the dialler is told %q, want %q", c.name, err, c.want)
		}
		eventually(t, "the receiver logs it too", func() bool { return log.count(c.want) == 1 })
	}
}

func TestAConnectionCarriesBytesAfterItsPreamble(t *testing.T) {
	a, b := newTestStream(t, "1", "a", io.Discard), newTestStream(t, "1", "b", io.Discard)
	out, err := a.Dial(raft.ServerAddress("b@"+b.self.Raft), patience)
	if err != nil {
		t.Fatal(err)
	}
	in, err := b.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if _, err := out.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	out.Close()
	if got, err := io.ReadAll(in); err != nil || string(got) != "hello" {
		t.Errorf("received %q, error %v", got, err)
	}
}

func TestMutualTLS(t *testing.T) {
	trusted, stranger := newIdentity(t), newIdentity(t)
	log := &lines{}
	here := newTLSStream(t, "1", "a", trusted, log)
	for _, c := range []struct {
		name   string
		config *tls.Config
		want   bool
	}{{"the same authority", trusted, true}, {"another authority", stranger, false}, {"no TLS", nil, false}} {
		from := newTLSStream(t, "1", "b", c.config, io.Discard)
		conn, err := from.Dial(raft.ServerAddress("a@"+here.self.Raft), patience)
		if (err == nil) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil {
			conn.Close()
			in, err := here.Accept()
			if err != nil {
				t.Fatal(err)
			}
			in.Close()
		}
	}
}

// Both ends of a connection look again: whichever trusts the other no more ends it, and both see that it has ended.
func TestAConnectionEndsWhenItsOtherEndIsTrustedNoMore(t *testing.T) {
	for _, end := range []string{"the dialler", "the receiver"} {
		t.Run(end+" looks", func(t *testing.T) {
			var revoked atomic.Bool
			trusted := newIdentity(t)
			doubtful := trusted.Clone()
			doubtful.VerifyConnection = func(tls.ConnectionState) error {
				if revoked.Load() {
					return errors.New("the certificate is revoked")
				}
				return nil
			}
			log := &lines{}
			from, here := newTLSStream(t, "1", "b", trusted, io.Discard), newTLSStream(t, "1", "a", doubtful, log)
			looking := here
			if end == "the dialler" {
				from, here = newTLSStream(t, "1", "b", doubtful, log), newTLSStream(t, "1", "a", trusted, io.Discard)
				looking = from
			}
			out, err := from.Dial(raft.ServerAddress("a@"+here.self.Raft), patience)
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			in, err := here.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()

			looking.examine()
			if _, err := out.Write([]byte("x")); err != nil {
				t.Fatalf("a connection that is trusted has ended: %v", err)
			}
			if _, err := io.ReadFull(in, make([]byte, 1)); err != nil {
				t.Fatalf("a connection that is trusted has ended: %v", err)
			}
			revoked.Store(true)
			looking.examine()
			for name, conn := range map[string]net.Conn{"dialler": out, "receiver": in} {
				if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, net.ErrClosed) {
					t.Fatal(err)
				}
				if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("the %s still has its connection: %v", name, err)
				}
			}
			if n := log.count("the certificate is revoked"); n != 1 {
				t.Errorf("the reason is logged %d times, want once", n)
			}
		})
	}
}

// newIdentity is a certificate that is its own authority, for both ends of a connection.
func newIdentity(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}},
		RootCAs:      pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	}
}

func TestASilentDiallerDelaysNobody(t *testing.T) {
	a, b := newTestStream(t, "1", "a", io.Discard), newTestStream(t, "1", "b", io.Discard)
	for range patience/introduction + 1 { // to hear one after the other would take longer than patience
		silent, err := net.Dial("tcp", b.self.Raft)
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
	}
	conn, err := a.Dial(raft.ServerAddress("b@"+b.self.Raft), patience)
	if err != nil {
		t.Fatalf("beside silent connections: %v", err)
	}
	conn.Close()
	in, err := b.Accept()
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
}

func TestASeveredStreamEndsItsConnections(t *testing.T) {
	a, b := newTestStream(t, "1", "a", io.Discard), newTestStream(t, "1", "b", io.Discard)
	out, err := a.Dial(raft.ServerAddress("b@"+b.self.Raft), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	in, err := b.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.sever(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Read(make([]byte, 1)); err == nil {
		t.Error("a severed connection still reads")
	}
	in.Close()
	if err := b.Close(); err != nil {
		t.Errorf("close after sever: %v", err)
	}
	if _, err := b.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept on a closed stream: %v", err)
	}
	if _, err := b.Dial(raft.ServerAddress("a@"+a.self.Raft), patience); err == nil {
		t.Error("a closed stream dials")
	}
}

func FuzzPreamble(f *testing.F) {
	f.Add("tierdesk-raft/1 330106 n1-a n2-b\n")
	f.Add("tierdesk-raft/2 330106 n1-a n2-b\n")
	f.Add("tierdesk-raft/1 330106  n2-b\n")
	f.Add("GET / HTTP/1.1\r\n")
	f.Add(strings.Repeat("x", maxLine+1))
	f.Fuzz(func(t *testing.T, input string) {
		line, err := readLine(strings.NewReader(input))
		if err != nil {
			return
		}
		if len(line) >= maxLine || strings.Contains(line, "\n") {
			t.Errorf("a line of %d bytes: %q", len(line), line)
		}
		p, err := parsePreamble(line)
		if err != nil {
			return
		}
		var written bytes.Buffer
		if err := writeLine(&written, p.String()); err != nil || written.String() != line+"\n" {
			t.Errorf("%q parses to %+v, which is written as %q, error %v", line, p, &written, err)
		}
	})
}
