package api

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/policyfile"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// policies serves the policy of the desk.
type policies struct {
	apipb.UnimplementedPoliciesServer
	backend Backend
	told    atomic.Pointer[apipb.SitePolicy] // what was told last
}

func (p *policies) GetPolicy(ctx context.Context, r *apipb.GetPolicyRequest) (*apipb.SitePolicy, error) {
	stale, err := staleAllowed(r.GetConsistency())
	if err != nil {
		return nil, err
	}
	return p.read(ctx, stale)
}

// read returns the policy that holds at the site. The store hands out the same policy for as long as nothing of it and of its layers
// changes, and so the same is told of it. What is told must not be changed.
func (p *policies) read(ctx context.Context, stale bool) (*apipb.SitePolicy, error) {
	answer := &apipb.SitePolicy{}
	err := p.backend.Read(ctx, stale, func(reader *store.Reader) (err error) {
		if answer.Policy, err = tiers.Policy(reader); err != nil {
			return err
		}
		if last := p.told.Load(); last != nil && last.GetPolicy() == answer.Policy {
			answer = last
			return nil
		}
		layers, err := tiers.PolicyLayers(reader)
		for _, layer := range layers {
			answer.Layers = append(answer.Layers, layerMessage(layer))
			if desk.SiteID(layer.Publication.GetPublisher()) == p.backend.Site() {
				answer.Own = layer.Document.GetSource()
			}
		}
		return err
	})
	if err != nil || answer.Yaml != "" {
		return answer, err
	}
	text, err := policyfile.Write(answer.Policy)
	if err != nil {
		return nil, err
	}
	answer.Yaml = string(text)
	p.told.Store(answer)
	return answer, nil
}

func layerMessage(layer tiers.Layer) *apipb.PolicyLayer {
	return &apipb.PolicyLayer{
		Publisher: layer.Publication.GetPublisher(), Version: layer.Publication.GetVersion(),
		Actor: layer.Publication.GetActor(), Time: moment(layer.Publication.GetTime()),
		Locked: layer.Document.GetPolicy().GetLocked(), Source: layer.Document.GetSource(), ActorName: layer.Publication.GetActorName(),
		Names: layer.Document.GetNames(),
	}
}

func (p *policies) CheckPolicy(ctx context.Context, r *apipb.CheckPolicyRequest) (*apipb.CheckPolicyResponse, error) {
	var above []*deskpb.Policy
	var now *deskpb.Policy
	err := p.backend.Read(ctx, false, func(reader *store.Reader) (err error) {
		if above, err = tiers.PolicyAbove(reader); err != nil {
			return err
		}
		now, err = tiers.Policy(reader)
		return err
	})
	if err != nil {
		return nil, err
	}
	answer := &apipb.CheckPolicyResponse{}
	layer, problems := policyfile.Check([]byte(r.GetSource()), above)
	for _, problem := range problems {
		answer.Problems = append(answer.Problems, &apipb.PolicyProblem{Line: int32(problem.Line), Path: problem.Path, Text: problem.Text})
	}
	if len(problems) > 0 {
		return answer, nil
	}
	after := policy.Merge(append(slices.Clip(above), layer)...)
	answer.Diff, err = policyfile.Diff(now, after, "now", "applied")
	return answer, err
}

func (p *policies) ApplyPolicy(ctx context.Context, r *apipb.ApplyPolicyRequest) (*apipb.SitePolicy, error) {
	var above []*deskpb.Policy
	err := p.backend.Read(ctx, false, func(reader *store.Reader) (err error) {
		above, err = tiers.PolicyAbove(reader)
		return err
	})
	if err != nil {
		return nil, err
	}
	layer, problems := policyfile.Check([]byte(r.GetSource()), above)
	if len(problems) > 0 {
		return nil, refusePolicy(problems)
	}
	document := &deskpb.PolicyDocument{Policy: layer, Source: r.GetSource()}
	err = p.backend.Read(ctx, false, func(reader *store.Reader) (err error) {
		document.Names, err = namesIn(reader, layer)
		return err
	})
	if err != nil {
		return nil, err
	}
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("encode the policy: %w", err)
	}
	_, err = p.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_PutPublication{PutPublication: &deskpb.PutPublication{
		Over: r.Over,
		Publication: &deskpb.Publication{
			Kind: tiers.PolicyKind, Name: tiers.PolicyName, MediaType: tiers.PolicyMediaType, Body: body,
			Actor: callerOf(ctx).actor.GetUser(),
		},
	}}})
	if err != nil {
		return nil, err
	}
	return p.read(ctx, false)
}

// namesIn are how those people of this site are called whom the groups and rosters of a layer name, by user. The layer goes to the sites
// below, which have no accounts of them.
func namesIn(reader *store.Reader, layer *deskpb.Policy) (map[string]string, error) {
	var users []string
	for _, group := range layer.GetGroups() {
		users = append(append(users, group.GetMembers()...), group.GetManager())
	}
	for _, roster := range layer.GetRosters() {
		for _, shift := range roster.GetShifts() {
			users = append(users, shift.GetPeople()...)
		}
	}
	slices.Sort(users)
	names := map[string]string{}
	for _, user := range slices.Compact(users) {
		account, err := reader.User(desk.UserID(user))
		if err != nil {
			return nil, fmt.Errorf("look how %s is called: %w", user, err)
		}
		if name := account.GetDisplayName(); name != "" {
			names[user] = name
		}
	}
	return names, nil
}

// refusePolicy names the first problem and how many there are.
func refusePolicy(problems []policyfile.Problem) error {
	more := ""
	if rest := len(problems) - 1; rest > 0 {
		more = fmt.Sprintf("; %d more problems are found by a check", rest)
	}
	return desk.RefuseField("source", "%s%s", problems[0], more)
}
