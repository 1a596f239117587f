// Package client is the desk from a terminal: the commands ticket, site, raft, user and token. It turns flags into one
// call of a node's API, and the answer into aligned text or JSON. It never opens a node's data, never decides anything
// about a ticket, and never prints a token or password except the token that somebody signed in for. cmd/tierdesk hangs
// its commands into the program.
package client
