// Package peerpb is the wire between the nodes of one site, generated from peer.proto. Only node/peers uses it.
package peerpb
