package store

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// refusal opens the store and returns the error, which must be one line.
func refusal(t *testing.T, o Options) string {
	t.Helper()
	s, err := Open(o)
	if err == nil {
		mustClose(t, s)
		t.Fatal("the directory was opened")
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has more than one line: %q", err)
	}
	return err.Error()
}

func TestADirectoryOfAnotherSiteOrNodeIsRefused(t *testing.T) {
	fs := vfs.NewMem()
	mustClose(t, mustOpen(t, options(fs)))
	for _, test := range []struct{ site, node string }{{"330108", testNode}, {testSite, "n2"}} {
		o := options(fs)
		o.Site, o.Node = test.site, test.node
		want := "open data directory " + testDir + ": it belongs to node n1 of site 330106, not to node " + test.node + " of site " + test.site +
			": correct the configuration or choose another directory"
		if got := refusal(t, o); got != want {
			t.Errorf("error is %q, want %q", got, want)
		}
	}
	mustClose(t, mustOpen(t, options(fs)))
}

func TestADirectoryInUseIsRefused(t *testing.T) {
	for name, o := range map[string]Options{
		"in memory": options(vfs.NewMem()),
		"on disk":   {Dir: filepath.Join(t.TempDir(), "a", "b"), Site: testSite, Node: testNode},
	} {
		t.Run(name, func(t *testing.T) {
			s := mustOpen(t, o)
			want := "data directory " + o.Dir + " is in use by another tierdesk node"
			if got := refusal(t, o); !strings.HasPrefix(got, want) {
				t.Errorf("error is %q, want %q", got, want)
			}
			mustClose(t, s)
			mustClose(t, mustOpen(t, o))
		})
	}
}

func TestOptionsMustSayWhoseDirectoryItIs(t *testing.T) {
	for _, o := range []Options{{Site: testSite, Node: testNode}, {Dir: testDir, Node: testNode}, {Dir: testDir, Site: testSite}} {
		o.FS = vfs.NewMem()
		if got := refusal(t, o); !strings.HasPrefix(got, "store options: ") {
			t.Errorf("error is %q, want one about the options", got)
		}
	}
}

// filled makes a data directory on the real disk with tables and a log.
func filled(t *testing.T) Options {
	t.Helper()
	o := Options{Dir: t.TempDir(), Site: testSite, Node: testNode}
	s := mustOpen(t, o)
	commitTickets(t, s, 20)
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
	commitTickets(t, s, 20)
	mustClose(t, s)
	return o
}

// spoil changes one file that matches the pattern.
func spoil(t *testing.T, o Options, pattern string, change func(content []byte) []byte) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(o.Dir, pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("no file matches %s: %v", pattern, err)
	}
	path := found[len(found)-1]
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := change(content)
	if changed == nil {
		err = os.Remove(path)
	} else {
		err = os.WriteFile(path, changed, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// flip changes the byte at a fraction of a file.
func flip(fraction float64) func(content []byte) []byte {
	return func(content []byte) []byte {
		content[int(fraction*float64(len(content)))] ^= 0xff
		return content
	}
}

func TestDamageIsNamedWithWhatToDo(t *testing.T) {
	remove := func([]byte) []byte { return nil }
	for _, test := range []struct {
		name, pattern string
		change        func([]byte) []byte
	}{
		{"identity is no JSON", identityFile, func([]byte) []byte { return []byte("n1") }},
		{"identity is missing", identityFile, remove},
		{"current is nonsense", currentFile, func([]byte) []byte { return []byte("../db-000001\n") }},
		{"current is missing", currentFile, remove},
		{"current names no database", currentFile, func([]byte) []byte { return []byte("db-000007\n") }},
		{"manifest is nonsense", "db-*/MANIFEST-*", func([]byte) []byte { return []byte("nonsense") }},
		{"manifest is missing", "db-*/MANIFEST-*", remove},
		{"table is cut", "db-*/*.sst", func(content []byte) []byte { return content[:len(content)/2] }},
		{"table is missing", "db-*/*.sst", remove},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := filled(t)
			path := spoil(t, o, test.pattern, test.change)
			got := refusal(t, o)
			if !strings.Contains(got, filepath.Dir(path)) || !strings.Contains(got, "is corrupt") || !strings.HasSuffix(got, advice) {
				t.Errorf("error is %q, want one that names %s and ends with the advice", got, path)
			}
			if left, _ := filepath.Glob(filepath.Join(o.Dir, "db-*")); len(left) != 1 {
				t.Errorf("after the refusal the directory holds the databases %v, want the one it had", left)
			}
		})
	}
}

// TestADamagedLogIsNeverMisread damages the database's log in many places. Where the database can tell damage from the
// unclean end that a crash leaves, it is refused; otherwise the state ends before it, as after a crash.
func TestADamagedLogIsNeverMisread(t *testing.T) {
	for _, fraction := range []float64{0.0005, 0.1, 0.25, 0.5, 0.75, 0.99} {
		t.Run(fmt.Sprint(fraction), func(t *testing.T) {
			o := Options{Dir: t.TempDir(), Site: testSite, Node: testNode}
			s := mustOpen(t, o)
			history := []string{dump(t, s)}
			for entry := range 20 {
				number := fmt.Sprintf("330106-20261121-%04d", entry)
				commit(t, s, func(b *Batch) error {
					return b.PutTicket(ticket(number, func(k *deskpb.Ticket) { k.Description = strings.Repeat("明", 1500) }))
				})
				history = append(history, dump(t, s))
			}
			if err := s.SetMark(20, 1, nil); err != nil {
				t.Fatal(err)
			}
			commit(t, s, func(b *Batch) error { return b.PutSequence("20261121", 1) })
			mustClose(t, s)
			spoil(t, o, "db-*/*.log", flip(fraction))

			s, err := Open(o)
			if err != nil {
				if !strings.Contains(err.Error(), "is corrupt") || !strings.HasSuffix(err.Error(), advice) {
					t.Errorf("error is %q, want one that says what to do", err)
				}
				return
			}
			defer mustClose(t, s)
			if at := s.Applied(); at > 20 || dump(t, s) != history[at] {
				t.Errorf("the state says that it is the one after entry %d of 21, and is not", at)
			}
		})
	}
}

func TestADamagedTableIsNamedWhenItIsRead(t *testing.T) {
	o := filled(t)
	path := spoil(t, o, "db-*/*.sst", func(content []byte) []byte {
		content[10] ^= 0xff
		return content
	})
	s, err := Open(o)
	if err == nil {
		err = s.View(func(r *Reader) error {
			return r.scan(between(nil, nil), func(_, _ []byte) (bool, error) { return true, nil })
		})
		mustClose(t, s)
	}
	if err == nil || !strings.Contains(err.Error(), path+" is corrupt") || !strings.HasSuffix(err.Error(), advice) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error is %v, want one line that names %s and what to do", err, path)
	}
}

func TestANewerFormatIsRefusedByName(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, options(fs))
	if err := s.db.Set(metaKey(metaFormat), []byte{0, 0, 0, format + 1}, pebble.Sync); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	if got, want := refusal(t, options(fs)), "has format 2, this tierdesk knows formats up to 1: run the newer tierdesk that wrote it"; !strings.HasSuffix(got, want) {
		t.Errorf("error is %q, want it to end with %q", got, want)
	}
}

func TestWhatACrashLeftBehindIsDeletedAndNothingElse(t *testing.T) {
	fs := vfs.NewMem()
	mustClose(t, mustOpen(t, options(fs)))
	for _, name := range []string{"db-000009/x", "checkpoint-000001/x", "raft/raft.db", "db.txt"} {
		path := fs.PathJoin(testDir, name)
		if err := fs.MkdirAll(fs.PathDir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		f, err := fs.Create(path, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	mustClose(t, mustOpen(t, options(fs)))
	for name, want := range map[string]bool{"db-000001": true, "db-000009": false, "checkpoint-000001": false, "raft/raft.db": true, "db.txt": true} {
		if _, err := fs.Stat(fs.PathJoin(testDir, name)); (err == nil) != want {
			t.Errorf("after an open, %s is there: %t, want %t", name, err == nil, want)
		}
	}
}

func TestTheFilesOfADirectoryReadAsDocumented(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, options(fs))
	defer mustClose(t, s)
	for name, want := range map[string]string{
		identityFile: `{"site":"330106","node":"n1","id":"` + strings.TrimPrefix(s.ServerID(), "n1-") + "\"}\n",
		currentFile:  "db-000001\n",
	} {
		f, err := fs.Open(fs.PathJoin(testDir, name))
		if err != nil {
			t.Fatal(err)
		}
		if content, err := io.ReadAll(f); string(content) != want || err != nil {
			t.Errorf("%s holds %q, %v, want %q", name, content, err, want)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
