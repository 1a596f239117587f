package node

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/disk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/replication"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/gossip"
)

// examinePatience bounds a node's look at itself, so that it can answer who asked before that one gives up.
const examinePatience = diagnosePatience * 3 / 4

// examineWithin looks at this node itself for a while. What still waits for the disk then ends with the disk's answer.
func (n *Node) examineWithin(ctx context.Context) []*apipb.Check {
	ctx, cancel := context.WithTimeout(ctx, examinePatience)
	defer cancel()
	done := make(chan []*apipb.Check, 1)
	go func() { done <- n.examine() }()
	select {
	case checks := <-done:
		return checks
	case <-ctx.Done():
		return []*apipb.Check{about(n.config.Node.ID, "disk", failure("see to the disk; when it stays silent the node ends by itself",
			"the disk of %s does not answer", n.config.Node.DataDir))}
	}
}

// examine looks at this node itself.
func (n *Node) examine() []*apipb.Check {
	var checks []*apipb.Check
	add := func(name string, found ...*apipb.Check) {
		for _, check := range found {
			checks = append(checks, about(n.config.Node.ID, name, check))
		}
	}
	if fault := n.broken.Load(); fault != nil {
		add("node", failure("see to the cause, then start the node again", "it has stopped working: %v", *fault))
	}
	state, err := n.store.Metrics()
	if err != nil {
		add("state", failure("look at the node's log", "the state cannot be measured: %v", err))
	} else {
		add("state", judgeState(state))
	}
	add("log", judgeLog(n.replica.Storage()))
	room, _ := n.disk.Room()
	add("disk", judgeDisk(n.config.Node.DataDir, room, state.DiskBytes))
	add("clock", n.examineClock()...)
	add("certificate", n.certificates.examine()...)
	add("gossip", judgeKeys(n.gossip.Keys())...)
	for _, alarm := range append(n.tiers.Alarms(), n.gossip.Alarms()...) {
		add("neighbours", failure("", "%s", alarm))
	}
	return checks
}

const mebibyte = 1 << 20

// spareRoom is what a disk should have left beside a second copy of the state, in bytes.
const spareRoom = 256 * mebibyte

// judgeDisk judges what a disk has left against what the state takes there: a checkpoint from another node, or a long
// compaction, needs as much again for a while.
func judgeDisk(dir string, room disk.Room, used uint64) *apipb.Check {
	const remedy = "free some space there"
	free := room.Free / mebibyte
	switch {
	case room.State != disk.OK:
		return failure(fmt.Sprintf("%s; from %d MiB on the node goes on by itself", remedy, room.Needed/mebibyte),
			"the disk of %s has %d MiB left, so the node takes no work", dir, free)
	case room.Total == 0:
		return fine("what the disk of %s has left cannot be measured here", dir)
	case room.Free < used+spareRoom:
		return warning(remedy, "the disk of %s has %d MiB left, and a second copy of the state, which a node that fell behind is sent, takes %d MiB",
			dir, free, used/mebibyte)
	default:
		return fine("the disk of %s has %d MiB left beside a reserve of %d MiB", dir, free, room.Reserve/mebibyte)
	}
}

const (
	deepReads = 20             // tables that a read may look into before it is told
	largeDebt = 256 * mebibyte // bytes of compactions in arrears
	// slowMemory is how long a slow disk is told of.
	slowMemory = 24 * time.Hour
)

// judgeState judges the database of the state.
func judgeState(m store.Metrics) *apipb.Check {
	const remedy = "give the node a faster disk, or less work for a while"
	switch {
	case m.Stalled:
		return warning(remedy, "writes wait until the database has caught up; they did so %d times since the node started", m.WriteStalls)
	case m.ReadAmplification > deepReads:
		return warning(remedy, "a read may look into %d tables: compactions do not keep up", m.ReadAmplification)
	case m.CompactionDebt > max(largeDebt, m.TableBytes):
		return warning(remedy, "%d MiB wait for compactions, more than the state has", m.CompactionDebt/mebibyte)
	}
	if !m.SlowWriteTime.IsZero() && time.Since(m.SlowWriteTime) < slowMemory {
		return warning("see what else uses the disk, and whether it is sound", "%d operations on the disk took several seconds, the last one %v ago",
			m.SlowWrites, time.Since(m.SlowWriteTime).Round(time.Second))
	}
	return fine("the state takes %d MiB, a read looks into %d tables at most", m.DiskBytes/mebibyte, m.ReadAmplification)
}

const (
	// largeLog is more than a log takes that is cut behind snapshots, even while a checkpoint holds it, in bytes.
	largeLog = 2 << 30
	// largeStable is what the file of term and vote may take before its free pages are told, in bytes.
	largeStable = 64 * mebibyte
)

// judgeLog judges what the site's log takes on this node's disk.
func judgeLog(s replication.Storage) *apipb.Check {
	switch {
	case s.LogBytes > largeLog:
		return warning("look at the node's log for snapshots that fail", "the site's log takes %d MiB and is not cut", s.LogBytes/mebibyte)
	case s.StableBytes > largeStable && s.StableFreeBytes > s.StableBytes/2:
		return warning("nothing is lost; to get the space back, take the node out with tierdesk raft remove and add it again with an empty disk",
			"the file of term and vote takes %d MiB, of which %d MiB are free and are never given back",
			s.StableBytes/mebibyte, s.StableFreeBytes/mebibyte)
	case s.Last == 0:
		return fine("the log is empty")
	default:
		return fine("the log has %d entries and takes %d MiB", s.Last-s.First+1, (s.LogBytes+s.StableBytes)/mebibyte)
	}
}

// examineClock tells of jumps and, where this node carries the line to the parent, of the distance to it.
func (n *Node) examineClock() []*apipb.Check {
	var checks []*apipb.Check
	for _, alarm := range n.clock.Alarms() {
		checks = append(checks, failure("", "%s", alarm))
	}
	if parent, told := n.tiers.ParentTime(); told {
		found := judgeClock(n.clock.Now().Sub(parent).Abs(), "the clock of this node and that of the parent "+n.parent())
		if found != nil {
			checks = append(checks, found)
		}
	}
	if len(checks) == 0 {
		checks = append(checks, fine("the clock runs evenly"))
	}
	return checks
}

// judgeKeys judges how far the node is with the keys of gossip; nothing without encryption.
func judgeKeys(k gossip.KeyState) []*apipb.Check {
	switch {
	case k.Use == "":
		return nil
	case len(k.Lacking) > 0:
		return []*apipb.Check{warning("run tierdesk gossip-key add there too",
			"the gossip key %s waits until %s know it; %s is in use", k.Wanted, strings.Join(k.Lacking, ", "), k.Use)}
	case len(k.Others) > 0:
		return []*apipb.Check{fine("gossip uses the key %s, and still knows %s: when every node uses the first one, run tierdesk gossip-key drop at each",
			k.Use, strings.Join(k.Others, ", "))}
	default:
		return []*apipb.Check{fine("gossip uses the key %s", k.Use)}
	}
}
