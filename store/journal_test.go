package store

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestTheJournalIsReadInItsOrderInPagesOfAnySize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := mustOpen(t, options(vfs.NewMem()))
		defer mustClose(t, s)
		stored := map[string]desk.Sealed{}
		for range rapid.IntRange(0, 20).Draw(t, "events") {
			e := seal(t, &deskpb.Event{
				Ticket: "330106-20261121-0001",
				Id: &deskpb.EventID{
					Site:        rapid.SampledFrom([]string{testSite, "330100", "33010"}).Draw(t, "site"),
					Incarnation: rapid.SampledFrom([]uint64{0, 1, 1 << 63}).Draw(t, "incarnation"),
					Sequence:    uint64(len(stored)),
				},
				Time: rapid.Int64Range(-2, 2).Draw(t, "time"),
			})
			stored[e.Id.String()] = e
			commit(t, s, func(b *Batch) error {
				return errors.Join(b.AddEvent(e), b.PutSequence("20261121", 1))
			})
		}
		var want, got [][]byte
		for _, e := range slices.SortedFunc(maps.Values(stored), journalOrder) {
			want = append(want, e.Raw)
		}
		view(t, s, func(r *Reader) error {
			events, err := r.Events("330106-20261121-0001")
			for _, e := range events {
				if again := seal(t, e.Event); !bytes.Equal(again.Raw, e.Raw) {
					t.Fatalf("event %v has the bytes of another", e.Event)
				}
				got = append(got, e.Raw)
			}
			return err
		})
		if !slices.EqualFunc(got, want, bytes.Equal) {
			t.Fatalf(" got %x\nwant %x", got, want)
		}
	})
}

func journalOrder(a, b desk.Sealed) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Id.Site, b.Id.Site),
		cmp.Compare(a.Id.Incarnation, b.Id.Incarnation), cmp.Compare(a.Id.Sequence, b.Id.Sequence))
}

func TestAnEventIsKnownAndItsIDIsNeverUsedForAnother(t *testing.T) {
	const number = "330106-20261121-0001"
	stored := event(t, number, 1000, 1, "已联系用户")
	for _, test := range []struct {
		name     string
		event    desk.Sealed
		known    bool
		conflict bool
	}{
		{"the same again", event(t, number, 1000, 1, "已联系用户"), true, false},
		{"the next", event(t, number, 1000, 2, "已联系用户"), false, false},
		{"other text", event(t, number, 1000, 1, "未联系"), false, true},
		{"other time", event(t, number, 1001, 1, "已联系用户"), false, true},
		{"other ticket", event(t, "330106-20261121-0002", 1000, 1, "已联系用户"), false, true},
		{"other bytes that mean the same", desk.Sealed{Event: stored.Event, Raw: append(slices.Clone(stored.Raw), 0xf8, 0x3f, 0)}, false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := openTest(t)
			commit(t, s, func(b *Batch) error {
				if known, err := b.Knows(stored); known || err != nil {
					t.Errorf("before it is stored: known %t, %v", known, err)
				}
				return b.AddEvent(stored)
			})
			b := s.NewBatch()
			defer b.Discard()
			known, err := b.Knows(test.event)
			if known != test.known || errors.Is(err, ErrConflict) != test.conflict || (err != nil) != test.conflict {
				t.Errorf("known is %t, %v, want %t and conflict %t", known, err, test.known, test.conflict)
			}
		})
	}
}

func TestAConflictNamesTheEvent(t *testing.T) {
	s := openTest(t)
	b := s.NewBatch()
	defer b.Discard()
	if err := b.AddEvent(event(t, "330106-20261121-0001", 1, 9, "a")); err != nil {
		t.Fatal(err)
	}
	_, err := b.Knows(event(t, "330106-20261121-0002", 1, 9, "a"))
	const want = "event 330106/0000000000000007/9 of ticket 330106-20261121-0002: " +
		"another event with the same id is stored, of ticket 330106-20261121-0001"
	if fmt.Sprint(err) != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}
