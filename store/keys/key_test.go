package keys_test

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/store/keys"
)

// The bytes of keys are on disk at every site: they never change.
func TestGoldenBytes(t *testing.T) {
	for _, test := range []struct {
		name string
		key  keys.Key
		want string
	}{
		{"byte", keys.Key{}.Byte(0x7f), "7f"},
		{"empty text", keys.Key{}.Text(""), "0001"},
		{"text", keys.Key{}.Text("n1"), "6e310001"},
		{"chinese text", keys.Key{}.Text("县"), "e58ebf0001"},
		{"text with zero bytes", keys.Key{}.Text("\x00a\x00"), "00ff6100ff0001"},
		{"32-bit number", keys.Key{}.Uint32(258), "00000102"},
		{"64-bit number", keys.Key{}.Uint64(258), "0000000000000102"},
		{"signed zero", keys.Key{}.Int64(0), "8000000000000000"},
		{"negative", keys.Key{}.Int64(-1), "7fffffffffffffff"},
		{"tuple", keys.Key{}.Byte(2).Text("a").Uint32(1), "0261000100000001"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := hex.EncodeToString(test.key); got != test.want {
				t.Errorf("encoded as %s, want %s", got, test.want)
			}
		})
	}
}

type tuple struct {
	b byte
	s string
	n uint32
	i int64
	u uint64
	z string
}

func (t tuple) key() keys.Key {
	return keys.Key{}.Byte(t.b).Text(t.s).Uint32(t.n).Int64(t.i).Uint64(t.u).Text(t.z)
}

func (t tuple) compare(o tuple) int {
	return cmp.Or(cmp.Compare(t.b, o.b), strings.Compare(t.s, o.s), cmp.Compare(t.n, o.n), cmp.Compare(t.i, o.i),
		cmp.Compare(t.u, o.u), strings.Compare(t.z, o.z))
}

func decode(key []byte) (tuple, error) {
	d := keys.Decode(key)
	t := tuple{b: d.Byte(), s: d.Text(), n: d.Uint32(), i: d.Int64(), u: d.Uint64(), z: d.Text()}
	return t, d.Done()
}

func FuzzOrderAndRoundTrip(f *testing.F) {
	f.Add(byte(1), "", uint32(0), int64(0), uint64(0), "", byte(1), "\x00", uint32(0), int64(0), uint64(0), "")
	f.Add(byte(1), "a", uint32(9), int64(-1), uint64(1), "b", byte(1), "a", uint32(9), int64(1), uint64(0), "b\x00\xff")
	f.Add(byte(1), "a\x00\x01", uint32(1), int64(math.MinInt64), uint64(1), "", byte(1), "a", uint32(2),
		int64(math.MaxInt64), uint64(math.MaxUint64), "\xff")
	f.Fuzz(func(t *testing.T, b1 byte, s1 string, n1 uint32, i1 int64, u1 uint64, z1 string,
		b2 byte, s2 string, n2 uint32, i2 int64, u2 uint64, z2 string) {
		first, second := tuple{b1, s1, n1, i1, u1, z1}, tuple{b2, s2, n2, i2, u2, z2}
		if got, want := bytes.Compare(first.key(), second.key()), first.compare(second); got != want {
			t.Errorf("keys of %+v and %+v compare as %d, want %d", first, second, got, want)
		}
		if back, err := decode(first.key()); err != nil || back != first {
			t.Errorf("%+v came back as %+v, %v", first, back, err)
		}
	})
}

func FuzzDecodeAnything(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 0, 1})
	f.Add([]byte(tuple{b: 1, s: "330106-20261121-0042", n: 3, i: 5, u: 7, z: "\x00"}.key()))
	f.Fuzz(func(t *testing.T, key []byte) {
		got, err := decode(key)
		if err != nil {
			if !errors.Is(err, keys.ErrMalformed) {
				t.Errorf("decoding %x: %v is not ErrMalformed", key, err)
			}
			return
		}
		if again := got.key(); !bytes.Equal(again, key) {
			t.Errorf("%x decodes to %+v, which encodes as %x", key, got, again)
		}
	})
}

func TestDecoderReportsTheFirstElementThatDoesNotFit(t *testing.T) {
	for _, test := range []struct {
		name, key, want string
		read            func(*keys.Decoder)
	}{
		{"text without end", "6161", "malformed key 6161: a text was expected at byte 0", func(d *keys.Decoder) { d.Text() }},
		{"text with a wrong escape", "610002", "malformed key 610002: a text was expected at byte 0",
			func(d *keys.Decoder) { d.Text() }},
		{"short number", "01000000", "malformed key 01000000: a 32-bit number was expected at byte 1",
			func(d *keys.Decoder) { d.Byte(); d.Uint32(); d.Text() }},
		{"something left", "0102", "malformed key 0102: the end was expected at byte 1", func(d *keys.Decoder) { d.Byte() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			key, err := hex.DecodeString(test.key)
			if err != nil {
				t.Fatal(err)
			}
			d := keys.Decode(key)
			test.read(d)
			if err := d.Done(); err == nil || err.Error() != test.want {
				t.Errorf("got error %v, want %s", err, test.want)
			}
		})
	}
}

func TestEndBoundsExactlyTheKeysThatBeginWithAKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.SliceOfN(rapid.SampledFrom([]byte{0x00, 0x01, 0x7f, 0xfe, 0xff}), 0, 6)
		prefix, other := keys.Key(some.Draw(t, "prefix")), some.Draw(t, "other")
		end := prefix.End()
		inside := bytes.Compare(other, prefix) >= 0 && (end == nil || bytes.Compare(other, end) < 0)
		if inside != bytes.HasPrefix(other, prefix) {
			t.Fatalf("%x lies in [%x, %x): %t", other, []byte(prefix), end, inside)
		}
	})
}

func TestOneKeyCanBeExtendedTwice(t *testing.T) {
	prefix := append(make(keys.Key, 0, 64), 1)
	first := prefix.Text("a")
	second := prefix.Text("b")
	if got, want := hex.EncodeToString(first), "01610001"; got != want {
		t.Errorf("after the second extension (%x) the first is %s, want %s", []byte(second), got, want)
	}
}
