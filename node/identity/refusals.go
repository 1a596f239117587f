package identity

import (
	"log/slog"
	"maps"
	"net/netip"
	"sync"
	"time"
)

const (
	// quietFor is how long the same refusal of the same host is not told again.
	quietFor = time.Hour
	// maxRefusals bounds how many are remembered; while there are more, the others are not told.
	maxRefusals = 1024
)

// Refusals writes each refused handshake to the log, once an hour for each host and reason: who tries again and again
// must not hide what else is in the log.
type Refusals struct {
	logger *slog.Logger
	now    func() time.Time

	mu   sync.Mutex // guards told and full
	told map[refusal]time.Time
	full time.Time // when it was said last that there are too many
}

// refusal is one host, without the port that changes with each attempt, and why.
type refusal struct{ host, reason string }

// NewRefusals makes the log of refusals; now is the machine's clock.
func NewRefusals(logger *slog.Logger, now func() time.Time) *Refusals {
	return &Refusals{logger: logger, now: now, told: make(map[refusal]time.Time)}
}

// Tell is for Options.Refused.
func (r *Refusals) Tell(remote, reason string) {
	host := remote
	if address, err := netip.ParseAddrPort(remote); err == nil {
		host = address.Addr().String()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now, one := r.now(), refusal{host, reason}
	if at, known := r.told[one]; known && recent(at, now) {
		return
	}
	if len(r.told) >= maxRefusals {
		maps.DeleteFunc(r.told, func(_ refusal, at time.Time) bool { return !recent(at, now) })
	}
	if len(r.told) >= maxRefusals {
		if !recent(r.full, now) {
			r.full = now
			r.logger.Warn("connections were refused from too many hosts to tell of each", "quiet_for", quietFor.String())
		}
		return
	}
	r.told[one] = now
	r.logger.Warn("a connection was refused", "remote", host, "reason", reason, "quiet_for", quietFor.String())
}

// recent tells whether it is too early to tell again what was told then. A clock that was set back does not make it so.
func recent(at, now time.Time) bool { return now.Sub(at) < quietFor && !now.Before(at) }
