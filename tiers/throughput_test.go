package tiers

import (
	"fmt"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// backlog has a county write tickets with a few events each, and returns how many items wait for the city.
func backlog(b *testing.B, bottom *office, tickets int) uint64 {
	b.Helper()
	for i := range tickets {
		ticket, refusal, err := bottom.do("", create(fmt.Sprintf("工单 %d", i)))
		for j := 0; j < 4 && err == nil && refusal == nil; j++ {
			_, refusal, err = bottom.do(ticket.Number, note("已电话联系用户，约定下午上门检查打印机"))
		}
		if err != nil || refusal != nil {
			b.Fatal(refusal, err)
		}
	}
	return bottom.link("330100").SentSequence
}

// BenchmarkReceive has a city apply what a county wrote while the line was cut, as commands of 256 items.
func BenchmarkReceive(b *testing.B) {
	for range b.N {
		b.StopTimer()
		middle, bottom := newOffice(b, city, wall), newOffice(b, county, wall)
		admit(b, middle, bottom)
		waiting := backlog(b, bottom, 2000)
		var commands []*deskpb.Receive
		for after := uint64(0); after < waiting; {
			c := batch(bottom, middle, after, 256)
			commands = append(commands, c)
			after += uint64(len(c.Items))
		}
		b.StartTimer()
		for _, c := range commands {
			if refusal, err := middle.receive(c); refusal != nil || err != nil {
				b.Fatal(refusal, err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(uint64(b.N)*waiting), "ns/item")
	}
}

// BenchmarkSend reads the outbox in frames, as a sender does, and takes the acknowledgement of each.
func BenchmarkSend(b *testing.B) {
	for range b.N {
		b.StopTimer()
		middle, bottom := newOffice(b, city, wall), newOffice(b, county, wall)
		admit(b, middle, bottom)
		waiting := backlog(b, bottom, 2000)
		b.StartTimer()
		for after := uint64(0); after < waiting; {
			page := read(bottom, func(r *store.Reader) ([]store.OutboxItem, error) { return r.Outbox("330100", after, 256, 256<<10) })
			after = page[len(page)-1].Sequence
			if refusal, err := bottom.ack(desk.SiteID("330100"), after); refusal != nil || err != nil {
				b.Fatal(refusal, err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(uint64(b.N)*waiting), "ns/item")
	}
}

// paced is a city and a county whose link is up at the pace of real sites.
func paced(b *testing.B) (middle, bottom *node) {
	b.Helper()
	middle = newNodeAt(b, defaultPace(), city, newOffice(b, city, wall))
	bottom = newNodeAt(b, defaultPace(), county, newOffice(b, county, wall), middle.address)
	eventually(b, "the link is up", func() bool { return bottom.state(middle.id) == Up && middle.state(bottom.id) == Up })
	return middle, bottom
}

// BenchmarkBacklog heals a line behind which a county wrote 10,000 events, until the city has all of them.
func BenchmarkBacklog(b *testing.B) {
	for range b.N {
		b.StopTimer()
		middle, bottom := paced(b)
		bottom.line.set(true)
		eventually(b, "the line is down", func() bool { return bottom.state(middle.id) == Down })
		waiting := backlog(b, bottom.office, 2000)
		b.StartTimer()
		bottom.line.set(false)
		eventually(b, "the city has everything", func() bool { return middle.link(bottom.id).ReceivedSequence == waiting })
		b.ReportMetric(float64(waiting)*float64(b.N)/b.Elapsed().Seconds(), "items/s")
	}
}

// BenchmarkHandovers hands 2,000 queued tickets over, from the healing of the line until the city has accepted the last.
func BenchmarkHandovers(b *testing.B) {
	const tickets = 2000
	for range b.N {
		b.StopTimer()
		middle, bottom := paced(b)
		bottom.line.set(true)
		eventually(b, "the line is down", func() bool { return bottom.state(middle.id) == Down })
		for i := range tickets {
			ticket, refusal, err := bottom.do("", create(fmt.Sprintf("工单 %d", i)))
			if err == nil && refusal == nil {
				_, refusal, err = bottom.do(ticket.Number, escalate())
			}
			if err != nil || refusal != nil {
				b.Fatal(refusal, err)
			}
		}
		b.StartTimer()
		bottom.line.set(false)
		began := time.Now()
		eventually(b, "the first ticket is accepted", func() bool { return underway(bottom.office, middle.id) < tickets })
		first := time.Since(began)
		eventually(b, "the last ticket is accepted", func() bool { return underway(bottom.office, middle.id) == 0 })
		b.ReportMetric(tickets*float64(b.N)/b.Elapsed().Seconds(), "handovers/s")
		b.ReportMetric(first.Seconds(), "s-to-first")
	}
}

// underway is how many hand-overs to a peer wait for the line or for their answer.
func underway(o *office, peer desk.SiteID) int {
	w := read(o, func(r *store.Reader) (Waiting, error) { return ReadWaiting(r, peer) })
	return w.Queued + w.InTransit
}

// BenchmarkPack compresses frames of 256 items and unpacks them at the other end.
func BenchmarkPack(b *testing.B) {
	middle, bottom := newOffice(b, city, wall), newOffice(b, county, wall)
	admit(b, middle, bottom)
	backlog(b, bottom, 52)
	c := batch(bottom, middle, 0, 256)
	p, err := newPacker()
	if err != nil {
		b.Fatal(err)
	}
	defer p.close()
	u, err := newUnpacker()
	if err != nil {
		b.Fatal(err)
	}
	defer u.close()
	frame := itemsFrame(c.First, c.Items, c.Hash)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		packed, err := p.pack(frame)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := u.unpack(packed.GetPacked()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(c.Items)), "ns/item")
}
