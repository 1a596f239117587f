package node

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/replication"
)

func TestAnUnknownOutcomeIsTriedAgainWhenThatDoesNoHarm(t *testing.T) {
	unknown := fmt.Errorf("first: %w", replication.ErrUnknownOutcome)
	for _, c := range []struct {
		what  string
		again bool
		tries []error // of one try after the other; the last one stands for all later ones
		want  error
		made  int
	}{
		{"it works", true, []error{nil}, nil, 1},
		{"it works at the next leader", true, []error{unknown, unknown, nil}, nil, 3},
		{"a command that has no request id", false, []error{unknown, nil}, unknown, 1},
		{"refused for certain", true, []error{replication.ErrOverloaded}, replication.ErrOverloaded, 1},
		{"a later try does nothing, the first may have", true, []error{unknown, replication.ErrNoQuorum}, unknown, 2},
		{"it stays unknown", true, []error{unknown, replication.ErrUnknownOutcome}, unknown, mostRepeats},
	} {
		t.Run(c.what, func(t *testing.T) {
			made := 0
			result, err := persist(t.Context(), c.again, func() ([]byte, error) {
				err := c.tries[min(made, len(c.tries)-1)]
				made++
				return []byte("done"), err
			})
			if made != c.made || err != c.want || (err == nil) != (string(result) == "done") {
				t.Errorf("%q, %v after %d tries, want %v after %d", result, err, made, c.want, c.made)
			}
		})
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	made := 0
	_, err := persist(ended, true, func() ([]byte, error) { made++; return nil, unknown })
	if !errors.Is(err, replication.ErrUnknownOutcome) || made > mostRepeats {
		t.Errorf("with an ended context: %v after %d tries", err, made)
	}
}

func TestOnlyWhatHasOneEffectIsRepeated(t *testing.T) {
	ticket := func(id string) *deskpb.Command {
		return &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: &deskpb.TicketCommand{Request: &deskpb.RequestKey{Id: id}}}}
	}
	for _, c := range []struct {
		what    string
		command *deskpb.Command
		want    bool
	}{
		{"a change with a request id", ticket("r-1"), true},
		{"a change without one", ticket(""), false},
		{"items of a link", &deskpb.Command{Kind: &deskpb.Command_Receive{}}, true},
		{"a new user, who may exist the second time", &deskpb.Command{Kind: &deskpb.Command_PutUser{}}, false},
		{"the founding", &deskpb.Command{Kind: &deskpb.Command_Found{}}, false},
	} {
		if got := repeatable(c.command); got != c.want {
			t.Errorf("%s: repeated %v, want %v", c.what, got, c.want)
		}
	}
}
