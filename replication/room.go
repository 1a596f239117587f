package replication

import "fmt"

// room tells whether this node's disk takes commands. The error wraps ErrNoRoom and says why not: a command that is
// refused before it reaches the log did nothing, while one whose write fails stops the node.
func (r *Replica) room() error {
	if r.takesLog == nil {
		return nil
	}
	if err := r.takesLog(); err != nil {
		return fmt.Errorf("%w: %w", ErrNoRoom, err)
	}
	return nil
}
