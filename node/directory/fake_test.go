package directory

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// fakeServer is a directory of a few entries that answers as the test says: it looks filters up in a table instead of
// understanding them.
type fakeServer struct {
	listener    net.Listener
	passwords   map[string]string       // by distinguished name; whom it does not list is not known
	entries     map[string][]*fakeEntry // by filter
	codes       map[string]uint16       // the answer to a bind, by distinguished name, in place of the password's
	searched    uint16                  // the answer to every search, in place of what is found
	silent      bool                    // takes connections and says nothing
	lax         bool                    // lets a bind without a password succeed
	mu          sync.Mutex              // guards what follows
	binds       []string                // the names of all binds
	filters     []string                // of all searches
	connections int                     // that were taken
	running     sync.WaitGroup
}

type fakeEntry struct {
	dn         string
	attributes map[string][]string
}

const (
	service       = "cn=desk,dc=example,dc=cn"
	servicePass   = "of-the-service"
	personDN      = "uid=zhang,ou=people,dc=example,dc=cn"
	personPass    = "of-zhang"
	personsFilter = "(uid=zhang)"
)

// newFake starts a directory in which zhang is a person. The change is made before it serves.
func newFake(t *testing.T, change func(*fakeServer)) *fakeServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	zhang := &fakeEntry{dn: personDN, attributes: map[string][]string{
		"uid": {"zhang"}, "cn": {"张三"}, "mail": {"zhang@example.cn"}, "telephoneNumber": {"13800000000", "010-1"}, "ou": {"预算处"},
		"memberOf": {"cn=agents,dc=example,dc=cn", "cn=all,dc=example,dc=cn"},
	}}
	f := &fakeServer{
		listener: listener, passwords: map[string]string{service: servicePass, personDN: personPass},
		entries: map[string][]*fakeEntry{personsFilter: {zhang}},
	}
	if change != nil {
		change(f)
	}
	f.running.Go(f.accept)
	t.Cleanup(func() {
		_ = f.listener.Close()
		f.running.Wait()
	})
	return f
}

// encrypted makes the directory one that speaks TLS, and returns whom to trust.
func encrypted(t *testing.T, f *fakeServer) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	f.listener = tls.NewListener(f.listener, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	return roots
}

func (f *fakeServer) accept() {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		f.connections++
		f.mu.Unlock()
		f.running.Go(func() { f.serve(conn) })
	}
}

func (f *fakeServer) serve(conn net.Conn) {
	defer conn.Close()
	for {
		packet, err := ber.ReadPacket(conn)
		if err != nil {
			return
		}
		if f.silent {
			continue
		}
		if !f.answer(conn, packet.Children[0].Value.(int64), packet.Children[1]) {
			return
		}
	}
}

// answer handles one request and tells whether the conversation goes on.
func (f *fakeServer) answer(conn net.Conn, id int64, request *ber.Packet) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch request.Tag {
	case ldap.ApplicationBindRequest:
		dn, password := request.Children[1].Value.(string), request.Children[2].Data.String()
		f.binds = append(f.binds, dn)
		f.send(conn, id, result(ldap.ApplicationBindResponse, f.bind(dn, password)))
	case ldap.ApplicationSearchRequest:
		filter, err := ldap.DecompileFilter(request.Children[6])
		if err != nil {
			return false
		}
		f.filters = append(f.filters, filter)
		code := f.searched
		if code == ldap.LDAPResultSuccess || code == ldap.LDAPResultSizeLimitExceeded {
			for _, entry := range f.entries[filter] {
				f.send(conn, id, entry.packet())
			}
		}
		f.send(conn, id, result(ldap.ApplicationSearchResultDone, code))
	default:
		return false
	}
	return true
}

func (f *fakeServer) bind(dn, password string) uint16 {
	if code, ok := f.codes[dn]; ok {
		return code
	}
	known, ok := f.passwords[dn]
	switch {
	case password == "" && (f.lax || dn == ""):
		return ldap.LDAPResultSuccess
	case ok && password == known:
		return ldap.LDAPResultSuccess
	}
	return ldap.LDAPResultInvalidCredentials
}

func (f *fakeServer) send(conn net.Conn, id int64, message *ber.Packet) {
	packet := ber.NewSequence("message")
	packet.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, "id"))
	packet.AppendChild(message)
	_, _ = conn.Write(packet.Bytes()) // a caller that has gone is the caller's business
}

func result(tag ber.Tag, code uint16) *ber.Packet {
	done := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "result")
	done.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(code), "code"))
	done.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", "matched"))
	done.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", "said"))
	return done
}

func (e *fakeEntry) packet() *ber.Packet {
	entry := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "entry")
	entry.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, e.dn, "dn"))
	attributes := ber.NewSequence("attributes")
	for name, values := range e.attributes {
		attribute := ber.NewSequence("attribute")
		attribute.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, name, "name"))
		set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "values")
		for _, value := range values {
			set.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, value, "value"))
		}
		attribute.AppendChild(set)
		attributes.AppendChild(attribute)
	}
	entry.AppendChild(attributes)
	return entry
}

// called is how many connections the directory has taken.
func (f *fakeServer) called() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.connections
}

// heard returns what the directory was asked: the names of binds, and the filters of searches.
func (f *fakeServer) heard() (binds, filters []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.binds), slices.Clone(f.filters)
}
