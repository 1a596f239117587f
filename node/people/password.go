package people

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"

	"github.com/tierdesk/tierdesk/desk"
)

// cost is what one hash takes: the least that OWASP's password storage guide gives for argon2id.
type cost struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
}

// standardCost is that of new hashes. Each stored hash names its own, so that this one can be raised without asking
// anybody for a new password.
func standardCost() cost { return cost{memory: 19456, passes: 2, threads: 1} }

const (
	saltBytes = 16
	hashBytes = 32

	// maxHashes at a time bound the memory to 38 MiB; maxWaiting bounds those who wait for their turn.
	maxHashes  = 2
	maxWaiting = 64

	minPassword = 8    // characters
	maxPassword = 1024 // bytes
)

// hasher computes argon2id hashes, few at a time.
type hasher struct {
	cost    cost // of new hashes, and of nobody's
	turns   chan struct{}
	waiting atomic.Int32
	derived atomic.Int64 // how many were computed
}

func newHasher() *hasher { return &hasher{cost: standardCost(), turns: make(chan struct{}, maxHashes)} }

// derive waits for its turn and computes one hash. It refuses at once when too many wait, and when its turn has come what admit
// refuses, which may be nil.
func (h *hasher) derive(ctx context.Context, password string, salt []byte, c cost, admit func() error) ([]byte, error) {
	defer h.waiting.Add(-1)
	if h.waiting.Add(1) > maxWaiting+maxHashes {
		return nil, desk.Refuse(desk.ResourceExhausted, "TOO_MANY_SIGN_INS", "too many people sign in at once; try again in a moment")
	}
	select {
	case h.turns <- struct{}{}:
		defer func() { <-h.turns }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if admit != nil {
		if err := admit(); err != nil {
			return nil, err
		}
	}
	h.derived.Add(1)
	return argon2.IDKey([]byte(password), salt, c.passes, c.memory, c.threads, hashBytes), nil
}

// hash makes the PHC string of a password with a new salt.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	rand.Read(salt) // it never returns an error
	c := h.cost
	derived, err := h.derive(ctx, password, salt, c, nil)
	if err != nil {
		return "", err
	}
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		c.memory, c.passes, c.threads, encode(salt), encode(derived)), nil
}

// matches tells whether the password is the one of the PHC string. For an empty string, nobody's hash, it does the same
// work and says no; so it does for a password that nobody can have. Admit is asked when its turn has come.
func (h *hasher) matches(ctx context.Context, password, phc string, admit func() error) (bool, error) {
	if len(password) > maxPassword {
		password, phc = "", ""
	}
	salt, want, c := make([]byte, saltBytes), make([]byte, hashBytes), h.cost
	if phc != "" {
		var err error
		if salt, want, c, err = parsePHC(phc); err != nil {
			return false, err
		}
	}
	got, err := h.derive(ctx, password, salt, c, admit)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && phc != "", nil
}

// parsePHC reads a string that hash has made. Its cost is held to bounds, since a stored hash comes from the log.
func parsePHC(phc string) (salt, hash []byte, c cost, err error) {
	parts := strings.Split(phc, "$")
	bad := fmt.Errorf("read a password hash: %.20q… is not of the form $argon2id$v=19$m=…,t=…,p=…$salt$hash", phc)
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, nil, c, bad
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.passes, &c.threads); err != nil {
		return nil, nil, c, bad
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	hash, hashErr := base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || hashErr != nil || len(hash) != hashBytes {
		return nil, nil, c, bad
	}
	const maxMemory, maxPasses, maxThreads = 1 << 18, 16, 8
	if c.memory < 8 || c.memory > maxMemory || c.passes < 1 || c.passes > maxPasses || c.threads < 1 || c.threads > maxThreads {
		return nil, nil, c, bad
	}
	return salt, hash, c, nil
}
