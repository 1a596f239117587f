// Package deskpb is the durable schema of tierdesk: records, commands, events and what crosses a link. It holds only
// code generated from the .proto files beside it. Every package may use it; it uses none of ours.
package deskpb

//go:generate go -C ../../tools run ./generate
