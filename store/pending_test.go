package store

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/store/keys"
)

// A batch shows its own writes over the committed rows: by key, and in every span, direction and limit. What it wrote is
// there after Commit and gone after Discard, also for rows that are kept in memory.
func TestABatchShowsItsWritesOverTheCommittedRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := mustOpen(t, options(vfs.NewMem()))
		defer mustClose(t, s)
		committed, index := map[string]string{}, uint64(0)
		batch, shown := s.NewBatch(), map[string]string{}
		key := rapid.Custom(func(t *rapid.T) keys.Key {
			family := rapid.SampledFrom([]byte{familyJournal, familyLink}).Draw(t, "family")
			return keys.Key{family}.Byte(rapid.ByteRange(0, 8).Draw(t, "row"))
		})
		end := func(discard bool) {
			if discard {
				batch.Discard()
			} else {
				index++
				if err := batch.Commit(index, 1); err != nil {
					t.Fatal(err)
				}
				committed = shown
			}
			batch, shown = s.NewBatch(), maps.Clone(committed)
		}
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				k, value := key.Draw(t, "key"), rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "value")
				if err := batch.set(k, []byte(value)); err != nil {
					t.Fatal(err)
				}
				shown[string(k)] = value
			},
			"delete": func(t *rapid.T) {
				k := key.Draw(t, "key")
				if err := batch.delete(k); err != nil {
					t.Fatal(err)
				}
				delete(shown, string(k))
			},
			"get": func(t *rapid.T) {
				k := key.Draw(t, "key")
				got, err := batch.get(k)
				want, ok := shown[string(k)]
				if err != nil || ok != (got != nil) || string(got) != want {
					t.Fatalf("row %x is %q, %v, want %q", k, got, err, want)
				}
			},
			"scan": func(t *rapid.T) {
				over := between(key.Draw(t, "lower"), key.Draw(t, "upper"))
				over.descending = rapid.Bool().Draw(t, "descending")
				over.limit = rapid.IntRange(0, 20).Draw(t, "limit")
				checkScan(t, batch, over, shown)
			},
			"commit":  func(t *rapid.T) { end(false) },
			"discard": func(t *rapid.T) { end(true) },
		})
		batch.Discard()
	})
}

func checkScan(t *rapid.T, batch *Batch, over span, shown map[string]string) {
	var want, got []string
	for _, k := range slices.Sorted(maps.Keys(shown)) {
		if bytes.Compare([]byte(k), over.lower) >= 0 && bytes.Compare([]byte(k), over.upper) < 0 {
			want = append(want, fmt.Sprintf("%x=%s", k, shown[k]))
		}
	}
	if over.descending {
		slices.Reverse(want)
	}
	want = want[:min(len(want), over.limit)]
	stop := rapid.IntRange(1, 20).Draw(t, "stop")
	want = want[:min(len(want), stop)]
	err := batch.scan(over, func(key, value []byte) (bool, error) {
		got = append(got, fmt.Sprintf("%x=%s", key, value))
		// A scan does not see what is written during it.
		return len(got) < stop, batch.set(bytes.Clone(key), bytes.Clone(value))
	})
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("rows %q, %v, want %q", got, err, want)
	}
}
