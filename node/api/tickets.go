package api

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// tickets serves the desk. It turns requests into commands for the site's log and never decides.
type tickets struct {
	apipb.UnimplementedTicketsServer
	backend Backend
	fields  []field // what a filter may name
}

// maxCommand is the largest request that goes to the log, in bytes: several times what the fields of a verb hold
// by their limits, and well below what the log takes. A smaller one with a field over its limit is refused by the rules.
const maxCommand = 512 << 10

// write is what every changing request of a ticket carries.
type write interface {
	proto.Message
	GetRequestId() string
}

func (t *tickets) CreateTicket(ctx context.Context, r *apipb.CreateTicketRequest) (*deskpb.Ticket, error) {
	if r.GetTicket() == nil {
		return nil, desk.RefuseField("ticket", "is missing; give at least its title")
	}
	ticket, err := t.ofReporter(ctx, r.GetTicket())
	if err != nil {
		return nil, err
	}
	return t.propose(ctx, "create", r, &deskpb.TicketCommand{
		Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{Ticket: ticket, Origin: r.GetOrigin()}},
	})
}

// propose completes the command (who asks, under which request id), has it decided, and returns the ticket. The method
// is the verb's name; with the caller and the site it is the scope of the request id.
func (t *tickets) propose(ctx context.Context, method string, r write, c *deskpb.TicketCommand) (*deskpb.Ticket, error) {
	key, err := requestKey(method, r)
	if err != nil {
		return nil, err
	}
	if size := proto.Size(c); size > maxCommand {
		return nil, desk.Refuse(desk.InvalidArgument, "BODY_TOO_LARGE",
			"the request has %d bytes; at most %d are taken, so leave out what is not needed", size, maxCommand)
	}
	c.Request = key
	result, err := t.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: c}})
	if err != nil {
		return nil, err
	}
	if result.GetTicket() == nil {
		return nil, fmt.Errorf("%s: the log's result has no ticket", method)
	}
	return t.shown(ctx, result.GetTicket())
}

// shown is a ticket that the log has changed, as the caller sees it.
func (t *tickets) shown(ctx context.Context, ticket *deskpb.Ticket) (*deskpb.Ticket, error) {
	err := t.backend.Read(ctx, true, func(reader *store.Reader) error {
		sight, err := sightOf(ctx, t.backend.Site(), reader)
		if err == nil {
			ticket = sight.shown(ticket)
		}
		return err
	})
	return ticket, err
}

// requestKey makes the key that lets a repeated request take effect once; nil when the caller gave no id.
func requestKey(method string, r write) (*deskpb.RequestKey, error) {
	id := r.GetRequestId()
	if id == "" {
		return nil, nil
	}
	hash, err := bodyHash(r)
	if err != nil {
		return nil, fmt.Errorf("%s: hash the request: %w", method, err)
	}
	return &deskpb.RequestKey{Id: id, Method: method, BodyHash: hash}, nil
}

// bodyHash is the first 16 bytes of the SHA-256 of the request without its etag and request id, which it takes out for a
// moment.
func bodyHash(r proto.Message) ([]byte, error) {
	body := r.ProtoReflect()
	for _, name := range []protoreflect.Name{"etag", "request_id"} {
		if field := body.Descriptor().Fields().ByName(name); field != nil {
			defer body.Set(field, body.Get(field))
			body.Clear(field)
		}
	}
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(r)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(encoded)
	return sum[:16], nil
}

func (t *tickets) GetTicket(ctx context.Context, r *apipb.GetTicketRequest) (*deskpb.Ticket, error) {
	if err := numberGiven(r.GetNumber()); err != nil {
		return nil, err
	}
	stale, err := staleAllowed(r.GetConsistency())
	if err != nil {
		return nil, err
	}
	var ticket *deskpb.Ticket
	err = t.backend.Read(ctx, stale, func(reader *store.Reader) error {
		record, sight, err := t.find(ctx, reader, r.GetNumber())
		if err == nil {
			ticket = sight.shown(record.GetTicket())
		}
		return err
	})
	return ticket, err
}

// find reads the record of a ticket that the caller sees; NotFound when there is none, and who does not see it is told just that.
func (t *tickets) find(ctx context.Context, reader *store.Reader, number string) (*deskpb.Record, sight, error) {
	record, err := t.record(reader, number)
	if err != nil {
		return nil, sight{}, err
	}
	sight, err := sightOf(ctx, t.backend.Site(), reader)
	if err == nil && !sight.sees(record) {
		err = desk.Unknown(t.backend.Site(), desk.TicketNumber(shortened(number)))
	}
	return record, sight, err
}

// record reads one ticket's record, whoever calls; NotFound when the site does not know the number.
func (t *tickets) record(reader *store.Reader, number string) (*deskpb.Record, error) {
	record, err := reader.Ticket(desk.TicketNumber(number))
	if err != nil {
		return nil, fmt.Errorf("read ticket %q: %w", number, err)
	}
	if record == nil {
		return nil, desk.Unknown(t.backend.Site(), desk.TicketNumber(shortened(number)))
	}
	return record, nil
}

// numberGiven refuses a gRPC call about no ticket; over HTTP the path has a number.
func numberGiven(number string) error {
	if number == "" {
		return desk.RefuseField("number", "is missing; give the ticket's number")
	}
	return nil
}

// staleAllowed reads the consistency that a caller asks for.
func staleAllowed(consistency string) (bool, error) {
	switch consistency {
	case "":
		return false, nil
	case "stale":
		return true, nil
	}
	return false, desk.RefuseField("consistency", "%.50q is unknown; leave it out for the latest state, or say stale", consistency)
}

// etagOf is the etag that the caller expects the ticket to have: the request's own, or else the If-Match header's.
func etagOf(ctx context.Context, inBody string) (string, error) {
	if inBody != "" {
		return inBody, nil
	}
	header := strings.TrimSpace(firstMetadata(ctx, "if-match"))
	if header == "" || header == "*" {
		return "", nil
	}
	etag, opened := strings.CutPrefix(header, `"`)
	etag, closed := strings.CutSuffix(etag, `"`)
	if !opened || !closed || etag == "" || strings.Contains(etag, `"`) {
		return "", desk.RefuseField("If-Match", `%.100q is not one etag in double quotes; send back the ETag header as it came`, header)
	}
	return etag, nil
}
