package desk

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of what people may write. Characters are Unicode code points; texts are measured in bytes of UTF-8.
const (
	MaxTitle         = 200      // characters
	MaxShort         = 200      // characters of any other one-line field
	MaxText          = 64 << 10 // bytes of a text of several lines
	MaxUser          = 64       // characters of a user's name
	MaxTag           = 50       // characters
	MaxTags          = 20
	MaxCollaborators = 20
	MaxRequestID     = 128 // characters
	bodyHashSize     = 16  // bytes
)

// oneLine refuses a value that is longer than limit characters or does not fit on one line.
func oneLine(field, value string, limit int) error {
	if !utf8.ValidString(value) {
		return notUTF8(field)
	}
	if n := utf8.RuneCountInString(value); n > limit {
		return RefuseField(field, "%d characters are too many; the limit is %d", n, limit)
	}
	if strings.ContainsFunc(value, unicode.IsControl) {
		return RefuseField(field, "line breaks and other control characters are not allowed; write it on one line")
	}
	return nil
}

// text refuses a text that is longer than MaxText bytes.
func text(field, value string) error {
	if !utf8.ValidString(value) {
		return notUTF8(field)
	}
	if len(value) > MaxText {
		return RefuseField(field, "%d bytes are too many; the limit is %d", len(value), MaxText)
	}
	return nil
}

func notUTF8(field string) error {
	return RefuseField(field, "the bytes are not UTF-8; send the text in UTF-8")
}

// given refuses a value without a visible character.
func given(field, value string) error {
	if strings.TrimSpace(value) == "" {
		return RefuseField(field, "it is empty; give one")
	}
	return nil
}

// between refuses a number outside of lowest to highest; zero stands for "not given" and passes.
func between(field string, value, lowest, highest int32) error {
	if value != 0 && (value < lowest || value > highest) {
		return RefuseField(field, "%d is not between %d and %d", value, lowest, highest)
	}
	return nil
}

// Levels of impact, urgency and fault severity: 1 is the highest, 3 the lowest.
const (
	highestLevel = 1
	mediumLevel  = 2
	lowestLevel  = 3
)
