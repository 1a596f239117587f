package replication

import "context"

// Server is one member of the group: where Raft and where its peers' calls reach it.
type Server struct {
	ID   string // node id + random id of the data directory
	Raft string // host:port
	GRPC string // host:port
}

// Hello is what a node tells another of its site, before and after there is a group.
type Hello struct {
	Site    string
	Self    Server
	Founded bool
	Known   []Server // that this node heard of, itself first
}

// Outcome is what became of one command: its result and the index it was applied at, or an error as Propose returns it.
type Outcome struct {
	Result []byte
	Index  uint64
	Err    error
}

// Peers reaches the other nodes of the site. An error that wraps ErrNotLeader, ErrRefused, ErrOverloaded, ErrNoRoom,
// ErrNoQuorum or ErrUnreachable means that nothing was done; after any other error of Propose the outcome is unknown.
type Peers interface {
	// Hello greets the node at the address. known begins with the caller itself; their order must be kept.
	Hello(ctx context.Context, address string, known []Server) (Hello, error)
	Join(ctx context.Context, address string, self Server) error
	// Propose hands commands to the leader at the address and tells the outcome of each as it comes, by its place. The error
	// speaks of those that were not told.
	Propose(ctx context.Context, address string, commands [][]byte, tell func(i int, o Outcome)) error
	ReadIndex(ctx context.Context, address string) (uint64, error)
}
