package trial

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/tierdesk/tierdesk/testbed"
)

// face is what a trial looks at in a ticket. Every assignment names another assignee, so that it tells which one it was.
type face struct {
	Assignee  string
	UrgeCount int
}

// verb is what a client asks of a ticket.
type verb int

const (
	read   verb = iota // the latest state
	assign             // to a person that nobody else names
	urge               // counts
)

// request is the input of an operation in the model.
type request struct {
	ticket string
	verb   verb
	to     string // the assignee
	// conditional: only if the assignee is still expect, by the etag that came with it.
	conditional bool
	expect      string
}

// response is the output of an operation in the model.
type response struct {
	refused bool  // the etag had changed
	shows   *face // nil: it was done, and the answer does not tell what came of it at that moment
}

// model is one ticket as a sequential machine.
func model() porcupine.Model {
	return porcupine.Model{
		Partition: byTicket,
		Init:      func() any { return face{} },
		Step: func(state, input, output any) (bool, any) {
			return step(state.(face), input.(request), output.(response))
		},
		DescribeOperation: func(input, output any) string {
			return fmt.Sprintf("%s → %s", input.(request), output.(response))
		},
	}
}

func step(now face, in request, out response) (bool, any) {
	next := now
	switch in.verb {
	case assign:
		next.Assignee = in.to
	case urge:
		next.UrgeCount++
	}
	holds := !in.conditional || now.Assignee == in.expect
	if out.refused || !holds {
		return out.refused && !holds, now
	}
	return out.shows == nil || *out.shows == next, next
}

func (r request) String() string {
	switch {
	case r.verb == read:
		return "read"
	case r.verb == urge:
		return "urge"
	case r.conditional:
		return fmt.Sprintf("assign %s if %q", r.to, r.expect)
	}
	return "assign " + r.to
}

func (r response) String() string {
	switch {
	case r.refused:
		return "refused"
	case r.shows == nil:
		return "done"
	}
	return fmt.Sprintf("%q, urged %d", r.shows.Assignee, r.shows.UrgeCount)
}

func byTicket(history []porcupine.Operation) [][]porcupine.Operation {
	parts := map[string][]porcupine.Operation{}
	for _, op := range history {
		ticket := op.Input.(request).ticket
		parts[ticket] = append(parts[ticket], op)
	}
	var all [][]porcupine.Operation
	for _, part := range parts {
		all = append(all, part)
	}
	return all
}

// never is when an operation that was left open returned.
const never = time.Duration(math.MaxInt64)

// history is what the clients of a trial saw, in the words of the model.
type history struct {
	mu         sync.Mutex // guards all below
	operations []porcupine.Operation
	open       []string // ids of the writes among them that were left open; a write's id is its metadata
	glances    []glance
}

// glance is a read that may be stale, at one life of one node's process.
type glance struct {
	client  int
	process *testbed.Process
	ticket  string
	face    face
}

// happened enters an operation. The id names a write in the site's journals; a read has none.
func (h *history) happened(client int, in request, id string, out response, call, returned time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if returned == never {
		h.open = append(h.open, id)
	}
	h.operations = append(h.operations, porcupine.Operation{
		ClientId: client, Input: in, Output: out, Call: int64(call), Return: int64(returned), Metadata: id,
	})
}

func (h *history) glanced(g glance) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.glances = append(h.glances, g)
}

// checkPatience bounds the search for a linear order. What is open for long makes it hard; a search without an end proves
// nothing and counts as failed.
const checkPatience = 2 * time.Minute

// judge looks for a linear order of every ticket's operations. Writes that were left open take part if the site's
// journals have them, at any time after their call; the journals themselves are held against what was acknowledged by
// ledger.judge.
func (h *history) judge(stories map[string]story) (wrong complaints) {
	took := map[string]bool{}
	for _, s := range stories {
		for _, text := range s.texts {
			took[text] = true
		}
	}
	operations := slices.DeleteFunc(slices.Clone(h.operations), func(op porcupine.Operation) bool {
		return op.Return == int64(never) && !took[op.Metadata.(string)]
	})
	for _, part := range byTicket(operations) {
		result, info := porcupine.CheckOperationsVerbose(model(), part, checkPatience)
		if result != porcupine.Ok {
			ticket := part[0].Input.(request).ticket
			wrong.add("%s: %d operations have no linear order (%s); %s", ticket, len(part), result, draw(info, ticket))
		}
	}
	return wrong
}

// draw leaves a picture of a history behind, which the end of the test does not remove, and says where.
func draw(info porcupine.LinearizationInfo, ticket string) string {
	file, err := os.CreateTemp("", "history-"+ticket+"-*.html")
	if err != nil {
		return err.Error()
	}
	if err := errors.Join(porcupine.Visualize(model(), info, file), file.Close()); err != nil {
		return err.Error()
	}
	return "see " + file.Name()
}

// judgeGlances holds stale reads to sanity: one process never goes back, and shows nothing that was not written.
func (h *history) judgeGlances(stories map[string]story) (wrong complaints) {
	type place struct {
		client  int
		process *testbed.Process
		ticket  string
	}
	latest := map[place]glance{}
	for _, g := range h.glances {
		texts := stories[g.ticket].texts
		before, seen := latest[place{g.client, g.process, g.ticket}]
		at := slices.Index(texts, g.face.Assignee)
		switch {
		case g.face.Assignee != "" && at < 0:
			wrong.add("a stale read at %s showed %s assigned to %s, which the journal does not have", g.process.Spec.Node, g.ticket, g.face.Assignee)
		case seen && (g.face.UrgeCount < before.face.UrgeCount || at < slices.Index(texts, before.face.Assignee)):
			wrong.add("stale reads of %s at one process of %s went back from %+v to %+v", g.ticket, g.process.Spec.Node, before.face, g.face)
		}
		latest[place{g.client, g.process, g.ticket}] = g
	}
	return wrong
}
