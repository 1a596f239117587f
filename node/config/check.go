package config

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"
)

// invalid is one key whose value cannot be used.
type invalid struct{ key, message string }

func (e *invalid) Error() string { return e.key + " " + e.message }

func missing(key, what string) *invalid {
	return &invalid{key, fmt.Sprintf("is missing; set it to %s", what)}
}

// wrong says what a value should be instead.
func wrong(key, value, right string) *invalid {
	return &invalid{key, fmt.Sprintf("is %q; %s", value, right)}
}

// maxNameLength is the longest name of a site, in characters.
const maxNameLength = 200

// check returns the first key that is wrong, in the order of the file, or nil.
func (c *Config) check() *invalid {
	for _, check := range []func() *invalid{
		c.checkSite, c.checkNode, c.checkAddresses, c.checkRaft, c.checkTLS, c.checkReach, c.checkGossipKeys, c.checkAdmin, c.checkSignIn, c.checkAttachments,
	} {
		if bad := check(); bad != nil {
			return bad
		}
	}
	return nil
}

func (c *Config) checkSite() *invalid {
	siteID := regexp.MustCompile(`^[A-Za-z0-9]{1,32}$`)
	s := c.Site
	switch {
	case s.ID == "":
		return missing("site.id", "the office's division code, such as 330106")
	case !siteID.MatchString(s.ID):
		return wrong("site.id", s.ID, "use 1 to 32 letters and digits, such as 330106")
	case !utf8.ValidString(s.Name) || utf8.RuneCountInString(s.Name) > maxNameLength:
		return wrong("site.name", s.Name, fmt.Sprintf("use at most %d characters of UTF-8", maxNameLength))
	case s.Tier == "":
		return missing("site.tier", "county, city or province")
	case s.Tier != County && s.Tier != City && s.Tier != Province:
		return wrong("site.tier", string(s.Tier), "use county, city or province")
	case s.Tier == Province && s.Parent != "":
		return wrong("site.parent", s.Parent, "a province has no parent; leave it empty")
	case s.Tier != Province && s.Parent == "":
		return missing("site.parent", fmt.Sprintf("the id of the site above this %s", s.Tier))
	case s.Parent == s.ID:
		return wrong("site.parent", s.Parent, "a site is not its own parent; name the site above it")
	case s.Parent != "" && !siteID.MatchString(s.Parent):
		return wrong("site.parent", s.Parent, "use 1 to 32 letters and digits, such as 330100")
	}
	if _, err := time.LoadLocation(s.TimeZone); err != nil {
		return wrong("site.time_zone", s.TimeZone, "use an IANA name such as Asia/Shanghai")
	}
	return nil
}

func (c *Config) checkNode() *invalid {
	switch {
	case c.Node.ID == "":
		return missing("node.id", "a name that no other node of the site has, such as n1")
	case !regexp.MustCompile(`^[a-z0-9-]{1,32}$`).MatchString(c.Node.ID):
		return wrong("node.id", c.Node.ID, "use 1 to 32 of a-z, 0-9 and -, such as n1")
	case c.Node.DataDir == "":
		return missing("node.data_dir", "a directory of this node's own, such as /var/lib/tierdesk")
	}
	return nil
}

// address is one configured host:port under its key.
type address struct{ key, value string }

func (a Addresses) list(section string) []address {
	return []address{
		{section + ".http", a.HTTP}, {section + ".grpc", a.GRPC}, {section + ".raft", a.Raft}, {section + ".gossip", a.Gossip},
	}
}

func listed(key string, values []string) []address {
	all := make([]address, len(values))
	for i, value := range values {
		all[i] = address{key, value}
	}
	return all
}

// checkAddresses holds every address to host:port, and wants a host that others can dial where the node listens on all.
func (c *Config) checkAddresses() *invalid {
	advertise := c.Advertise.list("advertise")
	for i, listen := range c.Listen.list("listen") {
		if bad := listen.check(0); bad != nil {
			return bad
		}
		if advertise[i].value != "" {
			if bad := advertise[i].check(0); bad != nil {
				return bad
			}
			listen = advertise[i]
		}
		if everywhere(listen.value) {
			return missing(advertise[i].key, fmt.Sprintf("the one address that others use, since %s is %s",
				listen.key, listen.value))
		}
	}
	for _, a := range append(listed("raft.join", c.Raft.Join), append(listed("gossip.join", c.Gossip.Join),
		listed("link.parent_addresses", c.Link.ParentAddresses)...)...) {
		if bad := a.check(1); bad != nil {
			return bad
		}
	}
	return nil
}

func (a address) check(lowestPort int) *invalid {
	if a.value == "" {
		return missing(a.key, "host:port, such as 127.0.0.1:7400")
	}
	_, text, err := net.SplitHostPort(a.value)
	if err != nil {
		return wrong(a.key, a.value, "use host:port, such as 127.0.0.1:7400")
	}
	if port, err := strconv.Atoi(text); err != nil || port < lowestPort || port > 65535 {
		return wrong(a.key, a.value, fmt.Sprintf("use a port from %d to 65535", lowestPort))
	}
	return nil
}

// everywhere tells whether the address stands for all addresses of the machine.
func everywhere(hostPort string) bool {
	host, _, _ := net.SplitHostPort(hostPort)
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}

func loopback(hostPort string) bool {
	host, _, _ := net.SplitHostPort(hostPort)
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c *Config) checkRaft() *invalid {
	if n := c.Raft.BootstrapExpect; n != 1 && n != 3 && n != 5 {
		return wrong("raft.bootstrap_expect", strconv.Itoa(n), "use 1, 3 or 5: how many nodes found the site")
	}
	if text := c.Raft.RemoveDeadAfter; text != "" {
		if limit, err := time.ParseDuration(text); err != nil || limit != 0 && limit < minRemoveDead {
			return wrong("raft.remove_dead_after", text, "use a duration of at least 10m, such as 72h, or leave it empty")
		}
	}
	return nil
}

// minRemoveDead is longer than a machine takes to start again.
const minRemoveDead = 10 * time.Minute

func (c *Config) checkTLS() *invalid {
	t := c.TLS
	if t == (TLS{}) {
		return nil
	}
	if t.Enabled() {
		return c.checkAuthority()
	}
	for _, part := range []struct{ key, value, what string }{
		{"tls.ca", t.CA, "the file of the tree's certificate authority"},
		{"tls.cert", t.Cert, "the file of this node's certificate"},
		{"tls.key", t.Key, "the file of this node's key"},
	} {
		if part.value == "" {
			return missing(part.key, part.what+", or leave all of tls empty")
		}
	}
	return nil
}

// checkAuthority keeps the key of the whole tree where the fewest can take it away.
func (c *Config) checkAuthority() *invalid {
	if c.TLS.Authority != "" && c.Site.Tier != Province {
		return wrong("tls.authority", c.TLS.Authority, fmt.Sprintf("only a province keeps the tree's authority; leave it empty at a %s", c.Site.Tier))
	}
	return nil
}

// checkReach keeps what is not encrypted on the machine itself.
func (c *Config) checkReach() *invalid {
	listen, advertise := c.Listen.list("listen"), c.Advertise.list("advertise")
	const services = 3 // the last one is gossip
	var plain []address
	if !c.TLS.Enabled() {
		plain = append(plain, listen[:services]...)
		plain = append(plain, advertise[:services]...)
		plain = append(plain, listed("raft.join", c.Raft.Join)...)
		plain = append(plain, listed("link.parent_addresses", c.Link.ParentAddresses)...)
	}
	for _, a := range plain {
		if a.value != "" && !loopback(a.value) {
			return wrong(a.key, a.value, "without tls only loopback addresses are allowed; set tls.ca, tls.cert and tls.key")
		}
	}
	if c.Gossip.KeyFile != "" {
		return nil
	}
	for _, a := range append(listed("gossip.join", c.Gossip.Join), listen[services], advertise[services]) {
		if a.value != "" && !loopback(a.value) {
			return wrong(a.key, a.value, "without gossip.key_file only loopback addresses are allowed; set gossip.key_file")
		}
	}
	return nil
}

func (c *Config) checkGossipKeys() *invalid {
	if _, err := c.GossipKeys(); err != nil {
		return wrong("gossip.key_file", c.Gossip.KeyFile, err.Error())
	}
	return nil
}

// checkAdmin does not show password_env, for people put the password itself there.
func (c *Config) checkAdmin() *invalid {
	switch {
	case !regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`).MatchString(c.Admin.User):
		return wrong("admin.user", c.Admin.User, "use 1 to 64 of a-z, 0-9, '.', '_' and '-', such as admin")
	case !isVariable(c.Admin.PasswordEnv):
		return &invalid{"admin.password_env", "is not the name of an environment variable; put the password into a variable " +
			"and its name here, such as TIERDESK_ADMIN_PASSWORD"}
	}
	return nil
}

func (c *Config) checkAttachments() *invalid {
	if command := c.Attachments.ScanCommand; len(command) > 0 && command[0] == "" {
		return wrong("attachments.scan_command", "", "begin with the program, such as [clamdscan, --no-summary, \"-\"]")
	}
	return nil
}
