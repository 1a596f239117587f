package node

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"google.golang.org/grpc/peer"

	"github.com/tierdesk/tierdesk/authority"
	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/identity"
	"github.com/tierdesk/tierdesk/tiers"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// certificates keep the node known to the others, and strangers out, while it runs. All is nil without TLS.
type certificates struct {
	authority   *authority.Authority // of the tree, where its directory is at this node; else nil
	revocations *revocations
	renewal     *renewal
}

// openCertificates opens the tree's authority where it is, and takes up the revoked certificates that an earlier run knew:
// before anybody is spoken to.
func (n *Node) openCertificates() (err error) {
	own := n.security.identity
	if own == nil {
		return nil
	}
	c := &n.certificates
	if dir := n.config.TLS.Authority; dir != "" {
		if c.authority, err = authority.Open(dir, time.Now); err != nil {
			return fmt.Errorf("tls.authority: %w", err)
		}
	}
	log := n.options.Logger.With("component", "certificates")
	c.revocations = &revocations{
		self: desk.SiteID(n.config.Site.ID), own: own, authority: c.authority, log: log,
		file: filepath.Join(n.config.Node.DataDir, revocationsFile),
		changed: func() {
			if n.replica != nil {
				n.replica.Examine()
			}
		},
	}
	c.renewal = &renewal{
		own: own, site: n.config.Site.ID, node: n.config.Node.ID, log: log,
		ask: func(ctx context.Context, request []byte) ([][]byte, error) {
			return n.tiers.RequestCertificate(ctx, request)
		},
	}
	c.revocations.load()
	c.renewal.tellEnd(time.Now())
	return c.renewal.measure(n.registry)
}

// keepCertificates begins what looks after them, in goroutines of the node.
func (n *Node) keepCertificates(life context.Context) {
	if n.security.identity == nil {
		return
	}
	n.certificates.revocations.site = n.site()
	n.running.Go(func() { n.certificates.revocations.keep(life) })
	n.running.Go(func() { n.certificates.renewal.keep(life) })
}

// renewing is this node's part in renewing the certificates of others, nil without TLS.
func (n *Node) renewing() *tiers.Renewal {
	if n.security.identity == nil {
		return nil
	}
	part := &tiers.Renewal{
		Caller: func(ctx context.Context) (desk.SiteID, string) {
			site, node := identity.SiteOf(ctx)
			return desk.SiteID(site), node
		},
		Others: n.otherAddresses,
		Vouch: func(request []byte) ([][]byte, []byte, error) {
			return n.security.identity.Sign(vouching(request))
		},
		Vouched: n.vouched,
	}
	if tree := n.certificates.authority; tree != nil {
		part.Sign = (&signing{authority: tree}).sign
	}
	return part
}

// vouching is what a node signs with its present key to have another one certified.
func vouching(request []byte) []byte { return append([]byte("tierdesk renewal\n"), request...) }

// vouched says what is wrong with a request for a certificate unless the node that it names has signed it, with the key of a certificate that
// still counts.
func (n *Node) vouched(r *linkpb.RenewRequest) error {
	site, node, err := n.security.identity.VerifyNow(r.GetCertificates(), vouching(r.GetRequest()), r.GetSignature())
	if err == nil && (site != r.GetSite() || node != r.GetNode()) {
		err = fmt.Errorf("node %s of site %s signed it", node, site)
	}
	return err
}

// otherAddresses lists the grpc addresses of the site's other nodes.
func (n *Node) otherAddresses() (addresses []string) {
	status := n.replica.Status()
	for _, member := range status.Members {
		if address := n.addressOf(member.ID); member.ID != status.Self && address != "" {
			addresses = append(addresses, address)
		}
	}
	return addresses
}

// refusedCall tells the log of a caller who is refused for who it is, as the handshake does.
func (n *Node) refusedCall(ctx context.Context, reason string) {
	remote := "somebody"
	if caller, known := peer.FromContext(ctx); known {
		remote = caller.Addr.String()
	}
	n.security.refused(remote, reason)
}

// alarms tell what an operator should see to.
func (c *certificates) alarms() []string {
	return append(c.renewal.alarms(), c.revocations.alarms()...)
}

// ended says why no other node speaks to this one when its certificate has ended; empty otherwise, and without TLS.
func (c *certificates) ended() string {
	if c.renewal == nil {
		return ""
	}
	return c.renewal.end(time.Now())
}

// examine judges what is left of the node's certificate, and whether it hears of revoked ones; nothing without TLS.
func (c *certificates) examine() (checks []*apipb.Check) {
	if c.renewal == nil {
		return nil
	}
	checks = append(checks, c.renewal.judge(time.Now()))
	for _, alarm := range c.revocations.alarms() {
		checks = append(checks, failure("", "%s", alarm))
	}
	return checks
}
