package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// siteLog takes what a recorder proposes.
type siteLog struct {
	mu       sync.Mutex // guards the fields below
	entries  []*deskpb.AuditEntry
	commands int
	fail     error // what a proposal answers; nil: it is taken
}

func (l *siteLog) propose(ctx context.Context, c *deskpb.Command) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.commands++
	if l.fail != nil {
		return l.fail
	}
	l.entries = append(l.entries, c.GetAddAudit().GetEntries()...)
	return ctx.Err()
}

func (l *siteLog) failing(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail = err
}

// told returns what the log has and how many proposals that took.
func (l *siteLog) told() (entries []*deskpb.AuditEntry, commands int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.entries, l.commands
}

// running starts a recorder inside a bubble; the function it returns stops it and waits.
func running(t *testing.T, l *siteLog) (*Recorder, func()) {
	t.Helper()
	r, err := New(Options{Propose: l.propose, Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { r.Run(ctx) })
	return r, func() { cancel(); done.Wait() }
}

func refused(actor string) *deskpb.AuditEntry {
	return &deskpb.AuditEntry{Action: "policy.apply", Actor: actor, Address: "10.0.0.7", Outcome: deskpb.AuditEntry_REFUSED, Reason: "AGENT may not"}
}

func TestEqualEntriesAreGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &siteLog{}
		r, stop := running(t, l)
		r.Record(refused("li"))
		time.Sleep(1500 * time.Millisecond)
		if entries, _ := l.told(); len(entries) != 1 || entries[0].Count != 1 || entries[0].Node != "n1" {
			t.Fatalf("a second after the first refusal the log has %v", entries)
		}
		for range 500 {
			r.Record(refused("li"))
			time.Sleep(10 * time.Millisecond)
		}
		r.Record(refused("wang"))
		time.Sleep(10 * time.Second)
		entries, commands := l.told()
		if len(entries) != 3 || entries[1].Actor != "wang" || entries[1].Count != 1 || entries[2].Actor != "li" || entries[2].Count != 500 {
			t.Errorf("the log has %v, want one more entry of li that stands for 500 and one of wang", entries)
		}
		if commands != 3 {
			t.Errorf("it took %d proposals, want 3", commands)
		}
		r.Record(refused("li"))
		time.Sleep(2 * time.Second)
		if entries, _ := l.told(); len(entries) != 4 {
			t.Errorf("after the gathering has ended the log has %d entries, want 4", len(entries))
		}
		stop()
	})
}

func TestEntriesThatDifferStayApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &siteLog{}
		r, stop := running(t, l)
		base := refused("li")
		changes := []func(*deskpb.AuditEntry){
			func(*deskpb.AuditEntry) {},
			func(e *deskpb.AuditEntry) { e.Action = "site.backup" },
			func(e *deskpb.AuditEntry) { e.Object = "x" },
			func(e *deskpb.AuditEntry) { e.Actor = "wang" },
			func(e *deskpb.AuditEntry) { e.Address = "::1" },
			func(e *deskpb.AuditEntry) { e.Session = "s" },
			func(e *deskpb.AuditEntry) { e.Reason = "another" },
			func(e *deskpb.AuditEntry) { e.Outcome = deskpb.AuditEntry_DONE },
		}
		for range 2 {
			for _, change := range changes {
				e := proto.CloneOf(base)
				change(e)
				r.Record(e)
			}
		}
		time.Sleep(2 * time.Second)
		entries, commands := l.told()
		if len(entries) != len(changes) || commands != 1 {
			t.Fatalf("%d entries came by %d proposals, want %d by one", len(entries), commands, len(changes))
		}
		for i, e := range entries {
			if e.Count != 2 {
				t.Errorf("entry %d stands for %d, want 2", i, e.Count)
			}
		}
		stop()
	})
}

// TestWhatFindsNoRoomIsCounted floods a recorder whose site takes nothing, with ever other entries.
func TestWhatFindsNoRoomIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &siteLog{fail: errors.New("no leader")}
		r, stop := running(t, l)
		const flood = mostWaiting + 700
		for i := range flood {
			r.Record(refused(fmt.Sprint("user-", i)))
		}
		time.Sleep(time.Minute)
		l.failing(nil)
		time.Sleep(3 * time.Second)
		entries, _ := l.told()
		if len(entries) != mostWaiting+1 {
			t.Fatalf("the log has %d entries, want the %d that found room and one of the others", len(entries), mostWaiting)
		}
		last := entries[mostWaiting]
		if last.Action != audit.Dropped || last.Count != 700 {
			t.Errorf("the last entry is %v, want one that 700 were lost", last)
		}
		if entries[0].Actor != "user-0" || entries[mostWaiting-1].Actor != fmt.Sprint("user-", mostWaiting-1) {
			t.Error("the entries came in another order than they were told in")
		}
		time.Sleep(time.Minute)
		if again, _ := l.told(); len(again) != len(entries) {
			t.Errorf("%d entries were told twice", len(again)-len(entries))
		}
		r.Record(refused("li"))
		time.Sleep(2 * time.Second)
		if again, _ := l.told(); len(again) != len(entries)+1 {
			t.Error("after the flood there is no room again")
		}
		stop()
	})
}

func TestWhatWaitsIsToldAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &siteLog{}
		r, stop := running(t, l)
		r.Record(refused("li"))
		time.Sleep(1500 * time.Millisecond)
		r.Record(refused("li"))
		stop()
		if entries, _ := l.told(); len(entries) != 2 {
			t.Errorf("at the end the log has %d entries, want both", len(entries))
		}
	})
}

// A recorder whose site is silent must end all the same, and Record must never wait for it.
func TestASilentSiteHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := func(ctx context.Context, _ *deskpb.Command) error { <-ctx.Done(); return ctx.Err() }
		r, err := New(Options{Propose: silent, Node: "n1"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { r.Run(ctx) })
		began := time.Now()
		for range 3 {
			r.Record(refused("li"))
			time.Sleep(time.Second)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("telling took %s", took-3*time.Second)
		}
		cancel()
		began = time.Now()
		done.Wait()
		if took := time.Since(began); took > lastPatience {
			t.Errorf("the end took %s, want at most %s", took, lastPatience)
		}
	})
}

func TestAnEntryThatIsWaitedFor(t *testing.T) {
	l := &siteLog{}
	r, err := New(Options{Propose: l.propose, Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	export := &deskpb.AuditEntry{Action: audit.ExportLog, Actor: "li", Outcome: deskpb.AuditEntry_DONE}
	if err := r.RecordNow(t.Context(), export); err != nil {
		t.Fatal(err)
	}
	if entries, _ := l.told(); len(entries) != 1 || entries[0].Node != "n1" || export.Node != "" {
		t.Errorf("the log has %v", entries)
	}
	cause := errors.New("no leader")
	l.failing(cause)
	if err := r.RecordNow(t.Context(), export); !errors.Is(err, cause) {
		t.Errorf("without a leader it answers %v, want why not", err)
	}
}
