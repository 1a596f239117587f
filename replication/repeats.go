package replication

import (
	"maps"
	"sync"
	"time"
)

const (
	// mostEqual is how many equal messages are told within equalWithin; the others of that time are counted.
	mostEqual   = 3
	equalWithin = time.Minute
	// maxEqual bounds how many different messages are remembered; what there is no room for is told.
	maxEqual = 256
)

// repeats holds back what Raft says of a node that does not answer, several times a second for as long as it is away.
type repeats struct {
	now func() time.Time

	mu   sync.Mutex // guards told
	told map[string]*repeated
}

// repeated is what is known of one message.
type repeated struct {
	since time.Time // the beginning of its present time
	count int       // in that time
}

func newRepeats(now func() time.Time) *repeats {
	return &repeats{now: now, told: make(map[string]*repeated)}
}

// tell tells whether a message is one to tell, and how many equal ones were held back before it.
func (r *repeats) tell(message string) (held int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	m, known := r.told[message]
	switch {
	case known && m.present(now):
		m.count++
		return 0, m.count <= mostEqual
	case known:
		held = max(m.count-mostEqual, 0)
	case len(r.told) >= maxEqual:
		maps.DeleteFunc(r.told, func(_ string, m *repeated) bool { return !m.present(now) })
		if len(r.told) >= maxEqual {
			return 0, true
		}
	}
	r.told[message] = &repeated{since: now, count: 1}
	return held, true
}

// present tells whether the message's time is not over. A clock that was set back ends it.
func (m *repeated) present(now time.Time) bool {
	return now.Sub(m.since) < equalWithin && !now.Before(m.since)
}
