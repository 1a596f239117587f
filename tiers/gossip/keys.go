package gossip

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

const (
	// keyLength is the only accepted length of a key, in bytes: AES-256.
	keyLength = 32
	// maxKeys bounds the keys of a rotation.
	maxKeys = 8
	// keysEvery is the time between two looks at the keys.
	keysEvery = 10 * time.Second
)

// keys are what encrypts the pools of a node. All keys of the operator's list decrypt; the first one that every living
// neighbour knows encrypts. They follow the list while the node runs, so that a key is replaced without a pause: the new one
// is put before the present one at every node, in any order, and when all use it the old one is removed.
type keys struct {
	read func() ([][]byte, error)
	// lacking names the living neighbours that do not know a key, by its fingerprint.
	lacking func(fingerprint string) []string
	ring    *memberlist.Keyring // nil: no encryption

	mu    sync.Mutex // guards alarm and state
	alarm string     // why the list cannot be followed; empty when it can
	state KeyState
}

// KeyState is how far this node is with the operator's keys, each by its fingerprint.
type KeyState struct {
	Use    string   // encrypts
	Others []string // decrypt as well
	Wanted string   // the first of the list
	// Lacking are the living neighbours, "<site>/<node>", that do not know Wanted, for which Use stays in use.
	Lacking []string
}

// Fingerprint names a key without telling it: the first eight hexadecimal digits of its SHA-256.
func Fingerprint(key []byte) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:4])
}

// newKeys reads the keys for the first time. lacking tells of those neighbours that an earlier run knew.
func newKeys(read func() ([][]byte, error), lacking func(fingerprint string) []string) (*keys, error) {
	k := &keys{read: read, lacking: lacking}
	if read == nil {
		return k, nil
	}
	list, err := read()
	if err != nil || len(list) == 0 {
		return k, err
	}
	if err := checkKeys(list); err != nil {
		return nil, err
	}
	first := k.choose(list)
	k.ring, err = memberlist.NewKeyring(list, list[first])
	return k, err
}

// choose finds the first key of the list that no neighbour lacks, 0 when there is none, and keeps how it stands.
func (k *keys) choose(list [][]byte) (first int) {
	state := KeyState{Wanted: Fingerprint(list[0])}
	state.Lacking = k.lacking(state.Wanted)
	if first = slices.IndexFunc(list, func(key []byte) bool { return len(k.lacking(Fingerprint(key))) == 0 }); first < 0 {
		first = 0
	}
	for n, key := range list {
		if n == first {
			state.Use = Fingerprint(key)
		} else {
			state.Others = append(state.Others, Fingerprint(key))
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.state = state
	return first
}

// standing is how far this node is with the keys; the zero one without encryption.
func (k *keys) standing() KeyState {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state
}

// announced are the fingerprints of all keys, the one that encrypts first, as the neighbours are told.
func (k *keys) announced() string {
	state := k.standing()
	return strings.TrimSpace(state.Use + " " + strings.Join(state.Others, " "))
}

func checkKeys(list [][]byte) error {
	if len(list) == 0 {
		return errors.New("there is no key any more; keep one in gossip.key_file")
	}
	if len(list) > maxKeys {
		return fmt.Errorf("there are %d keys; keep at most %d in gossip.key_file", len(list), maxKeys)
	}
	for i, key := range list {
		if len(key) != keyLength {
			return fmt.Errorf("key %d has %d bytes; put %d random bytes into gossip.key_file", i+1, len(key), keyLength)
		}
	}
	return nil
}

// follow takes the list as it is now. The keys stay as they are when it cannot be followed.
func (k *keys) follow() error {
	list, err := k.read()
	if err == nil {
		err = checkKeys(list)
	}
	if err == nil {
		err = k.install(list)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.alarm = ""; err != nil {
		k.alarm = fmt.Sprintf("the gossip keys are not read anew, those of before stay in use: %s", err)
	}
	return err
}

func (k *keys) install(list [][]byte) error {
	for _, key := range list {
		if err := k.ring.AddKey(key); err != nil {
			return err
		}
	}
	if err := k.ring.UseKey(list[k.choose(list)]); err != nil {
		return err
	}
	for _, key := range slices.Clone(k.ring.GetKeys()) {
		wanted := slices.ContainsFunc(list, func(other []byte) bool { return bytes.Equal(key, other) })
		if wanted {
			continue
		}
		if err := k.ring.RemoveKey(key); err != nil {
			return err
		}
	}
	return nil
}

// alarms is what an operator should do about the keys.
func (k *keys) alarms() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.alarm == "" {
		return nil
	}
	return []string{k.alarm}
}

// keepKeys follows the list until ctx ends. A failure is logged once for each reason.
func (g *Gossip) keepKeys(ctx context.Context, every time.Duration) {
	said := ""
	for pause(ctx, every) {
		err := g.followKeys()
		switch {
		case err == nil:
			said = ""
		case err.Error() != said:
			said = err.Error()
			g.logger.Warn("gossip keys are not read anew", "error", err)
		}
	}
}

// followKeys takes the list as it is now, and tells the neighbours when that makes a difference.
func (g *Gossip) followKeys() error {
	before := g.keys.announced()
	err := g.keys.follow()
	after := g.keys.announced()
	if before == after {
		return err
	}
	g.logger.Info("gossip keys have changed", "use", g.keys.standing().Use, "keys", after)
	self := g.self
	self.Keys = after
	for _, p := range g.pools {
		if announceErr := p.announce(self); announceErr != nil {
			g.logger.Info("the gossip keys are announced later", "pool", p.label, "error", announceErr)
		}
	}
	return err
}
