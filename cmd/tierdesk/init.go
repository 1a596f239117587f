package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/authority"
	"github.com/tierdesk/tierdesk/client"
	"github.com/tierdesk/tierdesk/node/config"
)

// configFile is the configuration in the directory that init makes.
const configFile = "config.yaml"

// newNode is what init is told about a node.
type newNode struct {
	config *config.Config
	tier   string
	dir    string // gets all that the node needs
	home   string // where dir will lie on the node's machine; "": where it is
	ca     string // the authority's directory; "": no certificate, this machine alone
	signs  bool   // the node signs renewals from there
	hosts  []string
	days   int
}

// initCommand prepares a directory for a new node.
func initCommand() *cobra.Command {
	n := newNode{config: config.Default()}
	c := n.config
	cmd := &cobra.Command{Use: "init", Short: "初始化: write the configuration of a new node, and with --ca its certificate", Args: client.NoArguments}
	cmd.Long = cmd.Short + `

The directory --dir gets config.yaml, which explains every key, and later the data. With --ca it also gets ca.crt, node.crt,
node.key and gossip.key, and the node can be reached from other machines at the first --host. Without --ca it is reachable
on this machine alone. Nothing that is there is replaced.

One node of the province takes --sign: it signs the next certificates of all nodes before the present ones end.`
	f := cmd.Flags()
	f.StringVar(&c.Site.ID, "site", "", "id of the office, by habit its division code such as 330106")
	f.StringVar(&c.Site.Name, "name", "", "name of the office for people")
	f.StringVar(&n.tier, "tier", "", "county, city or province")
	f.StringVar(&c.Site.Parent, "parent", "", "id of the site above; none for the province")
	f.StringVar(&c.Node.ID, "node", "n1", "id of the node in its site")
	f.StringVar(&n.dir, "dir", "", "directory for the node")
	f.StringVar(&n.home, "home", "", "where --dir will lie on the node's own machine, when it is made on another one")
	f.StringVar(&n.ca, "ca", "", "directory of the tree's authority, of tierdesk ca init")
	f.BoolVar(&n.signs, "sign", false, "with --ca, at the province: this node signs the renewals of all nodes with the authority there")
	f.StringArrayVar(&n.hosts, "host", nil, "a name or address of this machine for others; may be repeated")
	f.IntVar(&n.days, "days", int(authority.DefaultLifetime/day), "for how many days the certificate counts; renewals last as long")
	f.StringVar(&c.Listen.HTTP, "http", c.Listen.HTTP, "where to listen for browsers")
	f.StringVar(&c.Listen.GRPC, "grpc", c.Listen.GRPC, "where to listen for programs, nodes and links")
	f.StringVar(&c.Listen.Raft, "raft", c.Listen.Raft, "where to listen for the site's log")
	f.StringVar(&c.Listen.Gossip, "gossip", c.Listen.Gossip, "where to listen for gossip")
	f.StringSliceVar(&c.Link.ParentAddresses, "parent-address", nil, "grpc address of a node of the site above; may be repeated")
	f.IntVar(&c.Raft.BootstrapExpect, "nodes", 1, "how many nodes found the site: 1, 3 or 5")
	f.StringSliceVar(&c.Raft.Join, "join", nil, "grpc address of another node of this site; may be repeated")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if n.dir == "" {
			return client.Usage("name the node's directory with --dir")
		}
		if err := n.prepare(); err != nil {
			return err
		}
		return n.sayNext(cmd)
	}
	return cmd
}

// prepare writes the files, the configuration before the certificate, so that one which cannot be used costs none.
func (n *newNode) prepare() (err error) {
	var tree *authority.Authority
	if n.ca != "" {
		if tree, err = authority.Open(n.ca, time.Now); err != nil {
			return err
		}
	}
	if err := n.complete(); err != nil {
		return err
	}
	lasting, err := lifetime(n.days)
	if err != nil {
		return err
	}
	path := filepath.Join(n.dir, configFile)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already; choose another directory", path)
	}
	text, err := config.Explained(n.config)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(n.dir, 0o700); err != nil {
		return fmt.Errorf("make the node's directory: %w", err)
	}
	if err := authority.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	if tree == nil {
		return nil
	}
	node := authority.Node{Site: n.config.Site.ID, Node: n.config.Node.ID, Hosts: n.hosts, Lifetime: lasting}
	if _, err := tree.HandOut(node, n.dir); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// complete fills in what follows from the flags and checks the whole.
func (n *newNode) complete() (err error) {
	c := n.config
	if n.dir, err = filepath.Abs(n.dir); err != nil {
		return fmt.Errorf("the node's directory: %w", err)
	}
	if n.home = cmp.Or(n.home, n.dir); !filepath.IsAbs(n.home) {
		return client.Usage("--home is %s, not a whole path: write it from / on", n.home)
	}
	c.Site.Tier, c.Node.DataDir = config.Tier(n.tier), filepath.Join(n.home, "data")
	if n.ca == "" {
		if len(n.hosts) > 0 {
			return client.Usage("--host is %s, but without a certificate a node is reachable on this machine alone: add --ca", n.hosts[0])
		}
		if n.signs {
			return client.Usage("--sign names no authority: add --ca")
		}
		return n.check(c)
	}
	if len(n.hosts) > 0 {
		open(&c.Listen, &c.Advertise, n.hosts[0])
	}
	c.TLS = config.TLS{
		CA: filepath.Join(n.home, authority.CertFile), Cert: filepath.Join(n.home, authority.NodeCertFile),
		Key: filepath.Join(n.home, authority.NodeKeyFile),
	}
	if n.signs {
		if c.TLS.Authority, err = filepath.Abs(n.ca); err != nil {
			return fmt.Errorf("the authority's directory: %w", err)
		}
	}
	c.Gossip.KeyFile = filepath.Join(n.ca, authority.GossipFile)
	err = n.check(c)
	c.Gossip.KeyFile = filepath.Join(n.home, authority.GossipFile)
	n.hosts = append(n.hosts, "localhost", "127.0.0.1")
	return err
}

func (n *newNode) check(c *config.Config) error {
	if err := c.Validate(); err != nil {
		return client.Usage("%v", err)
	}
	return nil
}

// open listens everywhere where nothing else was said, and lets others call at the host.
func open(listen, advertise *config.Addresses, host string) {
	defaults := config.Default().Listen
	for _, port := range []struct {
		listen, advertise *string
		usual             string
	}{
		{&listen.HTTP, &advertise.HTTP, defaults.HTTP}, {&listen.GRPC, &advertise.GRPC, defaults.GRPC},
		{&listen.Raft, &advertise.Raft, defaults.Raft}, {&listen.Gossip, &advertise.Gossip, defaults.Gossip},
	} {
		_, number, err := net.SplitHostPort(*port.listen)
		if err != nil {
			continue // the check of the configuration says so
		}
		if *port.listen == port.usual {
			*port.listen = net.JoinHostPort("0.0.0.0", number)
		}
		*port.advertise = net.JoinHostPort(host, number)
	}
}

// sayNext tells what to do now.
func (n *newNode) sayNext(cmd *cobra.Command) error {
	c := n.config
	at := "http://" + c.Listen.HTTP
	if c.TLS.Enabled() {
		at = "https://" + cmp.Or(c.Advertise.HTTP, c.Listen.HTTP)
	}
	move := ""
	if n.home != n.dir {
		move = fmt.Sprintf("bring the directory to the node's machine as %s, ", n.home)
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), `已初始化 prepared: node %s of site %s in %s
Next: %slook through %s, put a password for the first administrator into %s, and run
  tierdesk serve --config %[5]s
Then sign in as %[7]s at %[8]s
`, c.Node.ID, c.Site.ID, n.dir, move, filepath.Join(n.home, configFile), c.Admin.PasswordEnv, c.Admin.User, at)
	return err
}
