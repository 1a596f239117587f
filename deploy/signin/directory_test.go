package signin

import (
	"net"
	"net/http"
	"net/url"
	"reflect"
	"testing"
)

func TestDirectorySignsPeopleIn(t *testing.T) {
	d := newSlapd(t)
	for name, address := range map[string][]string{
		"over TLS":      {"url", "ldaps://" + d.over},
		"over StartTLS": {"url", "ldap://" + d.plain, "start_tls", "true"},
	} {
		t.Run(name, func(t *testing.T) {
			s := startSite(t, freeAddress(t), d.section(address...), servicePassword, "")
			got := s.mustSignIn("Zhang", zhangPassword)
			want := map[string]any{
				"name": "zhang", "displayName": "张三", "email": "zhang@example.cn", "phone": "13800000000", "unit": "预算处",
				"role": "DISPATCHER", "scope": "SITE", "source": "LDAP",
			}
			for field, value := range want {
				if got[field] != value {
					t.Errorf("the account's %s is %v, want %v as the directory and its rules say", field, got[field], value)
				}
			}
			if groups := []any{"一线", "网络组"}; !reflect.DeepEqual(got["groups"], groups) {
				t.Errorf("the account's groups are %v, want those of all rules that fit: %v", got["groups"], groups)
			}
			s.keepsSecrets(zhangPassword, servicePassword)
		})
	}
}

func TestDirectoryTurnsPeopleAway(t *testing.T) {
	d := newSlapd(t)
	s := startSite(t, freeAddress(t), d.section(), servicePassword, "")
	_, unknown := s.signIn("nobody", "of-nobody-here")
	for name, c := range map[string]struct {
		user, password string
		code           int
	}{
		"with a wrong password":                {"zhang", "of-somebody-else", http.StatusUnauthorized},
		"in no group that is let in":           {"li", "of-li-si", http.StatusUnauthorized},
		"who has left":                         {"wang", "of-wang-wu", http.StatusUnauthorized},
		"whose name two people have":           {"zhao", "of-zhao-liu", http.StatusUnauthorized},
		"with a name that is a filter":         {"*", zhangPassword, http.StatusUnauthorized},
		"with a name that ends the filter":     {"zhang)(uid=*", zhangPassword, http.StatusUnauthorized},
		"with a name that widens the filter":   {"wang)(|(uid=*", "of-wang-wu", http.StatusUnauthorized},
		"with a distinguished name":            {"uid=zhang,ou=people,dc=example,dc=cn", zhangPassword, http.StatusUnauthorized},
		"with the service account":             {"desk", servicePassword, http.StatusUnauthorized},
		"under the local administrator's name": {"admin", "of-an-impostor", http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			code, answer := s.signIn(c.user, c.password)
			if code != c.code || !reflect.DeepEqual(answer["message"], unknown["message"]) {
				t.Errorf("%q: %d %v, want %d and the words for somebody unknown, %v", c.user, code, answer["message"], c.code, unknown["message"])
			}
		})
	}
	if got := s.mustSignIn("admin", adminPassword); got["source"] != nil && got["source"] != "LOCAL" {
		t.Errorf("the administrator's account is now of %v; an account of the directory took it over", got["source"])
	}
	s.keepsSecrets(servicePassword, "of-an-impostor")
}

func TestDirectoryLooksLikeActiveDirectory(t *testing.T) {
	d := newSlapd(t)
	for name, filter := range map[string]string{
		"by account name":                  `"(sAMAccountName=%s)"`,
		"by either name":                   `"(|(sAMAccountName=%s)(userPrincipalName=%s))"`,
		"by principal name in the domain":  `"(userPrincipalName=%s@corp.example.cn)"`,
		"by account name, of people alone": `"(&(objectClass=user)(sAMAccountName=%s)(!(userAccountControl=514)))"`,
	} {
		t.Run(name, func(t *testing.T) {
			s := startSite(t, freeAddress(t), d.section("user_filter", filter, "user_attribute", "sAMAccountName", "name_attribute", "displayName"),
				servicePassword, "")
			got := s.mustSignIn("sun", "of-sun-ba")
			if got["name"] != "sun" || got["displayName"] != "孙八" || got["role"] != "AGENT" {
				t.Errorf("the account is %v, want sun, 孙八, an agent", got)
			}
			if code, answer := s.signIn("sun", "of-somebody-else"); code != http.StatusUnauthorized {
				t.Errorf("with a wrong password: %d %v", code, answer)
			}
		})
	}
}

func TestDirectoryIsDown(t *testing.T) {
	d := newSlapd(t)
	s := startSite(t, freeAddress(t), d.section(), servicePassword, "")
	s.mustSignIn("zhang", zhangPassword)
	d.stop()
	if got := s.mustSignIn("zhang", zhangPassword); got["role"] != "DISPATCHER" {
		t.Errorf("while the directory is down, zhang is %v, want a dispatcher as before", got["role"])
	}
	if code, answer := s.signIn("zhang", "of-somebody-else"); code != http.StatusUnauthorized {
		t.Errorf("while the directory is down, a wrong password: %d %v", code, answer)
	}
	if code, answer := s.signIn("li", "of-li-si"); code != http.StatusUnauthorized {
		t.Errorf("while the directory is down, somebody who never signed in: %d %v", code, answer)
	}
	s.mustSignIn("admin", adminPassword) // whom no directory has to vouch for
	d.start()
	s.mustSignIn("zhang", zhangPassword)
	s.keepsSecrets(zhangPassword, servicePassword)
}

// TestDirectoryIsSilent is the worst that a line does: the directory takes connections and never answers.
func TestDirectoryIsSilent(t *testing.T) {
	d := newSlapd(t)
	s := startSite(t, freeAddress(t), d.section(), servicePassword, "")
	s.mustSignIn("zhang", zhangPassword)
	d.stop()
	silent, err := net.Listen("tcp", d.over)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	s.mustSignIn("zhang", zhangPassword)
	b := newBrowser(t, s)
	if _, words := b.submit("/sign-in", url.Values{"user": {"zhang"}, "password": {zhangPassword}}); b.session() == "" {
		t.Errorf("zhang cannot sign in at the page: %s", words)
	}
}

func TestDirectoryIsNotTrusted(t *testing.T) {
	d, other := newSlapd(t), newSlapd(t)
	s := startSite(t, freeAddress(t), d.section("ca", other.ca), servicePassword, "")
	if code, answer := s.signIn("zhang", zhangPassword); code != http.StatusUnauthorized {
		t.Errorf("a directory with a certificate of a stranger signs zhang in: %d %v", code, answer)
	}
	s.keepsSecrets(zhangPassword, servicePassword)
}
