package tiers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/authority"
	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

const (
	// renewPatience bounds the way of a request for a certificate up to the authority and back, all nodes on it together.
	renewPatience = 10 * time.Second
	// maxRenewals bounds the requests that this node has under way for others.
	maxRenewals = 32
)

// Renewal is how this node takes part in giving the nodes of the tree their next certificates. A request goes straight up,
// from site to parent; at the province, where only some nodes have the authority's key, once aside as well.
type Renewal struct {
	// Caller returns the site and the node that the caller's certificate names, both empty when it showed none.
	Caller func(ctx context.Context) (site desk.SiteID, node string)
	// Sign has the tree's authority issue a certificate for the node: the certificate in DER, then those between it and the
	// authority. authority.ErrNotIssued is its decision; any other error says that it cannot now. Nil: the authority's key is
	// not at this node.
	Sign func(request []byte, site desk.SiteID, node string) (certificates [][]byte, err error)
	// Vouch signs a request of this node with the key of its present certificate; Vouched says what is wrong with such a signature where
	// Sign is. Both nil: requests are signed by their new key alone.
	Vouch   func(request []byte) (certificates [][]byte, signature []byte, err error)
	Vouched func(r *linkpb.RenewRequest) error
	// Others returns the grpc addresses of the site's other nodes.
	Others func() []string
}

// errNoAuthority says that no node that was asked can issue certificates.
var errNoAuthority = errors.New("no node of the province that answers has the tree's authority; set tls.authority at one of them")

// Renew passes a node's request on towards the authority, or answers it. The caller must be the node itself, or the site on
// the way down to it.
func (t *Tiers) Renew(ctx context.Context, r *linkpb.RenewRequest) (*linkpb.RenewResponse, error) {
	if t.o.Renewal == nil {
		return nil, toStatus(t.withoutCertificates())
	}
	if !t.enter() {
		return nil, status.Error(codes.Unavailable, errStopping.Error())
	}
	defer t.running.Done()
	ctx, cancel := t.life(ctx)
	defer cancel(nil)
	select {
	case t.renewals <- struct{}{}:
		defer func() { <-t.renewals }()
	default:
		return nil, status.Errorf(codes.ResourceExhausted, "%s has %d renewals under way; try again in a minute", t.o.SiteID, maxRenewals)
	}
	aside, err := t.admitRenewal(ctx, r)
	if err != nil {
		return nil, t.refuse(ctx, err)
	}
	answer, err := t.passUp(ctx, r, aside)
	return answer, toStatus(err)
}

// RequestCertificate asks for the next certificate of this node: the certificate in DER, then those between it and the
// authority. Nothing of the answer is verified here. A *desk.Refusal is the word of whoever refuses; any other error says that
// nobody answered.
func (t *Tiers) RequestCertificate(ctx context.Context, request []byte) ([][]byte, error) {
	r := &linkpb.RenewRequest{Site: string(t.o.SiteID), Node: t.o.Node, Request: request}
	if t.o.Renewal != nil && t.o.Renewal.Vouch != nil {
		var err error
		if r.Certificates, r.Signature, err = t.o.Renewal.Vouch(request); err != nil {
			return nil, fmt.Errorf("sign a request for a certificate: %w", err)
		}
	}
	answer, err := t.passUp(ctx, r, true)
	return answer.GetCertificates(), err
}

// admitRenewal holds a request against its caller. It tells whether the request may go aside, to another node of this site:
// one that came from there may not.
func (t *Tiers) admitRenewal(ctx context.Context, r *linkpb.RenewRequest) (aside bool, err error) {
	caller, node := t.o.Renewal.Caller(ctx)
	site := desk.SiteID(r.GetSite())
	if caller == "" {
		return false, denied("the caller shows no certificate; a node renews the one that it has")
	}
	if caller == site && node != r.GetNode() {
		return false, denied("the certificate is of node %s, and only node %.64q itself may ask for its next one", node, r.GetNode())
	}
	if _, err := authority.CheckRequest(r.GetRequest(), r.GetSite(), r.GetNode()); err != nil {
		return false, desk.Refuse(desk.InvalidArgument, "BAD_REQUEST", "%v", err)
	}
	where, child, err := t.locate(site)
	if err != nil {
		return false, fmt.Errorf("%s cannot tell now where %.64q stands: %w", t.o.SiteID, site, err)
	}
	switch {
	case caller == t.o.SiteID && (where == self || where == below):
		return false, nil
	case where == below && caller == child:
		return true, nil
	}
	return false, denied("%s asks for a certificate of %.64q, and the way from there to the authority does not lead through both %s and %s",
		caller, site, caller, t.o.SiteID)
}

// locate tells where a site stands, by this node's own state; for one below, child is the child that leads to it.
func (t *Tiers) locate(site desk.SiteID) (where side, child desk.SiteID, err error) {
	err = t.o.Site.View(func(r *store.Reader) error {
		tree, err := newTree(r)
		if err == nil {
			where, child, err = tree.locate(site)
		}
		return err
	})
	return where, child, err
}

// passUp answers a request here, or hands it to the parent; at the province, where aside allows it, to the other nodes.
func (t *Tiers) passUp(ctx context.Context, r *linkpb.RenewRequest, aside bool) (*linkpb.RenewResponse, error) {
	if t.o.Renewal == nil {
		return nil, t.withoutCertificates()
	}
	if t.o.Renewal.Sign != nil {
		return t.sign(r)
	}
	ctx, cancel := context.WithTimeout(ctx, renewPatience)
	defer cancel()
	to := t.wayUp()
	switch {
	case to.site != "":
	case aside:
		to = way{site: t.o.SiteID, addresses: t.o.Renewal.Others()}
	default:
		return nil, errNoAuthority
	}
	answer, err := askEach(ctx, t, to, func(ctx context.Context, c linkpb.LinkClient) (*linkpb.RenewResponse, error) {
		return c.Renew(ctx, r)
	})
	if len(to.addresses) == 0 && to.site == t.o.SiteID {
		err = errNoAuthority
	}
	return answer, err
}

// sign has the authority at this node answer a request.
func (t *Tiers) sign(r *linkpb.RenewRequest) (*linkpb.RenewResponse, error) {
	if t.o.Renewal.Vouched != nil {
		if err := t.o.Renewal.Vouched(r); err != nil {
			return nil, denied("node %.64q of %.64q did not ask for this certificate itself: %v", r.GetNode(), r.GetSite(), err)
		}
	}
	certificates, err := t.o.Renewal.Sign(r.GetRequest(), desk.SiteID(r.GetSite()), r.GetNode())
	switch {
	case errors.Is(err, authority.ErrNotIssued):
		return nil, desk.Refuse(desk.FailedPrecondition, "NOT_ISSUED", "%v", err)
	case err != nil:
		return nil, err
	}
	t.o.Logger.Info("a certificate was renewed", "site", r.GetSite(), "node", r.GetNode())
	return &linkpb.RenewResponse{Certificates: certificates}, nil
}

func (t *Tiers) withoutCertificates() error {
	return desk.Refuse(desk.FailedPrecondition, "NO_CERTIFICATES", "%s speaks without certificates, so there is none to renew", t.o.SiteID)
}

func denied(format string, args ...any) *desk.Refusal {
	return desk.Refuse(desk.PermissionDenied, "NOT_THE_PEER", format, args...)
}
