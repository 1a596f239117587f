package disk

import (
	"math"
	"os"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// fileSystem is what the databases use. Reading, listing and removing whole trees are passed through; removing may take
// long on a healthy disk.
type fileSystem struct {
	vfs.FS
	disk *Disk
}

var _ vfs.FS = (*fileSystem)(nil)

// Unwrap returns the file system below.
func (f *fileSystem) Unwrap() vfs.FS { return f.FS }

// Create makes a file that is watched.
func (f *fileSystem) Create(name string, category vfs.DiskWriteCategory) (created vfs.File, err error) {
	if claimOf(category) == 0 && f.disk.resting() {
		time.Sleep(refusalPause)
		return nil, &os.PathError{Op: "create", Path: name, Err: syscall.ENOSPC}
	}
	err = f.disk.do("creating", name, func() error {
		created, err = f.FS.Create(name, category)
		return err
	})
	return f.wrap(name, category, created, err)
}

// ReuseForWrite opens a file under another name.
func (f *fileSystem) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (reused vfs.File, err error) {
	err = f.disk.do("renaming", oldname, func() error {
		reused, err = f.FS.ReuseForWrite(oldname, newname, category)
		return err
	})
	return f.wrap(newname, category, reused, err)
}

// OpenReadWrite opens a file, or makes it.
func (f *fileSystem) OpenReadWrite(name string, category vfs.DiskWriteCategory, o ...vfs.OpenOption) (opened vfs.File, err error) {
	err = f.disk.do("opening", name, func() error {
		opened, err = f.FS.OpenReadWrite(name, category, o...)
		return err
	})
	return f.wrap(name, category, opened, err)
}

// OpenDir opens a directory, to sync it.
func (f *fileSystem) OpenDir(name string) (vfs.File, error) {
	opened, err := f.FS.OpenDir(name)
	return f.wrap(name, vfs.WriteCategoryUnspecified, opened, err)
}

func (f *fileSystem) wrap(name string, category vfs.DiskWriteCategory, opened vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &file{File: opened, disk: f.disk, path: name, claim: claimOf(category), background: inBackground(category)}, nil
}

// Link makes another name for a file.
func (f *fileSystem) Link(oldname, newname string) error {
	return f.disk.do("linking", newname, func() error { return f.FS.Link(oldname, newname) })
}

// Remove removes a file.
func (f *fileSystem) Remove(name string) error {
	return f.disk.do("removing", name, func() error { return f.FS.Remove(name) })
}

// Rename renames a file.
func (f *fileSystem) Rename(oldname, newname string) error {
	return f.disk.do("renaming", newname, func() error { return f.FS.Rename(oldname, newname) })
}

// MkdirAll makes directories.
func (f *fileSystem) MkdirAll(path string, mode os.FileMode) error {
	return f.disk.do("making", path, func() error { return f.FS.MkdirAll(path, mode) })
}

// unspecifiedClaim is how many bytes of the reserve a file without a category may use: the small files of a database, and
// not the copy of another node's.
const unspecifiedClaim = 1 << 20

// flushes is the category of the files that memory is flushed to.
const flushes vfs.DiskWriteCategory = "pebble-memtable-flush"

// claimOf is how much of a file, in bytes, may draw on the reserve. The database cannot go on without its log, its
// manifest and its flushes. It can without a compaction, which may need more than the reserve.
func claimOf(category vfs.DiskWriteCategory) int64 {
	switch category {
	case "pebble-wal", "pebble-manifest", flushes:
		return math.MaxInt64
	case "pebble-compaction", "pebble-blob-file-rewrite":
		return 0
	default:
		return unspecifiedClaim
	}
}

// inBackground tells whether the database itself tries a failed write of the category again, at once and for ever.
func inBackground(category vfs.DiskWriteCategory) bool {
	return category == flushes || claimOf(category) == 0
}

// file is a file whose operations are watched. Like any file of a database it is written by one goroutine at a time.
type file struct {
	vfs.File
	disk       *Disk
	path       string
	claim      int64 // bytes that may still draw on the reserve
	background bool
}

// write does what the claim allows for a write of so many bytes.
func (f *file) write(bytes int64, action func() error) (err error) {
	switch {
	case f.claim < bytes:
		f.claim = 0
		if err = f.disk.once("writing", f.path, action); noRoom(err) {
			f.disk.rest()
		}
	case f.claim < math.MaxInt64:
		f.claim -= bytes
		err = f.disk.do("writing", f.path, action)
	default:
		err = f.disk.do("writing", f.path, action)
	}
	if f.background && noRoom(err) {
		time.Sleep(refusalPause)
	}
	return err
}

// Write appends p. After a part of it met a full disk the rest follows, nothing twice.
func (f *file) Write(p []byte) (written int, err error) {
	err = f.write(int64(len(p)), func() error {
		n, err := f.File.Write(p[written:])
		written += n
		return err
	})
	return written, err
}

// WriteAt writes p at an offset, in the same way.
func (f *file) WriteAt(p []byte, offset int64) (written int, err error) {
	err = f.write(int64(len(p)), func() error {
		n, err := f.File.WriteAt(p[written:], offset+int64(written))
		written += n
		return err
	})
	return written, err
}

// Preallocate asks for storage ahead of the writes. It is advice: the reserve waits for the writes themselves.
func (f *file) Preallocate(offset, length int64) error {
	err := f.disk.once("allocating", f.path, func() error { return f.File.Preallocate(offset, length) })
	if noRoom(err) {
		f.disk.lookSoon()
	}
	return err
}

// Sync makes the file durable. After a full disk it is not tried again, since what it should have made durable may be
// lost, but the reserve is given up for the next start.
func (f *file) Sync() error { return f.sync(f.File.Sync) }

// SyncData makes the file's content durable, in the same way.
func (f *file) SyncData() error { return f.sync(f.File.SyncData) }

// SyncTo makes the beginning of the file durable, in the same way.
func (f *file) SyncTo(length int64) (full bool, err error) {
	err = f.sync(func() error {
		full, err = f.File.SyncTo(length)
		return err
	})
	return full, err
}

func (f *file) sync(action func() error) error {
	seen := f.disk.generation()
	err := f.disk.once("syncing", f.path, action)
	if noRoom(err) && f.claim > 0 && !f.disk.giveUp(seen) {
		f.disk.exhausted()
	}
	return err
}

// Close closes the file, which on some file systems writes what is left.
func (f *file) Close() error { return f.disk.once("closing", f.path, f.File.Close) }
