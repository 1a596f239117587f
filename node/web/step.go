package web

import (
	"bytes"
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

// steps seals first steps into the form of the second one, so that nobody types a password twice and no page shows one, and forms of
// those who have to sign in before they are taken. Only this process opens them.
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
	return s.close(text, stepUse)
}

// open tells whether the step was sealed by this process, a short while ago.
func (s *steps) open(sealed string, now time.Time) (c credentials, ok bool) {
	if !s.read(sealed, stepUse, &c) || now.Unix() >= c.Expires {
		return credentials{}, false
	}
	return c, true
}

// sealForm returns an empty text for a form that is too long to be kept.
func (s *steps) sealForm(kept keptForm, now time.Time) string {
	kept.Expires = now.Add(keptLife).Unix()
	var text bytes.Buffer
	writer := json.NewEncoder(&text)
	writer.SetEscapeHTML(false) // it only makes the text longer
	if err := writer.Encode(kept); err != nil || text.Len() > maxKept {
		return ""
	}
	return s.close(text.Bytes(), formUse)
}

// openForm tells whether the form was sealed by this process, not too long ago.
func (s *steps) openForm(sealed string, now time.Time) (kept keptForm, ok bool) {
	if !s.read(sealed, formUse, &kept) || now.Unix() >= kept.Expires {
		return keptForm{}, false
	}
	return kept, true
}

// What is sealed for one use opens for no other one.
const (
	stepUse = "step"
	formUse = "form"
)

func (s *steps) close(text []byte, use string) string {
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, text, []byte(use)))
}

func (s *steps) read(sealed, use string, into any) bool {
	text, err := base64.RawURLEncoding.DecodeString(sealed)
	if err == nil {
		text, err = s.aead.Open(nil, nil, text, []byte(use))
	}
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	return err == nil
}
