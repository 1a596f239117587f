// Package apipb is the public service of a node: gRPC and its JSON gateway, generated from the .proto files beside it.
// node/api serves it; cmd/tierdesk and programs of other people call it.
package apipb
