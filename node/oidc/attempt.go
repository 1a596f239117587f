package oidc

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/oauth2"
)

// AttemptLife is how long somebody may take to sign in at the provider.
const AttemptLife = 10 * time.Minute

// maxAttempt bounds a sealed attempt, in bytes: a browser keeps cookies of 4 KiB.
const maxAttempt = 4 << 10

// attempt is what ties the provider's answer to the browser that asked.
type attempt struct {
	State    string `json:"state"`    // comes back beside the code
	Nonce    string `json:"nonce"`    // comes back inside the token
	Verifier string `json:"verifier"` // proves to the provider that who brings the code is who asked for it
	Back     string `json:"back"`     // what the caller wants to have again
	Expires  int64  `json:"expires"`  // seconds since 1970
}

func newAttempt(back string, now time.Time) attempt {
	return attempt{
		State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Back: back, Expires: now.Add(AttemptLife).Unix(),
	}
}

// sealer encrypts attempts, so that who holds one can neither read nor make one. The key comes from the client's secret: all
// nodes of a site open what one of them sealed, also after a restart.
type sealer struct{ aead cipher.AEAD }

func newSealer(o Options) (*sealer, error) {
	key, err := hkdf.Key(sha256.New, []byte(o.ClientSecret), nil, "tierdesk sign-in attempt "+o.Issuer+" "+o.ClientID, 32)
	if err != nil {
		return nil, fmt.Errorf("oidc: derive the key of attempts: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("oidc: make the cipher of attempts: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("oidc: make the cipher of attempts: %w", err)
	}
	return &sealer{aead: aead}, nil
}

func (s *sealer) seal(a attempt) (string, error) {
	text, err := json.Marshal(a)
	if err != nil {
		return "", fmt.Errorf("oidc: write an attempt: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, text, nil)), nil
}

// open returns an attempt that seal made and that has not expired.
func (s *sealer) open(sealed string, now time.Time) (attempt, error) {
	if sealed == "" || len(sealed) > maxAttempt {
		return attempt{}, fmt.Errorf("%w: the browser brought no attempt along", ErrExpired)
	}
	text, err := base64.RawURLEncoding.DecodeString(sealed)
	if err == nil {
		text, err = s.aead.Open(nil, nil, text, nil)
	}
	var a attempt
	if err == nil {
		err = json.Unmarshal(text, &a)
	}
	switch {
	case err != nil:
		return attempt{}, fmt.Errorf("%w: the attempt was not made here", ErrExpired)
	case now.Unix() >= a.Expires:
		return attempt{}, fmt.Errorf("%w: the attempt took longer than %v", ErrExpired, AttemptLife)
	}
	return a, nil
}
