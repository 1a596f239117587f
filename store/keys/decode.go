package keys

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrMalformed is wrapped by the error of a decoder that met bytes which no key has.
var ErrMalformed = errors.New("malformed key")

// Decoder takes a key apart, element by element, in the order in which they were appended. After an element that does not
// fit, it returns zero values; Done tells.
type Decoder struct {
	key  Key
	rest []byte
	err  error
}

// Decode starts at the beginning of a key, which must stay as it is until the last element was taken.
func Decode(key []byte) *Decoder { return &Decoder{key: key, rest: key} }

// Byte takes one byte.
func (d *Decoder) Byte() byte {
	if b := d.take(1, "a byte"); b != nil {
		return b[0]
	}
	return 0
}

// Text takes a string.
func (d *Decoder) Text() string {
	if d.err != nil {
		return ""
	}
	text := make([]byte, 0, len(d.rest))
	for i := 0; i+1 < len(d.rest); i++ {
		switch {
		case d.rest[i] != zero:
			text = append(text, d.rest[i])
		case d.rest[i+1] == escaped:
			text = append(text, zero)
			i++
		case d.rest[i+1] == terminator:
			d.rest = d.rest[i+2:]
			return string(text)
		default:
			d.fail("a text")
			return ""
		}
	}
	d.fail("a text")
	return ""
}

// Uint32 takes a number of four bytes.
func (d *Decoder) Uint32() uint32 {
	if b := d.take(4, "a 32-bit number"); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// Uint64 takes a number of eight bytes.
func (d *Decoder) Uint64() uint64 {
	if b := d.take(8, "a 64-bit number"); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// Int64 takes a signed number.
func (d *Decoder) Int64() int64 {
	if b := d.take(8, "a 64-bit number"); b != nil {
		return int64(binary.BigEndian.Uint64(b) ^ sign)
	}
	return 0
}

// Done returns an error that wraps ErrMalformed unless the elements taken were the whole key.
func (d *Decoder) Done() error {
	if d.err == nil && len(d.rest) > 0 {
		d.fail("the end")
	}
	return d.err
}

func (d *Decoder) take(n int, want string) []byte {
	if d.err != nil {
		return nil
	}
	if len(d.rest) < n {
		d.fail(want)
		return nil
	}
	taken := d.rest[:n]
	d.rest = d.rest[n:]
	return taken
}

func (d *Decoder) fail(want string) {
	d.err = fmt.Errorf("%w %x: %s was expected at byte %d", ErrMalformed, []byte(d.key), want, len(d.key)-len(d.rest))
}
