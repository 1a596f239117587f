// Package disk keeps a node alive on a disk that fills or stalls. It holds a reserve in the data directory, which it gives
// up when the databases meet a full disk, tells how much room is left, and notices operations that never return. It knows
// files, not what is in them, and refuses no work itself. Only node uses it.
package disk
