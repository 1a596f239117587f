package keys

import (
	"encoding/binary"
	"slices"
	"strings"
)

// A text is written byte for byte, with each 0x00 followed by escaped, and ends with 0x00 terminator. As terminator is
// less than escaped and both follow a 0x00, a text sorts before each longer text that it begins.
const (
	zero       = 0x00
	terminator = 0x01
	escaped    = 0xff
)

// sign is flipped in signed numbers, so that negative ones come first.
const sign = 1 << 63

// Key is an encoded tuple, or the beginning of one. Two keys whose elements have the same types in the same order compare
// as their tuples do, and neither is a prefix of the other unless its elements are.
//
// The methods that append return a key of their own: a key that is kept can be extended more than once.
type Key []byte

// Byte appends one byte.
func (k Key) Byte(b byte) Key {
	return append(k.clip(), b)
}

// Text appends a string of any bytes.
func (k Key) Text(s string) Key {
	return appendText(slices.Grow(k.clip(), len(s)+2), s)
}

func appendText(key Key, s string) Key {
	for i := strings.IndexByte(s, zero); i >= 0; i = strings.IndexByte(s, zero) {
		key = append(append(key, s[:i]...), zero, escaped)
		s = s[i+1:]
	}
	return append(append(key, s...), zero, terminator)
}

// Uint32 appends a number in four bytes.
func (k Key) Uint32(n uint32) Key {
	return binary.BigEndian.AppendUint32(k.clip(), n)
}

// Uint64 appends a number in eight bytes.
func (k Key) Uint64(n uint64) Key {
	return binary.BigEndian.AppendUint64(k.clip(), n)
}

// Int64 appends a signed number in eight bytes.
func (k Key) Int64(n int64) Key {
	return k.Uint64(uint64(n) ^ sign)
}

// End returns the least byte string that is greater than the key and than every key that begins with it, or nil when
// there is none. It is not itself a key.
func (k Key) End() []byte {
	for last := len(k) - 1; last >= 0; last-- {
		if k[last] != 0xff {
			end := slices.Clone(k[:last+1])
			end[last]++
			return end
		}
	}
	return nil
}

// Builder makes one key out of many elements in one piece of memory. Its methods append to that piece: of two builders
// that were extended from the same one only the last is right.
type Builder struct{ key Key }

// usual is room for nearly every key, in bytes.
const usual = 96

// Build begins a key with a byte.
func Build(first byte) Builder {
	key := make(Key, 1, usual)
	key[0] = first
	return Builder{key}
}

// Byte appends one byte.
func (b Builder) Byte(value byte) Builder { return Builder{append(b.key, value)} }

// Text appends a string of any bytes.
func (b Builder) Text(s string) Builder { return Builder{appendText(b.key, s)} }

// Uint32 appends a number in four bytes.
func (b Builder) Uint32(n uint32) Builder { return Builder{binary.BigEndian.AppendUint32(b.key, n)} }

// Uint64 appends a number in eight bytes.
func (b Builder) Uint64(n uint64) Builder { return Builder{binary.BigEndian.AppendUint64(b.key, n)} }

// Int64 appends a signed number in eight bytes.
func (b Builder) Int64(n int64) Builder { return b.Uint64(uint64(n) ^ sign) }

// Key returns the key; the builder is done.
func (b Builder) Key() Key { return b.key }

// clip hides the spare capacity, so that appending to the result never writes into memory that another key shares.
func (k Key) clip() Key { return slices.Clip(k) }
