package store

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// fillOutbox stores five items for the peer 330100: events 1, 2, 3, 5 and, as item 4, a directory entry.
func fillOutbox(t *testing.T, s *Store) {
	t.Helper()
	commit(t, s, func(b *Batch) error {
		for sequence := uint64(1); sequence <= 5; sequence++ {
			entry := &deskpb.OutboxEntry{Hash: []byte{byte(sequence)}, Item: []byte("a directory entry")}
			if sequence != 4 {
				e := event(t, "330106-20261121-0001", 1000, sequence, "说明")
				if err := b.AddEvent(e); err != nil {
					return err
				}
				entry = &deskpb.OutboxEntry{Hash: entry.Hash, Event: &deskpb.EventRef{
					Ticket: e.Ticket, Time: e.Time, Site: e.Id.Site, Incarnation: e.Id.Incarnation, Sequence: e.Id.Sequence,
				}}
			}
			if err := b.PutOutbox("330100", sequence, entry); err != nil {
				return err
			}
		}
		return b.PutOutbox("3301", 6, &deskpb.OutboxEntry{Item: []byte("for another peer")})
	})
}

func sequences(items []OutboxItem) string {
	var all []string
	for _, item := range items {
		all = append(all, fmt.Sprint(item.Sequence))
	}
	return strings.Join(all, " ")
}

func TestTheOutboxGivesWhatWaitsBehindASequence(t *testing.T) {
	s := openTest(t)
	fillOutbox(t, s)
	for _, test := range []struct {
		peer            desk.SiteID
		after           uint64
		limit, maxBytes int
		want            string
	}{
		{"330100", 0, 10, 1 << 20, "1 2 3 4 5"},
		{"330100", 3, 10, 1 << 20, "4 5"},
		{"330100", 5, 10, 1 << 20, ""},
		{"330100", 0, 2, 1 << 20, "1 2"},
		{"330100", 0, 0, 1 << 20, ""},
		{"330100", 0, 10, 1, "1"},
		{"330100", 3, 10, len("a directory entry"), "4"},
		{"3301", 0, 10, 1 << 20, "6"},
		{"33", 0, 10, 1 << 20, ""},
	} {
		view(t, s, func(r *Reader) error {
			items, err := r.Outbox(test.peer, test.after, test.limit, test.maxBytes)
			if got := sequences(items); got != test.want {
				t.Errorf("%s behind %d, at most %d items and %d bytes: %q, want %q", test.peer, test.after, test.limit, test.maxBytes, got, test.want)
			}
			return err
		})
	}
}

func TestAnOutboxItemCarriesTheBytesOfItsEvent(t *testing.T) {
	s := openTest(t)
	fillOutbox(t, s)
	view(t, s, func(r *Reader) error {
		items, err := r.Outbox("330100", 0, 5, 1<<20)
		if err != nil {
			return err
		}
		var item deskpb.Item
		if err := proto.Unmarshal(items[1].Item, &item); err != nil {
			return err
		}
		if want := event(t, "330106-20261121-0001", 1000, 2, "说明").Raw; !bytes.Equal(item.GetEvent(), want) {
			t.Errorf("item 2 carries the event %x, want %x", item.GetEvent(), want)
		}
		if string(items[3].Item) != "a directory entry" || !bytes.Equal(items[3].Hash, []byte{4}) {
			t.Errorf("item 4 is %q with hash %x, want the bytes that were put", items[3].Item, items[3].Hash)
		}
		return nil
	})
}

func TestAnOutboxThatRefersToNoEventIsAFault(t *testing.T) {
	s := openTest(t)
	commit(t, s, func(b *Batch) error {
		return b.PutOutbox("330100", 1, &deskpb.OutboxEntry{Event: &deskpb.EventRef{Ticket: "330106-20261121-0009", Site: testSite, Sequence: 1}})
	})
	view(t, s, func(r *Reader) error {
		_, err := r.Outbox("330100", 0, 1, 1)
		if err == nil || !strings.Contains(err.Error(), "outbox of peer 330100") || !strings.Contains(err.Error(), "330106-20261121-0009") {
			t.Errorf("error is %v, want one that names the peer and the ticket", err)
		}
		return nil
	})
}

func TestPruningDeletesExactlyTheRange(t *testing.T) {
	for _, test := range []struct {
		from, to uint64
		want     string
	}{
		{1, 2, "3 4 5"},
		{2, 4, "1 5"},
		{0, ^uint64(0), ""},
		{4, 3, "1 2 3 4 5"},
	} {
		s := openTest(t)
		fillOutbox(t, s)
		commit(t, s, func(b *Batch) error { return b.PruneOutbox("330100", test.from, test.to) })
		view(t, s, func(r *Reader) error {
			items, err := r.Outbox("330100", 0, 10, 1<<20)
			if got := sequences(items); got != test.want {
				t.Errorf("after pruning %d to %d the outbox has %q, want %q", test.from, test.to, got, test.want)
			}
			if other, _ := r.Outbox("3301", 0, 10, 1<<20); sequences(other) != "6" {
				t.Errorf("after pruning %d to %d the other peer's outbox has %q, want 6", test.from, test.to, sequences(other))
			}
			return err
		})
	}
}

func TestTheRunningHashIsKeptFromTheAcknowledgedSequenceOn(t *testing.T) {
	s := openTest(t)
	fillOutbox(t, s)
	view(t, s, func(r *Reader) error {
		if hash, err := r.OutboxHash("330100", 0); hash == nil || len(hash) > 0 || err != nil {
			t.Errorf("hash at 0 before anything was acknowledged: %#v, %v, want an empty one", hash, err)
		}
		return nil
	})
	commit(t, s, func(b *Batch) error {
		if err := b.PruneOutbox("330100", 1, 2); err != nil {
			return err
		}
		return b.PutLink(&deskpb.Link{Peer: "330100", AckedSequence: 2, AckedHash: []byte("at 2"), SentSequence: 5})
	})
	view(t, s, func(r *Reader) error {
		for sequence, want := range map[uint64][]byte{0: nil, 1: nil, 2: []byte("at 2"), 3: {3}, 5: {5}, 6: nil} {
			if got, err := r.OutboxHash("330100", sequence); !bytes.Equal(got, want) || (got == nil) != (want == nil) || err != nil {
				t.Errorf("hash at %d is %x, %v, want %x", sequence, got, err, want)
			}
		}
		return nil
	})
}

func TestALinkThatWasNeverUsedIsEmpty(t *testing.T) {
	s := openTest(t)
	view(t, s, func(r *Reader) error {
		link, err := r.Link("330100")
		if !proto.Equal(link, &deskpb.Link{Peer: "330100"}) {
			t.Errorf("link is %v, want one with nothing but its peer", link)
		}
		if links, _ := r.Links(); len(links) != 0 {
			t.Errorf("links are %v, want none", links)
		}
		return err
	})
	commit(t, s, func(b *Batch) error { return b.PutLink(&deskpb.Link{Peer: "330100", ReceivedSequence: 3}) })
	view(t, s, func(r *Reader) error {
		links, err := r.Links()
		if len(links) != 1 || links[0].ReceivedSequence != 3 {
			t.Errorf("links are %v, want the one that was put", links)
		}
		return err
	})
}

func TestParkedItemsOfTwoIncarnationsDoNotMeet(t *testing.T) {
	s := openTest(t)
	items := []*deskpb.Parked{
		{Peer: "330100", Sequence: 1, Time: 20, Item: []byte("after the restore")},
		{Peer: "330100", Sequence: 1, Time: 10, Item: []byte("before the restore")},
		{Peer: "330000", Sequence: 7, Time: 30, Item: []byte("of the province")},
	}
	commit(t, s, func(b *Batch) error {
		for _, p := range items {
			if err := b.Park(p); err != nil {
				return err
			}
		}
		return nil
	})
	read := func() string {
		var all []string
		view(t, s, func(r *Reader) error {
			var after []byte
			for more := true; more; more = after != nil {
				parked, next, err := r.Parked(after, 2)
				if err != nil {
					return err
				}
				for _, p := range parked {
					all = append(all, string(p.Item))
				}
				after = next
			}
			return nil
		})
		return strings.Join(all, ", ")
	}
	if got, want := read(), "of the province, before the restore, after the restore"; got != want {
		t.Errorf("parked are: %s, want: %s", got, want)
	}
	commit(t, s, func(b *Batch) error { return b.DeleteParked(items[1]) })
	if got, want := read(), "of the province, after the restore"; got != want {
		t.Errorf("after a deletion parked are: %s, want: %s", got, want)
	}
}
