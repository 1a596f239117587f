package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// misplaced is why a body cannot be read, with the field that it is about. The gateway hands on only the words of an
// error, so the words carry the field; refuseForm takes it out of them.
type misplaced struct {
	field string // dotted path in JSON spelling, such as ticket.tags[1]
	cause error
}

// bodyField begins the words of a misplaced; the quoted field follows.
const bodyField = "field "

func (m *misplaced) Error() string { return fmt.Sprintf("%s%q: %v", bodyField, m.field, m.cause) }

func (m *misplaced) Unwrap() error { return m.cause }

// linePosition is how protojson says where in a body it stopped; the column counts characters from one.
var linePosition = regexp.MustCompile(`\(line (\d+):(\d+)\)`)

// placed adds the field to an error of protojson about the body; it returns the error as it is where there is no field.
func placed(body []byte, err error) error {
	found := linePosition.FindStringSubmatch(err.Error())
	if found == nil {
		return err
	}
	line, _ := strconv.Atoi(found[1]) // digits; a number too large lies behind every body
	column, _ := strconv.Atoi(found[2])
	if field := fieldAt(body, offsetOf(body, line, column)); field != "" {
		return &misplaced{field: field, cause: err}
	}
	return err
}

// offsetOf is the byte at a line and column, both from one; the body's length when it is shorter.
func offsetOf(body []byte, line, column int) int {
	offset := 0
	for ; line > 1; line-- {
		next := bytes.IndexByte(body[offset:], '\n')
		if next < 0 {
			return len(body)
		}
		offset += next + 1
	}
	for ; column > 1 && offset < len(body); column-- {
		_, size := utf8.DecodeRune(body[offset:])
		offset += size
	}
	return offset
}

// level is an object or a list around a place in a body.
type level struct {
	list  bool
	index int    // in a list: of the element that comes next or is being read
	key   string // in an object: of the value that comes next or is being read
	named bool   // in an object: the key was read and its value was not
}

// fieldAt is the path of the field whose name or value stands at the offset, as far as the body is JSON up to there;
// empty for what belongs to no field.
func fieldAt(body []byte, offset int) string {
	decoder := json.NewDecoder(bytes.NewReader(body))
	var levels []level
	for {
		token, err := decoder.Token()
		reached := err != nil || decoder.InputOffset() > int64(offset)
		inner := len(levels) - 1
		switch {
		case err == nil && inner >= 0 && !levels[inner].list && !levels[inner].named && token != json.Delim('}'):
			levels[inner].key, levels[inner].named = token.(string) // a key is a string, or the decoder has stopped
			if reached {
				return path(levels)
			}
		case reached:
			return path(levels)
		case token == json.Delim('{'), token == json.Delim('['):
			levels = append(levels, level{list: token == json.Delim('[')})
		default:
			if token == json.Delim('}') || token == json.Delim(']') {
				levels = levels[:inner]
			}
			valueEnded(levels)
		}
	}
}

// valueEnded makes the innermost level wait for what comes behind a value.
func valueEnded(levels []level) {
	if len(levels) == 0 {
		return
	}
	inner := &levels[len(levels)-1]
	inner.index++
	inner.named = false
}

// mostLevels bounds the path that an answer repeats; no request nests deeper.
const mostLevels = 8

// path spells the levels as clients write them.
func path(levels []level) string {
	var spelt strings.Builder
	for _, l := range levels[:min(mostLevels, len(levels))] {
		switch {
		case l.list && spelt.Len() > 0:
			fmt.Fprintf(&spelt, "[%d]", l.index)
		case l.named:
			if spelt.Len() > 0 {
				spelt.WriteByte('.')
			}
			spelt.WriteString(jsonName(shortened(l.key)))
		}
	}
	return spelt.String()
}

// mostEcho bounds in characters how much of a caller's own words an answer repeats.
const mostEcho = 200

// shortened is the beginning of a text.
func shortened(text string) string {
	return fmt.Sprintf("%.*s", mostEcho, text)
}
