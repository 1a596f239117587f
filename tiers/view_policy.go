package tiers

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/store"
)

// PolicyKind and PolicyName name the publication that is a site's layer of the policy: a PolicyDocument.
const (
	PolicyKind = "policy"
	PolicyName = "policy"
)

// PolicyMediaType is the media type of a PolicyDocument.
const PolicyMediaType = "application/x-protobuf"

// Layer is what one site says of the policy that holds here.
type Layer struct {
	// Publication is the document without its body.
	Publication *deskpb.Publication
	Document    *deskpb.PolicyDocument
}

// Policy returns all layers of this site's policy put together.
func (v view) Policy() (*deskpb.Policy, error) {
	var path strings.Builder
	for _, site := range v.tree.path {
		path.WriteString(string(site))
		path.WriteByte('/')
	}
	return v.records.Policy(path.String(), func() (*deskpb.Policy, error) { return mergePolicy(v.tree.r, v.tree.path) })
}

// Policy returns the policy that holds at this site. It must not be changed.
func Policy(r *store.Reader) (*deskpb.Policy, error) {
	t, err := newTree(r)
	if err != nil {
		return nil, err
	}
	return newView(r, t).Policy()
}

// PolicyLayers returns what this site has of the policies of a path, this site's own first, those of its ancestors behind it.
// Who has published none has no layer.
func PolicyLayers(r *store.Reader) ([]Layer, error) {
	t, err := newTree(r)
	if err != nil {
		return nil, err
	}
	var layers []Layer
	for _, site := range t.path {
		layer, err := policyLayer(r, site)
		if err != nil {
			return nil, err
		}
		if layer.Document != nil {
			layers = append(layers, layer)
		}
	}
	return layers, nil
}

// PolicyAbove returns the policy that holds at this site without its own layer, in the layers that are merged.
func PolicyAbove(r *store.Reader) ([]*deskpb.Policy, error) {
	t, err := newTree(r)
	if err != nil {
		return nil, err
	}
	return policyAbove(r, t.path)
}

// mergePolicy puts the layers for the first site of a path together.
func mergePolicy(r *store.Reader, path []desk.SiteID) (*deskpb.Policy, error) {
	layers, err := policyAbove(r, path)
	if err != nil {
		return nil, err
	}
	own, err := policyLayer(r, path[0])
	if err != nil {
		return nil, err
	}
	return policy.Merge(append(layers, own.Document.GetPolicy())...), nil
}

// policyAbove lists the built-in policy, that of the province, nil while it is not known, and those of the other ancestors.
func policyAbove(r *store.Reader, path []desk.SiteID) ([]*deskpb.Policy, error) {
	base, err := r.BasePolicy()
	if err != nil {
		return nil, fmt.Errorf("read the policy that the site began with: %w", err)
	}
	if base == nil {
		base = policy.Default()
	}
	layers := []*deskpb.Policy{base}
	top, err := reachesTop(r, path)
	if err != nil {
		return nil, err
	}
	if !top {
		layers = append(layers, nil)
	}
	for _, site := range slices.Backward(path[1:]) {
		layer, err := policyLayer(r, site)
		if err != nil {
			return nil, err
		}
		layers = append(layers, layer.Document.GetPolicy())
	}
	return layers, nil
}

// reachesTop tells whether a path ends at the province.
func reachesTop(r *store.Reader, path []desk.SiteID) (bool, error) {
	if len(path) == 1 {
		site, err := r.Site()
		if err != nil {
			return false, fmt.Errorf("read the site: %w", err)
		}
		return site.GetTier() == deskpb.Site_PROVINCE, nil
	}
	last := path[len(path)-1]
	info, err := r.SiteInfo(last)
	if err != nil {
		return false, fmt.Errorf("read the directory entry of %s: %w", last, err)
	}
	return info.GetTier() == deskpb.Site_PROVINCE, nil
}

// policyLayer returns a site's layer, without a document when it has published none. One that cannot be read is none: the
// site below would otherwise stand still until the one above publishes another.
func policyLayer(r *store.Reader, site desk.SiteID) (Layer, error) {
	published, err := r.Publication(site, PolicyKind, PolicyName)
	if err != nil {
		return Layer{}, fmt.Errorf("read the policy of %s: %w", site, err)
	}
	layer := layerOf(published)
	if layer.Document == nil {
		return Layer{}, nil
	}
	return layer, nil
}

// layerOf takes a published policy apart, nil for none. One that was taken back, or cannot be read, has no document.
func layerOf(published *deskpb.Publication) Layer {
	if published == nil || published.GetRemoved() {
		return Layer{Publication: published}
	}
	document := &deskpb.PolicyDocument{}
	if proto.Unmarshal(published.GetBody(), document) != nil {
		document = nil
	}
	published.Body = nil
	return Layer{Publication: published, Document: document}
}
