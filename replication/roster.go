package replication

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

const maxKnown = 64 // servers; a site has five

// roster is the servers of the site that this one heard of since its start. A server is forgotten only when another one
// speaks from its address: its disk was wiped.
type roster struct {
	self Server

	mu    sync.Mutex // guards all below
	known map[string]Server
	out   string // why this server is in no group any more, as others told; "" when nobody did
}

func newRoster(self Server) *roster {
	return &roster{self: self, known: make(map[string]Server)}
}

// list returns this server first and the others by id.
func (r *roster) list() []Server {
	r.mu.Lock()
	defer r.mu.Unlock()
	others := slices.SortedFunc(maps.Values(r.known), func(a, b Server) int { return cmp.Compare(a.ID, b.ID) })
	return append([]Server{r.self}, others...)
}

// meet learns of a server from itself.
func (r *roster) meet(s Server) {
	if s.ID == "" || s.GRPC == "" || s.ID == r.self.ID {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.known, func(_ string, k Server) bool { return k.ID != s.ID && sharesAddress(k, s) })
	if _, ok := r.known[s.ID]; ok || len(r.known) < maxKnown {
		r.known[s.ID] = s
	}
}

// hear learns of servers from somebody else, who may be behind: what a server said of itself counts more. A server whose
// grpc address is not told cannot be greeted and does not count.
func (r *roster) hear(servers []Server) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range servers {
		_, known := r.known[s.ID]
		if known || s.ID == "" || s.GRPC == "" || len(r.known) >= maxKnown || r.taken(s) {
			continue
		}
		r.known[s.ID] = s
	}
}

// taken tells whether this server or a known one speaks from an address of s. The caller holds mu.
func (r *roster) taken(s Server) bool {
	if sharesAddress(s, r.self) {
		return true
	}
	for _, k := range r.known {
		if sharesAddress(k, s) {
			return true
		}
	}
	return false
}

func (r *roster) address(id string) string {
	if id == r.self.ID {
		return r.self.GRPC
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known[id].GRPC
}

// place notes what others say of this server's place in a group.
func (r *roster) place(outside string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.out = outside
}

func (r *roster) outside() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out
}

func sharesAddress(a, b Server) bool {
	return a.Raft == b.Raft || a.GRPC == b.GRPC
}

// sameServers tells whether two lists name the same ids.
func sameServers(a, b []Server) bool {
	return slices.Equal(sortedIDs(a), sortedIDs(b))
}

func sortedIDs(servers []Server) []string {
	ids := make([]string, len(servers))
	for i, s := range servers {
		ids[i] = s.ID
	}
	slices.Sort(ids)
	return ids
}
