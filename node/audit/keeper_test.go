package audit

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// storedSite is a site of one node whose log is a mutex.
type storedSite struct {
	t       *testing.T
	store   *store.Store
	mu      sync.Mutex // guards the fields below, and the store's one batch
	leading bool
	changed chan struct{}
	signed  []uint64
}

func newStoredSite(t *testing.T) *storedSite {
	t.Helper()
	s, err := store.Open(store.Options{Dir: "data", FS: vfs.NewMem(), Site: "330106", Node: "n1", CacheBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return &storedSite{t: t, store: s, leading: true, changed: make(chan struct{})}
}

func (s *storedSite) close() {
	if err := s.store.Close(); err != nil {
		s.t.Error(err)
	}
}

func (s *storedSite) commit(write func(b *store.Batch) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.store.NewBatch()
	defer b.Discard()
	if err := write(b); err != nil {
		s.t.Error(err)
	}
	if err := b.Commit(s.store.Applied()+1, 1); err != nil {
		s.t.Error(err)
	}
}

// grow appends entries to the audit log.
func (s *storedSite) grow(n int) {
	for range n {
		s.commit(func(b *store.Batch) error {
			sequence, hash, err := b.AuditStanding()
			if err != nil {
				return err
			}
			raw, err := audit.Encode(&deskpb.AuditEntry{Sequence: sequence + 1, Previous: hash, Incarnation: 7, Action: audit.SignIn})
			if err != nil {
				return err
			}
			return b.PutAudit(store.AuditRow{Sequence: sequence + 1, Raw: raw}, audit.Hash(raw))
		})
	}
}

func (s *storedSite) Propose(_ context.Context, c *deskpb.Command) (*deskpb.Result, error) {
	checkpoint := c.GetPutCheckpoint()
	if err := audit.CheckSignature(checkpoint.GetCheckpoint(), nil); err != nil {
		s.t.Errorf("a checkpoint is signed wrongly: %v", err)
	}
	s.commit(func(b *store.Batch) error { return b.AddCheckpoint(checkpoint, time.Now().UnixMicro()) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signed = append(s.signed, checkpoint.GetCheckpoint().GetSequence())
	return &deskpb.Result{}, nil
}

func (s *storedSite) View(read func(*store.Reader) error) error { return s.store.View(read) }

func (s *storedSite) Leading() (bool, uint64, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leading, 1, s.changed
}

func (s *storedSite) lead(leading bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leading = leading
	close(s.changed)
	s.changed = make(chan struct{})
}

// checkpoints are the entries of which checkpoints were signed.
func (s *storedSite) checkpoints() []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.signed)
}

func keeper(t *testing.T, s *storedSite) *Keeper {
	t.Helper()
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return &Keeper{Site: s, SiteID: "330106", Node: "n1", Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		Sign: func(message []byte) (Signature, error) {
			return Signature{PublicKey: der, Signature: ed25519.Sign(key, message)}, nil
		}}
}

// TestCheckpointsAreSignedInTime follows a leader through hours: one at the first entry, one an hour while there is something new,
// and one after a thousand entries.
func TestCheckpointsAreSignedInTime(t *testing.T) {
	s := newStoredSite(t)
	defer s.close()
	k, now := keeper(t, s), time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	k.Now = func() time.Time { return now }
	for _, step := range []struct {
		what    string
		entries int
		later   time.Duration
		want    []uint64
	}{
		{"before the first entry", 0, time.Hour, nil},
		{"the first entry", 1, time.Second, []uint64{1}},
		{"within the hour", 2, 59 * time.Minute, []uint64{1}},
		{"after an hour", 0, time.Minute, []uint64{1, 3}},
		{"nothing new", 0, 5 * time.Hour, []uint64{1, 3}},
		{"the next one", 1, time.Second, []uint64{1, 3, 4}},
		{"many entries", checkpointEntries, time.Second, []uint64{1, 3, 4, 4 + checkpointEntries}},
	} {
		s.grow(step.entries)
		now = now.Add(step.later)
		k.look(t.Context(), flushPatience, checkpointAge)
		if got := s.checkpoints(); !slices.Equal(got, step.want) {
			t.Fatalf("%s: checkpoints of the entries %v, want %v", step.what, got, step.want)
		}
	}
}

// TestALeaderSignsWhenItBeginsAndWhenItEnds runs a keeper: a follower signs nothing, a leader at once, and again at the end.
func TestALeaderSignsWhenItBeginsAndWhenItEnds(t *testing.T) {
	s := newStoredSite(t)
	defer s.close()
	s.lead(false)
	s.grow(2)
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { keeper(t, s).Run(ctx) })
	s.lead(true)
	for len(s.checkpoints()) == 0 && t.Context().Err() == nil {
		runtime.Gosched()
	}
	s.grow(3)
	cancel()
	done.Wait()
	if got := s.checkpoints(); !slices.Equal(got, []uint64{2, 5}) {
		t.Errorf("checkpoints of the entries %v, want one when it began to lead and one at the end", got)
	}
	s.grow(1)
	s.lead(false)
	ended, end := context.WithCancel(t.Context())
	end()
	keeper(t, s).Run(ended)
	if got := s.checkpoints(); len(got) != 2 {
		t.Errorf("a follower that ends signs %v", got)
	}
}

// A leader does not sign a log whose last entry is not the one that was written.
func TestAChangedEndIsNotSigned(t *testing.T) {
	s := newStoredSite(t)
	defer s.close()
	s.grow(3)
	s.commit(func(b *store.Batch) error {
		return b.PutAudit(store.AuditRow{Sequence: 3, Raw: []byte("forged")}, make([]byte, 32))
	})
	k := keeper(t, s)
	err := s.View(func(r *store.Reader) error {
		c, err := k.due(r, 0)
		if c != nil {
			t.Errorf("a checkpoint of entry %d was to be signed", c.Sequence)
		}
		return err
	})
	if err == nil {
		t.Error("nobody says that the last entry is another one")
	}
}

// TestAKeyThatDoesNotSignIsToldOnce has a leader try again and again: the log says why once, and once more when that is another reason.
func TestAKeyThatDoesNotSignIsToldOnce(t *testing.T) {
	s := newStoredSite(t)
	defer s.close()
	k, sign := keeper(t, s), error(nil)
	works := k.Sign
	k.Sign = func(message []byte) (Signature, error) {
		if sign != nil {
			return Signature{}, sign
		}
		return works(message)
	}
	var log bytes.Buffer
	k.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s.grow(1)
	for _, step := range []struct {
		err  error
		told int
	}{{errors.New("the certificate ended"), 1}, {errors.New("the certificate ended"), 1}, {errors.New("the key is gone"), 2}, {nil, 2}} {
		sign = step.err
		k.look(t.Context(), flushPatience, checkpointAge)
		if told := strings.Count(log.String(), "cannot sign the audit log"); told != step.told {
			t.Errorf("with the key that says %v the log tells %d times, want %d", step.err, told, step.told)
		}
	}
	if got := s.checkpoints(); len(got) != 1 {
		t.Errorf("when the key signs again, the entries %v are signed, want one", got)
	}
}
