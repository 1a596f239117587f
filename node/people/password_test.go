package people

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
)

func TestHashesMatchTheirPasswordAlone(t *testing.T) {
	h := newHasher()
	hash, err := h.hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash %q does not name its cost", hash)
	}
	again, err := h.hash(t.Context(), password)
	if err != nil || again == hash {
		t.Errorf("a second hash is %q, %v; want another salt", again, err)
	}
	for try, want := range map[string]bool{password: true, "Correct horse": false, "": false} {
		if got, err := h.matches(t.Context(), try, hash, nil); err != nil || got != want {
			t.Errorf("%q matches: %v, %v, want %v", try, got, err, want)
		}
	}
	if got, err := h.matches(t.Context(), "", "", nil); got || err != nil {
		t.Errorf("the hash of nobody matches: %v, %v", got, err)
	}
}

func TestHashNamesItsOwnCost(t *testing.T) {
	// A hash from before the cost was raised.
	const cheap = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$"
	h := newHasher()
	derived, err := h.derive(t.Context(), password, []byte("somesalt"), cost{memory: 64, passes: 1, threads: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	phc := cheap + base64.RawStdEncoding.EncodeToString(derived)
	if got, err := h.matches(t.Context(), password, phc, nil); !got || err != nil {
		t.Errorf("matches %s: %v, %v", phc, got, err)
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=4294967295,t=1,p=1$AA$AA")
	f.Add("$$$$$")
	f.Fuzz(func(t *testing.T, phc string) {
		_, hash, c, err := parsePHC(phc)
		if err == nil && (c.memory > 1<<18 || c.passes > 16 || c.passes < 1 || c.threads < 1 || len(hash) != hashBytes) {
			t.Errorf("%q has the cost %+v and %d bytes", phc, c, len(hash))
		}
	})
}

func TestWaitingForATurnEndsWithTheContext(t *testing.T) {
	h := newHasher()
	for range maxHashes {
		h.turns <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.hash(ctx, password); !errors.Is(err, context.Canceled) {
		t.Errorf("hash behind a full queue: %v, want the context's error", err)
	}
	if h.waiting.Load() != 0 {
		t.Errorf("%d still wait", h.waiting.Load())
	}
}

func TestTooManyWaitingAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher()
		for range maxHashes {
			h.turns <- struct{}{}
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		for range maxWaiting + maxHashes {
			go func() {
				_, err := h.hash(ctx, password)
				ended <- err
			}()
		}
		synctest.Wait() // now all of them wait
		_, err := h.hash(ctx, password)
		mustRefuse(t, "one more", err, "TOO_MANY_SIGN_INS")
		cancel()
		for range maxWaiting + maxHashes {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("a waiting one ended with %v", err)
			}
		}
	})
}
