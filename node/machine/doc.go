// Package machine is what the log of a site drives: it decodes an entry, has the rules decide each of its commands, and
// commits the outcome of the whole entry as one batch of the store. It is deterministic: the same entries make the same
// state and the same results on every node. It reads no clock while it applies; the leader's clock is in the entry. Only
// node uses it.
package machine
