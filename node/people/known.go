package people

import (
	"sync"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// maxHolders bounds the tokens that are remembered.
const maxHolders = 4096

// holder is whose token it is. Nothing in it is changed.
type holder struct {
	session *deskpb.Session
	user    *deskpb.User
}

// actor is the holder as one who asks for something from an address. Its lists are the account's own.
func (h *holder) actor(address string) *deskpb.Actor {
	return &deskpb.Actor{
		User: h.user.Name, Role: h.user.Role, Scope: h.user.Scope, Offices: h.user.Offices, Groups: h.user.Groups, Lines: h.user.Lines,
		Address: address, Session: h.session.Id, Limits: h.session.Limits, MustChangePassword: h.user.MustChangePassword,
	}
}

// known remembers who holds the tokens that were seen lately, so that a call need not read the state for it. It forgets
// everything as soon as any user or session has changed.
type known struct {
	mu      sync.RWMutex // guards all below
	version uint64       // of the people that holders speaks of
	holders map[string]*holder
}

func (k *known) get(hash []byte, version uint64) (*holder, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.version != version {
		return nil, false
	}
	h, ok := k.holders[string(hash)]
	return h, ok
}

// put remembers what was read after the version was taken.
func (k *known) put(hash []byte, version uint64, h *holder) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.version != version || k.holders == nil || len(k.holders) >= maxHolders {
		k.version, k.holders = version, make(map[string]*holder)
	}
	k.holders[string(hash)] = h
}
