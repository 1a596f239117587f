package node

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tierdesk/tierdesk/disk"
	"github.com/tierdesk/tierdesk/replication"
)

const (
	// roomPause lies between two looks of the leader at the disks of the site.
	roomPause = 2 * time.Second
	// roomPatience bounds one hand-over of the lead for want of room.
	roomPatience = 5 * time.Second
	// shortOfRoom begins the alarm of a node whose disk takes no work. The leader goes by it.
	shortOfRoom = "no room: "
)

// openDisk looks at the disk of the data directory. A disk on which not even the databases could be opened is refused:
// they would wait for room without a word.
func (n *Node) openDisk() (err error) {
	n.disk, err = disk.Open(disk.Options{Dir: n.config.Node.DataDir, FS: n.options.FS, Logger: n.options.Logger})
	if err != nil {
		return err
	}
	n.registry.MustRegister(
		n.roomGauge("disk_free_bytes", "Bytes that the disk of the data directory has left.", func(r disk.Room) float64 { return float64(r.Free) }),
		n.roomGauge("disk_reserve_bytes", "Bytes held back for a full disk, 0 after they were given up.", func(r disk.Room) float64 { return float64(r.Reserve) }),
		n.roomGauge("disk_state", "Room on the disk: 0 enough, 1 low, 2 full; work is taken at 0 only.", func(r disk.Room) float64 { return float64(r.State) }),
	)
	return n.startsOn()
}

func (n *Node) roomGauge(name, help string, value func(disk.Room) float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "tierdesk", Name: name, Help: help}, func() float64 {
		room, _ := n.disk.Room()
		return value(room)
	})
}

// startsOn returns why the node cannot start on its disk, nil when it can.
func (n *Node) startsOn() error {
	if !n.disk.Spent() {
		return nil
	}
	room, _ := n.disk.Room()
	return fmt.Errorf("the disk of %s is full, it has %d MiB left: free at least %d MiB, then start the node again",
		n.config.Node.DataDir, room.Free>>20, room.Needed>>20)
}

// onDisk does a step of the start, and gives up when the disk stalls or has no room for it: the step would wait for ever.
// The node is broken then.
func (n *Node) onDisk(step func() error) error {
	if n.disk == nil {
		return step()
	}
	done := make(chan error, 1)
	go func() { done <- step() }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		var fault error
		select {
		case err := <-done:
			return err
		case fault = <-n.disk.Fault():
		case <-tick.C:
			fault = n.startsOn()
		}
		if fault != nil {
			n.broken.Store(&fault)
			return fault
		}
	}
}

// room returns why this node takes no commands, nil when its disk has room. The error wraps replication.ErrNoRoom.
func (n *Node) room() error {
	if wanting := n.wanting(); wanting != "" {
		return fmt.Errorf("%w: %s", replication.ErrNoRoom, wanting)
	}
	return nil
}

// wanting says in a sentence that the disk has no room for work, "" when it has.
func (n *Node) wanting() string {
	room, _ := n.disk.Room()
	if room.State == disk.OK {
		return ""
	}
	return fmt.Sprintf("node %s has %d MiB left in %s; free some space there, and it goes on by itself from %d MiB",
		n.config.Node.ID, room.Free>>20, n.config.Node.DataDir, room.Needed>>20)
}

// roomAlarms tells the operator, and the leader, that the disk has no room for work.
func (n *Node) roomAlarms() []string {
	if wanting := n.wanting(); wanting != "" {
		return []string{shortOfRoom + wanting}
	}
	return nil
}

// takesLog returns why the log takes nothing from this node's disk: as the leader because the site has no room for work,
// as a follower only when what was left for the work under way is used up.
func (n *Node) takesLog() error {
	if n.disk.Spent() {
		return fmt.Errorf("%s", n.wanting())
	}
	if why := n.refusal.Load(); why != nil {
		return *why
	}
	return nil
}

// watchRoom looks after the room of the site while this node leads, until the context ends.
func (n *Node) watchRoom(ctx context.Context) {
	for {
		_, full := n.disk.Room()
		leading, _, moved := n.replica.Leading()
		if leading {
			n.lookAtRoom(ctx)
		} else {
			n.refusal.Store(nil)
		}
		select {
		case <-ctx.Done():
			return
		case <-full:
		case <-moved:
		case <-time.After(roomPause):
		}
	}
}

// lookAtRoom has the leader refuse commands while its own disk or those of a majority have no room, and hands the lead to
// a voter that has some when its own is the one that lacks it.
func (n *Node) lookAtRoom(ctx context.Context) {
	own := n.wanting()
	if own != "" {
		n.refuse(own)
	}
	voters, fit := 1, ""
	var short []string
	answers := n.otherLinks(ctx)
	for _, member := range n.replica.Status().Members {
		if !member.Voter || member.ID == n.store.ServerID() {
			continue
		}
		voters++
		answer, heard := answers[member.ID]
		switch wanting := wantingOf(answer.Alarms); {
		case wanting != "":
			short = append(short, wanting)
		case heard:
			fit = member.ID
		}
	}
	switch {
	case own != "" && fit != "":
		n.handOver(ctx, fit)
	case own != "":
	case len(short) > (voters-1)/2:
		n.refuse(short[0])
	default:
		n.refusal.Store(nil)
	}
}

// wantingOf finds in a node's alarms that its disk takes no work, "" when it does.
func wantingOf(alarms []string) string {
	for _, alarm := range alarms {
		if wanting, short := strings.CutPrefix(alarm, shortOfRoom); short {
			return wanting
		}
	}
	return ""
}

func (n *Node) refuse(wanting string) {
	err := fmt.Errorf("%s", wanting)
	n.refusal.Store(&err)
}

func (n *Node) handOver(ctx context.Context, serverID string) {
	ctx, cancel := context.WithTimeout(ctx, roomPatience)
	defer cancel()
	if err := n.replica.TransferLeadership(ctx, serverID); err != nil {
		n.log.Warn("this node's disk has no room and the lead was not handed over", "to", serverID, "error", err)
		return
	}
	n.log.Info("handed over the lead, because this node's disk has no room", "to", serverID)
}
