package replication

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"reflect"
	"testing"

	"github.com/hashicorp/raft"
)

// The bytes of stored entries are a durable format.
func TestTheBytesOfAnEntryStay(t *testing.T) {
	for _, c := range []struct {
		entry raft.Log
		want  string
	}{
		{raft.Log{Index: 1, Term: 1, Type: raft.LogConfiguration, Data: []byte("members")}, "010501006d656d6265727308c576e3"},
		{raft.Log{Index: 300, Term: 300, Type: raft.LogCommand, Data: []byte("ab"), Extensions: []byte{1, 2}}, "0100ac020201026162cb2daa21"},
		{raft.Log{Index: 1 << 40, Term: 2, Type: raft.LogNoop}, "01010200bf77c6d0"},
	} {
		encoded := appendEntry(nil, &c.entry)
		if got := hex.EncodeToString(encoded); got != c.want {
			t.Errorf("entry %d is stored as %s, want %s", c.entry.Index, got, c.want)
		}
		if len(encoded) != entrySize(&c.entry) {
			t.Errorf("entry %d takes %d bytes, %d were foreseen", c.entry.Index, len(encoded), entrySize(&c.entry))
		}
		var got raft.Log
		if err := decodeEntry(c.entry.Index, encoded, &got); err != nil || !reflect.DeepEqual(got, c.entry) {
			t.Errorf("entry %d is read back as %+v, %v", c.entry.Index, got, err)
		}
	}
}

func TestADamagedOrMisplacedEntryIsNoticed(t *testing.T) {
	entry := raft.Log{Index: 7, Term: 3, Data: []byte("command"), Extensions: []byte("sum")}
	encoded := appendEntry(nil, &entry)
	var got raft.Log
	for i := range encoded {
		wrong := bytes.Clone(encoded)
		wrong[i] ^= 0x10
		if err := decodeEntry(7, wrong, &got); !errors.Is(err, errChecksum) {
			t.Errorf("with byte %d changed: %v", i, err)
		}
		if err := decodeEntry(7, encoded[:i], &got); err == nil {
			t.Errorf("the first %d bytes alone are taken for an entry", i)
		}
	}
	if err := decodeEntry(8, encoded, &got); !errors.Is(err, errChecksum) {
		t.Errorf("under another index: %v", err)
	}
}

func FuzzDecodeEntry(f *testing.F) {
	f.Add(uint64(7), appendEntry(nil, &raft.Log{Index: 7, Term: 3, Data: []byte("command"), Extensions: []byte("sum")}))
	f.Add(uint64(1), []byte{entryVersion, 0, 1, 0})
	f.Fuzz(func(t *testing.T, index uint64, body []byte) {
		var entry raft.Log
		sealed := binary.BigEndian.AppendUint32(bytes.Clone(body), seal(index, body))
		if decodeEntry(index, sealed, &entry) != nil {
			return
		}
		if again := appendEntry(nil, &entry); len(again) > len(sealed) {
			t.Errorf("%x is read as %+v, which is stored as %x", sealed, entry, again)
		}
	})
}
