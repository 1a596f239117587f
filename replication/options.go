package replication

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"
	"unicode"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
)

// What one node holds at most, and how commands share log entries.
const (
	maxCommandBytes    = 1 << 20   // one command
	maxGroupBytes      = 256 << 10 // commands of one entry, unless a single one is larger
	maxGroupCommands   = 512
	maxGroupsInFlight  = 2
	maxWaitingCommands = 4096
	maxWaitingBytes    = 32 << 20
	defaultDeadline    = 10 * time.Second // of a call whose context has none
)

// Options starts a replica.
type Options struct {
	Site            string
	Self            Server
	Dir             string       // the log and the file of term and vote live here; made when missing
	Listener        net.Listener // for Raft; Self.Raft is where others reach it. The replica closes it
	TLS             *tls.Config  // nil: plain, loopback only; else mutual TLS that verifies the peer's site
	BootstrapExpect int          // 1, 3 or 5
	Join            []string     // grpc addresses of nodes of the site, its own or not
	Machine         StateMachine
	Peers           Peers
	// Address returns the grpc address of a member, "" when it is not known yet. It may be nil.
	Address func(serverID string) string
	// Group stamps commands with the time and encodes them as one log entry. With no commands it encodes an entry that
	// changes nothing; a leader begins its term with one before its first read. Calls never overlap, and their order is
	// the order of the entries.
	Group func(commands [][]byte) ([]byte, error)
	// FS is the file system of the log; nil is the real one. The file of term and vote is always in the real one.
	FS vfs.FS
	// Room returns why this node's disk takes no more log, nil when it has room. It may be nil: there always is. While it
	// returns an error a follower takes no entries; a leader does. It is called for every append.
	Room func() error
	// Refused is told of each connection that is refused: the address that it came from, and why. Nil: each is logged.
	Refused func(remote, reason string)
	Logger  *slog.Logger
	Metrics prometheus.Registerer // nil: none

	pace *pace // nil: office
}

// pace is how fast a group beats and how much log it keeps.
type pace struct {
	heartbeat time.Duration // without one for so long, a follower calls an election
	lease     time.Duration // without a majority for so long, a leader steps down
	commit    time.Duration // after so long without an entry a follower is told the commit index
	greet     time.Duration // between two rounds of greeting

	markCheck    time.Duration // between two looks at how much log lies behind the snapshot mark
	markEntries  uint64        // of the log behind the mark, until the next one is set
	trailingLogs uint64        // entries kept before the mark
}

// timeoutStep is by how much a timeout is lengthened and shortened again when an election is due. Raft wants the timeout
// of a candidate to be no shorter than a follower's, so it is longer by as much.
const timeoutStep = time.Millisecond

// office suits the LAN of an office: heartbeats share the main loop with the disk, so one sync of 400 ms must not end a
// term.
var office = pace{
	heartbeat:    600 * time.Millisecond,
	lease:        500 * time.Millisecond,
	commit:       20 * time.Millisecond,
	greet:        500 * time.Millisecond,
	markCheck:    time.Second,
	markEntries:  8192,
	trailingLogs: 10240,
}

func (o *Options) validate() error {
	for name, value := range map[string]string{"Site": o.Site, "Self.ID": o.Self.ID} {
		if value == "" || strings.ContainsFunc(value, unicode.IsSpace) || strings.Contains(value, "@") {
			return fmt.Errorf("start replica: %s is %q; it must be one word without @", name, value)
		}
	}
	switch {
	case o.Self.Raft == "" || o.Self.GRPC == "":
		return fmt.Errorf("start replica: server %s needs a raft and a grpc address, has %q and %q", o.Self.ID, o.Self.Raft, o.Self.GRPC)
	case o.BootstrapExpect != 1 && o.BootstrapExpect != 3 && o.BootstrapExpect != 5:
		return fmt.Errorf("start replica: bootstrap_expect is %d; it must be 1, 3 or 5", o.BootstrapExpect)
	case o.Dir == "" || o.Listener == nil || o.Machine == nil || o.Peers == nil || o.Group == nil || o.Logger == nil:
		return fmt.Errorf("start replica: Dir, Listener, Machine, Peers, Group and Logger must be given")
	}
	if tcp, ok := o.Listener.Addr().(*net.TCPAddr); ok && o.TLS == nil && !tcp.IP.IsLoopback() {
		return fmt.Errorf("start replica: Raft listens on %s without TLS; give a certificate or listen on a loopback address", tcp)
	}
	if o.pace == nil {
		o.pace = &office
	}
	return nil
}
