package gossip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
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

// keys are what encrypts the pools of a node: the first one of the operator's list encrypts, all of them decrypt. They
// follow the list while the node runs, so that a key is replaced without a pause: added behind the present one at every
// node, moved to the front at every node, and then the old one is removed.
type keys struct {
	read func() ([][]byte, error)
	ring *memberlist.Keyring // nil: no encryption

	mu    sync.Mutex // guards alarm
	alarm string     // why the list cannot be followed; empty when it can
}

// newKeys reads the keys for the first time.
func newKeys(read func() ([][]byte, error)) (*keys, error) {
	k := &keys{read: read}
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
	k.ring, err = memberlist.NewKeyring(list, list[0])
	return k, err
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
	if err := k.ring.UseKey(list[0]); err != nil {
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
		err := g.keys.follow()
		switch {
		case err == nil:
			said = ""
		case err.Error() != said:
			said = err.Error()
			g.logger.Warn("gossip keys are not read anew", "error", err)
		}
	}
}
