package node

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/policyfile"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// staff are the people of every site of a story, and the programs that open tickets.
func staff() []string {
	return []string{
		"chen", "fang", "he", "jin", "li", "lin", "mail", "meng", "monitor", "qian", "shi", "sun", "tang", "wang", "wu", "yang", "zhao", "zhou",
	}
}

// storyToken is the token of a person's session at every site.
func storyToken(user string) string {
	sum := sha256.Sum256([]byte(user))
	return "td_" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// employ makes the staff people of the site, and opens their sessions until a time in microseconds since 1970.
func (s *storySite) employ(ctx context.Context, until int64) error {
	for _, user := range staff() {
		hash := sha256.Sum256([]byte(storyToken(user)))
		for _, command := range []*deskpb.Command{
			{Kind: &deskpb.Command_PutUser{PutUser: &deskpb.PutUser{User: person(user, deskpb.User_AGENT), CreateOnly: true}}},
			{Kind: &deskpb.Command_OpenSession{OpenSession: &deskpb.OpenSession{
				Session: &deskpb.Session{TokenHash: hash[:], User: user, ExpireTime: until},
			}}},
		} {
			if _, err := s.node.backend.Propose(ctx, command); err != nil {
				return fmt.Errorf("employ %s at %s: %w", user, s.id, err)
			}
		}
	}
	return nil
}

func person(name string, role deskpb.User_Role) *deskpb.User {
	return &deskpb.User{Name: name, Role: role, PasswordHash: "nobody signs in with it"}
}

// appoint gives a person a role.
func (s *storySite) appoint(user string, role deskpb.User_Role) error {
	_, err := s.node.backend.Propose(context.Background(), &deskpb.Command{Kind: &deskpb.Command_PutUser{
		PutUser: &deskpb.PutUser{User: person(user, role)},
	}})
	return err
}

// publish gives the site its layer of the policy.
func (s *storySite) publish(source string) error {
	var above []*deskpb.Policy
	err := s.node.store.View(func(r *store.Reader) (err error) {
		above, err = tiers.PolicyAbove(r)
		return err
	})
	if err != nil {
		return err
	}
	layer, problems := policyfile.Check([]byte(source), above)
	if len(problems) > 0 {
		return fmt.Errorf("the policy of %s: %v", s.id, problems)
	}
	body, err := proto.Marshal(&deskpb.PolicyDocument{Policy: layer, Source: source})
	if err != nil {
		return err
	}
	_, err = s.node.backend.Propose(context.Background(), &deskpb.Command{Kind: &deskpb.Command_PutPublication{
		PutPublication: &deskpb.PutPublication{Publication: &deskpb.Publication{
			Kind: tiers.PolicyKind, Name: tiers.PolicyName, MediaType: tiers.PolicyMediaType, Body: body,
		}},
	}})
	return err
}

// refusedCall is a call that changed nothing, as its caller reads it.
type refusedCall struct{ reason, message string }

func (e *refusedCall) Error() string { return e.reason + ": " + e.message }

// call asks for a verb as the story spells it, with its body as the API takes it.
func (s *storySite) call(user, verb, number, body string) (*deskpb.Ticket, error) {
	path := "/api/v1/tickets/" + number + ":" + verb
	switch verb {
	case "create":
		path = "/api/v1/tickets"
	case "checkItem":
		path = "/api/v1/tickets/" + number + ":check"
	case "linkTickets":
		path = "/api/v1/tickets/" + number + ":link"
	case "recordCallBack":
		path = "/api/v1/tickets/" + number + ":callBack"
	case "runMacro":
		path = "/api/v1/tickets/" + number + ":macro"
	}
	asked := map[string]any{}
	if err := json.Unmarshal([]byte(cmp.Or(strings.TrimSpace(body), "{}")), &asked); err != nil {
		return nil, fmt.Errorf("the body of %s: %w", verb, err)
	}
	if link, ok := asked["link"].(map[string]any); ok {
		asked = map[string]any{"kind": link["kind"], "other": link["number"]}
	}
	ticket := &deskpb.Ticket{}
	return ticket, s.post(user, path, asked, ticket)
}

// ticket returns a ticket as the site knows it, nil when it does not.
func (s *storySite) ticket(number string) (*deskpb.Ticket, error) {
	ticket := &deskpb.Ticket{}
	err := s.get(staff()[0], "/api/v1/tickets/"+number, ticket)
	var refused *refusedCall
	if errors.As(err, &refused) && refused.reason == "TICKET_NOT_FOUND" {
		return nil, nil
	}
	return ticket, err
}

func (s *storySite) get(user, path string, answer proto.Message) error {
	return s.exchange(user, http.MethodGet, path, nil, answer)
}

func (s *storySite) post(user, path string, body map[string]any, answer proto.Message) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return s.exchange(user, http.MethodPost, path, encoded, answer)
}

// exchange makes one HTTP call; a nil answer is not read.
func (s *storySite) exchange(user, method, path string, body []byte, answer proto.Message) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, "http://"+s.node.HTTPAddr()+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+storyToken(user))
	request.Header.Set("Content-Type", "application/json")
	response, err := s.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode != http.StatusOK:
		return refusalIn(text)
	case answer == nil:
		return nil
	}
	if err := protojson.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("%s %s answers %.200s: %w", method, path, text, err)
	}
	return nil
}

// refusalIn reads why a call was refused. Whatever is not a refusal of the rules is a fault.
func refusalIn(text []byte) error {
	status := &spb.Status{}
	if err := protojson.Unmarshal(text, status); err != nil {
		return fmt.Errorf("an answer that is no status: %.200s: %w", text, err)
	}
	for _, detail := range status.GetDetails() {
		info := &errdetails.ErrorInfo{}
		if detail.UnmarshalTo(info) == nil && codes.Code(status.GetCode()) != codes.Internal && codes.Code(status.GetCode()) != codes.Unauthenticated {
			return &refusedCall{reason: info.GetReason(), message: status.GetMessage()}
		}
	}
	return fmt.Errorf("the call broke down: %v", status)
}
