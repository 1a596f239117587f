// Package node is one running node of a site, assembled: it opens the store, starts the replica, the links and gossip,
// founds the site when nobody has, and serves gRPC, JSON and pages. What a room does is in its own package; this one
// joins them and decides the order in which they begin and end. Programs above it start nodes; nothing below knows it.
package node
