package authority

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// request asks for names with a key.
func request(t testing.TB, key crypto.Signer, names ...string) []byte {
	t.Helper()
	plan := &x509.CertificateRequest{DNSNames: []string{"bank.example"}}
	for _, name := range names {
		uri, err := url.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		plan.URIs = append(plan.URIs, uri)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, plan, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func ecdsaKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSignGivesWhatTheNodeHadBefore(t *testing.T) {
	c := newClock()
	a := newTree(t, c)
	short := xihu
	short.Lifetime = 30 * 24 * time.Hour
	issue(t, a, short)
	c.now = c.now.Add(20 * 24 * time.Hour)

	asked, key, err := Request("330106", "n1")
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		request []byte
		key     crypto.Signer
	}{
		"a request of ours":           {asked, key},
		"one that asks for more":      {request(t, key, "tierdesk://330106/n1"), key},
		"one with a key of Ed25519":   {request(t, edwards, "tierdesk://330106/n1"), edwards},
		"one with a longer ECDSA key": {request(t, ecdsaKey(t, elliptic.P384()), "tierdesk://330106/n1"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			certificates, err := a.Sign(test.request, "330106", "n1")
			if err != nil || len(certificates) != 1 {
				t.Fatalf("%d certificates, %v", len(certificates), err)
			}
			cert, err := x509.ParseCertificate(certificates[0])
			if err != nil {
				t.Fatal(err)
			}
			if public, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); test.key != nil && (!ok || !public.Equal(test.key.Public())) {
				t.Error("it is of another key")
			}
			if !slices.Equal(cert.DNSNames, []string{"desk.xihu.example"}) || len(cert.IPAddresses) != 1 {
				t.Errorf("it is of the hosts %v %v, want those of the one before", cert.DNSNames, cert.IPAddresses)
			}
			if !cert.NotAfter.Equal(c.now.Add(short.Lifetime)) {
				t.Errorf("it ends on %s, want it to last as long as the one before", cert.NotAfter)
			}
			if err := cert.CheckSignatureFrom(a.Certificate()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSignRefuses(t *testing.T) {
	c := newClock()
	a := newTree(t, c)
	issue(t, a, xihu)
	issue(t, a, Node{Site: "330106", Node: "n2", Lifetime: time.Hour})
	if _, err := a.Revoke(Which{Site: "330106", Node: "n2"}); err != nil {
		t.Fatal(err)
	}
	key := ecdsaKey(t, elliptic.P256())
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	broken := request(t, key, "tierdesk://330106/n1")
	broken[len(broken)-1] ^= 1
	for name, test := range map[string]struct {
		request    []byte
		site, node string
		want       string
	}{
		"no request":           {[]byte("x"), "330106", "n1", "read the request"},
		"another site":         {request(t, key, "tierdesk://330108/n1"), "330106", "n1", "does not ask for tierdesk://330106/n1 alone"},
		"another node":         {request(t, key, "tierdesk://330106/n2"), "330106", "n1", "does not ask for"},
		"two names":            {request(t, key, "tierdesk://330106/n1", "tierdesk://330000/n1"), "330106", "n1", "does not ask for"},
		"no name":              {request(t, key), "330106", "n1", "does not ask for"},
		"a broken signature":   {broken, "330106", "n1", "not signed by its own key"},
		"a key of RSA":         {request(t, weak, "tierdesk://330106/n1"), "330106", "n1", "neither ECDSA"},
		"a curve of no use":    {request(t, ecdsaKey(t, elliptic.P224()), "tierdesk://330106/n1"), "330106", "n1", "neither ECDSA"},
		"a node that is new":   {request(t, key, "tierdesk://330106/n3"), "330106", "n3", "tierdesk ca issue"},
		"a node that was lost": {request(t, key, "tierdesk://330106/n2"), "330106", "n2", "tierdesk ca issue"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := a.Sign(test.request, test.site, test.node); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("signed: %v, want %q", err, test.want)
			}
		})
	}
	if _, err := a.Sign(request(t, key, "tierdesk://330106/n2"), "330106", "n2"); !errors.Is(err, ErrNotIssued) {
		t.Errorf("a revoked node got %v, want ErrNotIssued", err)
	}
	if entries, err := a.List(); err != nil || len(entries) != 2 {
		t.Errorf("the ledger has %v, %v; want what was issued only", entries, err)
	}
}

// A node that asks again and again does not fill the ledger, and may ask the next day.
func TestSignIsBounded(t *testing.T) {
	c := newClock()
	a := newTree(t, c)
	issue(t, a, xihu)
	asked, _, err := Request("330106", "n1")
	if err != nil {
		t.Fatal(err)
	}
	signed := 0
	for range 2 * maxRenewals {
		if _, err = a.Sign(asked, "330106", "n1"); err == nil {
			signed++
		}
	}
	if signed != maxRenewals-1 || err == nil || !strings.Contains(err.Error(), "within a day") {
		t.Errorf("%d were signed after the first one, then %v", signed, err)
	}
	c.now = c.now.Add(25 * time.Hour)
	if _, err := a.Sign(asked, "330106", "n1"); err != nil {
		t.Errorf("the next day: %v", err)
	}
}

func FuzzCheckRequest(f *testing.F) {
	f.Add(request(f, ecdsaKey(f, elliptic.P256()), "tierdesk://330106/n1"))
	f.Add(request(f, ecdsaKey(f, elliptic.P256())))
	f.Add([]byte{0x30, 0x80})
	f.Fuzz(func(t *testing.T, der []byte) {
		key, err := CheckRequest(der, "330106", "n1")
		if (key == nil) == (err == nil) {
			t.Errorf("key %v and error %v", key, err)
		}
	})
}
