package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"google.golang.org/protobuf/proto"
)

const (
	// restoringFile stands in a data directory while a backup is put into it. Whatever else is there then is of no use.
	restoringFile = "RESTORING"
	lostAndFound  = "lost+found" // of a file system of its own
)

// errRestoring is why a directory is not opened whose restore was broken off.
var errRestoring = errors.New("a restore into it was broken off: run tierdesk restore again, which begins anew")

// Restoration is a backup that was put into a data directory, whole and checked, and does not count yet. Complete makes
// the directory a node's; Abandon empties it. One of them must be called.
type Restoration struct {
	Manifest Manifest
	// ServerID is what the node is called in its group from now on: a restored directory is a new server.
	ServerID string

	store *Store
	name  string // of the database
	at    standing
}

// BeginRestore puts a backup of the options' site into their directory, which must be empty. A backup that is cut, damaged,
// of another site or of a newer format is refused, and the directory is empty again.
func BeginRestore(o Options, backup io.Reader) (*Restoration, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	m, err := ReadManifest(backup)
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	if m.Site != o.Site {
		return nil, fmt.Errorf("restore: the backup is of site %s %s, this is a node of site %s: take a backup of this site", m.Site, m.Name, o.Site)
	}
	if err := vacant(o); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	dir, err := lockDirectory(o)
	if err != nil {
		return nil, err
	}
	r := &Restoration{Manifest: m, store: &Store{options: o, directory: dir, fault: newFault(), kept: kept{}}}
	if err := r.begin(backup); err != nil {
		return nil, errors.Join(fmt.Errorf("restore: %w", err), r.Abandon())
	}
	return r, nil
}

// vacant refuses a directory that holds anything but what a restore left that was broken off.
func vacant(o Options) error {
	names, err := o.FS.List(o.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if slices.Contains(names, restoringFile) {
		return nil
	}
	for _, name := range names {
		if name != lockFile && name != lostAndFound {
			return fmt.Errorf("the data directory %s is not empty, it holds %s: move its content away, or name another directory in node.data_dir",
				o.Dir, name)
		}
	}
	return nil
}

// begin unpacks and checks the backup. The caller empties the directory after an error.
func (r *Restoration) begin(backup io.Reader) error {
	d := r.store.directory
	if err := r.clear(); err != nil {
		return err
	}
	if err := d.write(restoringFile, []byte("tierdesk restore is at work\n")); err != nil {
		return err
	}
	known, err := d.own(r.store.options.Site, r.store.options.Node)
	if err != nil {
		return err
	}
	r.ServerID = known.Node + "-" + known.ID
	if r.name, err = d.unused(databasePrefix); err != nil {
		return err
	}
	if err := r.store.unpack(r.name, backup); err != nil {
		return err
	}
	r.store.name = r.name
	if r.store.db, err = r.store.openDatabase(r.name); err != nil {
		return err
	}
	if r.at, err = r.store.reader(r.store.db).standsAt(); err != nil {
		return err
	}
	if r.at.index != r.Manifest.Index || r.at.term != r.Manifest.Term {
		return fmt.Errorf("the backup's state stands at entry %d of term %d and its first lines say %d of %d: take another one",
			r.at.index, r.at.term, r.Manifest.Index, r.Manifest.Term)
	}
	return nil
}

// View reads what was put back.
func (r *Restoration) View(read func(*Reader) error) error { return r.store.View(read) }

// Complete makes the directory the node's: its state stands at the backup's place in the log with the membership given, and
// decides nothing before the site has another incarnation. After an error the directory is of no use but to be restored
// into again.
func (r *Restoration) Complete(membership []byte) error {
	err := r.settle(membership)
	if err == nil {
		err = r.store.db.Close()
		r.store.db = nil
	}
	if err == nil {
		err = r.store.directory.setCurrent(r.name)
	}
	if err == nil {
		err = r.remove(restoringFile)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("restore: %w", err), r.Abandon())
	}
	return r.store.directory.close()
}

// settle writes into the state where it stands and that it was restored.
func (r *Restoration) settle(membership []byte) error {
	site, err := r.store.reader(r.store.db).Site()
	if err != nil {
		return err
	}
	if site == nil {
		return &corruptError{path: r.store.directory.join(r.name), cause: errors.New("it has no site")}
	}
	site.Restored = true
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(site)
	if err != nil {
		return err
	}
	batch := r.store.db.NewBatch()
	defer batch.Close()
	if err := batch.Set(family(familySite), encoded, nil); err != nil {
		return err
	}
	mark := standing{r.at.index, r.at.term, membership}
	if err := batch.Set(metaKey(metaMark), mark.encode(), nil); err != nil {
		return err
	}
	return batch.Commit(pebble.Sync)
}

// Abandon empties the directory again.
func (r *Restoration) Abandon() error {
	var errs []error
	if r.store.db != nil {
		errs = append(errs, r.store.db.Close())
		r.store.db = nil
	}
	errs = append(errs, r.clear(), r.store.directory.close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("empty the data directory %s: %w", r.store.directory.path, err)
	}
	return nil
}

// clear deletes all but the lock, and last of all the file that says that the rest is of no use.
func (r *Restoration) clear() error {
	d := r.store.directory
	names, err := d.fs.List(d.path)
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == lockFile || name == lostAndFound || name == restoringFile {
			continue
		}
		if err := d.fs.RemoveAll(d.join(name)); err != nil {
			return err
		}
	}
	if !slices.Contains(names, restoringFile) {
		return d.sync()
	}
	return errors.Join(d.sync(), r.remove(restoringFile))
}

// remove deletes a file durably.
func (r *Restoration) remove(name string) error {
	if err := r.store.directory.fs.Remove(r.store.directory.join(name)); err != nil {
		return err
	}
	return r.store.directory.sync()
}
