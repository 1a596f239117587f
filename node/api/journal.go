package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// ListJournal renders the whole journal, because what a step changed follows from all steps before it, and cuts the page
// out of it. The token is the id of the last entry that was given out.
func (t *tickets) ListJournal(ctx context.Context, r *apipb.ListJournalRequest) (*apipb.ListJournalResponse, error) {
	if err := numberGiven(r.GetNumber()); err != nil {
		return nil, err
	}
	stale, err := staleAllowed(r.GetConsistency())
	if err != nil {
		return nil, err
	}
	size, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, err
	}
	scope := pageScope{"journal", r.GetNumber()}
	after, err := scope.open(r.GetPageToken())
	if err != nil {
		return nil, err
	}
	var events []desk.Sealed
	var record *deskpb.Record
	var sight sight
	var names map[string]string
	err = t.backend.Read(ctx, stale, func(reader *store.Reader) (err error) {
		if record, sight, err = t.find(ctx, reader, r.GetNumber()); err != nil {
			return err
		}
		if events, err = reader.Events(desk.TicketNumber(r.GetNumber())); err != nil {
			return err
		}
		names, err = t.namesOf(reader, record.GetTicket(), events)
		return err
	})
	if err != nil {
		return nil, err
	}
	journal, err := desk.Journal(events)
	if err != nil {
		return nil, fmt.Errorf("render the journal of ticket %s: %w", r.GetNumber(), err)
	}
	journal = slices.DeleteFunc(journal, func(entry desk.JournalEntry) bool { return !sight.seesStep(entry) })
	first, err := entryBehind(journal, string(after))
	if err != nil {
		return nil, err
	}
	answer := &apipb.ListJournalResponse{}
	page := journal[first:min(first+size, len(journal))]
	for _, entry := range page {
		shown := sight.step(record.GetTicket(), entry)
		shown.ActorName = cmp.Or(desk.AuthorName(record.GetTicket(), entry.Event.Event), names[shown.GetId()])
		answer.Entries = append(answer.Entries, shown)
	}
	if first+len(page) < len(journal) {
		answer.NextPageToken = scope.seal([]byte(desk.EventName(page[len(page)-1].Event.GetId())))
	}
	return answer, nil
}

// namesOf finds how the people of this site are called who wrote events that do not say so themselves, by the ids of the events.
func (t *tickets) namesOf(reader *store.Reader, ticket *deskpb.Ticket, events []desk.Sealed) (map[string]string, error) {
	called, names := make(map[string]string), make(map[string]string)
	for _, event := range events {
		actor := event.GetActor()
		if actor == "" || desk.AuthorSite(ticket, event.Event) != string(t.backend.Site()) || desk.AuthorName(ticket, event.Event) != "" {
			continue
		}
		if _, known := called[actor]; !known {
			account, err := reader.User(desk.UserID(actor))
			if err != nil {
				return nil, fmt.Errorf("read the user %s: %w", actor, err)
			}
			called[actor] = account.GetDisplayName()
		}
		names[desk.EventName(event.GetId())] = called[actor]
	}
	return names, nil
}

// entryBehind returns the position behind the entry with the id; 0 for an empty id.
func entryBehind(journal []desk.JournalEntry, id string) (int, error) {
	if id == "" {
		return 0, nil
	}
	for i, entry := range journal {
		if desk.EventName(entry.Event.GetId()) == id {
			return i + 1, nil
		}
	}
	return 0, refuseToken()
}

// seesStep tells whether the caller sees a step of a ticket that the caller sees.
func (s sight) seesStep(entry desk.JournalEntry) bool {
	if s.actor.GetRole() != deskpb.User_REQUESTER {
		return true
	}
	return entry.Event.GetVisibility() == deskpb.Event_EVERYONE && seenByRequesters(entry.Event.GetType())
}

// step is a step of a ticket as the caller sees it.
func (s sight) step(t *deskpb.Ticket, entry desk.JournalEntry) *apipb.JournalEntry {
	event := entry.Event
	shown := &apipb.JournalEntry{
		Id:          desk.EventName(event.GetId()),
		Time:        timestamppb.New(time.UnixMicro(event.GetTime())),
		Site:        event.GetId().GetSite(),
		Actor:       event.GetActor(),
		Type:        event.GetType().String(),
		Text:        saidBy(event.Event),
		CustodyTerm: event.GetCustodyTerm(),
		Visibility:  event.GetVisibility().String(),
		Superseded:  entry.Superseded,

		FromRequester: event.GetBody().GetFromRequester() && event.GetType() == deskpb.Event_REPLIED,
	}
	outlined := s.actor.GetRole() == deskpb.User_REQUESTER
	if event.GetRole() != deskpb.User_ROLE_UNSPECIFIED && !outlined {
		shown.Role = event.GetRole().String()
	}
	if role := s.actor.GetRole(); role == deskpb.User_AUDITOR || role == deskpb.User_ADMINISTRATOR {
		shown.Address = event.GetAddress()
	}
	masks := s.masks(t)
	for _, change := range entry.Changes {
		if outlined && !outlinedField(change.Field) {
			continue
		}
		if masks {
			change.Before, change.After = maskedField(change.Field, change.Before), maskedField(change.Field, change.After)
		}
		shown.Changes = append(shown.Changes, &apipb.Change{Field: change.Field, Before: change.Before, After: change.After})
	}
	return shown
}
