package store

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"
)

func TestARestoredStoreEqualsTheOneOfTheCheckpoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to := mustOpen(t, options(vfs.NewMem())), mustOpen(t, nodeTwo(vfs.NewMem()))
		defer mustClose(t, from)
		for range rapid.IntRange(0, 4).Draw(t, "entries") {
			putSome(t, from, model{})
			switch rapid.IntRange(0, 3).Draw(t, "then") {
			case 0:
				if err := from.SetMark(from.Applied()+uint64(rapid.IntRange(0, 2).Draw(t, "gap")), 2, []byte("at the mark")); err != nil {
					t.Fatalf("mark: %v", err)
				}
			case 1:
				if err := from.Configuration(from.Applied()+1, 2, []byte("at the entry")); err != nil {
					t.Fatalf("configuration: %v", err)
				}
			case 2:
				if err := from.db.Flush(); err != nil {
					t.Fatalf("flush: %v", err)
				}
			}
		}
		stream, size, index, term, configuration, err := from.Checkpoint()
		if err != nil {
			t.Fatalf("checkpoint: %v", err)
		}
		want, id := dump(t, from), to.ServerID()
		// The copy stands still while the log goes on.
		commit(t, from, func(b *Batch) error { return b.PutSequence("20261122", 1) })
		counted := &counter{from: stream}
		if err := errors.Join(to.Restore(counted), stream.Close()); err != nil {
			t.Fatalf("restore: %v", err)
		}
		if counted.bytes != size {
			t.Fatalf("the stream had %d bytes, %d were announced", counted.bytes, size)
		}
		check := func() {
			t.Helper()
			if got := dump(t, to); got != want {
				t.Fatalf("restored state:\n%swant:\n%s", got, want)
			}
			markIndex, markTerm, markConfiguration, err := to.Mark()
			if to.Applied() != index || markIndex != index || markTerm != term || !bytes.Equal(markConfiguration, configuration) || err != nil {
				t.Fatalf("restored at %d with mark %d, %d, %q, %v, want %d, %d, %q", to.Applied(), markIndex, markTerm, markConfiguration, err,
					index, term, configuration)
			}
			if to.ServerID() != id {
				t.Fatalf("server id became %s, want %s", to.ServerID(), id)
			}
		}
		check()
		fs := to.options.FS
		mustClose(t, to)
		to = mustOpen(t, nodeTwo(fs))
		defer mustClose(t, to)
		check()
		commit(t, to, func(b *Batch) error { return b.PutSequence("20261122", 1) })
	})
}

func nodeTwo(fs vfs.FS) Options {
	o := options(fs)
	o.Node = "n2"
	return o
}

type counter struct {
	from  io.Reader
	bytes int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.bytes += int64(n)
	return n, err
}

// rewrite copies an archive, changing what change says; change may drop an entry by returning nil.
func rewrite(t *testing.T, archive []byte, change func(*tar.Header, []byte) (*tar.Header, []byte)) []byte {
	t.Helper()
	var out bytes.Buffer
	to := tar.NewWriter(&out)
	for from := tar.NewReader(bytes.NewReader(archive)); ; {
		entry, err := from.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(from)
		if err != nil {
			t.Fatal(err)
		}
		if entry, content = change(entry, content); entry == nil {
			continue
		}
		entry.Size = int64(len(content))
		if err := to.WriteHeader(entry); err != nil {
			t.Fatal(err)
		}
		if _, err := to.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func isLog(name string) bool { return strings.HasSuffix(name, ".log") }

func TestADamagedStreamChangesNothing(t *testing.T) {
	from := openTest(t)
	commitTickets(t, from, 5)
	whole := checkpointBytes(t, from)
	foreign := options(vfs.NewMem())
	foreign.Site = "330108"
	other := mustOpen(t, foreign)
	commitTickets(t, other, 5)
	ofOther := checkpointBytes(t, other)
	mustClose(t, other)

	for _, test := range []struct {
		name   string
		stream []byte
		want   string
	}{
		{"nothing", nil, "restore: the checkpoint ends before its checksum: send it again"},
		{"cut in the middle", whole[:len(whole)/2], "restore: "},
		{"cut before the checksum", rewrite(t, whole, func(h *tar.Header, content []byte) (*tar.Header, []byte) {
			if h.Name == checksumFile {
				return nil, nil
			}
			return h, content
		}), "restore: the checkpoint ends before its checksum: send it again"},
		{"a changed byte", rewrite(t, whole, func(h *tar.Header, content []byte) (*tar.Header, []byte) {
			if isLog(h.Name) {
				content[len(content)/2] ^= 1
			}
			return h, content
		}), "restore: the checkpoint does not fit its checksum: send it again"},
		{"a missing file", rewrite(t, whole, func(h *tar.Header, content []byte) (*tar.Header, []byte) {
			if isLog(h.Name) {
				return nil, nil
			}
			return h, content
		}), "restore: the checkpoint does not fit its checksum: send it again"},
		{"a path that leads outside", rewrite(t, whole, func(h *tar.Header, content []byte) (*tar.Header, []byte) {
			h.Name = "../" + h.Name
			return h, content
		}), "which is not a plain file: send one that tierdesk made"},
		{"something behind the checksum", append(bytes.TrimRight(whole, "\x00"), make([]byte, 600)...), "restore: "},
		{"another site's", ofOther, "is the state of site 330108, not of site 330106: use the data of this site"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fs := vfs.NewMem()
			s := mustOpen(t, options(fs))
			defer mustClose(t, s)
			commitTickets(t, s, 2)
			before, stand := dump(t, s), s.Applied()
			err := s.Restore(bytes.NewReader(test.stream))
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error is %v, want one line with %q", err, test.want)
			}
			if dump(t, s) != before || s.Applied() != stand {
				t.Error("the refused stream changed the state")
			}
			checkTidy(t, fs)
			commitTickets(t, s, 1)
		})
	}
}

func TestAStreamCanBeClosedUnread(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, options(fs))
	defer mustClose(t, s)
	commitTickets(t, s, 3)
	stream, _, _, _, _, err := s.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	checkTidy(t, fs)
}

// TestViewsAndCheckpointsGoOnWhileStatesAreReplaced shows under the race detector that nobody meets a closed database.
func TestViewsAndCheckpointsGoOnWhileStatesAreReplaced(t *testing.T) {
	s := openTest(t)
	commitTickets(t, s, 5)
	stream := checkpointBytes(t, s)
	want := dump(t, s)
	stop := make(chan struct{})
	var others sync.WaitGroup
	work := func(do func() error) {
		others.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := do(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	work(func() error {
		return s.View(func(r *Reader) error {
			var all strings.Builder
			err := eachRow(r, func(key, value []byte) { fmt.Fprintf(&all, "%x = %x\n", key, value) })
			if err == nil && all.String() != want {
				err = errors.New("a view saw a state that never was")
			}
			return err
		})
	})
	work(func() error {
		copied, _, _, _, _, err := s.Checkpoint()
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, copied)
		return errors.Join(err, copied.Close())
	})
	work(func() error { return s.SetMark(3, 1, nil) })
	for range 10 {
		if err := s.Restore(bytes.NewReader(stream)); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	others.Wait()
}
