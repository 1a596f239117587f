//go:build unix

package disk

import (
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// blockSize is the unit of st_blocks in bytes, whatever the file system's own blocks are.
const blockSize = 512

// occupies tells how many bytes of the volume a file takes; false when the file system does not say.
func occupies(info vfs.FileInfo) (bytes int64, known bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return stat.Blocks * blockSize, true
}
