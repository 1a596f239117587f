package authority

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"time"
)

// DefaultLifetime is for how long a node's certificate is issued unless something else is said. Nodes renew theirs when a
// third of it is left.
const DefaultLifetime = 90 * 24 * time.Hour

// shortestLifetime is for how long a certificate is issued at least.
const shortestLifetime = time.Minute

// maxRenewals is how many certificates a node gets in a day at its own request: more than it needs when it loses some, and
// few enough that nobody fills the ledger.
const maxRenewals = 24

// maxHosts is how many names of hosts a certificate has at most.
const maxHosts = 32

// Node is whom a certificate is for.
type Node struct {
	Site, Node string
	Hosts      []string // names and addresses by which browsers call the node's HTTP port; nodes know each other without
	Lifetime   time.Duration
}

// ErrNotIssued is why Sign does not sign: the node has no certificate, or the last one was revoked.
var ErrNotIssued = errors.New("no certificate of this authority that still counts")

func (n Node) check() error {
	switch {
	case !regexp.MustCompile(`^[A-Za-z0-9]{1,32}$`).MatchString(n.Site):
		return fmt.Errorf("the site %q does not have 1 to 32 letters and digits, such as 330106", n.Site)
	case !regexp.MustCompile(`^[a-z0-9-]{1,32}$`).MatchString(n.Node):
		return fmt.Errorf("the node %q does not have 1 to 32 of a-z, 0-9 and -, such as n1", n.Node)
	case n.Lifetime < shortestLifetime:
		return fmt.Errorf("the lifetime %s is shorter than %s", n.Lifetime, shortestLifetime)
	case len(n.Hosts) > maxHosts:
		return fmt.Errorf("%d hosts are more than %d", len(n.Hosts), maxHosts)
	}
	for _, host := range n.Hosts {
		if net.ParseIP(host) == nil && !regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`).MatchString(host) {
			return fmt.Errorf("the host %q is neither an address nor a name; leave out the port and the scheme", host)
		}
	}
	return nil
}

// name is how the certificate names the node.
func (n Node) name() *url.URL { return &url.URL{Scheme: "tierdesk", Host: n.Site, Path: "/" + n.Node} }

// Issued is a certificate and its key, in PEM form.
type Issued struct {
	Cert, Key []byte
	Entry     Entry
}

// Issue makes a key and a certificate for it. The ledger has the certificate before it is returned.
func (a *Authority) Issue(n Node) (*Issued, error) {
	return a.withKey(func(public crypto.PublicKey) ([][]byte, Entry, error) { return a.certify(n, public) })
}

// Renew makes a key and the next certificate of a node, as Sign does.
func (a *Authority) Renew(site, node string) (*Issued, error) {
	return a.withKey(func(public crypto.PublicKey) ([][]byte, Entry, error) { return a.certifyNext(site, node, public) })
}

// withKey makes a key and has it certified while the directory is locked.
func (a *Authority) withKey(certify func(crypto.PublicKey) ([][]byte, Entry, error)) (*Issued, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate: %w", err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate: %w", err)
	}
	unlock, err := a.lock()
	if err != nil {
		return nil, fmt.Errorf("issue a certificate: %w", err)
	}
	defer unlock()
	certificates, entry, err := certify(key.Public())
	if err != nil {
		return nil, fmt.Errorf("issue a certificate: %w", err)
	}
	return &Issued{
		Cert: EncodeCertificates(certificates), Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}), Entry: entry,
	}, nil
}

// Sign answers a node's request for its next certificate, PKCS #10 in DER, with the certificate in DER and those between it
// and the authority, of which there are none. The request must be signed by its key and name that site and node; the last
// certificate of the node must not be revoked (ErrNotIssued). Hosts and lifetime are those of that one, whatever the
// request says: a node does not get more than its operator gave it.
func (a *Authority) Sign(request []byte, site, node string) ([][]byte, error) {
	public, err := CheckRequest(request, site, node)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	unlock, err := a.lock()
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	defer unlock()
	certificates, _, err := a.certifyNext(site, node, public)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	return certificates, nil
}

// certifyNext certifies a node's next key with the hosts and the lifetime that its last certificate has.
func (a *Authority) certifyNext(site, node string, public crypto.PublicKey) ([][]byte, Entry, error) {
	entries, err := a.List()
	if err != nil {
		return nil, Entry{}, err
	}
	last, today := a.history(entries, site, node)
	if today >= maxRenewals {
		return nil, Entry{}, fmt.Errorf("node %s of site %s got %d certificates within a day; see why it does not use them", node, site, today)
	}
	if last.Serial == "" || last.Revoked() {
		return nil, Entry{}, fmt.Errorf("node %s of site %s has %w; issue one with tierdesk ca issue", node, site, ErrNotIssued)
	}
	return a.certify(Node{site, node, last.Hosts, last.Lifetime()}, public)
}

// CheckRequest tells whether a PKCS #10 request in DER is signed by its own key, asks for that node of that site and for
// nobody else, and has a key of a kind that nodes use. It returns the key.
func CheckRequest(request []byte, site, node string) (crypto.PublicKey, error) {
	parsed, err := x509.ParseCertificateRequest(request)
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	if err := parsed.CheckSignature(); err != nil {
		return nil, fmt.Errorf("the request is not signed by its own key: %w", err)
	}
	if name := (Node{Site: site, Node: node}).name().String(); len(parsed.URIs) != 1 || parsed.URIs[0].String() != name {
		return nil, fmt.Errorf("the request does not ask for %s alone", name)
	}
	switch key := parsed.PublicKey.(type) {
	case ed25519.PublicKey:
		return key, nil
	case *ecdsa.PublicKey:
		if slices.Contains([]elliptic.Curve{elliptic.P256(), elliptic.P384()}, key.Curve) {
			return key, nil
		}
	}
	return nil, errors.New("the request's key is neither ECDSA on P-256 or P-384 nor Ed25519")
}

// Request makes a new key, and a request in DER for a certificate of that node.
func Request(site, node string) (request []byte, key crypto.Signer, err error) {
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make a request: %w", err)
	}
	n := Node{Site: site, Node: node}
	request, err = x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{URIs: []*url.URL{n.name()}, Subject: n.subject()}, own)
	if err != nil {
		return nil, nil, fmt.Errorf("make a request: %w", err)
	}
	return request, own, nil
}

func (n Node) subject() pkix.Name {
	return pkix.Name{Organization: []string{"tierdesk"}, OrganizationalUnit: []string{n.Site}, CommonName: n.Site + " " + n.Node}
}

// certify makes the certificate and writes it into the ledger, which is locked. It ends with the authority's own at the
// latest.
func (a *Authority) certify(n Node, public crypto.PublicKey) ([][]byte, Entry, error) {
	if err := n.check(); err != nil {
		return nil, Entry{}, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, Entry{}, err
	}
	now := a.clock()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: n.subject(), URIs: []*url.URL{n.name()},
		NotBefore: now.Add(-min(skew, n.Lifetime)), NotAfter: now.Add(n.Lifetime), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if template.NotAfter.After(a.cert.NotAfter) {
		template.NotAfter = a.cert.NotAfter
	}
	if !now.Before(template.NotAfter) {
		return nil, Entry{}, fmt.Errorf("the authority ended on %s; make a new one with tierdesk ca init", a.cert.NotAfter.Format(time.DateOnly))
	}
	for _, host := range n.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, public, a.key)
	if err != nil {
		return nil, Entry{}, err
	}
	entry := Entry{
		Serial: fmt.Sprintf("%032x", serial), Site: n.Site, Node: n.Node, Hosts: n.Hosts,
		Issued: now.UTC().Truncate(time.Second), Expires: template.NotAfter.UTC().Truncate(time.Second),
	}
	return [][]byte{der}, entry, a.append(entry)
}
