package web

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
)

// stepLife is how long somebody may take to give the second factor's code.
const stepLife = 3 * time.Minute

// credentials are the first step of signing in.
type credentials struct {
	User     string `json:"user"`
	Password string `json:"password"`
	Expires  int64  `json:"expires"` // seconds since 1970
}

// steps seals first steps into the form of the second one, so that nobody types a password twice and no page shows one. Only
// this process opens them.
type steps struct{ aead cipher.AEAD }

func newSteps() (*steps, error) {
	key := make([]byte, 32)
	rand.Read(key) // it never returns an error
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make the cipher of the sign-in steps: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make the cipher of the sign-in steps: %w", err)
	}
	return &steps{aead: aead}, nil
}

// seal returns an empty text when what was typed is no text; the form then asks for it again.
func (s *steps) seal(c credentials, now time.Time) string {
	c.Expires = now.Add(stepLife).Unix()
	text, err := json.Marshal(c)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, text, nil))
}

// open tells whether the step was sealed by this process, a short while ago.
func (s *steps) open(sealed string, now time.Time) (c credentials, ok bool) {
	text, err := base64.RawURLEncoding.DecodeString(sealed)
	if err == nil {
		text, err = s.aead.Open(nil, nil, text, nil)
	}
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil || now.Unix() >= c.Expires {
		return credentials{}, false
	}
	return c, true
}
