package replication

import "sync"

// budget bounds the commands that a node holds, by number and by bytes.
type budget struct {
	mu       sync.Mutex // guards commands, bytes
	commands int
	bytes    int
}

// take holds a command of so many bytes. Who gets true gives it back.
func (b *budget) take(bytes int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.commands+1 > maxWaitingCommands || b.bytes+bytes > maxWaitingBytes {
		return false
	}
	b.commands++
	b.bytes += bytes
	return true
}

func (b *budget) give(bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.commands--
	b.bytes -= bytes
}
