package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/authority"
	"github.com/tierdesk/tierdesk/client"
	"github.com/tierdesk/tierdesk/node/identity"
)

const day = 24 * time.Hour

// caCommand keeps the certificate authority of a tree.
func caCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "ca", Short: "证书: the certificate authority of a tree, and the certificates of its nodes",
		Args: cobra.ArbitraryArgs, RunE: client.NeedsCommand}
	cmd.Long = cmd.Short + `

One authority makes the certificates of all nodes of a tree; each names its site and node. It is a directory: whoever can
read ca.key in it can speak as any node, so keep it on one machine of the province, and a copy where only you reach it.
Use one directory only: two copies would not know what the other issued. Nodes renew their certificates by themselves while
a node of the province has the directory in tls.authority.`
	cmd.AddCommand(caInitCommand(), caIssueCommand(), caRenewCommand(), caRevokeCommand(), caListCommand())
	return cmd
}

func caInitCommand() *cobra.Command {
	var tree string
	var years int
	cmd := &cobra.Command{Use: "init DIR", Short: "建立证书颁发机构: make the authority of a new tree in an empty directory",
		Args: client.OneArgument("DIR")}
	cmd.Flags().StringVar(&tree, "tree", "tierdesk", "name of the tree for people, such as the province's")
	cmd.Flags().IntVar(&years, "years", 20, "for how many years, 1 to 50")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		a, err := authority.Init(args[0], tree, years, time.Now)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), `已建立 made: the authority of %s in %s, until %s
Keep ca.key secret and a copy of the directory in a safe place. Next, for each node, with --sign for one node of the province:
  tierdesk init --ca %[2]s --site SITE --tier TIER --parent PARENT --node NODE --host ADDRESS --dir DIR
`, tree, args[0], a.Certificate().NotAfter.Format(time.DateOnly))
		return err
	}
	return cmd
}

// nodeFlags adds the flags that say whom a certificate is for.
func nodeFlags(cmd *cobra.Command, n *authority.Node, days *int) {
	cmd.Flags().StringVar(&n.Site, "site", "", "id of the node's site, such as 330106")
	cmd.Flags().StringVar(&n.Node, "node", "n1", "id of the node in its site")
	hostFlags(cmd, n, days)
}

func hostFlags(cmd *cobra.Command, n *authority.Node, days *int) {
	cmd.Flags().StringArrayVar(&n.Hosts, "host", nil, "a name or address by which browsers reach the node; may be repeated")
	cmd.Flags().IntVar(days, "days", int(authority.DefaultLifetime/day), "for how many days the certificate counts; renewals last as long")
}

// longestDays is for how long a certificate is issued at most: as long as an authority lasts.
const longestDays = 50 * 366

// lifetime is the value of --days.
func lifetime(days int) (time.Duration, error) {
	if days < 1 || days > longestDays {
		return 0, client.Usage("--days is %d: use 1 to %d", days, longestDays)
	}
	return time.Duration(days) * day, nil
}

func openAuthority(dir string) (*authority.Authority, error) {
	if dir == "" {
		return nil, client.Usage("which authority is not said: name its directory with --ca")
	}
	return authority.Open(dir, time.Now)
}

func caIssueCommand() *cobra.Command {
	var dir, out string
	var n authority.Node
	var days int
	cmd := &cobra.Command{Use: "issue", Short: "签发证书: make the key and the first certificate of a node", Args: client.NoArguments}
	cmd.Long = cmd.Short + `

The directory --out gets ca.crt, node.crt, node.key and gossip.key; bring it to the node's machine on a way that nobody else
can read. The ledger of the authority has the certificate before it is written.`
	cmd.Flags().StringVar(&dir, "ca", "", "directory of the authority")
	cmd.Flags().StringVar(&out, "out", "", "directory that gets the files; files that are there are not replaced")
	nodeFlags(cmd, &n, &days)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if n.Site == "" || out == "" {
			return client.Usage("name the site with --site and the directory for the files with --out")
		}
		a, err := openAuthority(dir)
		if err != nil {
			return err
		}
		if n.Lifetime, err = lifetime(days); err != nil {
			return err
		}
		entry, err := a.HandOut(n, out)
		if err != nil {
			return err
		}
		return told(cmd, "已签发 issued", entry, "into "+out)
	}
	return cmd
}

func told(cmd *cobra.Command, what string, e authority.Entry, where string) error {
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: node %s of site %s, serial %s, until %s, %s\n",
		what, e.Node, e.Site, e.Serial, e.Expires.Local().Format(time.DateTime), where)
	return err
}

func caRenewCommand() *cobra.Command {
	var dir, certFile, keyFile string
	cmd := &cobra.Command{Use: "renew", Short: "续签证书: replace a node's key and certificate by hand", Args: client.NoArguments}
	cmd.Long = cmd.Short + `

It is needed when the certificate has ended, or no node of the province has the authority: nodes renew by themselves
otherwise. Hosts and days are those of the certificate before. A running node takes the files up within a minute.`
	cmd.Flags().StringVar(&dir, "ca", "", "directory of the authority")
	cmd.Flags().StringVar(&certFile, "cert", "", "the node's certificate, tls.cert of its configuration")
	cmd.Flags().StringVar(&keyFile, "key", "", "the node's key, tls.key of its configuration")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if certFile == "" || keyFile == "" {
			return client.Usage("name the node's files with --cert and --key")
		}
		a, err := openAuthority(dir)
		if err != nil {
			return err
		}
		site, node, err := nodeOf(certFile)
		if err != nil {
			return err
		}
		if _, err := os.Stat(keyFile); err != nil {
			return client.Usage("--key: %v", err)
		}
		renewed, err := a.Renew(site, node)
		if err != nil {
			return err
		}
		if err := identity.Replace(certFile, keyFile, renewed.Cert, renewed.Key); err != nil {
			return err
		}
		return told(cmd, "已续签 renewed", renewed.Entry, "in "+certFile)
	}
	return cmd
}

// nodeOf reads whom a certificate file names.
func nodeOf(file string) (site, node string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", "", client.Usage("--cert: %v", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return "", "", client.Usage("--cert: %s holds no certificate in PEM form", file)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", "", client.Usage("--cert: %s: %v", file, err)
	}
	if site, node, err = identity.Parse(cert); err != nil {
		return "", "", client.Usage("--cert: %s: %v", file, err)
	}
	return site, node, nil
}

func caRevokeCommand() *cobra.Command {
	var dir string
	var which authority.Which
	cmd := &cobra.Command{Use: "revoke", Short: "吊销证书: let nobody trust a node's certificates any more", Args: client.NoArguments}
	cmd.Long = cmd.Short + `

A node of the province that has the authority in tls.authority publishes the list to every site. A revoked node is let in
nowhere, and can't renew; tierdesk ca issue gives it another certificate.`
	cmd.Flags().StringVar(&dir, "ca", "", "directory of the authority")
	cmd.Flags().StringVar(&which.Serial, "serial", "", "one certificate, by its serial number of tierdesk ca list")
	cmd.Flags().StringVar(&which.Site, "site", "", "all certificates of a site")
	cmd.Flags().StringVar(&which.Node, "node", "", "with --site: of this node alone")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := which.Check(); err != nil {
			return client.Usage("%v (--serial, --site, --node)", err)
		}
		a, err := openAuthority(dir)
		if err != nil {
			return err
		}
		revoked, err := a.Revoke(which)
		if err != nil {
			return err
		}
		for _, entry := range revoked {
			if err := told(cmd, "已吊销 revoked", entry, "on the list "+filepath.Join(dir, authority.RevokedFile)); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

func caListCommand() *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{Use: "list", Short: "证书清单: list what the authority has issued", Args: client.NoArguments}
	cmd.Flags().StringVar(&dir, "ca", "", "directory of the authority")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one line of JSON a certificate")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		a, err := openAuthority(dir)
		if err != nil {
			return err
		}
		entries, err := a.List()
		if err != nil {
			return err
		}
		if asJSON {
			encoder := json.NewEncoder(cmd.OutOrStdout())
			for _, entry := range entries {
				if err := encoder.Encode(entry); err != nil {
					return err
				}
			}
			return nil
		}
		table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "SITE\tNODE\tSERIAL\tISSUED\tEXPIRES\tSTATE")
		for _, e := range entries {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", e.Site, e.Node, e.Serial,
				e.Issued.Local().Format(time.DateOnly), e.Expires.Local().Format(time.DateOnly), stateOf(e, time.Now()))
		}
		return table.Flush()
	}
	return cmd
}

// stateOf says in a word or two whether a certificate counts.
func stateOf(e authority.Entry, now time.Time) string {
	switch {
	case e.Revoked():
		return "已吊销 revoked"
	case now.After(e.Expires):
		return "已过期 expired"
	default:
		return "有效 valid"
	}
}
