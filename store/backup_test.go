package store

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// founded commits some tickets and then a site as it is when it was founded.
func founded(t *testing.T, s *Store) *deskpb.Site {
	t.Helper()
	commitTickets(t, s, 5)
	site := &deskpb.Site{Id: s.options.Site, Name: "西湖区", Tier: deskpb.Site_COUNTY, Incarnation: 7, Clock: 1_000_000}
	commit(t, s, func(b *Batch) error { return b.PutSite(site) })
	return site
}

// backupBytes is a whole backup, held against what was said of it.
func backupBytes(t *testing.T, s *Store) []byte {
	t.Helper()
	r, size, m, err := s.Backup()
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	if int64(len(content)) != size {
		t.Errorf("the backup has %d bytes, %d were announced", len(content), size)
	}
	if m.Site != s.options.Site || m.Name != "西湖区" || m.Node != s.options.Node || m.Index != s.Applied() ||
		!m.Time.Equal(time.UnixMicro(1_000_000)) {
		t.Errorf("the backup says that it is %+v, want site %s as node %s has it at entry %d", m, s.options.Site, s.options.Node, s.Applied())
	}
	if verified, err := VerifyBackup(bytes.NewReader(content)); err != nil || verified != m {
		t.Errorf("the backup says when it is read: %+v, %v, want %+v", verified, err, m)
	}
	return content
}

// backedUp is a founded store that is closed, and a backup of it.
func backedUp(t *testing.T) (backup []byte, want string, site *deskpb.Site, at uint64) {
	t.Helper()
	s := openTest(t)
	site = founded(t, s)
	return backupBytes(t, s), dump(t, s), site, s.Applied()
}

func TestARestoredDirectoryHasTheBackupsState(t *testing.T) {
	backup, _, site, at := backedUp(t)
	o := nodeTwo(vfs.NewMem())
	r, err := BeginRestore(o, bytes.NewReader(backup))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(o); err == nil {
		t.Fatal("the directory is opened while it is restored")
	}
	view(t, r.store, func(reader *Reader) error {
		known, err := reader.Site()
		if known.GetName() != site.Name {
			t.Errorf("before the restore is complete the site is %v", known)
		}
		return err
	})
	if err := r.Complete([]byte("alone")); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, o)
	defer mustClose(t, s)
	if s.ServerID() != r.ServerID || !strings.HasPrefix(s.ServerID(), "n2-") {
		t.Errorf("the server id is %s, want %s", s.ServerID(), r.ServerID)
	}
	index, term, membership, err := s.Mark()
	if err != nil || s.Applied() != at || index != at || term != 1 || string(membership) != "alone" {
		t.Errorf("restored at %d with mark %d of term %d, %q, %v; want %d of term 1, alone", s.Applied(), index, term, membership, err, at)
	}
	view(t, s, func(reader *Reader) error {
		known, err := reader.Site()
		want := proto.CloneOf(site)
		want.Restored = true
		if !proto.Equal(known, want) {
			t.Errorf("the site is %v, want %v", known, want)
		}
		page, pageErr := reader.Tickets(Query{Index: ByNumber, Limit: 10})
		if len(page.Records) == 0 {
			t.Error("the tickets are gone")
		}
		return errors.Join(err, pageErr)
	})
	checkTidy(t, o.FS)
	commit(t, s, func(b *Batch) error { return b.PutSequence("20261122", 1) })
}

// emptied fails the test unless a directory can be restored into.
func emptied(t *testing.T, o Options) {
	t.Helper()
	names, err := o.FS.List(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if left := slices.DeleteFunc(names, func(name string) bool { return name == lockFile }); len(left) > 0 {
		t.Errorf("the directory still holds %v", left)
	}
}

func TestABackupThatCannotBeUsedIsRefusedByName(t *testing.T) {
	backup, _, _, _ := backedUp(t)
	newer, err := Manifest{Format: backupFormat + 1, Site: "330106"}.member()
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := Manifest{Format: backupFormat, Site: "330108", Name: "滨江区"}.member()
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := Manifest{Format: backupFormat, Site: "330106", Index: 1, Term: 1}.member()
	if err != nil {
		t.Fatal(err)
	}
	_, _, checkpoint := split(t, backup)
	for _, c := range []struct {
		name   string
		backup []byte
		want   string
	}{
		{"nothing", nil, "it is no backup"},
		{"another file", []byte(strings.Repeat("x", 2000)), "it is no backup"},
		{"a bare checkpoint", checkpoint, "it is no backup"},
		{"of a newer program", newer, "use the newer tierdesk that wrote it"},
		{"of another site", foreign, "the backup is of site 330108 滨江区, this is a node of site 330106"},
		{"cut in its first lines", backup[:600], "ends inside its first lines"},
		{"cut behind its first lines", backup[:len(backup)/2], "ends inside its file"},
		{"without its checksum", backup[:len(backup)-4*tarBlock], "ends before its checksum"},
		{"first lines of another backup", slices.Concat(elsewhere, checkpoint), "its first lines say 1 of 1"},
		{"wrong in its first lines", changed(backup, tarBlock+20), "damaged in its first lines"},
		{"wrong in the middle", changed(backup, len(backup)/2), "does not fit its checksum"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(vfs.NewMem())
			r, err := BeginRestore(o, bytes.NewReader(c.backup))
			if err == nil {
				_ = r.Abandon()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("it says %v, want %q", err, c.want)
			}
			if _, err := o.FS.Stat(o.Dir); err == nil {
				emptied(t, o)
			}
		})
	}
}

// split takes a backup apart.
func split(t *testing.T, backup []byte) (Manifest, []byte, []byte) {
	t.Helper()
	rest := bytes.NewReader(backup)
	m, err := ReadManifest(rest)
	if err != nil {
		t.Fatal(err)
	}
	begin := len(backup) - rest.Len()
	return m, backup[:begin], backup[begin:]
}

func changed(backup []byte, at int) []byte {
	other := bytes.Clone(backup)
	other[at] ^= 0x10
	return other
}

// A bit that flips in a backup is noticed, or lies where nothing is written.
func TestADamagedBackupNeverBecomesAnotherState(t *testing.T) {
	backup, _, _, _ := backedUp(t)
	r, err := BeginRestore(options(vfs.NewMem()), bytes.NewReader(backup))
	if err != nil {
		t.Fatal(err)
	}
	want := dump(t, r.store)
	if err := r.Abandon(); err != nil {
		t.Fatal(err)
	}
	rng, noticed := rand.New(rand.NewPCG(1, 2)), 0
	const flips = 150
	for range flips {
		at := rng.IntN(len(backup))
		o := options(vfs.NewMem())
		r, err := BeginRestore(o, bytes.NewReader(changed(backup, at)))
		if err != nil {
			noticed++
			continue
		}
		if got := dump(t, r.store); got != want {
			t.Errorf("with another byte at %d the state is another one", at)
		}
		if err := r.Abandon(); err != nil {
			t.Error(err)
		}
	}
	if noticed < flips/3 {
		t.Errorf("only %d of %d flips were noticed", noticed, flips)
	}
}

func TestADirectoryWithSomethingInItIsNotRestoredInto(t *testing.T) {
	backup, _, _, _ := backedUp(t)
	o := filled(t)
	before := mustOpen(t, o)
	want, id := dump(t, before), before.ServerID()
	mustClose(t, before)
	_, err := BeginRestore(o, bytes.NewReader(backup))
	if err == nil || !strings.Contains(err.Error(), o.Dir) || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("it says %v, want that %s is not empty", err, o.Dir)
	}
	after := mustOpen(t, o)
	defer mustClose(t, after)
	if dump(t, after) != want || after.ServerID() != id {
		t.Error("the refused restore has changed the directory")
	}
}

// Whatever moment the power fails at: the directory is the restored one, or a node refuses it and it can be restored
// into, or nothing has happened to it yet.
func TestACrashDuringARestoreNeverLeavesHalfOfIt(t *testing.T) {
	backup, _, _, at := backedUp(t)
	for seed := range uint64(3) {
		c := newCrashes(seed, 1, anyPart)
		o := options(c.fs())
		c.begin()
		r, err := BeginRestore(o, bytes.NewReader(backup))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Complete([]byte("alone")); err != nil {
			t.Fatal(err)
		}
		seen := c.end("the restore returned")
		for i, crash := range seen {
			disk := options(crash.disk)
			s, err := Open(disk)
			last := i == len(seen)-1
			switch {
			case errors.Is(err, errRestoring) && !last:
				again, err := BeginRestore(disk, bytes.NewReader(backup))
				if err != nil {
					t.Fatalf("before %s, %s: it cannot be restored into again: %v", crash.before, crash.lost, err)
				}
				if err := again.Complete([]byte("alone")); err != nil {
					t.Fatalf("before %s, %s: it cannot be restored into again: %v", crash.before, crash.lost, err)
				}
				s = mustOpen(t, disk)
			case err != nil:
				t.Fatalf("before %s, %s: %v", crash.before, crash.lost, err)
			case s.Applied() == 0 && !last: // a directory as it was made
				mustClose(t, s)
				continue
			}
			var site *deskpb.Site
			view(t, s, func(reader *Reader) (err error) { site, err = reader.Site(); return err })
			if s.Applied() != at || !site.GetRestored() {
				t.Errorf("before %s, %s: the state stands at %d, want %d, and the site is %v", crash.before, crash.lost, s.Applied(), at, site)
			}
			mustClose(t, s)
		}
	}
}

func TestASiteThatIsNotFoundedHasNoBackup(t *testing.T) {
	s := openTest(t)
	if _, _, _, err := s.Backup(); err == nil || !strings.Contains(err.Error(), "is not founded") {
		t.Errorf("it says %v, want that the site is not founded", err)
	}
}

func FuzzABackup(f *testing.F) {
	member, err := Manifest{Format: backupFormat, Site: "330106", Name: "西湖区", Index: 7, Term: 1}.member()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(member)
	f.Add(member[:len(member)/2])
	f.Add([]byte(strings.Repeat("x", 2*tarBlock)))
	f.Fuzz(func(t *testing.T, content []byte) {
		m, err := ReadManifest(bytes.NewReader(content))
		if err != nil {
			return
		}
		again, err := m.member()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if back, err := ReadManifest(bytes.NewReader(again)); err != nil || back != m {
			t.Errorf("read %+v, written and read again %+v, %v", m, back, err)
		}
	})
}
