package people

import (
	"sync"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// maxHolders bounds the tokens that are remembered.
const maxHolders = 4096

// holder is whose token it is.
type holder struct {
	user    string
	role    deskpb.User_Role
	expires int64 // microseconds since 1970
}

// known remembers who holds the tokens that were seen lately, so that a call need not read the state for it. It forgets
// everything as soon as any user or session has changed.
type known struct {
	mu      sync.RWMutex // guards all below
	version uint64       // of the people that holders speaks of
	holders map[string]holder
}

func (k *known) get(hash []byte, version uint64) (holder, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.version != version {
		return holder{}, false
	}
	h, ok := k.holders[string(hash)]
	return h, ok
}

// put remembers what was read after the version was taken.
func (k *known) put(hash []byte, version uint64, h holder) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.version != version || k.holders == nil || len(k.holders) >= maxHolders {
		k.version, k.holders = version, make(map[string]holder)
	}
	k.holders[string(hash)] = h
}
