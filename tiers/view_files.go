package tiers

import "github.com/tierdesk/tierdesk/desk/deskpb"

// File returns how much this site has of a content, nil for nothing.
func (v view) File(sha256 []byte) (*deskpb.Blob, error) { return v.tree.r.Blob(sha256) }
