package identity

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const county = "tierdesk://330106/n1"

func TestLoadTakesACertificateOfThisNode(t *testing.T) {
	root := newAuthority(t, "tree")
	if _, err := Load(root.issue(t, certificate(t, county))); err != nil {
		t.Errorf("issued by the root: %v", err)
	}
	city := root.below(t, "city")
	o := city.issue(t, certificate(t, county), city.cert)
	o.CA = root.file
	if _, err := Load(o); err != nil {
		t.Errorf("issued through an authority between, which comes with it: %v", err)
	}
}

func TestLoadSaysWhichFileIsWrong(t *testing.T) {
	root, other := newAuthority(t, "tree"), newAuthority(t, "another tree")
	good := root.issue(t, certificate(t, county))
	missing := filepath.Join(t.TempDir(), "missing.pem")
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("no PEM\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	plan := func(change func(*x509.Certificate)) Options {
		c := certificate(t, county)
		change(c)
		return root.issue(t, c)
	}
	with := func(change func(*Options)) Options {
		o := good
		change(&o)
		return o
	}
	foreign := with(func(o *Options) { o.CA = other.file })
	ended := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }
	expired, strange := plan(ended), plan(ended)
	strange.CA = other.file
	future := plan(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(30 * time.Minute) })
	for _, test := range []struct {
		name string
		o    Options
		want []string
	}{
		{"no authority file", with(func(o *Options) { o.CA = missing }), []string{"tls.ca", missing}},
		{"no certificate file", with(func(o *Options) { o.Cert = missing }), []string{"tls.cert", missing}},
		{"no key file", with(func(o *Options) { o.Key = missing }), []string{"tls.key", missing}},
		{"an authority file without PEM", with(func(o *Options) { o.CA = empty }), []string{"tls.ca", empty, "no certificate"}},
		{"a node's certificate as authority", with(func(o *Options) { o.CA = o.Cert }), []string{"tls.ca", good.Cert, "no authority"}},
		{"a certificate file without PEM", with(func(o *Options) { o.Cert = empty }), []string{"tls.cert", empty}},
		{"the key of another certificate", with(func(o *Options) { o.Key = expired.Key }), []string{"tls.cert", good.Cert, "tls.key", expired.Key}},
		{"another authority", foreign, []string{"tls.cert", good.Cert, "tls.ca", other.file}},
		{"another site", with(func(o *Options) { o.Site = "330108" }), []string{good.Cert, "node n1 of site 330106", "node n1 of site 330108"}},
		{"another node", with(func(o *Options) { o.Node = "n2" }), []string{good.Cert, "node n1 of site 330106", "node n2 of site 330106"}},
		{"expired, of another authority", strange, []string{"tls.cert", strange.Cert, "tls.ca", other.file}},
		{"expired, of another node", plan(func(c *x509.Certificate) {
			ended(c)
			c.URIs[0].Path = "/n2"
		}), []string{"node n2 of site 330106", "node n1 of site 330106"}},
		{"expired, for servers alone", plan(func(c *x509.Certificate) {
			ended(c)
			c.ExtKeyUsage = c.ExtKeyUsage[:1]
		}), []string{"usage", "servers and clients"}},
		{"not yet valid", future, []string{future.Cert, "not now"}},
		{"for servers alone", plan(func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[:1] }), []string{"usage", "servers and clients"}},
		{"for clients alone", plan(func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[1:] }), []string{"usage", "servers and clients"}},
		{"without a name", plan(func(c *x509.Certificate) { c.URIs = nil }), []string{"tls.cert", "tierdesk://<site>/<node> is missing"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Load(test.o)
			if err == nil {
				t.Fatal("it loads")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error %q does not contain %q", err, want)
				}
			}
		})
	}
}

func TestParse(t *testing.T) {
	for _, test := range []struct {
		name       string
		uris       []string
		site, node string // empty: refused
	}{
		{"a node", []string{county}, "330106", "n1"},
		{"a node beside names of other schemes", []string{"spiffe://x/y", county}, "330106", "n1"},
		{"letters and a dash", []string{"tierdesk://ZJ1/node-2"}, "ZJ1", "node-2"},
		{"nothing", nil, "", ""},
		{"another scheme", []string{"https://330106/n1"}, "", ""},
		{"two nodes", []string{county, "tierdesk://330108/n1"}, "", ""},
		{"the same node twice", []string{county, county}, "", ""},
		{"no node", []string{"tierdesk://330106/"}, "", ""},
		{"no slash", []string{"tierdesk://330106"}, "", ""},
		{"no site", []string{"tierdesk:///n1"}, "", ""},
		{"a deeper path", []string{"tierdesk://330106/n1/x"}, "", ""},
		{"a double slash", []string{"tierdesk://330106//n1"}, "", ""},
		{"a port", []string{"tierdesk://330106:1/n1"}, "", ""},
		{"a user", []string{"tierdesk://u@330106/n1"}, "", ""},
		{"a query", []string{county + "?x"}, "", ""},
		{"a fragment", []string{county + "#x"}, "", ""},
		{"an escape", []string{"tierdesk://330106/n%31"}, "", ""},
		{"no authority part", []string{"tierdesk:330106/n1"}, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			site, node, err := Parse(certificate(t, test.uris...))
			if (err == nil) != (test.site != "") {
				t.Errorf("error is %v, want one: %v", err, test.site == "")
			}
			if site != test.site || node != test.node {
				t.Errorf("parsed site %q and node %q, want %q and %q", site, node, test.site, test.node)
			}
		})
	}
}
