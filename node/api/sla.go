package api

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// ExplainSla tells the story of each clock of a ticket, up to now, from the journal.
func (t *tickets) ExplainSla(ctx context.Context, r *apipb.ExplainSlaRequest) (*apipb.SlaExplanation, error) {
	if err := numberGiven(r.GetNumber()); err != nil {
		return nil, err
	}
	stale, err := staleAllowed(r.GetConsistency())
	if err != nil {
		return nil, err
	}
	var record *deskpb.Record
	var events []desk.Sealed
	var sight sight
	err = t.backend.Read(ctx, stale, func(reader *store.Reader) (err error) {
		if record, sight, err = t.find(ctx, reader, r.GetNumber()); err != nil {
			return err
		}
		events, err = reader.Events(desk.TicketNumber(r.GetNumber()))
		return err
	})
	if err != nil {
		return nil, err
	}
	journal, err := desk.Journal(events)
	if err != nil {
		return nil, fmt.Errorf("render the journal of ticket %s: %w", r.GetNumber(), err)
	}
	answer := &apipb.SlaExplanation{}
	for _, story := range desk.Explain(record, journal, sight.policy, time.Now().UnixMicro()) {
		answer.Clocks = append(answer.Clocks, clockExplanation(story))
	}
	return answer, nil
}

func clockExplanation(story desk.ClockStory) *apipb.ClockExplanation {
	shown := &apipb.ClockExplanation{Clock: story.Clock}
	for _, s := range story.Stretches {
		stretch := &apipb.Stretch{From: atSecond(s.From), To: atSecond(s.To), Counted: s.Counted, State: s.State, Reason: s.Reason}
		for _, w := range s.Working {
			stretch.Working = append(stretch.Working, &apipb.WorkingTime{From: atSecond(w.From), To: atSecond(w.To)})
		}
		shown.Stretches = append(shown.Stretches, stretch)
	}
	return shown
}

func atSecond(at int64) *timestamppb.Timestamp { return timestamppb.New(time.Unix(at, 0)) }
