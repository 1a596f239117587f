// Package audit brings into a site's audit log what leaves no other trace in the site's own log, such as refusals, and signs
// checkpoints on the log while this node leads. It decides nothing about who may do what, and reads no entries. Only node
// starts it.
package audit
