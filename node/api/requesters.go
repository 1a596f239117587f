package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"

	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

const (
	requesterIDSize = 12  // characters of base 32
	maxSearch       = 100 // bytes
)

// requesters serves the records of the people who report problems, and of their units.
type requesters struct {
	apipb.UnimplementedRequestersServer
	backend Backend
}

func (s *requesters) CreateRequester(ctx context.Context, r *apipb.CreateRequesterRequest) (*apipb.Requester, error) {
	id := strings.ToLower(rand.Text()[:requesterIDSize])
	return s.put(ctx, id, r.GetRequester(), &deskpb.PutRequester{CreateOnly: true})
}

func (s *requesters) UpdateRequester(ctx context.Context, r *apipb.UpdateRequesterRequest) (*apipb.Requester, error) {
	etag, err := etagOf(ctx, r.GetEtag())
	if err != nil {
		return nil, err
	}
	known, err := hex.DecodeString(etag)
	if err != nil {
		return nil, desk.RefuseField("etag", "%.40q is no etag of a requester; send it back as it came", etag)
	}
	return s.put(ctx, r.GetId(), r.GetRequester(), &deskpb.PutRequester{Etag: known})
}

// put has the log write a record and returns it.
func (s *requesters) put(ctx context.Context, id string, said *apipb.Requester, c *deskpb.PutRequester) (*apipb.Requester, error) {
	if said == nil {
		return nil, desk.RefuseField("requester", "is missing; give at least a name")
	}
	if said.GetSince() != nil && said.GetSince().CheckValid() != nil {
		return nil, desk.RefuseField("requester.since", "is no time; write one such as 2026-11-21T08:00:00Z")
	}
	c.Customer = &deskpb.Customer{
		Id: id, Name: said.GetName(), Unit: said.GetUnit(), Phones: said.GetPhones(), Email: said.GetEmail(), User: said.GetUser(),
		Class: said.GetClass(), Note: said.GetNote(), Kind: said.GetKind(),
	}
	if said.GetSince() != nil {
		c.Customer.Since = said.GetSince().AsTime().UnixMicro()
	}
	if _, err := s.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_PutRequester{PutRequester: c}}); err != nil {
		return nil, err
	}
	return readRequester(ctx, s.backend, id)
}

func (s *requesters) GetRequester(ctx context.Context, r *apipb.GetRequesterRequest) (*apipb.Requester, error) {
	return readRequester(ctx, s.backend, r.GetId())
}

func (s *requesters) ListRequesters(ctx context.Context, r *apipb.ListRequestersRequest) (*apipb.ListRequestersResponse, error) {
	size, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, err
	}
	if len(r.GetSearch()) > maxSearch {
		return nil, desk.RefuseField("search", "has %d bytes; at most %d are looked for", len(r.GetSearch()), maxSearch)
	}
	if _, known := deskpb.Customer_Kind_name[int32(r.GetKind())]; !known {
		return nil, desk.RefuseField("kind", "%d is unknown; use PERSON or UNIT", r.GetKind())
	}
	scope := pageScope{"requesters", r.GetKind().String(), r.GetSearch()}
	after, err := scope.open(r.GetPageToken())
	if err != nil {
		return nil, err
	}
	answer := &apipb.ListRequestersResponse{}
	err = s.backend.Read(ctx, false, func(reader *store.Reader) error {
		found, next, err := reader.FindCustomers(r.GetKind(), r.GetSearch(), after, size)
		if err != nil {
			return fmt.Errorf("look for requesters: %w", err)
		}
		for _, c := range found {
			answer.Requesters = append(answer.Requesters, requesterMessage(c))
		}
		answer.NextPageToken = scope.seal(next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func (s *requesters) DeleteRequester(ctx context.Context, r *apipb.DeleteRequesterRequest) (*emptypb.Empty, error) {
	_, err := s.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_RemoveRequester{
		RemoveRequester: &deskpb.RemoveRequester{Id: r.GetId()},
	}})
	if err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}

// readRequester returns a record as it is now.
func readRequester(ctx context.Context, backend Backend, id string) (*apipb.Requester, error) {
	var found *deskpb.Customer
	err := backend.Read(ctx, false, func(reader *store.Reader) (err error) {
		found, err = reader.Customer(id)
		return err
	})
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, desk.Refuse(desk.NotFound, "REQUESTER_NOT_FOUND", "there is no requester %.64q at site %s; look for the person again",
			id, backend.Site())
	}
	return requesterMessage(found), nil
}

func requesterMessage(c *deskpb.Customer) *apipb.Requester {
	shown := &apipb.Requester{
		Id: c.GetId(), Name: c.GetName(), Unit: c.GetUnit(), Phones: c.GetPhones(), Email: c.GetEmail(), User: c.GetUser(),
		Kind: c.GetKind(), Class: c.GetClass(), Note: c.GetNote(), Etag: hex.EncodeToString(c.GetEtag()),
		Since: moment(c.GetSince()), UpdateTime: moment(c.GetUpdateTime()),
	}
	for _, call := range c.GetCalls() {
		shown.Calls = append(shown.Calls, &apipb.CustomerCall{
			Kind: call.GetKind(), DueTime: moment(call.GetDue()), DoneTime: moment(call.GetDone()), Actor: call.GetActor(),
			Outcome: call.GetOutcome(), Comment: call.GetComment(), Satisfaction: call.GetSatisfaction(), Attempts: call.GetAttempts(),
		})
	}
	return shown
}
