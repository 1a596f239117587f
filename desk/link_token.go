package desk

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

const (
	linkKeySize = 32 // bytes
	linkMAC     = 16 // bytes
)

// linkKind is what the secret of a link is for; one for a survey opens nothing else. It stands before what is signed.
type linkKind string

const (
	surveyLink linkKind = "tierdesk survey 1\n"
	guestLink  linkKind = "tierdesk guest 1\n"
)

// linkToken makes the secret of a link to a ticket that counts until a time, in microseconds since 1970.
func linkToken(kind linkKind, key []byte, number TicketNumber, expires int64) string {
	content := append(binary.BigEndian.AppendUint64(nil, uint64(expires)), number...)
	return base64.RawURLEncoding.EncodeToString(append(kind.sum(key, content), content...))
}

// openLink takes a secret apart; made is false for one that was not made so with the key.
func openLink(kind linkKind, key []byte, token string) (number TicketNumber, expires int64, made bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	const head = linkMAC + 8
	if err != nil || len(key) != linkKeySize || len(raw) <= head || !hmac.Equal(raw[:linkMAC], kind.sum(key, raw[linkMAC:])) {
		return "", 0, false
	}
	return TicketNumber(raw[head:]), int64(binary.BigEndian.Uint64(raw[linkMAC:head])), true
}

// sum proves that the content comes from a holder of the key, and was meant for this kind of link.
func (k linkKind) sum(key, content []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(k))
	mac.Write(content)
	return mac.Sum(nil)[:linkMAC]
}
