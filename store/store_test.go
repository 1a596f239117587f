package store

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

const (
	testSite = "330106"
	testNode = "n1"
	testDir  = "/var/lib/tierdesk"
)

func TestMain(m *testing.M) {
	if disk := os.Getenv(brokenDisk); disk != "" {
		os.Exit(workOn(disk))
	}
	goleak.VerifyTestMain(m)
}

// tb is what testing.TB and rapid.T have in common.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
}

func options(fs vfs.FS) Options {
	return Options{Dir: testDir, FS: fs, Site: testSite, Node: testNode, CacheBytes: 1 << 20, Logger: slog.New(slog.DiscardHandler)}
}

func mustOpen(t tb, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return s
}

func mustClose(t tb, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
}

// openTest opens a store in memory that lives as long as the test.
func openTest(t *testing.T) *Store {
	t.Helper()
	s := mustOpen(t, options(vfs.NewMem()))
	t.Cleanup(func() { mustClose(t, s) })
	return s
}

// commit applies writes as the next log entry.
func commit(t tb, s *Store, write func(*Batch) error) {
	t.Helper()
	b := s.NewBatch()
	defer b.Discard()
	if err := write(b); err != nil {
		t.Fatalf("write: %v", err)
	}
	if err := b.Commit(s.Applied()+1, 1); err != nil {
		t.Fatalf("commit: %v", err)
	}
}

func view(t tb, s *Store, read func(*Reader) error) {
	t.Helper()
	if err := s.View(read); err != nil {
		t.Fatalf("view: %v", err)
	}
}

// eachRow visits every row but the mark, which is not part of what the log entries made.
func eachRow(r *Reader, visit func(key, value []byte)) error {
	return r.scan(between(nil, nil), func(key, value []byte) (bool, error) {
		if string(key) != string(metaKey(metaMark)) {
			visit(key, value)
		}
		return true, nil
	})
}

// dump renders the state, without the mark, so that states can be compared whole.
func dump(t tb, s *Store) string {
	t.Helper()
	var all strings.Builder
	view(t, s, func(r *Reader) error {
		return eachRow(r, func(key, value []byte) { fmt.Fprintf(&all, "%x = %x\n", key, value) })
	})
	return all.String()
}

func at(micros int64) *timestamppb.Timestamp { return timestamppb.New(time.UnixMicro(micros)) }

func ticket(number string, change func(*deskpb.Ticket)) *deskpb.Record {
	t := &deskpb.Ticket{
		Number: number, State: deskpb.Ticket_NEW, Title: "打印机不工作", Priority: 3, HomeSite: testSite,
		CustodianSite: testSite, CustodyTerm: 1, UpdateTime: at(1000),
	}
	if change != nil {
		change(t)
	}
	return &deskpb.Record{Ticket: t, Path: []string{testSite, "330100", "330000"}}
}

func event(t tb, number string, micros int64, sequence uint64, text string) desk.Sealed {
	t.Helper()
	e := &deskpb.Event{
		Ticket: number, Id: &deskpb.EventID{Site: testSite, Incarnation: 7, Sequence: sequence},
		Class: deskpb.Event_REMARK, Type: deskpb.Event_NOTED, Time: micros, Body: &deskpb.Body{Text: text},
	}
	return seal(t, e)
}

func seal(t tb, e *deskpb.Event) desk.Sealed {
	t.Helper()
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(e)
	if err != nil {
		t.Fatalf("encode event: %v", err)
	}
	return desk.Sealed{Event: e, Raw: raw}
}

func TestTheStateSurvivesAReopen(t *testing.T) {
	fs := vfs.NewMem()
	first := mustOpen(t, options(fs))
	commit(t, first, func(b *Batch) error { return b.PutTicket(ticket("330106-20261121-0001", nil)) })
	if err := first.Configuration(5, 2, []byte("three nodes")); err != nil {
		t.Fatal(err)
	}
	before, id := dump(t, first), first.ServerID()
	mustClose(t, first)

	second := mustOpen(t, options(fs))
	defer mustClose(t, second)
	if got := second.Applied(); got != 5 {
		t.Errorf("applied index is %d after a reopen, want 5", got)
	}
	if got := dump(t, second); got != before {
		t.Errorf("state after a reopen:\n%swant:\n%s", got, before)
	}
	if got := second.ServerID(); got != id || !strings.HasPrefix(got, "n1-") || len(got) != len("n1-")+8 {
		t.Errorf("server id is %q after a reopen, want %q: the node and eight digits", got, id)
	}
}

func TestAnEmptiedDirectoryIsAnotherServer(t *testing.T) {
	ids := map[string]bool{}
	for range 3 {
		s := mustOpen(t, options(vfs.NewMem()))
		ids[s.ServerID()] = true
		mustClose(t, s)
	}
	if len(ids) != 3 {
		t.Errorf("three directories have the server ids %v, want three different ones", ids)
	}
}

func TestABatchReadsItsOwnWritesAndNobodyElseDoesBeforeCommit(t *testing.T) {
	s := openTest(t)
	b := s.NewBatch()
	defer b.Discard()
	if err := b.PutSequence("20261121", 42); err != nil {
		t.Fatal(err)
	}
	if got, err := b.LastSequence("20261121"); got != 42 || err != nil {
		t.Errorf("the batch reads %d, %v, want 42", got, err)
	}
	read := func(r *Reader) error {
		got, err := r.LastSequence("20261121")
		if got != 0 {
			t.Errorf("a view reads %d before the commit, want 0", got)
		}
		return err
	}
	view(t, s, read)
	b.Discard()
	view(t, s, read)
	if s.Applied() != 0 {
		t.Errorf("applied index is %d after a discarded batch, want 0", s.Applied())
	}
}

func TestAViewStaysAsItWasWhileTheLogGoesOn(t *testing.T) {
	s := openTest(t)
	view(t, s, func(r *Reader) error {
		commit(t, s, func(b *Batch) error { return b.PutSequence("20261121", 1) })
		got, err := r.LastSequence("20261121")
		if got != 0 {
			t.Errorf("a view that is older than the commit reads %d, want 0", got)
		}
		return err
	})
}

func TestLogEntriesAreCommittedOnceAndInOrder(t *testing.T) {
	s := openTest(t)
	for _, step := range []struct {
		index uint64
		err   string
	}{
		{3, ""},
		{3, "commit log entry 3: the store is at 3 already"},
		{2, "commit log entry 2: the store is at 3 already"},
		{4, ""},
	} {
		b := s.NewBatch()
		if err := b.PutSequence("20261121", uint32(step.index)); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(b.Commit(step.index, 1)); got != step.err && (step.err != "" || got != "<nil>") {
			t.Errorf("commit of entry %d: %s, want %q", step.index, got, step.err)
		}
	}
	ended := s.NewBatch()
	ended.Discard()
	if err := ended.Commit(9, 1); err == nil || s.Applied() != 4 {
		t.Errorf("commit of a discarded batch: error %v, applied index %d, want an error and 4", err, s.Applied())
	}
}

func TestTheMarkCountsAsAppliedAndNeverGoesBack(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, options(fs))
	if index, _, _, err := s.Mark(); index != 0 || err != nil {
		t.Fatalf("mark of a new store: %d, %v, want 0", index, err)
	}
	if err := s.Configuration(2, 1, []byte("one node")); err != nil {
		t.Fatal(err)
	}
	if err := s.SetMark(4, 2, []byte("one node")); err != nil {
		t.Fatal(err)
	}
	if err := s.SetMark(3, 1, []byte("late")); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	s = mustOpen(t, options(fs))
	defer mustClose(t, s)
	index, term, configuration, err := s.Mark()
	if index != 4 || term != 2 || string(configuration) != "one node" || err != nil {
		t.Errorf("mark is %d, %d, %q, %v, want 4, 2, one node", index, term, configuration, err)
	}
	if s.Applied() != 4 {
		t.Errorf("applied index is %d, want the mark's 4", s.Applied())
	}
	if err := s.Configuration(4, 2, nil); err == nil {
		t.Error("an entry at the mark was committed again")
	}
}

func TestAClosedStoreSaysSo(t *testing.T) {
	s := mustOpen(t, options(vfs.NewMem()))
	mustClose(t, s)
	_, _, _, _, _, checkpoint := s.Checkpoint()
	for name, err := range map[string]error{
		"View":          s.View(func(*Reader) error { return nil }),
		"Configuration": s.Configuration(1, 1, nil),
		"SetMark":       s.SetMark(1, 1, nil),
		"Checkpoint":    checkpoint,
		"Restore":       s.Restore(strings.NewReader("")),
		"Close":         s.Close(),
	} {
		if err != ErrClosed {
			t.Errorf("%s after Close: %v, want ErrClosed", name, err)
		}
	}
}
