// Package linkpb is the wire between a child site and its parent, generated from link.proto. Only tiers uses it.
package linkpb
