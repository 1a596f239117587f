// Package replication runs one site's Raft group: it takes commands on any node, groups them into log entries on the
// leader, hands committed entries to the state machine, proves read points, moves snapshots, and lets nodes in and out.
// It knows bytes, not tickets, and neither decides nor stores anything itself. Only node uses it.
package replication
