package client

import (
	"context"
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// opens answers as a node that opens a ticket about printing and knows others like it.
func opens(similar *apipb.FindSimilarTicketsResponse, err error) answer {
	return func(_ context.Context, method string, _ proto.Message) (proto.Message, error) {
		if method == "FindSimilarTickets" {
			return similar, err
		}
		return &deskpb.Ticket{Number: number, State: deskpb.Ticket_NEW, Title: "打印错位", Application: "打印", Etag: "e1"}, nil
	}
}

func TestANewTicketIsShownWithItsLikelyDuplicates(t *testing.T) {
	similar := &apipb.FindSimilarTicketsResponse{}
	for i, other := range []string{number, "C-1", "C-2", "C-3", "C-4"} {
		similar.Tickets = append(similar.Tickets, &apipb.SimilarTicket{
			Ticket: &deskpb.Ticket{Number: other, Title: "票据打印错位"}, Likeness: int32(100 - 20*i),
		})
	}
	node := newFakeNode(t, opens(similar, nil))
	want := number + `  NEW  etag e1

May be about the same
  C-1  80%  票据打印错位  tierdesk ticket merge ` + number + ` C-1
  C-2  60%  票据打印错位  tierdesk ticket merge ` + number + ` C-2
`
	if got := at(t, node).done(t, "ticket", "create", "--title", "打印错位"); got != want {
		t.Errorf("shown:\n%s\nwant:\n%s", got, want)
	}
	asked := node.seen()[1].request
	if !proto.Equal(asked, &apipb.FindSimilarTicketsRequest{Title: "打印错位", Application: "打印", PageSize: 4}) {
		t.Errorf("the node was asked for %v", asked)
	}
	for i := range similar.Tickets {
		similar.Tickets[i].Likeness = 90
	}
	if got := at(t, node).done(t, "ticket", "create", "--title", "打印错位"); strings.Count(got, "ticket merge") != 3 {
		t.Errorf("with four likely ones it says:\n%s\nwant three", got)
	}
}

func TestANewTicketIsOpenedWhateverIsLikeIt(t *testing.T) {
	summary := number + "  NEW  etag e1\n"
	for name, similar := range map[string]answer{
		"nothing is like it":    opens(&apipb.FindSimilarTicketsResponse{}, nil),
		"the search is refused": opens(nil, errors.New("no")),
	} {
		if got := at(t, newFakeNode(t, similar)).done(t, "ticket", "create", "--title", "x"); got != summary {
			t.Errorf("%s: %q, want %q", name, got, summary)
		}
	}
	node := newFakeNode(t, opens(&apipb.FindSimilarTicketsResponse{}, nil))
	at(t, node).done(t, "ticket", "create", "--title", "x", "--json")
	if calls := node.seen(); len(calls) != 1 {
		t.Errorf("a script's ticket makes the calls %v, want one", calls)
	}
}
