// Package peers is the wire between the nodes of one site: a client by which a node reaches the others' replicas, and
// the server that answers them. It serves callers of its own site only, and it never guesses: an error either says that
// nothing was done, or that the outcome is unknown. Only node uses it.
package peers
