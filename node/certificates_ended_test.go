package node

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/authority"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// longAgo is how long ago a certificate was issued that has ended.
const longAgo = authority.DefaultLifetime + 30*time.Minute

// replaceByHand puts a good certificate into the files of a node, as an operator does with tierdesk ca issue.
func (a *treeAuthority) replaceByHand(t *testing.T, n *Node) {
	t.Helper()
	fresh := *n.config
	a.issue(t, &fresh)
	for from, to := range map[string]string{fresh.TLS.Cert: n.config.TLS.Cert, fresh.TLS.Key: n.config.TLS.Key} {
		text, err := os.ReadFile(from)
		if err = errors.Join(err, os.WriteFile(to, text, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	n.certificates.renewal.look(t.Context())
}

// An office whose certificate ended while it was off or cut off serves its people, tells everywhere what is wrong, and is with its
// parent again as soon as another certificate lies in its files.
func TestAnOfficeWorksOnWithACertificateThatHasEnded(t *testing.T) {
	tree := &certifiedTree{ca: newAuthority(t), log: map[*Node]*loggedLines{}}
	cityConfig, countyConfig := cityConfiguration(t), configuration(t, "n1")
	tree.ca.issue(t, cityConfig)
	tree.ca.issueLong(t, countyConfig, longAgo)
	city := tree.start(t, cityConfig)
	countyConfig.Link.ParentAddresses = []string{city.GRPCAddr()}
	county := tree.start(t, countyConfig)
	awaitReady(t, city, county)
	number := create(t, county, administratorOf(t, county), "照常")

	const ended = "the certificate of node n1 of site 330106 ended on"
	if n := strings.Count(tree.log[county].String(), ended); n != 1 {
		t.Errorf("the log says %d times that the certificate ended, want once", n)
	}
	overview, err := county.backend.Overview(t.Context())
	if err != nil || !strings.Contains(strings.Join(overview.GetAlarms(), "\n"), ended) {
		t.Errorf("the alarms of the site are %q, %v; want one that the certificate ended", overview.GetAlarms(), err)
	}
	mustFind(t, "the doctor", named(county.examine(), "n1", "certificate"), failed, "no other node speaks to it")
	eventually(t, "the city refuses the county", func() string {
		if !strings.Contains(tree.log[city].String(), "expired") {
			return "its log does not say that a certificate has expired"
		}
		return ""
	})
	if link := linkTo(city, "330106"); link.State == tiers.Up {
		t.Errorf("the link of the city is %v with a certificate that has ended", link.State)
	}
	stop(t, county) // which signs the audit log when something is new
	county = tree.start(t, countyConfig)
	awaitReady(t, county)
	err = county.site().View(func(r *store.Reader) error {
		signed, err := r.Checkpoints("330106", 1)
		if len(signed) > 0 {
			t.Errorf("entry %d of the audit log was signed by a certificate that has ended", signed[0].GetCheckpoint().GetSequence())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	tree.ca.replaceByHand(t, county)
	awaitLink(t, county, "330100", apipb.LinkStatus_UP)
	escalate(t, county, administratorOf(t, county), number)
	awaitCustodian(t, city, number, "330100")
	if alarms := county.certificates.alarms(); len(alarms) > 0 {
		t.Errorf("with the new certificate the alarms are %q", alarms)
	}
}

// The nodes of a site whose certificates have all ended start, but are not a site until they have others: each says so.
func TestNodesWhoseCertificatesHaveEndedSayWhyTheyAreAlone(t *testing.T) {
	ca := newAuthority(t)
	var nodes []*Node
	var join []string
	for _, id := range []string{"n1", "n2", "n3"} {
		c := configuration(t, id)
		c.Raft = config.Raft{BootstrapExpect: 3, Join: slices.Clone(join)}
		ca.issueLong(t, c, longAgo)
		n := start(t, c)
		nodes, join = append(nodes, n), append(join, n.GRPCAddr())
	}
	for _, n := range nodes {
		if reasons := strings.Join(n.backend.Ready(t.Context()), "; "); !strings.Contains(reasons, "no other node speaks to this one") {
			t.Errorf("node %s is not ready because %q, want its certificate named", n.config.Node.ID, reasons)
		}
	}
	for _, n := range nodes {
		ca.replaceByHand(t, n)
	}
	awaitReady(t, nodes...)
}
