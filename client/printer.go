package client

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// printer writes answers: as JSON for scripts, or as text for people in their language and zone.
type printer struct {
	out      io.Writer
	json     bool
	english  bool
	location *time.Location
	names    map[string]string
}

func (c *console) printer(out io.Writer) *printer {
	return &printer{out: out, json: c.json, english: c.english(), location: c.location(), names: chineseNames()}
}

// english tells whether the locale asks for English. Without a word from it, words are Chinese.
func (c *console) english() bool {
	locale := cmp.Or(c.env.Getenv("LC_ALL"), c.env.Getenv("LC_MESSAGES"), c.env.Getenv("LANG"))
	return strings.HasPrefix(locale, "en")
}

// phrase is a word on the screen in both languages.
type phrase struct{ zh, en string }

func (p *printer) say(w phrase) string {
	if p.english {
		return w.en
	}
	return w.zh
}

// header is a table's first row.
func (p *printer) header(words ...phrase) []string {
	row := make([]string, len(words))
	for i, w := range words {
		row[i] = p.say(w)
	}
	return row
}

// name is an enumeration's value in words; empty for the value that stands for nothing.
func (p *printer) name(e protoreflect.Enum) string {
	value := e.Descriptor().Values().ByNumber(e.Number())
	if value == nil {
		return fmt.Sprint(e.Number())
	}
	if strings.HasSuffix(string(value.Name()), "_UNSPECIFIED") {
		return ""
	}
	// The value's parent is the message around the enumeration.
	return p.nameOf(string(value.FullName().Parent().Name()), string(value.Name()))
}

// nameOf is the value of an enumeration inside a message, in words; a value this program does not know stays as it is.
func (p *printer) nameOf(message, value string) string {
	if chinese, known := p.names[message+"."+value]; known && !p.english {
		return chinese
	}
	return value
}

// when is a moment in the reader's zone; empty when there is none.
func (p *printer) when(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().In(p.location).Format("2006-01-02 15:04:05")
}

func (p *printer) yes(b bool) string {
	if b {
		return p.say(phrase{"是", "yes"})
	}
	return p.say(phrase{"否", "no"})
}

// answer writes an answer as one line of JSON, in the form that a node's HTTP port gives it, or as the text made of it.
func (p *printer) answer(m proto.Message, words func() string) error {
	if !p.json {
		return p.write(words())
	}
	encoded, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode the answer as JSON: %w", err)
	}
	// protojson varies its spaces on purpose; scripts get the same bytes every time.
	var line bytes.Buffer
	if err := json.Compact(&line, encoded); err != nil {
		return fmt.Errorf("encode the answer as JSON: %w", err)
	}
	line.WriteByte('\n')
	return p.write(line.String())
}

func (p *printer) write(s string) error {
	if _, err := io.WriteString(p.out, s); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}
