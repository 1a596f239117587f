package replication

// Storage is what a server's log and its file of term and vote take on the disk.
type Storage struct {
	First, Last uint64 // indexes of the first and the last log entry; 0 when there are none
	LogBytes    int64  // files of the log, with what was cut and is not given back yet
	StableBytes int64  // the file of term and vote, which never shrinks
	// StableFreeBytes is the part of StableBytes that holds nothing.
	StableFreeBytes int64
}

// Storage measures what this server's log takes now. Sizes are 0 when they cannot be read, such as after a fault.
func (r *Replica) Storage() Storage {
	s := Storage{LogBytes: r.disk.size()}
	s.First, s.Last = r.disk.ends()
	s.StableBytes, s.StableFreeBytes = r.disk.ballot.size()
	return s
}

// size is what the files take, in bytes.
func (l *entryLog) size() (bytes int64) {
	names, err := l.disk.List(l.path)
	if err != nil {
		return 0
	}
	for _, name := range names {
		if info, err := l.disk.Stat(l.disk.PathJoin(l.path, name)); err == nil { // it may be deleted meanwhile
			bytes += info.Size()
		}
	}
	return bytes
}
