package replication

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/bits"

	"github.com/hashicorp/raft"
)

// entryVersion is the first byte of a stored entry. Another layout gets another one.
const entryVersion = 1

// indexBytes is the length of an entry's key: its index, big-endian.
const indexBytes = 8

var (
	errLayout  = errors.New("its bytes are no log entry")
	errVersion = errors.New("it is of a newer layout; start the tierdesk that wrote it or a newer one")
)

func entryKey(index uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 0, indexBytes), index)
}

// entrySize is what appendEntry makes of the entry, in bytes.
func entrySize(entry *raft.Log) int {
	return 2 + varintSize(entry.Term) + varintSize(uint64(len(entry.Extensions))) + len(entry.Extensions) + len(entry.Data) + crc32.Size
}

func varintSize(n uint64) int { return (bits.Len64(n|1) + 6) / 7 }

// appendEntry encodes an entry: version, type, term and length of the extensions as varints, extensions, data, and a
// checksum over all of it and the index. The moment at which the leader appended it is left out: it means nothing to
// the protocol.
func appendEntry(to []byte, entry *raft.Log) []byte {
	start := len(to)
	to = append(to, entryVersion, byte(entry.Type))
	to = binary.AppendUvarint(to, entry.Term)
	to = binary.AppendUvarint(to, uint64(len(entry.Extensions)))
	to = append(to, entry.Extensions...)
	to = append(to, entry.Data...)
	return binary.BigEndian.AppendUint32(to, seal(entry.Index, to[start:]))
}

// seal is the checksum of an entry at its index, so that an entry under the key of another is found as well.
func seal(index uint64, encoded []byte) uint32 {
	return crc32.Update(crc32.Checksum(entryKey(index), castagnoli), castagnoli, encoded)
}

// decodeEntry reads what appendEntry made and verifies it. The entry shares no memory with the value.
func decodeEntry(index uint64, value []byte, entry *raft.Log) error {
	if len(value) < 2+crc32.Size {
		return errLayout
	}
	body, sum := value[:len(value)-crc32.Size], value[len(value)-crc32.Size:]
	if binary.BigEndian.Uint32(sum) != seal(index, body) {
		return errChecksum
	}
	if body[0] != entryVersion {
		return fmt.Errorf("%w (%d)", errVersion, body[0])
	}
	kind, rest := raft.LogType(body[1]), body[2:]
	term, n := binary.Uvarint(rest)
	if n <= 0 {
		return errLayout
	}
	rest = rest[n:]
	extensions, n := binary.Uvarint(rest)
	if n <= 0 || extensions > uint64(len(rest)-n) {
		return errLayout
	}
	rest = append([]byte(nil), rest[n:]...)
	*entry = raft.Log{Index: index, Term: term, Type: kind}
	if extensions > 0 {
		entry.Extensions = rest[:extensions:extensions]
	}
	if data := rest[extensions:]; len(data) > 0 {
		entry.Data = data
	}
	return nil
}
