// Package client is the desk from a terminal: the commands ticket, site, raft, user, token, doctor and bench. It
// turns flags into calls of a node's API, and the answers into aligned text or JSON. It repeats a call only where that
// cannot do it twice. It never opens a node's data, never decides anything
// about a ticket, and never prints a token or password except the token that somebody signed in for. cmd/tierdesk hangs
// its commands into the program.
package client
