package replication

import (
	"encoding/binary"
	"fmt"

	"github.com/hashicorp/raft"
)

// packMembers makes the bytes by which the state machine remembers a membership: the index of its entry, big-endian, and
// Raft's encoding of it.
func packMembers(index uint64, configuration []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, index), configuration...)
}

// unpackMembers reads what packMembers made.
func unpackMembers(packed []byte) (index uint64, c raft.Configuration, err error) {
	if len(packed) < 8 {
		return 0, raft.Configuration{}, fmt.Errorf("read the membership: %d bytes are too few", len(packed))
	}
	defer func() { // Raft's decoder panics on bytes that are not its own
		if r := recover(); r != nil {
			err = fmt.Errorf("read the membership: %v", r)
		}
	}()
	return binary.BigEndian.Uint64(packed), raft.DecodeConfiguration(packed[8:]), nil
}
