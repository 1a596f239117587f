// Package store keeps a site's state on disk in Pebble: tickets with their indexes, the journal, outboxes and marks of
// links, people, the directory, and the index of the log entry that the state stands at. Each log entry is one atomic
// batch. It stores what it is given and never decides. node/machine writes through it from the log; tiers, node and its
// sub-packages read.
package store
