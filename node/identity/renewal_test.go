package identity

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"
)

// next issues the certificate that the plan says, in DER, and its key.
func (a *authority) next(t *testing.T, plan *x509.Certificate) ([][]byte, crypto.Signer) {
	t.Helper()
	key := newKey(t)
	return [][]byte{sign(t, plan, a.cert, &key.PublicKey, a.key).Raw}, key
}

// shown is the serial number of the certificate that a server shows in a new handshake.
func shown(t *testing.T, server *tls.Config) *big.Int {
	t.Helper()
	near, far := line(t)
	answered := make(chan error, 1)
	go func() {
		conn := tls.Server(far, server)
		answered <- conn.Handshake()
		_ = conn.Close()
	}()
	conn := tls.Client(near, &tls.Config{InsecureSkipVerify: true})
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	return conn.ConnectionState().PeerCertificates[0].SerialNumber
}

func TestARenewedCertificateIsShownAtOnce(t *testing.T) {
	tree := newAuthority(t, "tree")
	o := tree.issue(t, certificate(t, county))
	here, err := Load(o)
	if err != nil {
		t.Fatal(err)
	}
	configs := map[string]*tls.Config{"gRPC": here.ServerTLS(), "HTTP": here.HTTPTLS()} // as they were made before
	plan := certificate(t, county)
	plan.SerialNumber, plan.NotAfter = big.NewInt(77), time.Now().Add(2*time.Hour).Truncate(time.Second)
	certificates, key := tree.next(t, plan)
	if err := here.Renewed(certificates, key); err != nil {
		t.Fatal(err)
	}
	for name, config := range configs {
		if got := shown(t, config); got.Cmp(plan.SerialNumber) != 0 {
			t.Errorf("%s shows certificate %d, want the renewed one", name, got)
		}
	}
	if !here.Expires().Equal(plan.NotAfter) {
		t.Errorf("it expires on %s, want %s", here.Expires(), plan.NotAfter)
	}
	again, err := Load(o)
	if err != nil || again.own.Load().chain[0].SerialNumber.Cmp(plan.SerialNumber) != 0 {
		t.Errorf("a restart reads another certificate: %v", err)
	}
	if info, err := os.Stat(o.Key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the renewed key has the mode %v, %v", info.Mode(), err)
	}
	for _, file := range []string{o.Cert + next, o.Key + next} {
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%s is left", file)
		}
	}
}

// The name of a node's peer is looked at with the certificate that the peer has now, and both ends go on.
func TestPeersMeetBeforeAndAfterARenewal(t *testing.T) {
	tree := newAuthority(t, "tree")
	one, two := tree.identity(t, "330106", "n1"), tree.identity(t, "330106", "n2")
	client, server := one.PeerTLS(), two.PeerTLS()
	for range 3 {
		if atClient, atServer := meet(t, client, server); atClient != nil || atServer != nil {
			t.Fatalf("they do not meet: client: %v; server: %v", atClient, atServer)
		}
		for node, own := range map[string]*Identity{"n1": one, "n2": two} {
			certificates, key := tree.next(t, certificate(t, "tierdesk://330106/"+node))
			if err := own.Renewed(certificates, key); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAWrongRenewalChangesNothing(t *testing.T) {
	tree, other := newAuthority(t, "tree"), newAuthority(t, "another tree")
	o := tree.issue(t, certificate(t, county))
	here, err := Load(o)
	if err != nil {
		t.Fatal(err)
	}
	files := func() string {
		cert, certErr := os.ReadFile(o.Cert)
		key, keyErr := os.ReadFile(o.Key)
		if certErr != nil || keyErr != nil {
			t.Fatal(certErr, keyErr)
		}
		return string(cert) + string(key)
	}
	before := files()
	expired := certificate(t, county)
	expired.NotAfter = time.Now().Add(-time.Minute)
	for want, offer := range map[string]func() ([][]byte, crypto.Signer){
		"node n1 of site 330108": func() ([][]byte, crypto.Signer) { return tree.next(t, certificate(t, "tierdesk://330108/n1")) },
		"node n2 of site 330106": func() ([][]byte, crypto.Signer) { return tree.next(t, certificate(t, "tierdesk://330106/n2")) },
		"unknown authority":      func() ([][]byte, crypto.Signer) { return other.next(t, certificate(t, county)) },
		"not now":                func() ([][]byte, crypto.Signer) { return tree.next(t, expired) },
		"does not match public key": func() ([][]byte, crypto.Signer) {
			certificates, _ := tree.next(t, certificate(t, county))
			return certificates, newKey(t)
		},
		"the renewed certificate": func() ([][]byte, crypto.Signer) { return nil, newKey(t) },
	} {
		if err := here.Renewed(offer()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("renewed: %v, want %q", err, want)
		}
	}
	if files() != before {
		t.Error("the files have changed")
	}
}

// Whenever a renewal is cut short, the next start has the old pair or the new one.
func TestARenewalThatIsCutShort(t *testing.T) {
	tree := newAuthority(t, "tree")
	for cut, done := range map[string]func(o, renewed Options) error{
		"before anything":     func(Options, Options) error { return nil },
		"with the key beside": func(o, renewed Options) error { return copyFile(renewed.Key, o.Key+next) },
		"with both beside": func(o, renewed Options) error {
			if err := copyFile(renewed.Key, o.Key+next); err != nil {
				return err
			}
			return copyFile(renewed.Cert, o.Cert+next)
		},
		"between the two": func(o, renewed Options) error {
			if err := copyFile(renewed.Cert, o.Cert+next); err != nil {
				return err
			}
			return copyFile(renewed.Key, o.Key)
		},
	} {
		t.Run(cut, func(t *testing.T) {
			o, renewed := tree.issue(t, certificate(t, county)), tree.issue(t, certificate(t, county))
			if err := done(o, renewed); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := Load(o); err != nil {
					t.Fatalf("the next start: %v", err)
				}
			}
			if _, err := tls.LoadX509KeyPair(o.Cert, o.Key); err != nil {
				t.Errorf("the files do not fit together: %v", err)
			}
			here, err := Load(o)
			if err != nil {
				t.Fatal(err)
			}
			certificates, key := tree.next(t, certificate(t, county))
			if err := here.Renewed(certificates, key); err != nil {
				t.Errorf("the renewal after it: %v", err)
			}
		})
	}
}

// The key is replaced before the certificate: that is the one order that a start can finish.
func TestTheKeyIsReplacedFirst(t *testing.T) {
	tree := newAuthority(t, "tree")
	o, renewed := tree.issue(t, certificate(t, county)), tree.issue(t, certificate(t, county))
	cert, certErr := os.ReadFile(renewed.Cert)
	key, keyErr := os.ReadFile(renewed.Key)
	// A directory in the place of the certificate cannot be replaced.
	if err := errors.Join(certErr, keyErr, os.Remove(o.Cert), os.Mkdir(o.Cert, 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := Replace(o.Cert, o.Key, cert, key); err == nil {
		t.Error("a directory was replaced")
	}
	if got, err := os.ReadFile(o.Key); err != nil || !bytes.Equal(got, key) {
		t.Errorf("the key was not replaced: %v", err)
	}
	if got, err := os.ReadFile(o.Cert + next); err != nil || !bytes.Equal(got, cert) {
		t.Errorf("the certificate is not beside: %v", err)
	}
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

func TestReloadTakesUpWhatWasReplacedByHand(t *testing.T) {
	tree := newAuthority(t, "tree")
	o := tree.issue(t, certificate(t, county))
	here, err := Load(o)
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := here.Reload(); changed || err != nil {
		t.Errorf("nothing was replaced: %v, %v", changed, err)
	}
	plan := certificate(t, county)
	plan.SerialNumber = big.NewInt(78)
	renewed := tree.issue(t, plan)
	if err := copyFile(renewed.Key, o.Key); err != nil {
		t.Fatal(err)
	}
	if changed, err := here.Reload(); changed || err == nil {
		t.Errorf("the key alone was replaced: %v, %v", changed, err)
	}
	if err := copyFile(renewed.Cert, o.Cert); err != nil {
		t.Fatal(err)
	}
	if changed, err := here.Reload(); !changed || err != nil {
		t.Errorf("both were replaced: %v, %v", changed, err)
	}
	if got := shown(t, here.HTTPTLS()); got.Cmp(plan.SerialNumber) != 0 {
		t.Errorf("it shows certificate %d", got)
	}
}

// A node whose certificate has ended goes on with it, is known to nobody by it and vouches for nothing with it, until a good one
// is put into its files.
func TestACertificateThatHasEndedServesUntilItIsReplaced(t *testing.T) {
	tree := newAuthority(t, "tree")
	ended := func(serial int64) *x509.Certificate {
		plan := certificate(t, county)
		plan.SerialNumber, plan.NotAfter = big.NewInt(serial), time.Now().Add(-time.Minute).Truncate(time.Second)
		return plan
	}
	plan := ended(2)
	o := tree.issue(t, plan)
	here, err := Load(o)
	if err != nil {
		t.Fatal(err)
	}
	if !here.Expires().Equal(plan.NotAfter) {
		t.Errorf("it expires on %s, want %s", here.Expires(), plan.NotAfter)
	}
	if got := shown(t, here.HTTPTLS()); got.Cmp(plan.SerialNumber) != 0 {
		t.Errorf("browsers are shown certificate %d, want %d", got, plan.SerialNumber)
	}
	if _, _, err := here.Sign([]byte("message")); err == nil || !strings.Contains(err.Error(), "ended on") {
		t.Errorf("signing with it: %v, want it to say that the certificate ended", err)
	}
	peer := tree.identity(t, "330106", "n2")
	for way, ends := range map[string][2]*Identity{"it dials": {here, peer}, "it is dialled": {peer, here}} {
		atClient, atServer := meet(t, ends[0].PeerTLS(), ends[1].PeerTLS())
		if refused := errors.Join(atClient, atServer); refused == nil || !strings.Contains(refused.Error(), "expired") {
			t.Errorf("when %s another node says %v, want that the certificate has expired", way, refused)
		}
	}

	put := func(plan *x509.Certificate) {
		t.Helper()
		next := tree.issue(t, plan)
		if err := errors.Join(copyFile(next.Cert, o.Cert), copyFile(next.Key, o.Key)); err != nil {
			t.Fatal(err)
		}
	}
	put(ended(3))
	if changed, err := here.Reload(); changed || err == nil || !strings.Contains(err.Error(), "not now") {
		t.Errorf("another one that has ended: %v, %v; want it refused", changed, err)
	}
	put(certificate(t, county))
	if changed, err := here.Reload(); !changed || err != nil {
		t.Fatalf("a good one: %v, %v; want it taken up", changed, err)
	}
	if atClient, atServer := meet(t, here.PeerTLS(), peer.PeerTLS()); atClient != nil || atServer != nil {
		t.Errorf("with the good one: %v, %v", atClient, atServer)
	}
	if _, _, err := here.Sign([]byte("message")); err != nil {
		t.Errorf("signing with the good one: %v", err)
	}
}

func TestSignaturesAreOfTheNode(t *testing.T) {
	tree, other := newAuthority(t, "tree"), newAuthority(t, "another tree")
	here := tree.identity(t, "330106", "n1")
	message := []byte("tierdesk checkpoint: 42")
	certificates, signature, err := here.Sign(message)
	if err != nil {
		t.Fatal(err)
	}
	roots, now := here.Roots(), time.Now()
	if site, node, err := VerifySignature(roots, certificates, message, signature, now); err != nil || site != "330106" || node != "n1" {
		t.Errorf("it is of node %q of site %q, %v", node, site, err)
	}
	foreign := other.identity(t, "330106", "n1")
	for name, verify := range map[string]func() error{
		"another message": func() error {
			_, _, err := VerifySignature(roots, certificates, []byte("tierdesk checkpoint: 43"), signature, now)
			return err
		},
		"another tree": func() error {
			_, _, err := VerifySignature(foreign.Roots(), certificates, message, signature, now)
			return err
		},
		"another time": func() error {
			_, _, err := VerifySignature(roots, certificates, message, signature, now.Add(2*time.Hour))
			return err
		},
		"no certificate": func() error {
			_, _, err := VerifySignature(roots, nil, message, signature, now)
			return err
		},
		"no signature": func() error {
			_, _, err := VerifySignature(roots, certificates, message, nil, now)
			return err
		},
	} {
		if verify() == nil {
			t.Errorf("%s: it holds", name)
		}
	}
}

func TestAKeyOfEd25519SignsToo(t *testing.T) {
	tree := newAuthority(t, "tree")
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	here, plan := tree.identity(t, "330106", "n1"), certificate(t, county)
	der, err := x509.CreateCertificate(rand.Reader, plan, tree.cert, public, tree.key)
	if err != nil {
		t.Fatal(err)
	}
	if err := here.Renewed([][]byte{der}, key); err != nil {
		t.Fatal(err)
	}
	certificates, signature, err := here.Sign([]byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := VerifySignature(here.Roots(), certificates, []byte("message"), signature, time.Now()); err != nil {
		t.Error(err)
	}
}
