package node

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/authority"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// The way of a county's request leads through its city. Whoever has the city's key can pass requests on, and make none: a certificate
// is for who has the one before.
func TestACityGetsNoCertificateOfItsCounty(t *testing.T) {
	tree := &certifiedTree{ca: newAuthority(t), province: configuration(t, "n1"), city: cityConfiguration(t), log: map[*Node]*loggedLines{}}
	tree.province.Site = config.Site{ID: "330000", Name: "浙江省", Tier: config.Province}
	countyConfig := configuration(t, "n1")
	for _, c := range []*config.Config{tree.province, tree.city, countyConfig} {
		tree.ca.issue(t, c)
	}
	tree.province.TLS.Authority = tree.ca.dir
	province := tree.start(t, tree.province)
	tree.city.Link.ParentAddresses = []string{province.GRPCAddr()}
	city := tree.start(t, tree.city)
	countyConfig.Link.ParentAddresses = []string{city.GRPCAddr()}
	county := tree.start(t, countyConfig)
	awaitReady(t, province, city, county)

	stolen := city.security.identity
	conn, err := grpc.NewClient("passthrough:///"+province.GRPCAddr(), grpc.WithTransportCredentials(stolen.LinkCredentials("330000")))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request, _, err := authority.Request("330106", "n1")
	if err != nil {
		t.Fatal(err)
	}
	own, signature, err := stolen.Sign(vouching(request))
	if err != nil {
		t.Fatal(err)
	}
	asked := &linkpb.RenewRequest{Site: "330106", Node: "n1", Request: request}
	signed := &linkpb.RenewRequest{Site: "330106", Node: "n1", Request: request, Certificates: own, Signature: signature}
	eventually(t, "the province knows the county and signs for the county alone", func() string {
		for name, r := range map[string]*linkpb.RenewRequest{"unsigned": asked, "signed by the city": signed} {
			_, err := linkpb.NewLinkClient(conn).Renew(ctx, r)
			if err == nil {
				t.Fatalf("a request for the county's node, %s, was answered with a certificate", name)
			}
			if want := "did not ask for this certificate itself"; status.Code(err) != codes.PermissionDenied || !strings.Contains(err.Error(), want) {
				return err.Error()
			}
		}
		return ""
	})
	if _, err := county.tiers.RequestCertificate(ctx, request); err != nil {
		t.Errorf("the county's node itself gets none: %v", err)
	}
}
