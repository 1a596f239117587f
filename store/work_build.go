package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

const (
	// workVersion is the version of what the lists of open tickets and the figures say of a ticket, and of the values by which
	// requesters are found. It is raised when that changes: they are built anew then, when the database is opened.
	workVersion = 1
	// buildChunk is how many records are read for one batch of rows, so that building takes little memory.
	buildChunk = 500
)

// workUpTo is the value that tells the rows of this version to be those of the state at a log entry.
func workUpTo(index uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(nil, workVersion), index)
}

// buildWork builds the lists of open tickets, the figures and the index of requesters of a database of which they are not kept: one
// that a program without them wrote, or wrote to. Broken off, it begins anew with the next opening.
func (s *Store) buildWork(db *pebble.DB, path string) error {
	r := newReader(db, path)
	applied, err := r.standing(metaApplied)
	if err != nil {
		return err
	}
	known, err := r.get(metaKey(metaWork))
	if err != nil {
		return err
	}
	upTo := workUpTo(applied.index)
	if applied.index == 0 || string(known) == string(upTo) {
		return nil
	}
	s.options.Logger.Info("the lists of open tickets and the figures are built anew; this happens once", "database", path)
	if err := forgetWork(db); err != nil {
		return fmt.Errorf("build the lists of open tickets: %w", explain(path, err))
	}
	tickets := 0
	for last := (keys.Key)(nil); ; {
		built, next, err := s.buildSome(db, path, last)
		if err != nil {
			return fmt.Errorf("build the lists of open tickets: %w", explain(path, err))
		}
		if tickets += built; next == nil {
			break
		}
		last = next
	}
	if err := s.buildCustomerIndex(db, path); err != nil {
		return fmt.Errorf("build the index of requesters: %w", explain(path, err))
	}
	if err := db.Set(metaKey(metaWork), upTo, pebble.Sync); err != nil {
		return fmt.Errorf("build the lists of open tickets: %w", explain(path, err))
	}
	s.options.Logger.Info("the lists of open tickets and the figures are built", "tickets", tickets)
	return nil
}

// forgetWork deletes whatever rows there are.
func forgetWork(db *pebble.DB) error {
	for _, f := range []byte{familyWork, familyWorkCount, familyFigures, familyCustomerBy} {
		if err := db.DeleteRange(family(f), family(f).End(), pebble.NoSync); err != nil {
			return err
		}
	}
	return nil
}

// buildSome adds the rows of the tickets behind a key, and returns how many tickets it read and the key to go on behind, nil at the
// end.
func (s *Store) buildSome(db *pebble.DB, path string, last keys.Key) (built int, next keys.Key, err error) {
	r := newReader(db, path)
	p := &pending{base: committed{db, path}, kept: kept{}, drafts: drafts{site: s.options.Site, sums: newSums()}}
	defer p.close()
	over := under(family(familyTicket)).first(buildChunk)
	if last != nil {
		over = over.behind(last)
	}
	err = r.scan(over, func(key, value []byte) (bool, error) {
		record, err := decode[deskpb.Record](r, key, value)
		if err != nil {
			return false, err
		}
		number := desk.TicketNumber(record.GetTicket().GetNumber())
		p.moveWork(number, places{}, placesOf(record, s.options.Site))
		p.drafts.sums.moveShare(share{}, shareOf(record))
		built++
		next = append(keys.Key{}, key...)
		return true, nil
	})
	if err != nil {
		return 0, nil, err
	}
	if err := p.drafts.sums.settle(p.row, p.put); err != nil {
		return 0, nil, err
	}
	batch := db.NewBatch()
	defer batch.Close()
	if err := p.flush(batch); err != nil {
		return 0, nil, err
	}
	if built < buildChunk {
		next = nil
	}
	return built, next, batch.Commit(pebble.NoSync)
}

// buildCustomerIndex writes the rows by which the requesters are found.
func (s *Store) buildCustomerIndex(db *pebble.DB, path string) error {
	r := newReader(db, path)
	for last := (keys.Key)(nil); ; {
		over := under(family(familyCustomer)).first(buildChunk)
		if last != nil {
			over = over.behind(last)
		}
		batch, read := db.NewBatch(), 0
		err := r.scan(over, func(key, value []byte) (bool, error) {
			customer, err := decode[deskpb.Customer](r, key, value)
			if err != nil {
				return false, err
			}
			read++
			last = append(keys.Key{}, key...)
			for _, row := range customerRows(customer) {
				if err := batch.Set(row, nil, nil); err != nil {
					return false, err
				}
			}
			return true, nil
		})
		if err == nil {
			err = batch.Commit(pebble.NoSync)
		}
		if err := errors.Join(err, batch.Close()); err != nil || read < buildChunk {
			return err
		}
	}
}
