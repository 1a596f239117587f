package gossip

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/memberlist"
)

// meta is what a node announces of itself within a pool, as JSON of at most memberlist.MetaMaxSize bytes. Keys are short
// because every byte travels in each announcement; readers pass over keys that they do not know.
type meta struct {
	Site     string `json:"s"`
	Node     string `json:"d"`
	Name     string `json:"n,omitempty"`
	Parent   string `json:"p,omitempty"`
	Tier     string `json:"t"`
	GRPC     string `json:"g"`
	ServerID string `json:"i,omitempty"`
	Keys     string `json:"k,omitempty"`
}

// member is the name of a node in its pools, "<site>/<node>".
func (m Member) member() string { return m.Site + "/" + m.Node }

// encodeMeta announces m. The name is the only text for people in it, so it alone is shortened, by whole characters,
// until the rest fits.
func encodeMeta(m Member) ([]byte, error) {
	out := meta{Site: m.Site, Node: m.Node, Name: m.Name, Parent: m.Parent, Tier: m.Tier, GRPC: m.GRPC, ServerID: m.ServerID, Keys: m.Keys}
	for {
		text, err := json.Marshal(out)
		if err != nil {
			return nil, fmt.Errorf("encoding the announcement of %s: %w", m.member(), err)
		}
		if len(text) <= memberlist.MetaMaxSize {
			return text, nil
		}
		if out.Name == "" {
			return nil, fmt.Errorf("the announcement of %s has %d bytes, more than %d; shorten its ids or its grpc address %s",
				m.member(), len(text), memberlist.MetaMaxSize, m.GRPC)
		}
		_, size := utf8.DecodeLastRuneInString(out.Name)
		out.Name = out.Name[:len(out.Name)-size]
	}
}

// decodeMeta reads what the pool member of that name announces. It returns an error when the announcement is not JSON,
// speaks of another node, or has no address to dial.
func decodeMeta(member string, text []byte) (Member, error) {
	if len(text) > memberlist.MetaMaxSize {
		return Member{}, fmt.Errorf("announcement has %d bytes, more than %d", len(text), memberlist.MetaMaxSize)
	}
	var in meta
	if err := json.Unmarshal(text, &in); err != nil {
		return Member{}, fmt.Errorf("reading the announcement: %w", err)
	}
	m := Member{Site: in.Site, Node: in.Node, Name: in.Name, Parent: in.Parent, Tier: in.Tier, GRPC: in.GRPC, ServerID: in.ServerID, Keys: in.Keys}
	if m.Site == "" || m.Node == "" || strings.Contains(m.Site+m.Node, "/") || m.member() != member {
		return Member{}, fmt.Errorf("announcement speaks of %q", m.member())
	}
	if m.Parent == m.Site {
		return Member{}, errors.New("announcement names the site as its own parent")
	}
	if _, _, err := net.SplitHostPort(m.GRPC); err != nil {
		return Member{}, fmt.Errorf("announced grpc address: %w", err)
	}
	return m, nil
}
