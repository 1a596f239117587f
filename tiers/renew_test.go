package tiers

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/authority"
	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// newRequest is a node's request for a certificate.
func newRequest(t *testing.T, site, node string) []byte {
	t.Helper()
	request, _, err := authority.Request(site, node)
	if err != nil {
		t.Fatal(err)
	}
	return request
}

// signs has a node answer requests with the name that they are for, and counts them.
func (n *node) signs() *atomic.Int32 {
	var signed atomic.Int32
	n.tiers.o.Renewal.Sign = func(_ []byte, site desk.SiteID, name string) ([][]byte, error) {
		signed.Add(1)
		return [][]byte{[]byte(string(site) + "/" + name)}, nil
	}
	return &signed
}

func TestARequestForACertificateGoesUpToTheAuthority(t *testing.T) {
	top, middle, bottom := chainOfThree(t)
	top.signs()
	top.caller.Store([2]string{"330100", "n1"})
	middle.caller.Store([2]string{"330106", "n1"})
	dead := "127.0.0.1:1"
	bottom.parents.Store([]string{dead, middle.address})

	got, err := bottom.tiers.RequestCertificate(t.Context(), newRequest(t, "330106", "n1"))
	if err != nil || len(got) != 1 || string(got[0]) != "330106/n1" {
		t.Fatalf("the county's node got %q, %v", got, err)
	}
	if got, err = middle.tiers.RequestCertificate(t.Context(), newRequest(t, "330100", "n1")); err != nil || string(got[0]) != "330100/n1" {
		t.Fatalf("the city's node got %q, %v", got, err)
	}

	bottom.parents.Store([]string{dead})
	var refusal *desk.Refusal
	if _, err := bottom.tiers.RequestCertificate(t.Context(), newRequest(t, "330106", "n1")); err == nil || errors.As(err, &refusal) || !strings.Contains(err.Error(), dead) {
		t.Errorf("with a parent that is away: %v, want an error that names its address and is no refusal", err)
	}
	bottom.parents.Store([]string{middle.address})
	for _, tt := range []struct {
		name    string
		err     error
		refused bool
	}{
		{"refuses", fmt.Errorf("sign: %w", authority.ErrNotIssued), true},
		{"cannot answer now", errors.New("the disk is full"), false},
	} {
		top.tiers.o.Renewal.Sign = func([]byte, desk.SiteID, string) ([][]byte, error) { return nil, tt.err }
		_, err := bottom.tiers.RequestCertificate(t.Context(), newRequest(t, "330106", "n1"))
		if err == nil || errors.As(err, &refusal) != tt.refused || !strings.Contains(err.Error(), tt.err.Error()) {
			t.Errorf("an authority that %s: %v, want its words, as a refusal: %v", tt.name, err, tt.refused)
		}
	}
}

// Each site on the way looks at who asks for whom: the node itself, or the next site on the way down to it.
func TestWhoMayAskForACertificate(t *testing.T) {
	_, middle, _ := chainOfThree(t)
	signed := middle.signs()
	for _, tt := range []struct {
		name       string
		caller     [2]string
		site, node string
		request    []byte // "" is one for site and node
		want       codes.Code
		words      string
	}{
		{name: "the node itself", caller: [2]string{"330106", "n1"}, site: "330106", node: "n1", want: codes.OK},
		{name: "another node of its site", caller: [2]string{"330106", "n2"}, site: "330106", node: "n1", want: codes.PermissionDenied, words: "only node \"n1\" itself"},
		{name: "somebody without a certificate", site: "330106", node: "n1", want: codes.PermissionDenied, words: "no certificate"},
		{name: "another county", caller: [2]string{"330108", "n1"}, site: "330106", node: "n1", want: codes.PermissionDenied, words: "330108 asks"},
		{name: "the province, from above", caller: [2]string{"330000", "n1"}, site: "330106", node: "n1", want: codes.PermissionDenied, words: "330000 asks"},
		{name: "a county, for its city", caller: [2]string{"330106", "n1"}, site: "330100", node: "n1", want: codes.PermissionDenied, words: "330106 asks"},
		{name: "a county, for its province", caller: [2]string{"330106", "n1"}, site: "330000", node: "n1", want: codes.PermissionDenied, words: "330106 asks"},
		{name: "a county that is not known here", caller: [2]string{"330999", "n1"}, site: "330999", node: "n1", want: codes.PermissionDenied, words: "330999 asks"},
		{name: "a node of the city, for its county", caller: [2]string{"330100", "n2"}, site: "330106", node: "n1", want: codes.OK},
		{name: "a node of the city, for itself", caller: [2]string{"330100", "n2"}, site: "330100", node: "n2", want: codes.OK},
		{name: "a node of the city, for another one", caller: [2]string{"330100", "n2"}, site: "330100", node: "n1", want: codes.PermissionDenied, words: "only node \"n1\" itself"},
		{name: "a request that names another node", caller: [2]string{"330106", "n1"}, site: "330106", node: "n1", request: newRequest(t, "330000", "n1"),
			want: codes.InvalidArgument, words: "does not ask for tierdesk://330106/n1 alone"},
		{name: "a request that is none", caller: [2]string{"330106", "n1"}, site: "330106", node: "n1", request: []byte("x"), want: codes.InvalidArgument, words: "read the request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			middle.caller.Store(tt.caller)
			before := signed.Load()
			if tt.request == nil {
				tt.request = newRequest(t, tt.site, tt.node)
			}
			_, err := middle.tiers.Renew(t.Context(), &linkpb.RenewRequest{Site: tt.site, Node: tt.node, Request: tt.request})
			if got := status.Code(err); got != tt.want || !strings.Contains(status.Convert(err).Message(), tt.words) {
				t.Errorf("got %v: %v, want %v with %q", got, err, tt.want, tt.words)
			}
			if signed := signed.Load() > before; signed != (tt.want == codes.OK) {
				t.Errorf("the authority signed: %v", signed)
			}
		})
	}
}

// The nodes of a province ask each other, once: where none of them has the authority, the question does not go round.
func TestAtTheProvinceARequestGoesAsideOnce(t *testing.T) {
	shared := newOffice(t, province, wall)
	first, second := newNode(t, province, shared), newNode(t, province, shared)
	first.others.Store([]string{second.address})
	second.others.Store([]string{first.address})
	for _, n := range []*node{first, second} {
		n.caller.Store([2]string{"330000", "n1"})
	}
	request := newRequest(t, "330000", "n1")
	if _, err := first.tiers.RequestCertificate(t.Context(), request); err == nil || !strings.Contains(err.Error(), "tls.authority") {
		t.Errorf("without an authority: %v, want one that names tls.authority", err)
	}
	signed := second.signs()
	got, err := first.tiers.RequestCertificate(t.Context(), request)
	if err != nil || !slices.EqualFunc(got, []string{"330000/n1"}, func(x []byte, y string) bool { return string(x) == y }) || signed.Load() != 1 {
		t.Errorf("with the authority at the other node: %q, %v, signed %d times", got, err, signed.Load())
	}
	first.others.Store([]string(nil))
	if _, err := first.tiers.RequestCertificate(t.Context(), request); err == nil || !strings.Contains(err.Error(), "tls.authority") {
		t.Errorf("alone: %v, want one that names tls.authority", err)
	}
}

func TestRenewalsUnderWayAreBounded(t *testing.T) {
	middle := newNode(t, city, newOffice(t, city, wall))
	for range maxRenewals {
		middle.tiers.renewals <- struct{}{}
	}
	_, err := middle.tiers.Renew(t.Context(), &linkpb.RenewRequest{Site: "330106", Node: "n1"})
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("with %d renewals under way: %v, want ResourceExhausted", maxRenewals, err)
	}
}
