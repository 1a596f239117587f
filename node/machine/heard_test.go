package machine

import (
	"io"
	"testing"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/store"
)

// ear hears what it listens to.
type ear struct {
	listens bool
	machine *Machine
	heard   []store.Changes
	applied []uint64 // how far the state was each time
}

func (e *ear) Listens() bool { return e.listens }

func (e *ear) Changed(c store.Changes) {
	e.heard = append(e.heard, c)
	e.applied = append(e.applied, e.machine.Applied())
}

func TestAListenerHearsOfAnEntryOnceItIsCommitted(t *testing.T) {
	l := founded(t)
	e := &ear{machine: l.Machine}
	l.options.Listener = e
	l.apply(t, noon, createCommand("没有人在听"))
	if len(e.heard) != 0 {
		t.Fatalf("who does not listen hears %v", e.heard)
	}
	e.listens = true
	results := l.apply(t, noon, createCommand("一"), createCommand("二"))
	if len(e.heard) != 1 || len(e.heard[0].Tickets) != 2 || len(e.heard[0].Events) < 2 {
		t.Fatalf("of an entry that opens two tickets is heard %v", e.heard)
	}
	if want := desk.TicketNumber(results[0].GetTicket().GetNumber()); e.heard[0].Tickets[0] != want {
		t.Errorf("the first ticket heard of is %s, want %s", e.heard[0].Tickets[0], want)
	}
	if e.applied[0] != l.index {
		t.Errorf("entry %d is told when the state stands at %d", l.index, e.applied[0])
	}
}

func TestAListenerHearsThatEverythingMayHaveChangedByASnapshot(t *testing.T) {
	from, to := founded(t), founded(t)
	e := &ear{machine: to.Machine}
	to.options.Listener = e
	from.apply(t, noon, createCommand("一"))
	r, _, _, _, _, err := from.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	defer func(r io.Closer) { _ = r.Close() }(r)
	if err := to.Restore(r); err != nil {
		t.Fatal(err)
	}
	if len(e.heard) != 1 || !e.heard[0].Everything {
		t.Errorf("after a snapshot is heard %v, want that everything may have changed", e.heard)
	}
}
