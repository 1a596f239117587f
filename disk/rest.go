package disk

import "time"

const (
	// compactionRest is how long compactions are refused after one found no room.
	compactionRest = 30 * time.Second
	// refusalPause is how long it takes to refuse what the database tries again at once.
	refusalPause = time.Second
)

// rest keeps compactions from filling the disk again and again.
func (d *Disk) rest() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rested = time.Now().Add(compactionRest)
}

// resting tells whether a compaction should not begin: what is left is for the log, or one has just found too little.
func (d *Disk) resting() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.room.State == Full || time.Now().Before(d.rested)
}
