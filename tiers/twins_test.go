package tiers

import (
	"slices"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// twins are two copies of a county, and their city, which was rebuilt since the copies parted. The city has two nodes.
type twins struct {
	top, first, second, a, b *node
	number                   string // a ticket that both copies had when they parted
	aKnows, bKnows           []byte // an event of it that one copy has alone
}

// newTwins has both copies know something that nobody else does. part does that for the first one, which may still hear from
// the city that will be lost. Nobody is called yet.
func newTwins(t *testing.T, part func(t *testing.T, number string, a, lost *office)) twins {
	lost, a, b := newOffice(t, city, wall), newOffice(t, county, wall), newGround(t, county, wall)
	admit(t, a, lost)
	number := a.open(t, "分开之前的工单")
	carry(t, [2]*office{a, lost})
	b.restore(t, a.backup(t))
	part(t, number, a, lost)
	b.must(t, number, note("第二份副本的备注"))

	rebuilt := proto.CloneOf(city)
	rebuilt.Incarnation, rebuilt.Letters, rebuilt.Recovering = 0xBB, "K7Q", 1
	middle := newOffice(t, rebuilt, wall)
	top := newNode(t, province, newOffice(t, province, wall))
	return twins{
		top: top, first: newNode(t, rebuilt, middle, top.address), second: newNode(t, rebuilt, middle),
		a: newNode(t, county, a), b: newNode(t, county, b),
		number: number, aKnows: a.journal(number)[1].Raw, bKnows: b.journal(number)[1].Raw,
	}
}

// meet has both copies call the city, each at a node of its own. The city's log hears of no acknowledgement before both copies
// give what it lacks, so that no mark tells one copy of the other. gives decides how long a gift waits for the log.
func (w twins) meet(t *testing.T, gives func(byA bool)) {
	var once [2]sync.Once
	var gave [2]chan struct{}
	for i := range gave {
		gave[i] = make(chan struct{})
	}
	bothGave := func() {
		for _, each := range gave {
			await(t, each)
		}
	}
	hold := func(c *deskpb.Command) {
		events := c.GetUnite().GetEvents()
		for i, known := range [][]byte{w.aKnows, w.bKnows} {
			if slices.ContainsFunc(events, func(raw []byte) bool { return string(raw) == string(known) }) {
				once[i].Do(func() { close(gave[i]) })
				bothGave()
				gives(i == 0)
			}
		}
		if c.GetAcknowledge().GetPeer() == county.Id {
			bothGave()
		}
	}
	w.first.foresees.Store(&hold)
	w.a.parents.Store([]string{w.first.address})
	w.b.parents.Store([]string{w.second.address})
}

// await waits until the channel is closed or the test is over.
func await(t *testing.T, closed <-chan struct{}) {
	select {
	case <-closed:
	case <-t.Context().Done():
	}
}

// learns waits until the copy that is left knows the event, and fails unless everything is at rest and equal then.
func (w twins) learns(t *testing.T, left *node, event []byte) {
	t.Helper()
	eventually(t, "the copy that is left knows what the lost one gave", func() bool { return left.stores(event) })
	whole(t, w.top, w.first, left)
	equalTickets(t, []string{w.number}, w.top, w.first, left)
	eventually(t, "neither end of the link asks for another comparison", func() bool {
		return !mustCompare(w.first.link(left.id), left.link(w.first.id))
	})
}

// Two copies of a county meet their city at once, and each is compared before the other one gives what the city lacks. One is
// lost then. The other one, whose stream nothing contradicts, learns what the lost one gave all the same.
func TestCopyThatIsLeftLearnsWhatTheLostOneGave(t *testing.T) {
	for _, tt := range []struct {
		name string
		part func(t *testing.T, number string, a, lost *office)
	}{
		{"what it wrote itself", func(t *testing.T, number string, a, _ *office) {
			a.must(t, number, note("第一份副本的备注"))
		}},
		{"what the city had told it alone", func(t *testing.T, number string, a, lost *office) {
			lost.must(t, number, note("只有第一份副本收到"))
			ship(t, lost, a)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newTwins(t, tt.part)
			w.meet(t, func(bool) { w.a.line.set(true) })
			w.learns(t, w.b, w.aKnows)
		})
	}
}

// A copy was compared to the end and is away when the other one, compared at the same time, gives what the city lacks. It
// learns that when it calls again.
func TestCopyThatWasAwayLearnsWhatTheOtherOneGave(t *testing.T) {
	w := newTwins(t, func(t *testing.T, number string, a, lost *office) {
		lost.must(t, number, note("只有第一份副本收到"))
		ship(t, lost, a)
	})
	away := make(chan struct{})
	w.meet(t, func(byA bool) {
		if !byA {
			await(t, away)
		}
	})
	eventually(t, "the first copy is compared to the end", func() bool { return unfinished([]*node{w.top, w.first, w.a}) == "" })
	w.a.line.set(true)
	close(away)
	eventually(t, "the city has what the second copy gave", func() bool { return w.first.stores(w.bKnows) })
	w.b.line.set(true)
	w.a.line.set(false)
	w.learns(t, w.a, w.bKnows)
}
