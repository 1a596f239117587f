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

// Peers reaches the other nodes of the site. An error that wraps ErrNotLeader, ErrRefused, ErrOverloaded, ErrNoQuorum or
// ErrUnreachable means that nothing was done; after any other error of Propose the outcome is unknown.
type Peers interface {
	// Hello greets the node at the address. known begins with the caller itself; their order must be kept.
	Hello(ctx context.Context, address string, known []Server) (Hello, error)
	Join(ctx context.Context, address string, self Server) error
	Propose(ctx context.Context, address string, command []byte) (result []byte, index uint64, err error)
	ReadIndex(ctx context.Context, address string) (uint64, error)
}
