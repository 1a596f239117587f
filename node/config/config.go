package config

import (
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"time"

	// A small box may lack the time zone database, and the site's local day depends on it.
	_ "time/tzdata"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Config is the configuration of one node. A key of the file is the path of yaml names to a field: "site.id". Its twin
// in the environment is TIERDESK_ and the key in upper case with underscores, TIERDESK_SITE_ID, and wins over the file;
// lists are separated by commas there, lists of sections are written as in the file.
type Config struct {
	Site      Site      `yaml:"site"`
	Node      Node      `yaml:"node"`
	Listen    Addresses `yaml:"listen"`    // where this node listens; port 0 takes a free one
	Advertise Addresses `yaml:"advertise"` // where others reach it, when that differs from listen
	Raft      Raft      `yaml:"raft"`
	Gossip    Gossip    `yaml:"gossip"`
	Link      Link      `yaml:"link"`
	TLS       TLS       `yaml:"tls"`
	Admin     Admin     `yaml:"admin"`
	SignIn    SignIn    `yaml:"sign_in"`
	// Attachments says what is done with files before they are stored.
	Attachments Attachments `yaml:"attachments"`
	// Recover founds a site whose data are lost anew, as another life of the one that its neighbours know: it gets back from
	// them what they have. It matters on an empty data directory only. Without it, a site that its parent knows is not founded.
	Recover bool `yaml:"recover"`
}

// Site is the office that the node belongs to. All nodes of a site have the same section.
type Site struct {
	ID       string `yaml:"id"`        // unique in the tree; 1 to 32 letters and digits, by habit the division code
	Name     string `yaml:"name"`      // for people; default: the id
	Tier     Tier   `yaml:"tier"`      // county, city or province
	Parent   string `yaml:"parent"`    // id of the site above; empty for the province and only for it
	TimeZone string `yaml:"time_zone"` // IANA name such as Asia/Shanghai; default: the machine's zone
}

// Node is this machine's part in the site.
type Node struct {
	ID      string `yaml:"id"`       // unique in the site; 1 to 32 of a-z, 0-9 and -
	DataDir string `yaml:"data_dir"` // belongs to this site and node for ever
}

// Addresses are host:port for each thing that listens.
type Addresses struct {
	HTTP   string `yaml:"http"`   // pages, JSON, metrics, health; takes the API's gRPC too
	GRPC   string `yaml:"grpc"`   // clients, nodes of the same site, links from child sites
	Raft   string `yaml:"raft"`   // the site's log
	Gossip string `yaml:"gossip"` // TCP and UDP
}

// Raft says how the site's group comes together.
type Raft struct {
	BootstrapExpect int      `yaml:"bootstrap_expect"` // how many nodes found the site: 1, 3 or 5
	Join            []string `yaml:"join"`             // grpc addresses of other nodes of this site
	// RemoveDeadAfter is a duration such as 72h, at least 10m: the leader takes a voter out of the group that did not
	// answer it for so long, while at least two others are left and all of them answer. Such a node comes back with an
	// empty data directory only. Empty or 0: nobody is taken out.
	RemoveDeadAfter string `yaml:"remove_dead_after"`
}

// RemoveDead is the checked remove_dead_after, 0 when nobody is to be taken out.
func (r Raft) RemoveDead() time.Duration {
	limit, err := time.ParseDuration(r.RemoveDeadAfter)
	if err != nil {
		return 0
	}
	return limit
}

// Gossip says how neighbours find each other.
type Gossip struct {
	Join    []string `yaml:"join"`     // gossip addresses of any nodes of this site or its parent
	KeyFile string   `yaml:"key_file"` // holds 32 random bytes in base64; without it only loopback addresses are allowed
}

// Link is the line to the parent.
type Link struct {
	ParentAddresses []string `yaml:"parent_addresses"` // grpc addresses of the parent's nodes, used beside gossip
}

// TLS names PEM files: the tree's authority, this node's certificate and its key. All three or none.
type TLS struct {
	CA   string `yaml:"ca"`
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	// Authority is the directory of the tree's authority, on one node of the province: it signs the next certificates of all
	// nodes of the tree. Whoever has it can speak as any of them; of two copies in use, neither knows what the other issued.
	Authority string `yaml:"authority"`
}

// Enabled tells whether the node speaks TLS.
func (t TLS) Enabled() bool { return t.CA != "" && t.Cert != "" && t.Key != "" }

// Admin is the first administrator, made when the site is founded.
type Admin struct {
	User        string `yaml:"user"`
	PasswordEnv string `yaml:"password_env"` // the environment variable that holds the password, which is never in a file
}

// Attachments are the files of tickets.
type Attachments struct {
	// ScanCommand is a program and its arguments that reads each file from its standard input, one that comes from another
	// site too, and exits with 0 when the file is clean, 1 when it is infected. Empty: files are not scanned.
	ScanCommand []string `yaml:"scan_command"`
}

// Tier is a site's place in the tree, spelt as in the file.
type Tier string

const (
	County   Tier = "county"
	City     Tier = "city"
	Province Tier = "province"
)

// Proto returns the tier as the schema has it; unspecified for a word that is none.
func (t Tier) Proto() deskpb.Site_Tier {
	return deskpb.Site_Tier(deskpb.Site_Tier_value[strings.ToUpper(string(t))])
}

// Default is the configuration of an empty file. It lacks what has no default: the site's id and tier, the node's id
// and its data directory.
func Default() *Config {
	return &Config{
		Listen: Addresses{HTTP: "127.0.0.1:8080", GRPC: "127.0.0.1:7400", Raft: "127.0.0.1:7401", Gossip: "127.0.0.1:7402"},
		Raft:   Raft{BootstrapExpect: 1},
		Admin:  Admin{User: "admin", PasswordEnv: "TIERDESK_ADMIN_PASSWORD"},
		SignIn: defaultSignIn(),
	}
}

// Load reads the file, lays the environment ("NAME=value" pairs) over it, and checks the whole. Variables that are no
// key's twin are not looked at. The error is one line.
func Load(path string, environ []string) (*Config, error) {
	c := Default()
	origin := origins{}
	if err := readFile(c, path, origin); err != nil {
		return nil, err
	}
	if err := readEnviron(c, environ, origin); err != nil {
		return nil, err
	}
	if bad := c.check(); bad != nil {
		return nil, origin.locate(path, bad)
	}
	return c, nil
}

// Validate checks a configuration that was not loaded from a file.
func (c *Config) Validate() error {
	if bad := c.check(); bad != nil {
		return bad
	}
	return nil
}

// DisplayName is the site's name for people.
func (c *Config) DisplayName() string {
	if c.Site.Name == "" {
		return c.Site.ID
	}
	return c.Site.Name
}

// Location is the zone of the site's local day.
func (c *Config) Location() (*time.Location, error) {
	if c.Site.TimeZone == "" {
		return time.Local, nil
	}
	return time.LoadLocation(c.Site.TimeZone)
}

// gossipKeySize is the length of a gossip key in bytes: AES-256.
const gossipKeySize = 32

// GossipKeys reads the keys of gossip, one a line: the first one encrypts, all of them decrypt. There is none when there is
// no key file.
func (c *Config) GossipKeys() (keys [][]byte, err error) {
	if c.Gossip.KeyFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(c.Gossip.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("read the gossip keys: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(key) != gossipKeySize {
			return nil, fmt.Errorf("the gossip key %d in %s does not hold %d bytes in base64; make one with: openssl rand -base64 %d",
				len(keys)+1, c.Gossip.KeyFile, gossipKeySize, gossipKeySize)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("there is no gossip key in %s; make one with: openssl rand -base64 %d", c.Gossip.KeyFile, gossipKeySize)
	}
	return keys, nil
}
