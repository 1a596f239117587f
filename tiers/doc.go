// Package tiers joins sites into a tree: it writes what must travel into outboxes inside the log, carries it over the
// links between child and parent, applies what arrives exactly once, and sends queued hand-overs when the line is up.
// The rules of a ticket are desk's; tiers moves its events. Only node uses it.
package tiers
