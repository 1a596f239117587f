package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/tierdesk/tierdesk/desk"
)

// Sizes of pages.
const (
	defaultPage = 50
	largestPage = 500
)

// pageSize checks the page size that a caller asks for; 0 means the default.
func pageSize(asked int32) (int, error) {
	switch {
	case asked == 0:
		return defaultPage, nil
	case asked < 0 || asked > largestPage:
		return 0, desk.RefuseField("pageSize", "%d is not between 1 and %d", asked, largestPage)
	}
	return int(asked), nil
}

// checksumSize is how many bytes of a page token prove that it is whole and belongs to its list.
const checksumSize = 8

// pageScope names a list with everything that chooses its rows and their order. A token of one list does not open
// another.
type pageScope []string

// seal makes the token of a position in the list; none for nil, which is its end.
func (s pageScope) seal(position []byte) string {
	if position == nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append(s.checksum(position), position...))
}

// open returns the position that the token stands for; nil for no token.
func (s pageScope) open(token string) ([]byte, error) {
	if token == "" {
		return nil, nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(sealed) <= checksumSize {
		return nil, refuseToken()
	}
	position := sealed[checksumSize:]
	if !bytes.Equal(sealed[:checksumSize], s.checksum(position)) {
		return nil, refuseToken()
	}
	return position, nil
}

func (s pageScope) checksum(position []byte) []byte {
	hash := sha256.New()
	for _, part := range s {
		hash.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		hash.Write([]byte(part))
	}
	hash.Write(position)
	return hash.Sum(nil)[:checksumSize]
}

func refuseToken() error {
	return desk.RefuseField("pageToken",
		"is not a token of this list; send nextPageToken as it came, with the same filter and orderBy, or leave it out to begin again")
}
