// Package disktest makes disks that are full or stalled, for tests. It knows the files of one file system and nothing of
// what is in them. Only tests use it.
package disktest

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Quota is a file system with so much room. A write that does not fit writes what fits and returns ENOSPC.
type Quota struct {
	vfs.FS

	mu    sync.Mutex // guards all below
	total int64
	taken int64 // by Take
	used  int64
	short int // writes that did not fit
	files map[string]*inode
	hold  chan struct{} // not nil: writes and syncs wait until it is closed
}

// inode is a file under all its names.
type inode struct {
	size  int64
	names int
}

// NewQuota gives an empty file system a size in bytes.
func NewQuota(below vfs.FS, total int64) *Quota {
	return &Quota{FS: below, total: total, files: map[string]*inode{}}
}

// Take has somebody else occupy all but so many bytes of what is free, and returns how much that was.
func (q *Quota) Take(leave int64) int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	bytes := max(0, q.free()-leave)
	q.taken += bytes
	return bytes
}

// Give frees what Take took.
func (q *Quota) Give() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taken = 0
}

// Short is how many writes did not fit.
func (q *Quota) Short() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.short
}

// Stall has every write and sync wait until the returned function is called.
func (q *Quota) Stall() (release func()) {
	held := make(chan struct{})
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hold = held
	return sync.OnceFunc(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.hold = nil
		close(held)
	})
}

func (q *Quota) wait() {
	q.mu.Lock()
	held := q.hold
	q.mu.Unlock()
	if held != nil {
		<-held
	}
}

// free needs mu held.
func (q *Quota) free() int64 { return q.total - q.taken - q.used }

// grow takes room for a file that is to end at so many bytes, and returns how many more it may not have.
func (q *Quota) grow(n *inode, end int64) (lacking int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	more := max(0, end-n.size)
	granted := min(more, max(0, q.free()))
	if granted < more {
		q.short++
	}
	n.size += granted
	if n.names > 0 {
		q.used += granted
	}
	return more - granted
}

// unlink forgets a name. It needs mu held.
func (q *Quota) unlink(name string) {
	n := q.files[name]
	if n == nil {
		return
	}
	delete(q.files, name)
	if n.names--; n.names == 0 {
		q.used -= n.size
	}
}

// made records a file that is empty, or was there.
func (q *Quota) made(name string, anew bool) *inode {
	q.mu.Lock()
	defer q.mu.Unlock()
	if anew {
		q.unlink(name)
	}
	n := q.files[name]
	if n == nil {
		n = &inode{names: 1}
		q.files[name] = n
	}
	return n
}

// GetDiskUsage tells what is left.
func (q *Quota) GetDiskUsage(string) (vfs.DiskUsage, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	free := max(0, q.free())
	return vfs.DiskUsage{AvailBytes: uint64(free), TotalBytes: uint64(q.total), UsedBytes: uint64(q.total - free)}, nil
}

// Unwrap returns the file system below.
func (q *Quota) Unwrap() vfs.FS { return q.FS }

// Create makes a file without content.
func (q *Quota) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	q.wait()
	created, err := q.FS.Create(name, category)
	if err != nil {
		return nil, err
	}
	return &quotaFile{File: created, quota: q, inode: q.made(name, true)}, nil
}

// ReuseForWrite makes a new file under the other name.
func (q *Quota) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := q.Remove(oldname); err != nil {
		return nil, err
	}
	return q.Create(newname, category)
}

// OpenReadWrite opens a file, or makes it.
func (q *Quota) OpenReadWrite(name string, category vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	q.wait()
	opened, err := q.FS.OpenReadWrite(name, category, o...)
	if err != nil {
		return nil, err
	}
	return &quotaFile{File: opened, quota: q, inode: q.made(name, false)}, nil
}

// Link makes another name for a file.
func (q *Quota) Link(oldname, newname string) error {
	if err := q.FS.Link(oldname, newname); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := q.files[oldname]; n != nil {
		n.names++
		q.files[newname] = n
	}
	return nil
}

// Rename renames a file or a directory.
func (q *Quota) Rename(oldname, newname string) error {
	q.wait()
	if err := q.FS.Rename(oldname, newname); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.unlink(newname)
	for name, n := range q.files {
		if rest, inside := within(name, oldname); inside {
			delete(q.files, name)
			q.files[newname+rest] = n
		}
	}
	return nil
}

// Remove removes a file.
func (q *Quota) Remove(name string) error {
	if err := q.FS.Remove(name); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.unlink(name)
	return nil
}

// RemoveAll removes a directory and what is in it.
func (q *Quota) RemoveAll(name string) error {
	err := q.FS.RemoveAll(name)
	q.mu.Lock()
	defer q.mu.Unlock()
	for file := range q.files {
		if _, inside := within(file, name); inside {
			q.unlink(file)
		}
	}
	return err
}

// within returns what follows the directory in a name.
func within(name, directory string) (rest string, inside bool) {
	rest, found := strings.CutPrefix(name, directory)
	return rest, found && (rest == "" || os.IsPathSeparator(rest[0]) || rest[0] == filepath.Separator)
}

// quotaFile is a file that grows within the quota.
type quotaFile struct {
	vfs.File
	quota *Quota
	inode *inode
	at    int64 // of the next Write
}

func (f *quotaFile) Write(p []byte) (int, error) {
	f.quota.wait()
	fits := int64(len(p)) - f.quota.grow(f.inode, f.at+int64(len(p)))
	n, err := f.File.Write(p[:max(0, fits)])
	f.at += int64(n)
	if err == nil && n < len(p) {
		err = syscall.ENOSPC
	}
	return n, err
}

func (f *quotaFile) WriteAt(p []byte, offset int64) (int, error) {
	f.quota.wait()
	fits := int64(len(p)) - f.quota.grow(f.inode, offset+int64(len(p)))
	n, err := f.File.WriteAt(p[:max(0, fits)], offset)
	if err == nil && n < len(p) {
		err = syscall.ENOSPC
	}
	return n, err
}

func (f *quotaFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	f.at += int64(n)
	return n, err
}

// Preallocate does nothing: what it would allocate is not counted.
func (f *quotaFile) Preallocate(int64, int64) error { return nil }

func (f *quotaFile) Sync() error {
	f.quota.wait()
	return f.File.Sync()
}

func (f *quotaFile) SyncData() error {
	f.quota.wait()
	return f.File.SyncData()
}
