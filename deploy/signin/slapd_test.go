package signin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	servicePassword = "of-the-service-account"
	zhangPassword   = "of-zhang-san"
)

// people is the directory: an office with people, one of whom has left, and groups that name their members.
const people = `dn: dc=example,dc=cn
objectClass: dcObject
objectClass: organization
dc: example
o: 财政厅

dn: cn=desk,dc=example,dc=cn
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: desk
userPassword: ` + servicePassword + `

dn: ou=people,dc=example,dc=cn
objectClass: organizationalUnit
ou: people

dn: ou=former,ou=people,dc=example,dc=cn
objectClass: organizationalUnit
ou: former

dn: uid=zhang,ou=people,dc=example,dc=cn
objectClass: inetOrgPerson
uid: zhang
cn: 张三
sn: 张
mail: zhang@example.cn
telephoneNumber: 13800000000
ou: 预算处
userPassword: ` + zhangPassword + `

dn: uid=li,ou=people,dc=example,dc=cn
objectClass: inetOrgPerson
uid: li
cn: 李四
sn: 李
userPassword: of-li-si

dn: uid=wang,ou=people,dc=example,dc=cn
objectClass: inetOrgPerson
uid: wang
cn: 王五
sn: 王
employeeType: left
userPassword: of-wang-wu

dn: uid=zhao,ou=people,dc=example,dc=cn
objectClass: inetOrgPerson
uid: zhao
cn: 赵六
sn: 赵
userPassword: of-zhao-liu

dn: uid=zhao,ou=former,ou=people,dc=example,dc=cn
objectClass: inetOrgPerson
uid: zhao
cn: 赵七
sn: 赵
userPassword: of-zhao-qi

dn: uid=admin,ou=people,dc=example,dc=cn
objectClass: inetOrgPerson
uid: admin
cn: 冒名者
sn: 冒
userPassword: of-an-impostor

dn: cn=sun,ou=people,dc=example,dc=cn
objectClass: user
cn: sun
sn: 孙
sAMAccountName: sun
userPrincipalName: sun@corp.example.cn
displayName: 孙八
userPassword: of-sun-ba

dn: ou=groups,dc=example,dc=cn
objectClass: organizationalUnit
ou: groups

dn: cn=agents,ou=groups,dc=example,dc=cn
objectClass: groupOfNames
cn: agents
member: uid=zhang,ou=people,dc=example,dc=cn
member: cn=sun,ou=people,dc=example,dc=cn

dn: cn=network,ou=groups,dc=example,dc=cn
objectClass: groupOfNames
cn: network
member: uid=zhang,ou=people,dc=example,dc=cn

dn: cn=managers,ou=groups,dc=example,dc=cn
objectClass: groupOfNames
cn: managers
member: uid=wang,ou=people,dc=example,dc=cn
member: uid=zhao,ou=people,dc=example,dc=cn
member: uid=admin,ou=people,dc=example,dc=cn
`

// windows are the names by which Active Directory knows people.
const windows = `attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.656 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP inetOrgPerson STRUCTURAL
  MAY ( sAMAccountName $ userPrincipalName $ userAccountControl ) )
`

// slapd is a running directory.
type slapd struct {
	t           *testing.T
	dir         string
	plain, over string // addresses for StartTLS and for TLS
	ca          string // the file of who signs its certificate
	process     *exec.Cmd
}

// program finds one of OpenLDAP's programs, which Debian keeps where only root looks.
func program(t *testing.T, name string) string {
	t.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	t.Fatalf("there is no %s on this machine; install the package slapd", name)
	return ""
}

// newSlapd starts a directory with the people, which takes passwords over encrypted connections only.
func newSlapd(t *testing.T) *slapd {
	t.Helper()
	s := &slapd{t: t, dir: t.TempDir(), plain: freeAddress(t), over: freeAddress(t)}
	s.makeCertificate()
	if err := os.Mkdir(filepath.Join(s.dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.write("slapd.conf", fmt.Sprintf(`include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include %[1]s/windows.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
TLSCACertificateFile %[1]s/ca.crt
TLSCertificateFile %[1]s/server.crt
TLSCertificateKeyFile %[1]s/server.key
disallow bind_anon
require authc
security simple_bind=128
database mdb
suffix dc=example,dc=cn
directory %[1]s/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact=cn=desk,dc=example,dc=cn read by * none
overlay memberof
memberof-group-oc groupOfNames
`, s.dir))
	s.write("windows.schema", windows)
	s.write("people.ldif", people)
	// The overlay fills in memberOf while entries come in through the server's own tool.
	if out, err := exec.Command(program(t, "slapadd"), "-f", s.path("slapd.conf"), "-l", s.path("people.ldif")).CombinedOutput(); err != nil {
		t.Fatalf("fill the directory: %v\n%s", err, out)
	}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *slapd) path(name string) string { return filepath.Join(s.dir, name) }

func (s *slapd) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// start runs the directory and waits until it listens.
func (s *slapd) start() {
	s.t.Helper()
	s.process = exec.Command(program(s.t, "slapd"), "-d", "0", "-f", s.path("slapd.conf"),
		"-h", "ldap://"+s.plain+"/ ldaps://"+s.over+"/")
	var said strings.Builder
	s.process.Stderr = &said
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", s.over)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			s.stop()
			s.t.Fatalf("slapd does not listen: %v\n%s", err, said.String())
		}
	}
}

// stop ends the directory; it may have been stopped.
func (s *slapd) stop() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
	s.process = nil
}

// makeCertificate makes an authority and what it signed for this machine.
func (s *slapd) makeCertificate() {
	s.t.Helper()
	authorityKey, serverKey := s.newKey(), s.newKey()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of the test"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "slapd"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	s.ca = s.path("ca.crt")
	s.sign("ca.crt", authority, authority, authorityKey, authorityKey)
	s.sign("server.crt", server, authority, serverKey, authorityKey)
	der, err := x509.MarshalPKCS8PrivateKey(serverKey)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write("server.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

func (s *slapd) newKey() *ecdsa.PrivateKey {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	return key
}

func (s *slapd) sign(name string, subject, issuer *x509.Certificate, key, by *ecdsa.PrivateKey) {
	s.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, subject, issuer, key.Public(), by)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(name, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
}

// section is the configuration of a site that asks this directory; more replaces or adds lines.
func (s *slapd) section(more ...string) string {
	lines := map[string]string{
		"url": `ldaps://` + s.over, "ca": s.ca, "bind_dn": `"cn=desk,dc=example,dc=cn"`, "bind_password_env": "DESK_LDAP_PASSWORD",
		"base": `"ou=people,dc=example,dc=cn"`, "user_filter": `"(&(uid=%s)(!(employeeType=left)))"`, "timeout": "8s",
		"group_base": `"ou=groups,dc=example,dc=cn"`, "offline": "1h",
		"roles": `[{group: "cn=network,ou=groups,dc=example,dc=cn", role: dispatcher, scope: site, groups: [网络组]}, ` +
			`{group: "CN=Agents, OU=groups, DC=example, DC=cn", role: agent, groups: [一线, 网络组]}, ` +
			`{group: "cn=managers,ou=groups,dc=example,dc=cn", role: incident_manager}]`,
	}
	order := []string{"url", "start_tls", "ca", "bind_dn", "bind_password_env", "base", "user_filter", "user_attribute", "name_attribute",
		"group_base", "roles", "default_role", "offline", "timeout"}
	for i := 0; i < len(more); i += 2 {
		lines[more[i]] = more[i+1]
	}
	text := "sign_in:\n  ldap:\n"
	for _, key := range order {
		if value := lines[key]; value != "" {
			text += "    " + key + ": " + value + "\n"
		}
	}
	return text
}
