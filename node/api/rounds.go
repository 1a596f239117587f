package api

import (
	"context"
	"fmt"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// Findings on a page of a round's report.
const (
	defaultFindings = 12
	maxFindings     = 100
)

// rounds serves the inspection rounds of the site. They are part of its policy, and opened by its log.
type rounds struct {
	apipb.UnimplementedRoundsServer
	backend Backend
	clock   func() time.Time
}

func (s *rounds) ListRounds(ctx context.Context, _ *apipb.ListRoundsRequest) (*apipb.ListRoundsResponse, error) {
	answer := &apipb.ListRoundsResponse{}
	err := s.backend.Read(ctx, false, func(r *store.Reader) error {
		rounds, err := tiers.Rounds(r, s.clock().UnixMicro())
		for _, round := range rounds {
			answer.Rounds = append(answer.Rounds, &apipb.InspectionRound{
				Round: round.Round, DueTime: moment(round.Due), OpenedTime: moment(round.Mark),
			})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func (s *rounds) GetRoundReport(ctx context.Context, r *apipb.GetRoundReportRequest) (*apipb.RoundReport, error) {
	size := r.GetPageSize()
	switch {
	case size < 0 || size > maxFindings:
		return nil, desk.RefuseField("pageSize", "%d is not between 1 and %d", size, maxFindings)
	case size == 0:
		size = defaultFindings
	}
	scope := pageScope{"round", r.GetName()}
	after, err := scope.open(r.GetPageToken())
	if err != nil {
		return nil, err
	}
	report := &apipb.RoundReport{Name: r.GetName()}
	err = s.backend.Read(ctx, false, func(reader *store.Reader) error {
		sight, err := sightOf(ctx, s.backend.Site(), reader)
		if err != nil {
			return err
		}
		veil, position, err := sight.behind(reader, after)
		if err != nil {
			return err
		}
		page, err := reader.RoundTickets(r.GetName(), position, int(size))
		if err != nil {
			return fmt.Errorf("list the tickets of a round: %w", err)
		}
		for _, record := range page.Records {
			if sight.sees(record) {
				report.Findings = append(report.Findings, finding(record.GetTicket()))
			}
		}
		if len(page.Records) == 0 {
			if err := roundKnown(sight.policy, r.GetName()); err != nil {
				return err
			}
		}
		report.NextPageToken = scope.seal(veil.over(page.Next))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return report, nil
}

// roundKnown refuses a round that the policy does not have. One that it had once has tickets, and its report stays.
func roundKnown(p *deskpb.Policy, name string) error {
	if policy.Round(p, name) == nil {
		return desk.Refuse(desk.NotFound, "ROUND_NOT_FOUND", "the policy has no round %.64q; list the rounds", name)
	}
	return nil
}

func finding(t *deskpb.Ticket) *apipb.RoundFinding {
	return &apipb.RoundFinding{
		Number: t.GetNumber(), HomeSite: t.GetHomeSite(), OpenTime: t.GetOpenTime(), State: t.GetState(), ResolveTime: t.GetResolveTime(),
		Assignee: t.GetAssignee(), Items: t.GetChecklist(), Resolution: t.GetResolution(),
	}
}
