package store

import (
	"sync/atomic"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// BasePolicy returns the policy that the site began with, nil when it was founded without one.
func (r *Reader) BasePolicy() (*deskpb.Policy, error) {
	return load[deskpb.Policy](r, family(familyPolicy))
}

// PutBasePolicy stores the policy below all that are published.
func (b *Batch) PutBasePolicy(p *deskpb.Policy) error { return b.put(family(familyPolicy), p) }

func pastPolicyKey(version uint64) keys.Key {
	return keys.Build(familyPastPolicy).Uint64(version).Key()
}

// PastPolicies returns the versions of this site's own layer of the policy that are kept although others took their place, with their
// bodies, the oldest first.
func (r *Reader) PastPolicies() ([]*deskpb.Publication, error) {
	return list[deskpb.Publication](r, under(family(familyPastPolicy)))
}

// PutPastPolicy keeps a version of this site's own layer of the policy, with its body.
func (b *Batch) PutPastPolicy(p *deskpb.Publication) error {
	return b.put(pastPolicyKey(p.GetVersion()), p)
}

// DeletePastPolicy deletes a version that was kept.
func (b *Batch) DeletePastPolicy(version uint64) error {
	return b.delete(pastPolicyKey(version))
}

// policyMemo is a policy that was put together for a site with a path, nil before it was.
type policyMemo struct {
	path   string
	policy *deskpb.Policy
}

// aboutPolicy tells whether the policy of a site depends on a row.
func aboutPolicy(key keys.Key) bool {
	return key[0] == familyPolicy || key[0] == familyPublication || key[0] == familySiteInfo
}

// policyView remembers for views the policy that one of them put together last. It is forgotten after each commit that the
// policy depends on.
type policyView struct {
	version atomic.Uint64 // counts these commits
	memo    atomic.Pointer[viewedPolicy]
}

// viewedPolicy is a policy that was put together by a view that began at the version.
type viewedPolicy struct {
	version uint64
	policyMemo
}

// openPolicy is the memory of one view. Its version was taken before the view's state, so that what it puts together is never
// remembered beyond the commit that changes it.
type openPolicy struct {
	view    *policyView
	version uint64
}

func (v *policyView) open() *openPolicy { return &openPolicy{view: v, version: v.version.Load()} }

// changed forgets what is remembered; the commit is visible to views already.
func (v *policyView) changed() { v.version.Add(1) }

// Policy has the policy of a site put together, for a path that stands for the sites that it depends on. In a view it comes from
// memory while none of the rows has changed that build may read (see Batch.Policy). The policy must not be changed.
func (r *Reader) Policy(path string, build func() (*deskpb.Policy, error)) (*deskpb.Policy, error) {
	if r.policy == nil {
		return build()
	}
	memory := &r.policy.view.memo
	if known := memory.Load(); known != nil && known.version == r.policy.version && known.path == path {
		return known.policy, nil
	}
	policy, err := build()
	if err == nil {
		memory.Store(&viewedPolicy{version: r.policy.version, policyMemo: policyMemo{path: path, policy: policy}})
	}
	return policy, err
}

// Policy is Reader.Policy, from memory while the path is the same and none of the rows has changed that build may read: the
// base policy, publications and the directory. The policy must not be changed.
func (b *Batch) Policy(path string, build func() (*deskpb.Policy, error)) (*deskpb.Policy, error) {
	memo := b.pending.policyMemo()
	if memo.policy != nil && memo.path == path {
		return memo.policy, nil
	}
	policy, err := build()
	if err == nil {
		*memo = policyMemo{path: path, policy: policy}
	}
	return policy, err
}

// policyMemo is the batch's own once it has written something that the policy depends on.
func (p *pending) policyMemo() *policyMemo {
	if p.ownPolicy != nil {
		return p.ownPolicy
	}
	return p.keptPolicy
}
