package policyfile

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// isShort tells whether a message may be written as one value: words that are the same in all languages, and a segment of a
// day as 09:00-12:00.
func isShort(m protoreflect.Message) bool {
	switch m.Interface().(type) {
	case *deskpb.Words, *deskpb.Segment:
		return true
	}
	return false
}

// matrixWidth is how many urgencies there are.
const matrixWidth = 3

func readShort(text string, into protoreflect.Message) (err error) {
	switch m := into.Interface().(type) {
	case *deskpb.Words:
		m.Zh = text
	case *deskpb.Segment:
		from, to, found := strings.Cut(text, "-")
		if !found {
			return fmt.Errorf("%.40q is no stretch of a day; write one such as 09:00-12:00", text)
		}
		if m.From, err = readClock(strings.TrimSpace(from)); err != nil {
			return err
		}
		m.To, err = readClock(strings.TrimSpace(to))
	}
	return err
}

// writeShort is the opposite of readShort, for a message that can be written so. quoted tells that the text is a string.
func writeShort(m protoreflect.Message) (text string, quoted, short bool) {
	switch m := m.Interface().(type) {
	case *deskpb.Words:
		return m.GetZh(), true, m.GetEn() == "" && m.GetZh() != ""
	case *deskpb.Segment:
		return writeClock(m.GetFrom()) + "-" + writeClock(m.GetTo()), false, true
	}
	return "", false, false
}
