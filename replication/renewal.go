package replication

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/hashicorp/raft"
)

// Renewal describes a group that begins anew with one server, on a state that an earlier group of the site made.
type Renewal struct {
	Dir  string // of the new server's log; it must be empty or missing
	FS   vfs.FS // of the log; nil is the real one
	Self Server // Raft is where others will reach it
	// Index and Term name the log entry that the state stands at.
	Index, Term uint64
	Logger      *slog.Logger
}

// Renew makes the log and the file of term and vote of the group's only server. The log begins behind the state, in a term
// after it, so that no entry of the earlier group that the state does not have can be taken for one of its own. It returns
// the membership that the state machine's mark must have, at the same index and term; with it Start goes on from there.
// The servers of the earlier group are not in it and are not heard.
func Renew(r Renewal) (membership []byte, err error) {
	if r.Index == 0 || r.Term == 0 {
		return nil, fmt.Errorf("renew the group: the state stands at entry %d of term %d; there must be one", r.Index, r.Term)
	}
	d, err := openDisk(Options{Dir: r.Dir, FS: r.FS, Self: r.Self, Logger: r.Logger}, newFault())
	if err != nil {
		return nil, err
	}
	if err := errors.Join(d.renew(place{r.Index, r.Term}), d.Close()); err != nil {
		return nil, fmt.Errorf("renew the group in %s: %w", r.Dir, err)
	}
	alone := raft.Configuration{Servers: []raft.Server{{
		Suffrage: raft.Voter, ID: raft.ServerID(r.Self.ID), Address: raft.ServerAddress(r.Self.Raft),
	}}}
	return packMembers(r.Index, raft.EncodeConfiguration(alone)), nil
}

// renew makes empty files those of a server whose state stands at the place.
func (d *disk) renew(at place) error {
	_, term, err := d.ballot.known()
	if err != nil {
		return err
	}
	if term > 0 || d.last > 0 {
		return fmt.Errorf("there is a log of term %d already: move it away", term)
	}
	if err := d.expect(at); err != nil {
		return err
	}
	return errors.Join(d.ballot.Set([]byte(memberKey), []byte{1}), d.ballot.SetUint64([]byte(currentTerm), at.term+1))
}
