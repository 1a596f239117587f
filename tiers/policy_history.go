package tiers

import (
	"fmt"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// maxPastPolicies bounds the versions of a site's own policy that are kept beside the one in force.
const maxPastPolicies = 20

// keepPast keeps a document that another version takes the place of, nil for none, when it is this site's own policy: people look up who
// changed what, and bring it back. Of too many the oldest goes. Nothing is decided by what is kept here.
func keepPast(b *store.Batch, self desk.SiteID, old *deskpb.Publication) error {
	if old == nil || desk.SiteID(old.GetPublisher()) != self || old.GetKind() != PolicyKind || old.GetName() != PolicyName {
		return nil
	}
	if err := b.PutPastPolicy(old); err != nil {
		return fmt.Errorf("keep version %d of the policy: %w", old.GetVersion(), err)
	}
	kept, err := b.PastPolicies()
	if err != nil {
		return fmt.Errorf("read the past policies: %w", err)
	}
	for _, oldest := range kept[:max(len(kept)-maxPastPolicies, 0)] {
		if err := b.DeletePastPolicy(oldest.GetVersion()); err != nil {
			return fmt.Errorf("delete version %d of the policy: %w", oldest.GetVersion(), err)
		}
	}
	return nil
}

// PolicyVersions returns the versions of this site's own policy that are known, the newest first: the one that holds, and those that
// were before it. One that was taken back, or cannot be read, has no document.
func PolicyVersions(r *store.Reader) ([]Layer, error) {
	t, err := newTree(r)
	if err != nil {
		return nil, err
	}
	all, err := r.PastPolicies()
	if err != nil {
		return nil, fmt.Errorf("read the past policies: %w", err)
	}
	holding, err := r.Publication(t.self(), PolicyKind, PolicyName)
	if err != nil {
		return nil, fmt.Errorf("read the policy of %s: %w", t.self(), err)
	}
	if holding != nil {
		all = append(all, holding)
	}
	slices.Reverse(all)
	versions := make([]Layer, len(all))
	for i, published := range all {
		versions[i] = layerOf(published)
	}
	return versions, nil
}
