package store

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/tierdesk/tierdesk/store/keys"
)

// numberBytes is what one number of a row of numbers takes.
const numberBytes = 4

// numbers reads a row of so many 32-bit numbers; all are 0 when there is no such row.
func (r *Reader) numbers(key keys.Key, count int) ([]int64, error) {
	value, err := r.get(key)
	if err != nil {
		return nil, err
	}
	return r.decodeNumbers(key, value, count)
}

func (r *Reader) decodeNumbers(key, value []byte, count int) ([]int64, error) {
	numbers, err := decodeNumbers(value, count)
	if err != nil {
		err = &corruptError{path: r.path, cause: fmt.Errorf("row %x: %w", key, err)}
	}
	return numbers, err
}

// decodeNumbers is the opposite of encodeNumbers; all numbers are 0 of no value.
func decodeNumbers(value []byte, count int) ([]int64, error) {
	numbers := make([]int64, count)
	if value == nil {
		return numbers, nil
	}
	if len(value) != count*numberBytes {
		return nil, fmt.Errorf("it has %d bytes, which are not %d numbers", len(value), count)
	}
	for i := range numbers {
		numbers[i] = int64(binary.BigEndian.Uint32(value[i*numberBytes:]))
	}
	return numbers, nil
}

// encodeNumbers returns the value of a row of numbers, nil when all are 0: then there is no row.
func encodeNumbers(numbers []int64) (value []byte) {
	if !slices.ContainsFunc(numbers, func(n int64) bool { return n != 0 }) {
		return nil
	}
	for _, n := range numbers {
		value = binary.BigEndian.AppendUint32(value, uint32(n))
	}
	return value
}

// sums are rows of numbers to which a batch adds: by key, what each had before the batch was read it, and what was added since it
// was written last.
type sums struct {
	added map[string][]int64
	at    map[string][]int64
}

func newSums() sums { return sums{added: map[string][]int64{}, at: map[string][]int64{}} }

// add adds to the numbers of a row. It keeps none of the arguments.
func (s sums) add(key keys.Key, numbers []int64) {
	known := s.added[string(key)]
	if known == nil {
		s.added[string(key)] = slices.Clone(numbers)
		return
	}
	for i, n := range numbers {
		known[i] += n
	}
}

// settle hands out each row that has changed, with its new value: nil when it is to go. A row that was not handed out yet is read.
// No number goes below 0.
func (s sums) settle(read func(keys.Key) ([]byte, error), put func(write)) error {
	for _, key := range slices.Sorted(maps.Keys(s.added)) {
		added := s.added[key]
		if encodeNumbers(added) == nil {
			continue
		}
		row := keys.Key(key)
		now := s.at[key]
		if now == nil {
			value, err := read(row)
			if err != nil {
				return err
			}
			if now, err = decodeNumbers(value, len(added)); err != nil {
				return fmt.Errorf("row %x: %w", []byte(row), err)
			}
		}
		for i, n := range added {
			now[i] = max(0, now[i]+n)
		}
		s.at[key] = now
		value := encodeNumbers(now)
		put(write{key: row, value: value, deleted: value == nil})
	}
	clear(s.added)
	return nil
}
