package store

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/tierdesk/tierdesk/store/keys"
)

// pending are the rows of the database as one batch will have changed them. A row that is written several times, as
// counters are, goes to the database once.
type pending struct {
	base   committed
	drafts drafts
	lookup *pebble.Iterator // of the database as it was at the first look; nil before
	kept   kept
	// keptPolicy is the one of the database as it is, ownPolicy the one of this batch after a write that it depends on, nil before.
	keptPolicy, ownPolicy *policyMemo
	writes                []write        // in the order in which their keys were first written, one for each key
	written               map[string]int // key to its place in writes; nil once nothing is read any more
	bytes                 int            // about what flush adds to a batch
}

// write is what becomes of one row.
type write struct {
	key     keys.Key
	value   []byte
	deleted bool
}

// put notes a write. Neither key nor value may change afterwards.
func (p *pending) put(w write) {
	if w.value == nil && !w.deleted {
		w.value = []byte{}
	}
	p.bytes += len(w.key) + len(w.value) + rowOverhead
	if aboutPolicy(w.key) {
		p.ownPolicy = &policyMemo{}
	}
	if at, again := p.written[string(w.key)]; again {
		p.writes[at] = w
		return
	}
	if p.written != nil {
		p.written[string(w.key)] = len(p.writes)
	}
	p.writes = append(p.writes, w)
}

// finish writes what drafts hold back. Nothing may be read afterwards, so these many rows need not be found again.
func (p *pending) finish() error {
	p.written = nil
	return p.drafts.settle(p)
}

// rowOverhead is what a batch adds to a row, in bytes.
const rowOverhead = 12

func (p *pending) get(key keys.Key) ([]byte, error) {
	if aboutTickets(key) {
		if err := p.drafts.settle(p); err != nil {
			return nil, err
		}
	}
	return p.row(key)
}

// aboutTickets tells whether drafts write the row.
func aboutTickets(key []byte) bool {
	switch key[0] {
	case familyTicket, familyIndex, familyHandover, familyMajor, familyTimer, familyCallBack, familyLoad, familyRound, familyFault,
		familyWork, familyWorkCount, familyFigures:
		return true
	default:
		return false
	}
}

// row returns the row as it was written in this batch or before it.
func (p *pending) row(key keys.Key) ([]byte, error) {
	if at, ok := p.written[string(key)]; ok {
		if p.writes[at].deleted {
			return nil, nil
		}
		return append([]byte{}, p.writes[at].value...), nil
	}
	if !keeps(key) {
		return p.look(key)
	}
	if value, ok := p.kept[string(key)]; ok {
		return bytes.Clone(value), nil
	}
	value, err := p.look(key)
	if err == nil {
		p.kept.put(key, value)
	}
	return bytes.Clone(value), err
}

// look reads a row of the database. Most rows that a batch looks for are not there: they are new. So one iterator serves
// the whole batch, and it asks the filters of the lowest level too, which a plain read does not.
func (p *pending) look(key keys.Key) ([]byte, error) {
	if p.lookup == nil {
		lookup, err := p.base.from.NewIter(&pebble.IterOptions{UseL6Filters: true})
		if err != nil {
			return nil, fmt.Errorf("read row %x: %w", []byte(key), explain(p.base.path, err))
		}
		p.lookup = lookup
	}
	if !p.lookup.SeekPrefixGE(key) {
		if err := p.lookup.Error(); err != nil {
			return nil, fmt.Errorf("read row %x: %w", []byte(key), explain(p.base.path, err))
		}
		return nil, nil
	}
	value, err := p.lookup.ValueAndErr()
	if err != nil {
		return nil, fmt.Errorf("read row %x: %w", []byte(key), explain(p.base.path, err))
	}
	return append([]byte{}, value...), nil
}

// close gives back what look holds. An error that it has was returned by look.
func (p *pending) close() {
	if p.lookup != nil {
		_ = p.lookup.Close()
		p.lookup = nil
	}
}

// scan merges the rows of the database with the writes as they are when it begins; the batch may write meanwhile.
func (p *pending) scan(over span, visit func(key, value []byte) (more bool, err error)) error {
	if aboutTickets(over.lower) {
		if err := p.drafts.settle(p); err != nil {
			return err
		}
	}
	writes := p.within(over)
	if len(writes) == 0 {
		return p.base.scan(over, visit)
	}
	limit, ended := over.limit, over.limit <= 0
	show := func(key, value []byte) (bool, error) {
		more, err := visit(key, value)
		limit--
		ended = !more || err != nil || limit == 0
		return !ended, err
	}
	// ahead shows the writes that come before a key, all of them for nil, and takes the one that replaces it.
	ahead := func(key []byte) (replaced bool, err error) {
		for len(writes) > 0 && !ended {
			order := -1
			if key != nil {
				order = over.compare(writes[0].key, key)
			}
			if order > 0 {
				return false, nil
			}
			next := writes[0]
			writes = writes[1:]
			if !next.deleted {
				if _, err := show(next.key, next.value); err != nil {
					return false, err
				}
			}
			if order == 0 {
				return true, nil
			}
		}
		return false, nil
	}
	if !ended {
		err := p.base.scan(over.unlimited(), func(key, value []byte) (bool, error) {
			replaced, err := ahead(key)
			if replaced || ended || err != nil {
				return !ended, err
			}
			return show(key, value)
		})
		if err != nil {
			return err
		}
	}
	_, err := ahead(nil)
	return err
}

// within lists the writes of a span in its direction.
func (p *pending) within(over span) []write {
	var found []write
	for _, w := range p.writes {
		if bytes.Compare(w.key, over.lower) >= 0 && (over.upper == nil || bytes.Compare(w.key, over.upper) < 0) {
			found = append(found, w)
		}
	}
	slices.SortFunc(found, func(a, b write) int { return over.compare(a.key, b.key) })
	return found
}

// flush adds the writes to a batch of the database.
func (p *pending) flush(batch *pebble.Batch) (err error) {
	for _, w := range p.writes {
		if w.deleted {
			err = batch.Delete(w.key, nil)
		} else {
			err = batch.Set(w.key, w.value, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keep has the rows that later batches will ask for remembered; the batch is committed.
func (p *pending) keep() {
	*p.keptPolicy = *p.policyMemo()
	for _, w := range p.writes {
		switch {
		case !keeps(w.key):
		case w.deleted:
			p.kept.put(w.key, nil)
		default:
			p.kept.put(w.key, w.value)
		}
	}
}

// kept are the few rows that nearly every batch reads, as they are in the database: the site, its directory, its links,
// placements, counters and figures. A nil value means that there is no such row. Only batches use it, one after the other.
type kept map[string][]byte

// maxKept bounds the rows that are kept.
const maxKept = 4096

func keeps(key keys.Key) bool {
	switch key[0] {
	case familySequence, familySite, familySiteInfo, familyLink, familyPlacement, familyWorkCount, familyFigures:
		return true
	default:
		return false
	}
}

func (k kept) put(key keys.Key, value []byte) {
	if len(k) >= maxKept {
		clear(k)
	}
	k[string(key)] = value
}
