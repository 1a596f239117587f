package store

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// BenchmarkCommit measures one log entry with one changed ticket and its event, on the real disk, without a sync.
func BenchmarkCommit(b *testing.B) {
	s := mustOpen(b, Options{Dir: b.TempDir(), Site: testSite, Node: testNode})
	defer mustClose(b, s)
	for n := uint64(0); b.Loop(); n++ {
		putBenchmark(b, s, fmt.Sprintf("330106-20261121-%06d", n%10_000), n)
	}
}

// BenchmarkPage measures a page of 50 in the middle of a list of 20,000.
func BenchmarkPage(b *testing.B) {
	s := mustOpen(b, Options{Dir: b.TempDir(), Site: testSite, Node: testNode})
	defer mustClose(b, s)
	for n := range uint64(20_000) {
		putBenchmark(b, s, fmt.Sprintf("330106-20261121-%06d", n), n)
	}
	query := Query{Index: ByGroup, Value: "网络组", Descending: true, Limit: 50}
	read := func() (page Page) {
		view(b, s, func(r *Reader) (err error) {
			page, err = r.Tickets(query)
			return err
		})
		return page
	}
	for range 200 {
		query.After = read().Next
	}
	for b.Loop() {
		if page := read(); len(page.Records) != 50 {
			b.Fatalf("the page has %d records", len(page.Records))
		}
	}
}

func putBenchmark(b *testing.B, s *Store, number string, n uint64) {
	record := ticket(number, func(k *deskpb.Ticket) {
		k.Assignee, k.Group, k.Category, k.Application = "li", "网络组", "用户处理", "财政软件"
		k.Description, k.UpdateTime = strings.Repeat("说", 200), at(int64(n))
	})
	commit(b, s, func(batch *Batch) error {
		if err := batch.AddEvent(event(b, number, int64(n), n, "已联系用户，正在处理")); err != nil {
			return err
		}
		return batch.PutTicket(record)
	})
}
