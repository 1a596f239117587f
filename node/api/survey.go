package api

import (
	"context"
	"fmt"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// surveyPath begins the path of a survey for programs, surveyPage that of its page; the secret follows.
const (
	surveyPath = "/api/v1/survey/"
	surveyPage = "/help/s/"
)

// surveys serves the links by which requesters rate the service. A link's secret stands in no log and no journal.
type surveys struct {
	apipb.UnimplementedSurveysServer
	backend Backend
	tickets *tickets
	clock   func() time.Time
}

func (s *surveys) CreateSurvey(ctx context.Context, r *apipb.CreateSurveyRequest) (*apipb.CreateSurveyResponse, error) {
	if err := numberGiven(r.GetNumber()); err != nil {
		return nil, err
	}
	answer := &apipb.CreateSurveyResponse{}
	err := s.backend.Read(ctx, false, func(reader *store.Reader) error {
		record, sight, err := s.tickets.find(ctx, reader, r.GetNumber())
		if err != nil {
			return err
		}
		site, err := reader.Site()
		if err != nil {
			return fmt.Errorf("read the site: %w", err)
		}
		valid := sight.policy.GetClosing().GetSurveyValid()
		switch state, into := record.GetTicket().GetState(), record.GetTicket().GetMergedInto(); {
		case into != "":
			return desk.Refuse(desk.FailedPrecondition, "MERGED", "ticket %s was merged into %s; ask for a rating of that one, once it is solved",
				r.GetNumber(), into)
		case state != deskpb.Ticket_RESOLVED && state != deskpb.Ticket_CLOSED:
			return desk.Refuse(desk.FailedPrecondition, "WRONG_STATE", "ticket %s is %s; only RESOLVED and CLOSED ones are rated",
				r.GetNumber(), state)
		case len(site.GetSurveyKey()) == 0:
			return desk.Refuse(desk.Unavailable, "NO_SURVEY_KEY", "site %s has no key for surveys yet; try again in a moment", s.backend.Site())
		case valid <= 0:
			return desk.Refuse(desk.FailedPrecondition, "NO_SURVEYS", "the policy has no surveys; set closing.survey_valid")
		}
		expires := s.clock().UnixMicro() + valid*1_000_000
		token := desk.SurveyToken(site.GetSurveyKey(), desk.TicketNumber(r.GetNumber()), expires)
		answer.Url, answer.Page, answer.ExpireTime = surveyPath+token, surveyPage+token, moment(expires)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func (s *surveys) GetSurvey(ctx context.Context, r *apipb.GetSurveyRequest) (*apipb.Survey, error) {
	shown, _, err := s.open(ctx, r.GetToken())
	return shown, err
}

func (s *surveys) AnswerSurvey(ctx context.Context, r *apipb.AnswerSurveyRequest) (*apipb.Survey, error) {
	shown, number, err := s.open(ctx, r.GetToken())
	if err != nil {
		return nil, err
	}
	result, err := s.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: &deskpb.TicketCommand{
		Actor:  &deskpb.Actor{}, // the site itself takes the rating
		Number: string(number), Verb: &deskpb.TicketCommand_Rate{Rate: &deskpb.Rate{Satisfaction: r.GetSatisfaction()}},
	}}})
	if err != nil {
		return nil, err
	}
	shown.State, shown.Satisfaction = result.GetTicket().GetState(), result.GetTicket().GetSatisfaction()
	return shown, nil
}

// open returns what the requester may see of the ticket that a link is for.
func (s *surveys) open(ctx context.Context, token string) (shown *apipb.Survey, number desk.TicketNumber, err error) {
	err = s.backend.Read(ctx, false, func(reader *store.Reader) error {
		site, err := reader.Site()
		if err != nil {
			return fmt.Errorf("read the site: %w", err)
		}
		var expires int64
		if number, expires, err = desk.OpenSurvey(site.GetSurveyKey(), token, s.clock().UnixMicro()); err != nil {
			return err
		}
		record, err := s.tickets.record(reader, string(number))
		if err != nil {
			return err
		}
		t := record.GetTicket()
		shown = &apipb.Survey{Title: t.GetTitle(), State: t.GetState(), Satisfaction: t.GetSatisfaction(), ExpireTime: moment(expires)}
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	return shown, number, nil
}
