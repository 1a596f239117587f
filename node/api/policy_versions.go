package api

import (
	"context"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/policyfile"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// ListPolicyVersions returns who changed which sections of this site's own layer, and when.
func (p *policies) ListPolicyVersions(ctx context.Context, _ *apipb.ListPolicyVersionsRequest) (*apipb.ListPolicyVersionsResponse, error) {
	all, err := p.versions(ctx)
	if err != nil {
		return nil, err
	}
	answer := &apipb.ListPolicyVersionsResponse{}
	for i := range all {
		answer.Versions = append(answer.Versions, all.message(i))
	}
	return answer, nil
}

// GetPolicyVersion returns the text of a version, and what it changed in that of the version before.
func (p *policies) GetPolicyVersion(ctx context.Context, r *apipb.GetPolicyVersionRequest) (*apipb.PolicyVersion, error) {
	all, err := p.versions(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(l tiers.Layer) bool { return l.Publication.GetVersion() == r.GetVersion() })
	if i < 0 {
		return nil, desk.Refuse(desk.NotFound, "POLICY_VERSION_NOT_FOUND", "%s keeps no version %d of its own policy; list the versions that it keeps",
			p.backend.Site(), r.GetVersion())
	}
	version := all.message(i)
	version.Source = all[i].Document.GetSource()
	version.Diff, err = policyfile.DiffText(all.before(i).Document.GetSource(), version.Source, "before", "version")
	return version, err
}

// policyVersions are versions of this site's own layer, the newest first.
type policyVersions []tiers.Layer

func (p *policies) versions(ctx context.Context) (all policyVersions, err error) {
	err = p.backend.Read(ctx, false, func(reader *store.Reader) (err error) {
		all, err = tiers.PolicyVersions(reader)
		return err
	})
	return all, err
}

// before is the version before one, empty for the oldest.
func (a policyVersions) before(i int) tiers.Layer {
	if i == len(a)-1 {
		return tiers.Layer{}
	}
	return a[i+1]
}

// message tells of a version without its text.
func (a policyVersions) message(i int) *apipb.PolicyVersion {
	published, before := a[i].Publication, a.before(i)
	return &apipb.PolicyVersion{
		Version: published.GetVersion(), Actor: published.GetActor(), ActorName: published.GetActorName(), Time: moment(published.GetTime()),
		InForce: i == 0, Previous: before.Publication.GetVersion(),
		Sections: changedSections(before.Document.GetPolicy(), a[i].Document.GetPolicy()),
	}
}

// changedSections names the sections in which two layers differ; nil is one that says nothing.
func changedSections(before, after *deskpb.Policy) (sections []string) {
	old, now := before.ProtoReflect(), after.ProtoReflect() // a nil message reads as one without fields
	fields := now.Descriptor().Fields()
	for i := range fields.Len() {
		if field := fields.Get(i); !old.Get(field).Equal(now.Get(field)) {
			sections = append(sections, string(field.Name()))
		}
	}
	return sections
}
