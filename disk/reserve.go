package disk

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	// reserveFile is the reserve in the data directory. Deleting it frees its space at once; a running node makes it again.
	reserveFile = "RESERVE"
	// chunk is how much of the reserve is written at a time, in bytes, where it cannot be allocated without writing.
	chunk = 1 << 20
)

// holdsReserve tells whether the file of an earlier run is there with all its blocks. A copied directory may have holes
// instead.
func (d *Disk) holdsReserve() bool {
	flight := d.watch.begin("looking at", d.path)
	defer d.watch.end(flight)
	info, err := d.fs.Stat(d.path)
	return err == nil && info.Size() >= d.size && !hollow(info)
}

// hollow tells whether a file is known to occupy less than its size.
func hollow(info vfs.FileInfo) bool {
	occupied, known := occupies(info)
	return known && occupied < info.Size()
}

// makeReserve allocates the reserve and judges the room anew. After an error nothing of it is left.
func (d *Disk) makeReserve(ctx context.Context) error {
	d.making.Lock()
	defer d.making.Unlock()
	err := d.allocate(ctx)
	if err != nil {
		return errors.Join(err, d.once("removing", d.path, func() error { return d.fs.Remove(d.path) }))
	}
	usage, err := d.measure()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		d.room.Free, d.room.Total = usage.AvailBytes, usage.TotalBytes
	}
	d.room.Reserve, d.spent = uint64(d.size), false
	d.judge()
	return nil
}

// allocate makes the file. Where the file system does not allocate blocks ahead, they are written, with bytes that do not
// compress.
func (d *Disk) allocate(ctx context.Context) (err error) {
	var file vfs.File
	err = d.once("creating", d.path, func() error {
		file, err = d.fs.Create(d.path, vfs.WriteCategoryUnspecified)
		return err
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	err = d.once("allocating", d.path, func() error { return file.Preallocate(0, d.size) })
	if noRoom(err) {
		return err
	}
	whole := err == nil
	if whole {
		if err := d.once("writing", d.path, func() error { _, err := file.WriteAt([]byte{0}, d.size-1); return err }); err != nil {
			return err
		}
		info, err := file.Stat()
		if err != nil {
			return err
		}
		occupied, known := occupies(info)
		whole = known && occupied >= d.size
	}
	if !whole {
		return d.fill(ctx, file)
	}
	return d.once("syncing", d.path, file.Sync)
}

// fill writes the whole reserve, a chunk after the other.
func (d *Disk) fill(ctx context.Context, file vfs.File) error {
	noise := rand.NewChaCha8([32]byte{})
	buffer := make([]byte, chunk)
	for at := int64(0); at < d.size; at += chunk {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("write %s: %w", d.path, err)
		}
		part := buffer[:min(chunk, d.size-at)]
		_, _ = noise.Read(part) // it never returns an error
		err := d.once("writing", d.path, func() error { _, err := file.WriteAt(part, at); return err })
		if err == nil {
			err = d.once("syncing", d.path, file.SyncData)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// giveUp frees the reserve for an operation that had no room and began when it had been given up so often. It returns
// false when there is nothing to free; an operation that comes while another one frees it waits for that.
func (d *Disk) giveUp(seen uint64) bool {
	d.making.Lock()
	defer d.making.Unlock()
	d.mu.Lock()
	held, gone := d.room.Reserve > 0, d.gone
	d.mu.Unlock()
	if !held {
		return gone != seen
	}
	err := d.once("removing", d.path, func() error { return d.fs.Remove(d.path) })
	if err == nil {
		err = d.once("syncing", d.options.Dir, d.syncDirectory) // some file systems free the blocks only then
	}
	if err != nil {
		d.options.Logger.Error("the reserve cannot be given up", "file", d.path, "error", err)
	}
	usage, err := d.measure()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		d.room.Free, d.room.Total = usage.AvailBytes, usage.TotalBytes
	}
	d.room.Reserve = 0
	d.gone++
	d.judge()
	d.lookSoon()
	return true
}

func (d *Disk) syncDirectory() error {
	directory, err := d.fs.OpenDir(d.options.Dir)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}
