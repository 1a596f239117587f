package tiers

import (
	"crypto/sha256"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/store"
)

// simPeople are the people of every site.
var simPeople = []*deskpb.User{
	{Name: "li", Role: deskpb.User_ADMINISTRATOR},
	{Name: "sun", Role: deskpb.User_INCIDENT_MANAGER},
	{Name: "wang", Role: deskpb.User_AGENT},
	{Name: "zhao", Role: deskpb.User_AGENT},
}

// simPolicy is the built-in policy with times so short that they pass while a seed is played, and with groups to which
// tickets are dispatched. It knows no holidays, so that it is read quickly.
func simPolicy() *deskpb.Policy {
	p := policy.Default()
	for _, calendar := range p.Calendars {
		calendar.Dates = nil
	}
	p.Targets = []*deskpb.Target{
		{Name: "response", Metric: deskpb.Sla_RESPONSE, Within: 8},
		{Name: "resolution", Metric: deskpb.Sla_RESOLUTION, Within: 40},
		{Name: "update", Metric: deskpb.Sla_UPDATE, Match: &deskpb.Match{Major: true}, Within: 15},
		{Name: "on-site", Metric: deskpb.Sla_ON_SITE, Within: 20},
		{Name: "county", Metric: deskpb.Sla_RESOLUTION, Tier: "COUNTY", Within: 10},
		{Name: "city", Metric: deskpb.Sla_RESOLUTION, Tier: "CITY", Within: 20},
		{Name: "province", Metric: deskpb.Sla_RESOLUTION, Tier: "PROVINCE", Within: 30},
	}
	p.Groups = []*deskpb.Team{
		{Name: "一线", Members: []string{"zhao", "wang"}, Manager: "sun", Method: deskpb.Team_ROUND_ROBIN, AcceptWithin: 10},
		{Name: "二线", Members: []string{"wang", "zhao", "li"}, Manager: "sun", Method: deskpb.Team_LEAST_LOADED},
		{Name: "需求", Members: []string{"li"}, Method: deskpb.Team_MANUAL},
	}
	p.Dispatch = []*deskpb.DispatchRule{
		{Name: "requirements", Match: &deskpb.Match{Categories: []string{"新需求"}}, Group: "需求"},
		{Name: "first", Match: &deskpb.Match{Lines: []deskpb.Ticket_Line{deskpb.Ticket_FIRST}}, Group: "一线"},
		{Name: "second", Match: &deskpb.Match{Lines: []deskpb.Ticket_Line{deskpb.Ticket_SECOND}}, Group: "二线"},
	}
	p.Approvals = []*deskpb.ApprovalStep{
		{Name: "requirements", Match: &deskpb.Match{Categories: []string{"新需求"}}, Step: "escalate", Approvers: []string{"li", "sun"}},
	}
	p.Rounds = []*deskpb.Round{
		{Name: "machine-room", Template: "machine-room", Group: "一线", Every: 1, First: 20000101, Minute: 481, Calendar: policy.AllTime},
	}
	p.Urging.CoolDown = 5
	p.Closing.ReopenWithin = 20
	return p
}

// simLayers are what sites lay over the policy from above.
var simLayers = []*deskpb.Policy{
	{Urging: &deskpb.Urging{CoolDown: 1, ClimbEvery: 2}},
	{Targets: []*deskpb.Target{{Name: "resolution", Metric: deskpb.Sla_RESOLUTION, Within: 25}}},
	{Groups: []*deskpb.Team{{Name: "一线", Members: []string{"li"}, Method: deskpb.Team_LEAST_LOADED}}},
	{Dispatch: []*deskpb.DispatchRule{{Name: "first", Removed: true}}, Locked: []string{"targets"}},
}

// layer draws what a site publishes as its policy.
func (w *simWorld) layer() (*deskpb.Publication, error) {
	document := &deskpb.PolicyDocument{Policy: simLayers[w.rng.IntN(len(simLayers))], Source: "urging: {}"}
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("encode a policy: %w", err)
	}
	return &deskpb.Publication{Kind: PolicyKind, Name: PolicyName, Title: "策略", Actor: "li", MediaType: PolicyMediaType, Body: body}, nil
}

// simFurnish writes what a site has from the beginning: its policy, its people, and the content of attachments.
func simFurnish(b *store.Batch, at desk.Stamp) error {
	if err := b.PutBasePolicy(simPolicy()); err != nil {
		return err
	}
	for _, user := range simPeople {
		if err := b.PutUser(user); err != nil {
			return err
		}
	}
	sum := sha256.Sum256([]byte(simPhoto))
	return b.PutBlob(&deskpb.Blob{Sha256: sum[:], Size: int64(len(simPhoto)), Chunks: 1, Present: 1, Complete: at.Time, Begun: at.Time})
}

// checkPolicy holds when the policy by which a site decides is the one that its layers make, whatever it has kept of it.
func (r *simRecorder) checkPolicy(s *simSite, b *store.Batch) error {
	t, err := newTree(b.Reader)
	if err != nil {
		return err
	}
	kept, err := newView(b, t).Policy()
	if err != nil {
		return err
	}
	made, err := mergePolicy(b.Reader, t.path)
	if err != nil {
		return err
	}
	if !proto.Equal(kept, made) {
		r.fail(7, "%s decides by a policy that its layers do not make\nkept: %v\nmade: %v", s.name, kept, made)
	}
	return nil
}
