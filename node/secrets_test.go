package node

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/tierdesk/tierdesk/node/config"
)

// The secrets that people and machines bring to the node of the test. None of them is one anywhere else.
const (
	wrongPassword   = "wrong-orange-7121"
	firstPassword   = "first-banana-5309"
	nextPassword    = "next-cherry-86420"
	directorySecret = "bind-durian-11235"
	providerSecret  = "client-elder-8132"
	browserCode     = "provider-code-figs-144"
)

// confidential is everything that the node was told in confidence, by what it is, and all that it said.
type confidential struct {
	node    *Node
	secrets map[string]string
	said    map[string]string // by where
}

// hear sends a request and keeps the answer as something that must not hold a secret; an answer that hands a secret over is not kept.
func (c *confidential) hear(t *testing.T, method, path, body string, headers ...string) exchanged {
	t.Helper()
	got := overHTTP(t, c.node, method, path, body, headers...)
	if !strings.Contains(got.body, `"token"`) && !strings.Contains(got.body, `"secret"`) {
		c.said["answer to "+method+" "+path] += got.body
	}
	for name, values := range got.header {
		if name != "Set-Cookie" {
			c.said["header "+name+" of the answer to "+method+" "+path] += strings.Join(values, " ")
		}
	}
	return got
}

// open signs in, keeps the token as a secret and returns the header that carries it.
func (c *confidential) open(t *testing.T, user, password, code string) []string {
	t.Helper()
	body, _ := json.Marshal(map[string]string{"user": user, "password": password, "code": code})
	got := c.hear(t, "POST", "/api/v1/sessions", string(body))
	token := field(t, got, "token")
	c.secrets["session of "+user+" "+token[len(token)-4:]] = token
	return []string{"Authorization", "Bearer " + token}
}

// field is a text field of an answer.
func field(t *testing.T, got exchanged, name string) string {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(got.body), &fields); err != nil {
		t.Fatalf("%d %s: %v", got.status, got.body, err)
	}
	value, _ := fields[name].(string)
	if value == "" {
		t.Fatalf("%d %s has no %s", got.status, got.body, name)
	}
	return value
}

// TestSecretsStaySecret does at a node all that secrets are needed for, rightly and wrongly, and then looks for them in what it logged at
// every level, answered, measured, diagnosed and wrote down.
func TestSecretsStaySecret(t *testing.T) {
	log := &loggedLines{}
	c := configuration(t, "n1")
	c.SignIn.LDAP.URL, c.SignIn.LDAP.BindDN, c.SignIn.LDAP.BindPasswordEnv = "ldap://127.0.0.1:1", "cn=desk", "TIERDESK_TEST_BIND"
	c.SignIn.LDAP.Base, c.SignIn.LDAP.DefaultRole, c.SignIn.LDAP.Timeout = "dc=example,dc=cn", "agent", "500ms"
	c.SignIn.OIDC = config.OIDC{Issuer: "http://127.0.0.1:1", ClientID: "desk", ClientSecretEnv: "TIERDESK_TEST_CLIENT", DefaultRole: "agent",
		RedirectURL: "http://127.0.0.1:8080/sign-in/callback", Scopes: []string{"openid"}, UserClaim: "sub", GroupsClaim: "groups"}
	node, err := Start(t.Context(), Options{Config: c, AdminPassword: password, DirectoryPassword: directorySecret, ProviderSecret: providerSecret,
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, node) })
	awaitReady(t, node)
	s := &confidential{node: node, said: make(map[string]string), secrets: map[string]string{
		"the first administrator's password": password, "a wrong password": wrongPassword, "a first password": firstPassword, "a new password": nextPassword,
		"the directory's password": directorySecret, "the provider's secret": providerSecret, "the provider's code": browserCode,
	}}
	s.live(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := node.Stop(ctx); err != nil {
		t.Errorf("stop the node: %v", err)
	}
	s.said["the log"] = log.String()
	s.readAll(t, c.Node.DataDir)
	s.mustKeep(t)
}

// live does what people and programs do with secrets.
func (c *confidential) live(t *testing.T) {
	t.Helper()
	admin := c.open(t, "admin", password, "")
	c.hear(t, "POST", "/api/v1/users", `{"user":{"name":"wang","role":"AGENT"},"password":"`+firstPassword+`"}`, admin...)
	c.hear(t, "POST", "/api/v1/users", `{"user":{"name":"wang","role":"AGENT"},"password":"`+firstPassword+`"}`, admin...)
	c.hear(t, "POST", "/api/v1/users", `{"user":{"name":"Not A Name","role":"AGENT"},"password":"`+firstPassword+`"}`, admin...)
	wang := c.open(t, "wang", firstPassword, "")
	c.hear(t, "POST", "/api/v1/users/wang:setPassword", `{"password":"`+nextPassword+`","currentPassword":"`+wrongPassword+`"}`, wang...)
	c.hear(t, "POST", "/api/v1/users/wang:setPassword", `{"password":"`+nextPassword+`","currentPassword":"`+firstPassword+`"}`, wang...)
	wang = c.open(t, "wang", nextPassword, "")
	c.secondFactor(t, wang)

	made := c.hear(t, "POST", "/api/v1/users/admin/tokens", `{"token":{"title":"报表","limits":["tickets:read"]}}`, admin...)
	c.secrets["an access token"] = field(t, made, "secret")
	program := []string{"Authorization", "Bearer " + c.secrets["an access token"]}
	c.hear(t, "GET", "/api/v1/tickets", "", program...)
	c.hear(t, "POST", "/api/v1/tickets", `{"ticket":{"title":"x"}}`, program...)

	// In the wrong place, in the wrong form.
	token := url.QueryEscape(c.secrets["an access token"])
	c.hear(t, "GET", "/api/v1/tickets?access_token="+token, "")
	c.hear(t, "GET", "/?token="+token, "")
	c.hear(t, "GET", "/api/v1/site", "", "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("admin:"+wrongPassword)))
	c.hear(t, "POST", "/api/v1/sessions", `{"user":"admin","pasword":"`+wrongPassword+`"}`)
	c.hear(t, "POST", "/api/v1/sessions", `{"user":"admin","password":["`+wrongPassword+`"]}`)
	c.hear(t, "POST", "/api/v1/sessions", `{"user":"`+wrongPassword+`","password":"admin"}`) // typed into the other field
	for range 6 {
		c.hear(t, "POST", "/api/v1/sessions", `{"user":"zhao","password":"`+wrongPassword+`"}`)
	}
	form := "user=zhao&password=" + wrongPassword
	c.hear(t, "POST", "/sign-in", form, "Content-Type", "application/x-www-form-urlencoded")
	c.hear(t, "GET", "/sign-in/provider", "")
	c.hear(t, "GET", "/sign-in/callback?state=x&code="+browserCode, "")
	eventually(t, "the audit log has who was not let in", func() string {
		if got := overHTTP(t, c.node, "GET", "/api/v1/audit?filter=outcome%3DREFUSED", "", admin...); !strings.Contains(got.body, "(unknown)") {
			return got.body
		}
		return ""
	})
	for _, path := range []string{"/metrics", "/api/v1/site", "/api/v1/site:diagnose", "/api/v1/audit?pageSize=500&raw=true", "/api/v1/audit/checkpoints",
		"/api/v1/users", "/api/v1/users/wang", "/api/v1/users/wang/sessions", "/api/v1/users/admin/tokens", "/api/v1/sessions/current"} {
		c.hear(t, "GET", path, "", admin...)
	}
	c.hear(t, "DELETE", "/api/v1/sessions/current", "", admin...)
}

// secondFactor enrols a person, who then signs in with a code.
func (c *confidential) secondFactor(t *testing.T, who []string) {
	t.Helper()
	c.hear(t, "POST", "/api/v1/users/wang:enrolSecondFactor", `{"password":"`+wrongPassword+`"}`, who...)
	drawn := c.hear(t, "POST", "/api/v1/users/wang:enrolSecondFactor", `{"password":"`+nextPassword+`"}`, who...)
	secret := field(t, drawn, "secret")
	c.secrets["a second factor's secret"] = secret
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c.hear(t, "POST", "/api/v1/users/wang:confirmSecondFactor", `{"code":"`+code+`"}`, who...)
	c.hear(t, "POST", "/api/v1/sessions", `{"user":"wang","password":"`+nextPassword+`"}`)
	c.hear(t, "POST", "/api/v1/sessions", `{"user":"wang","password":"`+nextPassword+`","code":"`+code+`"}`) // which was used
}

// readAll takes up what the node wrote to its directory.
func (c *confidential) readAll(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		c.said["file "+filepath.Base(path)] += string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// mustKeep looks for every secret, as it is and as it is usually written, everywhere.
func (c *confidential) mustKeep(t *testing.T) {
	t.Helper()
	for where, said := range c.said {
		if strings.HasPrefix(where, "file ") && len(said) == 0 {
			delete(c.said, where)
		}
	}
	if len(c.said) < 60 || !strings.Contains(c.said["answer to GET /api/v1/audit?pageSize=500&raw=true"], "wang") || len(c.said["the log"]) < 1000 {
		t.Fatalf("only %d things were heard, and what matters is not among them", len(c.said))
	}
	for what, secret := range c.secrets {
		if len(secret) < 10 {
			t.Fatalf("%s is too short to be looked for", what)
		}
		for _, form := range []string{secret, url.QueryEscape(secret), hex.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret))} {
			for where, said := range c.said {
				at := bytes.Index([]byte(said), []byte(form))
				if at < 0 || strings.HasPrefix(where, "file ") && what == "a second factor's secret" {
					continue
				}
				t.Errorf("%s stands in %s: …%.120q", what, where, said[max(0, at-60):])
			}
		}
	}
}
