package store

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// BenchmarkFindRequesters looks for people among a hundred thousand while a telephone number, or a name that half of them
// share, is typed: a page costs the same however many there are.
func BenchmarkFindRequesters(b *testing.B) {
	const people, page = 100_000, 20
	s := mustOpen(b, options(vfs.NewMem()))
	defer mustClose(b, s)
	for first := 0; first < people; first += 1000 {
		commit(b, s, func(batch *Batch) error {
			for i := first; i < first+1000; i++ {
				c := &deskpb.Customer{
					Id: fmt.Sprintf("c%06d", i), Name: []string{"张敏", "李强"}[i%2], Unit: fmt.Sprint("财政局", i%300), Phones: []string{fmt.Sprintf("0571-%08d", i*7)},
				}
				if err := batch.PutCustomer(c); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for _, search := range []string{"0", "0571-0012", "0571-00123456", "张", "财政局29", "nobody"} {
		b.Run(search, func(b *testing.B) {
			view(b, s, func(r *Reader) error {
				for b.Loop() {
					if _, _, err := r.FindCustomers(deskpb.Customer_KIND_UNSPECIFIED, search, nil, page); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
}
