package node

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// A wait that failed has proven nothing: the next call waits again. Calls that share nothing wait each for itself.
func TestCallsThatBelongTogetherWaitOnceForTheLatest(t *testing.T) {
	page, other := together(t.Context()), together(t.Context())
	waits := 0
	broken := errors.New("no leader")
	for i, step := range []struct {
		name   string
		ctx    context.Context
		fails  bool
		writes bool // before it reads
		waits  int
	}{
		{"the first call, without a leader", page, true, false, 1},
		{"the second call, with one", page, false, false, 2},
		{"the third call", page, false, false, 2},
		{"a call that came in between is not told of it", other, false, false, 3},
		{"another call of that page", other, false, false, 3},
		{"a call that had something decided", other, false, true, 4},
		{"a call after that", other, false, false, 4},
		{"a call of the page that had nothing decided", page, false, false, 4},
		{"a program's call", t.Context(), false, false, 5},
		{"a program's next call", t.Context(), false, true, 6},
	} {
		if step.writes {
			outdated(step.ctx)
		}
		err := latest(step.ctx, func(context.Context) error {
			waits++
			if step.fails {
				return broken
			}
			return nil
		})
		if errors.Is(err, broken) != step.fails || waits != step.waits {
			t.Errorf("%d, %s: %v after %d waits, want %d", i+1, step.name, err, waits, step.waits)
		}
	}
}

// At whichever node of a site a page is made: what it has decided is in what it reads afterwards, although it had read before.
func TestAPageReadsWhatItHasDecided(t *testing.T) {
	nodes := startThree(t)
	for i := range 10 {
		for _, n := range nodes {
			ctx, cancel := context.WithTimeout(together(t.Context()), patience)
			id := fmt.Sprintf("%s-%d", n.config.Node.ID, i)
			var known *deskpb.Customer
			look := func(r *store.Reader) (err error) {
				known, err = r.Customer(id)
				return err
			}
			before := n.backend.Read(ctx, false, look)
			_, put := n.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_PutRequester{PutRequester: &deskpb.PutRequester{
				CreateOnly: true, Customer: &deskpb.Customer{Id: id, Name: "陈静", Unit: "区教育局", Kind: deskpb.Customer_PERSON},
			}}})
			after := n.backend.Read(ctx, false, look)
			cancel()
			if err := errors.Join(before, put, after); err != nil {
				t.Fatal(err)
			}
			if known == nil {
				t.Fatalf("a page of node %s wrote the requester %s down and does not find it", n.config.Node.ID, id)
			}
		}
	}
}
