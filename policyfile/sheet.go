package policyfile

import (
	"cmp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// sheet is a text as lines, with what is to be written in place of some of them.
type sheet struct {
	lines   []string // without their ends
	newline string
	edits   []edit
}

// span is a stretch of lines, counted from 0; to is not in it.
type span struct{ from, to int }

// edit puts lines in the place of a stretch. Edits do not overlap; those at one place are written in the order in which they were asked
// for.
type edit struct {
	span
	lines []string
}

func newSheet(source []byte) *sheet {
	s := &sheet{newline: "\n"}
	text := string(source)
	if strings.Contains(text, "\r\n") {
		s.newline = "\r\n"
	}
	if text != "" {
		s.lines = strings.Split(strings.TrimSuffix(text, s.newline), s.newline)
	}
	return s
}

// end is the line behind the last one of the document.
func (s *sheet) end() int {
	for i := len(s.lines) - 1; i >= 0; i-- {
		if line := strings.TrimRight(s.lines[i], " "); line == "..." {
			return i
		} else if line != "" && !strings.HasPrefix(line, "#") {
			break
		}
	}
	return len(s.lines)
}

// bytes is the text with all edits.
func (s *sheet) bytes() []byte {
	slices.SortStableFunc(s.edits, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	var lines []string
	at := 0
	for _, edit := range s.edits {
		lines = append(append(lines, s.lines[at:max(at, edit.from)]...), edit.lines...)
		at = max(at, edit.to)
	}
	lines = append(lines, s.lines[at:]...)
	if len(lines) == 0 {
		return nil
	}
	return []byte(strings.Join(lines, s.newline) + s.newline)
}

func (s *sheet) replace(at span, lines []string) { s.edits = append(s.edits, edit{at, lines}) }

// trimmed is a stretch without blank lines at its end, and without comments there that are not indented deeper than a column: those
// belong to what follows.
func (s *sheet) trimmed(at span, column int) span {
	to := at.to
	for i := at.to - 1; i > at.from; i-- {
		line := strings.TrimLeft(s.lines[i], " \t")
		switch {
		case strings.TrimSpace(line) == "":
		case strings.HasPrefix(line, "#") && len(s.lines[i])-len(line) <= column:
			to = i
			continue
		default:
			return span{at.from, min(to, i+1)}
		}
		to = i
	}
	return span{at.from, to}
}

// mapping changes what a mapping of the text says. From and to are what it says now and then, as mapping writes it; within are the lines
// that it may have, and column where its keys begin when it has none yet.
func (s *sheet) mapping(node, from, to *yaml.Node, within span, column int) error {
	inLines := node.Style&yaml.FlowStyle == 0
	last := within.from
	if len(node.Content) > 0 {
		column = node.Content[0].Column - 1
	} else {
		last = s.trimmed(within, -1).to
	}
	for i := 0; i+1 < len(node.Content) && inLines; i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		at := span{key.Line - 1, within.to}
		if i+2 < len(node.Content) {
			at.to = node.Content[i+2].Line - 1
		}
		at = s.trimmed(at, column)
		last = max(last, at.to)
		before, after := valueUnder(from, key.Value), valueUnder(to, key.Value)
		if same(before, after) {
			continue
		}
		if err := s.value(at, column, key, value, before, after); err != nil {
			return err
		}
	}
	for i := 0; i+1 < len(to.Content); i += 2 {
		key, value := to.Content[i], to.Content[i+1]
		if valueUnder(node, key.Value) != nil {
			continue
		}
		lines, err := written(&yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{key, value}}, column)
		if err != nil {
			return err
		}
		if column == 0 && last > 0 {
			last, lines = s.apart(last, lines)
		}
		s.replace(span{last, last}, lines)
	}
	return nil
}

// apart puts a section behind the blank line that follows the one before it, or brings a blank line along.
func (s *sheet) apart(behind int, section []string) (at int, lines []string) {
	if behind < s.end() && strings.TrimSpace(s.lines[behind]) == "" {
		return behind + 1, section
	}
	return behind, append([]string{""}, section...)
}

// value changes what stands under a key.
func (s *sheet) value(at span, column int, key, value, before, after *yaml.Node) error {
	inLines := value.Style&yaml.FlowStyle == 0 && value.Line > key.Line && before != nil && after != nil
	switch {
	case after == nil:
		s.replace(at, nil)
		return nil
	case inLines && value.Kind == yaml.MappingNode && after.Kind == yaml.MappingNode:
		return s.mapping(value, before, after, span{value.Line - 1, at.to}, column)
	case inLines && value.Kind == yaml.SequenceNode && after.Kind == yaml.SequenceNode:
		return s.sequence(value, before, after, at)
	}
	lines, err := written(&yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{bare(key), after}}, column)
	if err != nil {
		return err
	}
	s.replace(at, s.inPlace(at.from, column, lines, cmp.Or(value.LineComment, key.LineComment)))
	return nil
}

// bare is a key without the comments around it, which stay where they are.
func bare(key *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: key.Value, Style: key.Style, Tag: key.Tag}
}

// inPlace keeps what stands before a column of a line, such as the dash of an entry, and the comment behind.
func (s *sheet) inPlace(line, column int, lines []string, comment string) []string {
	if before := s.lines[line]; len(before) >= column {
		lines[0] = before[:column] + lines[0][column:]
	}
	if comment != "" && !strings.Contains(comment, "\n") {
		lines[0] += " " + comment
	}
	return lines
}

// sequence changes what a list of the text says: entries at its beginning and end that say the same stay, those between are changed in
// their places, and what is left over is added or taken away.
func (s *sheet) sequence(node, from, to *yaml.Node, within span) error {
	old, now := from.Content, to.Content
	first := 0
	for first < min(len(old), len(now)) && same(old[first], now[first]) {
		first++
	}
	rest := 0
	for rest < min(len(old), len(now))-first && same(old[len(old)-1-rest], now[len(now)-1-rest]) {
		rest++
	}
	column := node.Column - 1
	places := s.entries(node, within, column)
	paired := min(len(old), len(now)) - rest
	for i := first; i < len(old)-rest; i++ {
		if i >= paired {
			s.replace(places[i], nil)
		} else if err := s.entry(places[i], column, node.Content[i], old[i], now[i]); err != nil {
			return err
		}
	}
	behind := within.from + 1
	if paired > 0 {
		behind = places[paired-1].to
	}
	for i := paired; i < len(now)-rest; i++ {
		lines, err := written(&yaml.Node{Kind: yaml.SequenceNode, Content: now[i : i+1]}, column)
		if err != nil {
			return err
		}
		s.replace(span{behind, behind}, lines)
	}
	return nil
}

// entries are the stretches of a list's entries, each from the line of its dash.
func (s *sheet) entries(node *yaml.Node, within span, column int) []span {
	places := make([]span, len(node.Content))
	for i, entry := range node.Content {
		places[i] = span{entry.Line - 1, within.to}
		for places[i].from > node.Line-1 && !s.dashAt(places[i].from, column) {
			places[i].from--
		}
		if i > 0 {
			places[i-1] = s.trimmed(span{places[i-1].from, places[i].from}, column)
		}
	}
	if last := len(places) - 1; last >= 0 {
		places[last] = s.trimmed(places[last], column)
	}
	return places
}

func (s *sheet) dashAt(line, column int) bool {
	text := s.lines[line]
	return len(text) > column && text[column] == '-' && strings.TrimSpace(text[:column]) == ""
}

// entry changes what an entry of a list says: key by key where it has them on lines of their own.
func (s *sheet) entry(at span, column int, node, from, to *yaml.Node) error {
	if node.Kind == yaml.MappingNode && node.Style&yaml.FlowStyle == 0 && to.Kind == yaml.MappingNode && from.Kind == yaml.MappingNode &&
		len(node.Content) > 0 && valueUnder(to, node.Content[0].Value) != nil {
		return s.mapping(node, from, to, span{node.Line - 1, at.to}, column)
	}
	lines, err := written(&yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{to}}, column)
	if err != nil {
		return err
	}
	s.replace(at, s.inPlace(at.from, column, lines, node.LineComment))
	return nil
}

// written is a node as lines that begin at a column.
func written(node *yaml.Node, column int) ([]string, error) {
	text, err := encode(node)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	for i := range lines {
		lines[i] = strings.Repeat(" ", column) + lines[i]
	}
	return lines, nil
}
