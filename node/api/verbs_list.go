package api

import (
	"context"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// ListVerbs tells what the caller may do with a ticket as it is now. The ticket may be another one when the caller does it.
func (t *tickets) ListVerbs(ctx context.Context, r *apipb.ListVerbsRequest) (*apipb.ListVerbsResponse, error) {
	if err := numberGiven(r.GetNumber()); err != nil {
		return nil, err
	}
	answer := &apipb.ListVerbsResponse{}
	err := t.backend.Read(ctx, false, func(reader *store.Reader) error {
		record, sight, err := t.find(ctx, reader, r.GetNumber())
		if err != nil {
			return err
		}
		here, err := tiers.Here(reader)
		if err != nil {
			return err
		}
		verbs, wishes := desk.VerbsFor(here, sight.policy, sight.actor, record)
		answer.Verbs, answer.Wishes = verbNames(verbs), verbNames(wishes)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// verbNames are verbs on a ticket as they stand in addresses.
func verbNames(verbs []desk.Verb) []string {
	names := make([]string, len(verbs))
	for i, verb := range verbs {
		if names[i] = strings.TrimPrefix(string(verb), "ticket."); verb == desk.SurveyCreate {
			names[i] = "survey"
		}
	}
	return names
}
