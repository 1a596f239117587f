package node

import (
	"fmt"
	"sync"
	"time"

	"github.com/tierdesk/tierdesk/authority"
	"github.com/tierdesk/tierdesk/desk"
)

const (
	// signPause is the time between two certificates for one node: each is a line in the authority's ledger, for ever.
	signPause = 10 * time.Minute
	// maxSigned bounds how many nodes are remembered; when there are more, the memory begins anew.
	maxSigned = 4096
)

// signing has the tree's authority answer requests for certificates, of each node once in a while. Its methods are safe for
// concurrent use.
type signing struct {
	authority *authority.Authority

	mu   sync.Mutex // guards last, and is held while the authority signs
	last map[string]time.Time
}

// sign issues the next certificate of a node. authority.ErrNotIssued is a decision; any other error says that it cannot now.
func (s *signing) sign(request []byte, site desk.SiteID, node string) ([][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, now := string(site)+"/"+node, time.Now()
	if at, known := s.last[name]; known && now.Sub(at) < signPause {
		return nil, fmt.Errorf("node %s of site %s got a certificate at %s UTC; it gets another one %v later", node, site,
			at.UTC().Format(time.DateTime), signPause)
	}
	certificates, err := s.authority.Sign(request, string(site), node)
	if err != nil {
		return nil, err
	}
	if s.last == nil || len(s.last) >= maxSigned {
		s.last = make(map[string]time.Time)
	}
	s.last[name] = now
	return certificates, nil
}
