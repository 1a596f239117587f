package store

import (
	"slices"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestTheAuditLogIsReadFromBothEnds(t *testing.T) {
	s := openTest(t)
	view(t, s, func(r *Reader) error {
		if sequence, hash, err := r.AuditStanding(); sequence != 0 || hash != nil || err != nil {
			t.Errorf("a new store stands at %d %x %v", sequence, hash, err)
		}
		return nil
	})
	for i := range uint64(5) {
		commit(t, s, func(b *Batch) error { return b.PutAudit(AuditRow{i + 1, []byte{byte(i + 1)}}, []byte{0, byte(i)}) })
	}
	sequences := func(rows []AuditRow) (found []uint64) {
		for _, row := range rows {
			if row.Raw[0] != byte(row.Sequence) {
				t.Errorf("entry %d has the bytes %x", row.Sequence, row.Raw)
			}
			found = append(found, row.Sequence)
		}
		return found
	}
	view(t, s, func(r *Reader) error {
		for _, c := range []struct {
			read  func(uint64, int) ([]AuditRow, error)
			from  uint64
			limit int
			want  []uint64
		}{
			{r.AuditEntries, 0, 2, []uint64{1, 2}},
			{r.AuditEntries, 3, 9, []uint64{4, 5}},
			{r.AuditEntries, 5, 9, nil},
			{r.AuditEntriesBefore, 6, 2, []uint64{5, 4}},
			{r.AuditEntriesBefore, 3, 9, []uint64{2, 1}},
			{r.AuditEntriesBefore, 1, 9, nil},
		} {
			rows, err := c.read(c.from, c.limit)
			if got := sequences(rows); err != nil || !slices.Equal(got, c.want) {
				t.Errorf("from %d the entries are %v %v, want %v", c.from, got, err, c.want)
			}
		}
		if sequence, hash, err := r.AuditStanding(); sequence != 5 || !slices.Equal(hash, []byte{0, 4}) || err != nil {
			t.Errorf("the log stands at %d %x %v", sequence, hash, err)
		}
		return nil
	})
}

func checkpointOf(site string, sequence uint64) *deskpb.PutCheckpoint {
	return &deskpb.PutCheckpoint{Checkpoint: &deskpb.AuditCheckpoint{Site: site, Sequence: sequence}}
}

func TestCheckpointsAreKeptInTheOrderInWhichTheyCame(t *testing.T) {
	s := openTest(t)
	kept := func(site string) (found []uint64) {
		view(t, s, func(r *Reader) error {
			latest, err := r.Checkpoints(testSite, 10)
			if site != testSite {
				latest, err = r.Checkpoints("330199", 10)
			}
			for _, c := range latest {
				found = append(found, c.Checkpoint.Sequence)
			}
			return err
		})
		return found
	}
	for now, sequence := range []uint64{10, 20, 5, 30} { // the site was restored in between
		commit(t, s, func(b *Batch) error {
			if err := b.AddCheckpoint(checkpointOf("330199", sequence), int64(now)); err != nil {
				return err
			}
			return b.AddCheckpoint(checkpointOf(testSite, sequence), int64(now))
		})
	}
	if got := kept("330199"); !slices.Equal(got, []uint64{30, 5, 20, 10}) {
		t.Errorf("the checkpoints are of the entries %v", got)
	}
	commit(t, s, func(b *Batch) error { return b.PruneCheckpoints("330199", 2) })
	if got := kept("330199"); !slices.Equal(got, []uint64{30, 10}) {
		t.Errorf("after pruning the checkpoints are of the entries %v, want the last and the first", got)
	}
	if got := kept(testSite); len(got) != 4 {
		t.Errorf("pruning those of another site leaves %v", got)
	}
	commit(t, s, func(b *Batch) error {
		latest, err := b.Checkpoints(testSite, 3)
		if err != nil {
			return err
		}
		return b.MarkWitnessed(latest[2])
	})
	view(t, s, func(r *Reader) error {
		open, err := r.Unwitnessed(testSite)
		if len(open) != 2 || open[0].Sequence != 5 || open[1].Sequence != 30 {
			t.Errorf("%v wait for the parent, want the two behind the one that it has", open)
		}
		return err
	})
}

func TestTheLastDenialOfASiteIsRemembered(t *testing.T) {
	s := openTest(t)
	for _, sequence := range []uint64{3, 7} {
		commit(t, s, func(b *Batch) error { return b.PutAuditDenial(checkpointOf("330199", sequence).Checkpoint) })
	}
	view(t, s, func(r *Reader) error {
		denials, err := r.AuditDenials()
		if len(denials) != 1 || denials[0].Sequence != 7 || err != nil {
			t.Errorf("the denials are %v %v", denials, err)
		}
		none, err := r.AuditDenial(testSite)
		if none != nil {
			t.Errorf("a site that denied nothing has %v", none)
		}
		return err
	})
}
