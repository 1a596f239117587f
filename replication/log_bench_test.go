package replication

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/hashicorp/raft"
)

// BenchmarkAppend measures one durable append of one entry, on the real disk.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10, 256 << 10} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			d := openTestDisk(b, b.TempDir(), newFault())
			data := bytes.Repeat([]byte("说明 case "), size/12)
			entry := raft.Log{Term: 1, Data: data, Extensions: checksum(data)}
			b.SetBytes(int64(len(data)))
			for index := uint64(1); b.Loop(); index++ {
				entry.Index = index
				if err := d.StoreLogs([]*raft.Log{&entry}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
