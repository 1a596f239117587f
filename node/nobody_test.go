package node

import (
	"context"
	"crypto/tls"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/node/peers/peerpb"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// Programs and browsers call the gRPC port without a certificate, and none of them is a site: not a child that gets its tickets, not
// one whose audit log is kept.
func TestNobodySpeaksForASiteWithoutACertificate(t *testing.T) {
	tree := &certifiedTree{ca: newAuthority(t), log: map[*Node]*loggedLines{}}
	cityConfig, countyConfig := cityConfiguration(t), configuration(t, "n1")
	for _, c := range []*config.Config{cityConfig, countyConfig} {
		tree.ca.issue(t, c)
	}
	city := tree.start(t, cityConfig)
	countyConfig.Link.ParentAddresses = []string{city.GRPCAddr()}
	county := tree.start(t, countyConfig)
	awaitReady(t, city, county)
	awaitLink(t, county, "330100", apipb.LinkStatus_UP)

	conn, err := grpc.NewClient("passthrough:///"+city.GRPCAddr(),
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	link := linkpb.NewLinkClient(conn)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for name, attempt := range map[string]func() error{
		"connect as a child": func() error { return connectAs(ctx, link, county) },
		"ask for a child":    func() error { _, err := link.Ask(ctx, &linkpb.AskRequest{Site: "330106"}); return err },
		"renew for a child":  func() error { _, err := link.Renew(ctx, &linkpb.RenewRequest{Site: "330106", Node: "n1"}); return err },
		"witness for a child": func() error {
			_, err := link.Witness(ctx, &linkpb.WitnessRequest{Checkpoint: &deskpb.AuditCheckpoint{Site: "330106"}})
			return err
		},
		"read what is kept of a child": func() error {
			_, err := link.Witnessed(ctx, &linkpb.WitnessedRequest{Site: "330106"})
			return err
		},
		"propose as a node": func() error { return proposeAs(ctx, peerpb.NewPeerClient(conn)) },
	} {
		err := attempt()
		refused := status.Code(err) == codes.PermissionDenied || status.Code(err) == codes.FailedPrecondition
		if !refused || !strings.Contains(err.Error(), "certificate") && name != "propose as a node" {
			t.Errorf("%s without a certificate: %v, want it refused for that", name, err)
		}
	}
}
