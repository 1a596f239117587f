package store

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Names in a data directory.
const (
	lockFile         = "LOCK"
	identityFile     = "IDENTITY"
	currentFile      = "CURRENT"
	temporary        = ".tmp" // suffix of a file that is being written
	databasePrefix   = "db-"
	checkpointPrefix = "checkpoint-"
)

const directoryMode = 0o750

// directory is a node's data directory while this process holds its lock.
type directory struct {
	fs    vfs.FS
	watch io.Closer // on fs
	path  string
	lock  io.Closer
	slow  *slowness
}

// identity says whose a data directory is. It is written once, after the first database, and never changed.
type identity struct {
	Site string `json:"site"`
	Node string `json:"node"`
	// ID is drawn with the directory: an emptied one is another.
	ID string `json:"id"`
}

// lockDirectory makes the directory when it is missing, so that it outlives a crash, and locks it.
func lockDirectory(o Options) (*directory, error) {
	lock, err := lockPath(o.FS, o.Dir)
	if err != nil {
		return nil, err
	}
	slow := &slowness{}
	fsys, watch := watched(o.FS, o.Logger, slow)
	return &directory{fs: fsys, watch: watch, path: o.Dir, lock: lock, slow: slow}, nil
}

func lockPath(fsys vfs.FS, path string) (io.Closer, error) {
	if err := makeDirectory(fsys, path); err != nil {
		return nil, fmt.Errorf("make data directory %s: %w", path, err)
	}
	lock, err := fsys.Lock(fsys.PathJoin(path, lockFile))
	if notPermitted := new(fs.PathError); errors.As(err, &notPermitted) {
		return nil, fmt.Errorf("lock data directory %s: %w", path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("data directory %s is in use by another tierdesk node (%w): stop it or choose another directory", path, err)
	}
	return lock, nil
}

func makeDirectory(fsys vfs.FS, path string) error {
	var parents []string
	for at := path; ; {
		if _, err := fsys.Stat(at); err == nil || at == fsys.PathDir(at) {
			break
		}
		at = fsys.PathDir(at)
		parents = append(parents, at)
	}
	if err := fsys.MkdirAll(path, directoryMode); err != nil {
		return err
	}
	for _, parent := range parents {
		if err := syncDirectory(fsys, parent); err != nil {
			return err
		}
	}
	return nil
}

func syncDirectory(fsys vfs.FS, path string) error {
	opened, err := fsys.OpenDir(path)
	if err != nil {
		return err
	}
	return errors.Join(opened.Sync(), opened.Close())
}

func (d *directory) join(name string) string { return d.fs.PathJoin(d.path, name) }

func (d *directory) sync() error { return syncDirectory(d.fs, d.path) }

func (d *directory) close() error { return errors.Join(d.watch.Close(), d.lock.Close()) }

// read returns the content of a file, nil when there is none.
func (d *directory) read(name string) ([]byte, error) {
	file, err := d.fs.Open(d.join(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(file)
	return content, errors.Join(err, file.Close())
}

// write replaces a file: after a crash it has the old content or the new, and the new once write has returned.
func (d *directory) write(name string, content []byte) error {
	file, err := d.fs.Create(d.join(name+temporary), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := d.fs.Rename(d.join(name+temporary), d.join(name)); err != nil {
		return err
	}
	return d.sync()
}

// identity returns nil when the directory is new.
func (d *directory) identity() (*identity, error) {
	content, err := d.read(identityFile)
	if content == nil || err != nil {
		return nil, err
	}
	known := new(identity)
	if err := json.Unmarshal(content, known); err != nil || known.Site == "" || known.Node == "" || known.ID == "" {
		return nil, &corruptError{path: d.join(identityFile), cause: fmt.Errorf("it says %q", content)}
	}
	return known, nil
}

// own makes a new directory this node's.
func (d *directory) own(site, node string) (*identity, error) {
	var random [4]byte
	rand.Read(random[:])
	minted := &identity{Site: site, Node: node, ID: hex.EncodeToString(random[:])}
	content, err := json.Marshal(minted)
	if err != nil {
		return nil, err
	}
	return minted, d.write(identityFile, append(content, '\n'))
}

// current names the live database, "" when there is none yet.
func (d *directory) current() (string, error) {
	content, err := d.read(currentFile)
	if content == nil || err != nil {
		return "", err
	}
	name := strings.TrimSuffix(string(content), "\n")
	if !strings.HasPrefix(name, databasePrefix) || name != d.fs.PathBase(name) {
		return "", &corruptError{path: d.join(currentFile), cause: fmt.Errorf("it says %q", content)}
	}
	return name, nil
}

func (d *directory) setCurrent(name string) error { return d.write(currentFile, []byte(name+"\n")) }

// unused returns the first name with the prefix that nothing in the directory has.
func (d *directory) unused(prefix string) (string, error) {
	taken, err := d.fs.List(d.path)
	if err != nil {
		return "", err
	}
	for number := 1; ; number++ {
		if name := fmt.Sprintf("%s%06d", prefix, number); !slices.Contains(taken, name) {
			return name, nil
		}
	}
}

// clean deletes what a crash left behind: databases that are not the current one, and checkpoints.
func (d *directory) clean(current string) error {
	names, err := d.fs.List(d.path)
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == current || !strings.HasPrefix(name, databasePrefix) && !strings.HasPrefix(name, checkpointPrefix) {
			continue
		}
		if err := d.fs.RemoveAll(d.join(name)); err != nil {
			return err
		}
	}
	return nil
}
