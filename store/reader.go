package store

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/store/keys"
)

// Reader reads a consistent state. Records and bytes it returns belong to the caller. Its errors are faults of the disk or
// of the state, except for a page limit below 1, which is a fault of the caller.
type Reader struct {
	from source
	path string // the database directory, for errors
	// policy is what views remember of the site's policy, nil where none is open.
	policy *openPolicy
	// roll is what views remember of the site's people, nil where none is open.
	roll *rollRows
}

// source is where a Reader reads.
type source interface {
	// get returns a row's value, which is the caller's own; nil when there is no such row.
	get(key keys.Key) ([]byte, error)
	// scan visits the rows of a span in order until visit returns false. Key and value are valid only during the visit.
	scan(over span, visit func(key, value []byte) (more bool, err error)) error
}

// newReader reads a database or a snapshot of it as it is.
func newReader(from pebble.Reader, path string) *Reader {
	return &Reader{from: committed{from, path}, path: path}
}

func (r *Reader) get(key keys.Key) ([]byte, error) { return r.from.get(key) }

func (r *Reader) scan(over span, visit func(key, value []byte) (more bool, err error)) error {
	return r.from.scan(over, visit)
}

// committed are the rows of a database.
type committed struct {
	from pebble.Reader
	path string
}

func (c committed) get(key keys.Key) ([]byte, error) {
	value, closer, err := c.from.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read row %x: %w", []byte(key), explain(c.path, err))
	}
	owned := make([]byte, len(value))
	copy(owned, value)
	return owned, closer.Close()
}

func (c committed) scan(over span, visit func(key, value []byte) (more bool, err error)) (err error) {
	iter, err := c.from.NewIter(&pebble.IterOptions{LowerBound: over.lower, UpperBound: over.upper})
	if err != nil {
		return fmt.Errorf("scan rows from %x: %w", over.lower, explain(c.path, err))
	}
	// What stops the iteration before its end is returned by Close.
	defer func() {
		if closed := iter.Close(); err == nil && closed != nil {
			err = fmt.Errorf("scan rows from %x: %w", over.lower, explain(c.path, closed))
		}
	}()
	first, next := iter.First, iter.Next
	if over.descending {
		first, next = iter.Last, iter.Prev
	}
	for valid := over.limit > 0 && first(); valid; valid = over.limit > 0 && next() {
		over.limit--
		value, err := iter.ValueAndErr()
		if err != nil {
			return fmt.Errorf("read row %x: %w", iter.Key(), explain(c.path, err))
		}
		if more, err := visit(iter.Key(), value); !more || err != nil {
			return err
		}
	}
	return nil
}

// span is a range of rows: the first ones, at most limit, from lower up to but without upper; the last ones, backwards,
// when descending.
type span struct {
	lower, upper []byte
	descending   bool
	limit        int
}

// under spans the rows whose keys begin with the prefix.
func under(prefix keys.Key) span { return between(prefix, prefix.End()) }

// between spans the rows from lower up to but without upper.
func between(lower, upper []byte) span {
	return span{lower: lower, upper: upper, limit: math.MaxInt}
}

// first narrows the span to at most limit rows; none when limit is below 1.
func (s span) first(limit int) span {
	s.limit = limit
	return s
}

// behind narrows the span to the rows that come after the key in its direction.
func (s span) behind(key keys.Key) span {
	if s.descending {
		s.upper = key
	} else {
		s.lower = key.Byte(0)
	}
	return s
}

// unlimited is the span without its limit.
func (s span) unlimited() span {
	s.limit = math.MaxInt
	return s
}

// compare orders keys in the span's direction.
func (s span) compare(a, b []byte) int {
	if s.descending {
		return bytes.Compare(b, a)
	}
	return bytes.Compare(a, b)
}

// page visits up to limit rows under the prefix, behind the row that the cursor names: a row's cursor is its key without
// the prefix. next is the cursor of the last row visited, nil when no row follows it.
func (r *Reader) page(prefix keys.Key, cursor []byte, descending bool, limit int, visit func(cursor, value []byte) error) (next []byte, err error) {
	if limit < 1 {
		return nil, fmt.Errorf("page limit %d: it must be at least 1", limit)
	}
	over := under(prefix)
	over.descending = descending
	if cursor != nil {
		over = over.behind(slices.Concat(prefix, keys.Key(cursor)))
	}
	var last []byte
	err = r.scan(over, func(key, value []byte) (bool, error) {
		if limit == 0 {
			next = last
			return false, nil
		}
		limit--
		last = slices.Clone(key[len(prefix):])
		return true, visit(last, value)
	})
	return next, err
}

// list reads the messages of a span.
func list[T any, M message[T]](r *Reader, over span) ([]*T, error) {
	var found []*T
	err := r.scan(over, func(key, value []byte) (bool, error) {
		m, err := decode[T, M](r, key, value)
		found = append(found, m)
		return true, err
	})
	return found, err
}

// message is a pointer to a protobuf message.
type message[T any] interface {
	*T
	proto.Message
}

// load reads a message, nil when there is none.
func load[T any, M message[T]](r *Reader, key keys.Key) (*T, error) {
	value, err := r.get(key)
	if value == nil || err != nil {
		return nil, err
	}
	return decode[T, M](r, key, value)
}

func decode[T any, M message[T]](r *Reader, key, value []byte) (*T, error) {
	into := new(T)
	if err := proto.Unmarshal(value, M(into)); err != nil {
		return nil, &corruptError{path: r.path, cause: fmt.Errorf("row %x: %w", key, err)}
	}
	return into, nil
}
