package store

import (
	"fmt"
	"math"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// The rows of familyAuditState.
const (
	auditStanding = 0x01 // how far the audit log is
	auditDenial   = 0x02 // the last checkpoint of a site below that denied an earlier one
)

// AuditRow is an entry of the audit log as it is stored. Raw are the bytes that the chain of hashes joins; nothing says that they
// can be decoded: whoever reads them checks.
type AuditRow struct {
	Sequence uint64
	Raw      []byte
}

func auditEntryKey(sequence uint64) keys.Key {
	return keys.Build(familyAuditEntry).Uint64(sequence).Key()
}

func checkpointsKey(site desk.SiteID) keys.Key {
	return keys.Build(familyAuditCheckpoint).Text(string(site)).Key()
}

func auditDenialKey(site desk.SiteID) keys.Key {
	return keys.Build(familyAuditState).Byte(auditDenial).Text(string(site)).Key()
}

func auditStandingKey() keys.Key { return keys.Build(familyAuditState).Byte(auditStanding).Key() }

// AuditStanding returns the sequence of the last entry of the audit log and the hash of its bytes; 0 and nil before the first.
func (r *Reader) AuditStanding() (sequence uint64, hash []byte, err error) {
	key := auditStandingKey()
	value, err := r.get(key)
	if value == nil || err != nil {
		return 0, nil, err
	}
	d := keys.Decode(value)
	sequence, hash = d.Uint64(), []byte(d.Text())
	if err := d.Done(); err != nil {
		return 0, nil, &corruptError{path: r.path, cause: fmt.Errorf("row %x: %w", []byte(key), err)}
	}
	return sequence, hash, nil
}

// AuditEntries returns at most limit entries of the audit log behind a sequence, in order.
func (r *Reader) AuditEntries(after uint64, limit int) ([]AuditRow, error) {
	return r.auditEntries(under(family(familyAuditEntry)).behind(auditEntryKey(after)).first(limit))
}

// AuditEntriesBefore returns at most limit entries of the audit log before a sequence, the last one first.
func (r *Reader) AuditEntriesBefore(before uint64, limit int) ([]AuditRow, error) {
	over := under(family(familyAuditEntry))
	over.descending = true
	return r.auditEntries(over.behind(auditEntryKey(before)).first(limit))
}

func (r *Reader) auditEntries(over span) (rows []AuditRow, err error) {
	err = r.scan(over, func(row, value []byte) (bool, error) {
		d := keys.Decode(row)
		d.Byte()
		sequence := d.Uint64()
		if err := d.Done(); err != nil {
			return false, &corruptError{path: r.path, cause: fmt.Errorf("row %x: %w", row, err)}
		}
		rows = append(rows, AuditRow{Sequence: sequence, Raw: append([]byte{}, value...)})
		return true, nil
	})
	return rows, err
}

// PutAudit appends an entry to the audit log. Its sequence is one more than that of AuditStanding, and hash is that of its bytes.
func (b *Batch) PutAudit(row AuditRow, hash []byte) error {
	if err := b.set(auditEntryKey(row.Sequence), row.Raw); err != nil {
		return err
	}
	return b.set(auditStandingKey(), keys.Key{}.Uint64(row.Sequence).Text(string(hash)))
}

// MostCheckpoints is how many checkpoints of a site below are kept, and how many of its own a site hands out at once.
const MostCheckpoints = 400

// Checkpoint is a signed checkpoint of an audit log, this site's or that of a site below.
type Checkpoint struct {
	*deskpb.PutCheckpoint
	row  keys.Key
	came int64 // time of the log entry, microseconds since 1970
}

// Checkpoints returns checkpoints of a site's audit log, at most limit: the one that came last is the first.
func (r *Reader) Checkpoints(site desk.SiteID, limit int) (found []Checkpoint, err error) {
	over := under(checkpointsKey(site))
	over.descending = true
	err = r.scan(over.first(limit), func(row, value []byte) (bool, error) {
		kept, err := decode[deskpb.PutCheckpoint](r, row, value)
		if err != nil {
			return false, err
		}
		d := keys.Decode(row[len(checkpointsKey(site)):])
		found = append(found, Checkpoint{kept, append(keys.Key{}, row...), d.Int64()})
		return true, nil
	})
	return found, err
}

// Unwitnessed returns those of the latest checkpoints of a site that came after the last one which its parent keeps, in order.
func (r *Reader) Unwitnessed(site desk.SiteID) (found []*deskpb.AuditCheckpoint, err error) {
	latest, err := r.Checkpoints(site, MostCheckpoints)
	if err != nil {
		return nil, err
	}
	for _, c := range latest {
		if c.GetWitnessed() {
			break
		}
		found = append(found, c.GetCheckpoint())
	}
	slices.Reverse(found)
	return found, nil
}

// MarkSuperseded notes that later checkpoints are not held against one of a site below.
func (b *Batch) MarkSuperseded(c Checkpoint) error {
	c.Superseded = true
	return b.put(c.row, c.PutCheckpoint)
}

// AddCheckpoint keeps a checkpoint behind all others of its site. now is the time of the log entry, microseconds since 1970.
func (b *Batch) AddCheckpoint(c *deskpb.PutCheckpoint, now int64) error {
	site := desk.SiteID(c.GetCheckpoint().GetSite())
	return b.put(checkpointsKey(site).Int64(now).Uint64(c.GetCheckpoint().GetSequence()), c)
}

// MarkWitnessed notes that the parent keeps a checkpoint of this site.
func (b *Batch) MarkWitnessed(c Checkpoint) error {
	c.Witnessed = true
	return b.put(c.row, c.PutCheckpoint)
}

// PruneCheckpoints deletes checkpoints of a site until so many, two at least, are kept: the first, the last, and of the others those
// that stand furthest apart by the time when they came. So a site that hands up many at once pushes out none that came long before.
func (b *Batch) PruneCheckpoints(site desk.SiteID, kept int) error {
	all, err := b.Checkpoints(site, math.MaxInt)
	if err != nil {
		return err
	}
	for len(all) > max(kept, 2) {
		spare := 1
		for i := 2; i < len(all)-1; i++ {
			if around(all, i) <= around(all, spare) {
				spare = i
			}
		}
		if err := b.delete(all[spare].row); err != nil {
			return err
		}
		all = slices.Delete(all, spare, spare+1)
	}
	return nil
}

// around is the time between the checkpoints before and behind one, in microseconds; the last one is the first of them.
func around(all []Checkpoint, i int) int64 { return all[i-1].came - all[i+1].came }

// AuditDenials returns the checkpoint of each site below that denied one which the site had handed up before, by site, as long as nobody
// has seen to it.
func (r *Reader) AuditDenials() ([]*deskpb.AuditCheckpoint, error) {
	return list[deskpb.AuditCheckpoint](r, under(keys.Build(familyAuditState).Byte(auditDenial).Key()))
}

// AuditDenial returns the checkpoint of a site below that denied an earlier one and that nobody has seen to, nil when there is none.
func (r *Reader) AuditDenial(site desk.SiteID) (*deskpb.AuditCheckpoint, error) {
	return load[deskpb.AuditCheckpoint](r, auditDenialKey(site))
}

// PutAuditDenial remembers a checkpoint that denied an earlier one of its site.
func (b *Batch) PutAuditDenial(c *deskpb.AuditCheckpoint) error {
	return b.put(auditDenialKey(desk.SiteID(c.GetSite())), c)
}

// DropAuditDenial forgets that a site below denied an earlier checkpoint.
func (b *Batch) DropAuditDenial(site desk.SiteID) error { return b.delete(auditDenialKey(site)) }
