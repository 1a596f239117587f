package audit

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Bounds of an entry, so that nobody fills a disk by what the log tells of a refused call.
const (
	maxText    = 500 // bytes of each text
	maxChanges = 100
)

// HashSize is how many bytes join an entry to the one before it.
const HashSize = sha256.Size

// Encode returns the bytes of an entry, which are the same everywhere and for ever.
func Encode(e *deskpb.AuditEntry) ([]byte, error) {
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode entry %d of the audit log: %w", e.GetSequence(), err)
	}
	return raw, nil
}

// Decode reads the bytes of an entry. Bytes that Encode would not have written are refused, so that nothing can hide in an entry
// beside what is shown of it.
func Decode(raw []byte) (*deskpb.AuditEntry, error) {
	e := &deskpb.AuditEntry{}
	if err := proto.Unmarshal(raw, e); err != nil {
		return nil, fmt.Errorf("decode an entry of the audit log: %w", err)
	}
	again, err := Encode(e)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(raw, again) {
		return nil, fmt.Errorf("decode entry %d of the audit log: its %d bytes are not as an entry is written", e.GetSequence(), len(raw))
	}
	return e, nil
}

// Hash is what the next entry, and a checkpoint, say of an entry's bytes.
func Hash(raw []byte) []byte {
	sum := sha256.Sum256(raw)
	return sum[:]
}

// Fit returns a copy of the entry within its bounds: texts are cut and made valid, and of too many changes the first ones stay,
// with a last one that says how many there are.
func Fit(e *deskpb.AuditEntry) *deskpb.AuditEntry {
	own := proto.CloneOf(e)
	for _, text := range []*string{&own.Node, &own.Actor, &own.ActorName, &own.Address, &own.Session, &own.Action, &own.Object, &own.Reason} {
		*text = cut(*text)
	}
	if all := len(own.Changes); all > maxChanges {
		own.Changes = append(own.Changes[:maxChanges-1], &deskpb.AuditChange{
			Field: "…", After: fmt.Sprintf("%d more fields", all-maxChanges+1),
		})
	}
	for _, c := range own.Changes {
		c.Field, c.Before, c.After = cut(c.Field), cut(c.Before), cut(c.After)
	}
	return own
}

// cut shortens a text to maxText bytes at the end of a character, with a sign that it went on.
func cut(text string) string {
	text = strings.ToValidUTF8(text, "�")
	if len(text) <= maxText {
		return text
	}
	const more = "…"
	end := maxText - len(more)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + more
}
