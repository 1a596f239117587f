//go:build !unix

package disk

import "github.com/cockroachdb/pebble/v2/vfs"

// occupies tells how many bytes of the volume a file takes; here the file system does not say.
func occupies(vfs.FileInfo) (bytes int64, known bool) { return 0, false }
