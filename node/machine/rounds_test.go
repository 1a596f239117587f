package machine

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

func TestARoundIsOpenedByTheLogItself(t *testing.T) {
	l := founded(t)
	body, err := proto.Marshal(&deskpb.PolicyDocument{Policy: &deskpb.Policy{Rounds: []*deskpb.Round{
		{Name: "机房", Every: 1, First: 20260101, Template: "machine-room"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	publish := &deskpb.Command{Kind: &deskpb.Command_PutPublication{PutPublication: &deskpb.PutPublication{Publication: &deskpb.Publication{
		Kind: tiers.PolicyKind, Name: tiers.PolicyName, MediaType: tiers.PolicyMediaType, Body: body, Actor: "admin",
	}}}}
	open := func(due int64) *deskpb.Command {
		return &deskpb.Command{Kind: &deskpb.Command_OpenRound{OpenRound: &deskpb.OpenRound{Round: "机房", Due: due}}}
	}
	day := int64(24 * time.Hour / time.Microsecond)
	tomorrow := (noon/day + 1) * day
	for _, step := range []struct {
		what string
		at   int64
		do   *deskpb.Command
		want string
	}{
		{"a round that no policy has", noon, open(0), "ROUND_NOT_FOUND"},
		{"the policy", noon, publish, ""},
		{"taking notice", noon, open(0), ""},
		{"too early", tomorrow - 1, open(tomorrow), "ROUND_NOT_DUE"},
		{"in time", tomorrow, open(tomorrow), ""},
		{"again", tomorrow, open(tomorrow), ""},
	} {
		if got := l.one(t, step.at, step.do); got != step.want {
			t.Errorf("%s comes to %q, want %q", step.what, got, step.want)
		}
	}
	l.view(t, func(r *store.Reader) error {
		page, err := r.RoundTickets("机房", nil, 10)
		if len(page.Records) != 1 {
			t.Errorf("the round has %d tickets, want one", len(page.Records))
		}
		return err
	})
}
