package policyfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"
	"gopkg.in/yaml.v3"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// MaxSource is the most that a policy file may have, in bytes.
const MaxSource = 96 << 10

// maxProblems is how many problems are told at once.
const maxProblems = 100

// Read reads a policy file as far as its form goes. It is the layer when there are no problems.
func Read(source []byte) (*deskpb.Policy, []Problem) {
	layer, _, problems := read(source)
	return layer, problems
}

// read is Read, with the line of each path.
func read(source []byte) (*deskpb.Policy, map[string]int, []Problem) {
	whole := func(format string, args ...any) (*deskpb.Policy, map[string]int, []Problem) {
		return nil, nil, []Problem{{Text: fmt.Sprintf(format, args...)}}
	}
	switch {
	case len(source) > MaxSource:
		return whole("it has %d bytes; a policy has at most %d", len(source), MaxSource)
	case !utf8.Valid(source):
		return whole("it is not UTF-8; save it in UTF-8")
	}
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	var document yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return &deskpb.Policy{}, map[string]int{}, nil
	} else if err != nil {
		return nil, nil, []Problem{syntaxProblem(err)}
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return whole("it holds more than one document; a policy is one")
	}
	r := &reader{lines: map[string]int{}}
	layer := &deskpb.Policy{}
	if root := document.Content[0]; !isNull(root) {
		r.message("", root, layer.ProtoReflect())
	}
	return layer, r.lines, r.problems
}

// syntaxProblem finds the line in an error of the YAML parser, such as "yaml: line 3: could not find expected ':'".
func syntaxProblem(err error) Problem {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if found := regexp.MustCompile(`^line (\d+): (.*)`).FindStringSubmatch(text); found != nil {
		if line, err := strconv.Atoi(found[1]); err == nil {
			return Problem{Line: line, Text: "it is no YAML: " + found[2]}
		}
	}
	return Problem{Text: "it is no YAML: " + text}
}

// reader walks YAML and schema side by side.
type reader struct {
	lines    map[string]int
	problems []Problem
}

func (r *reader) problem(node *yaml.Node, path, format string, args ...any) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, Problem{Line: node.Line, Path: path, Text: fmt.Sprintf(format, args...)})
	}
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" }

// message reads a mapping.
func (r *reader) message(path string, node *yaml.Node, into protoreflect.Message) {
	if node.Kind == yaml.ScalarNode && isShort(into) && !isNull(node) {
		if err := readShort(node.Value, into); err != nil {
			r.problem(node, path, "%s", err)
		}
		return
	}
	if matrix, ok := into.Interface().(*deskpb.PriorityMatrix); ok {
		r.matrix(path, node, matrix)
		return
	}
	fields := keysOf(into.Descriptor())
	r.mapping(path, node, func(key, at string, value *yaml.Node) {
		i := fields.index(key)
		if i < 0 {
			r.problem(value, at, "the key is unknown; use %s", fields.list())
			return
		}
		r.field(at, value, into, fields[i].field)
	})
	if calendar, ok := into.Interface().(*deskpb.Calendar); ok && calendar.GetTimeZone() != "" && len(calendar.GetShifts()) == 0 {
		shifts, err := zoneShifts(calendar.GetTimeZone())
		if err != nil {
			r.problem(node, join(path, "time_zone"), "%s", err)
		}
		calendar.Shifts = shifts
	}
}

// mapping visits the keys of a mapping with their paths.
func (r *reader) mapping(path string, node *yaml.Node, visit func(key, at string, value *yaml.Node)) {
	if node.Kind != yaml.MappingNode {
		r.problem(node, path, "keys with values are expected here; found %s", kindOf(node))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		at := join(path, key.Value)
		switch {
		case key.Kind != yaml.ScalarNode:
			r.problem(key, path, "a key is one word; found %s", kindOf(key))
		case seen[key.Value]:
			r.problem(key, at, "the key is there twice")
		case isNull(value):
			r.problem(key, at, "it is empty; give a value or leave it out")
		default:
			seen[key.Value] = true
			r.lines[at] = key.Line
			visit(key.Value, at, value)
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func kindOf(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "keys with values"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias, which is not read; write it out"
	}
	return fmt.Sprintf("%.40q", node.Value)
}

// field reads the value of a field.
func (r *reader) field(path string, node *yaml.Node, into protoreflect.Message, field protoreflect.FieldDescriptor) {
	switch {
	case field.IsMap():
		r.dictionary(path, node, into.Mutable(field).Map(), field)
	case field.IsList():
		r.list(path, node, into, field)
	case field.Message() != nil:
		r.message(path, node, into.Mutable(field).Message())
	default:
		if value, ok := r.scalar(path, node, field); ok {
			into.Set(field, value)
		}
	}
}

func (r *reader) dictionary(path string, node *yaml.Node, into protoreflect.Map, field protoreflect.FieldDescriptor) {
	r.mapping(path, node, func(key, at string, value *yaml.Node) {
		if read, ok := r.scalar(at, value, field.MapValue()); ok {
			into.Set(protoreflect.ValueOfString(key).MapKey(), read)
		}
	})
}

func (r *reader) list(path string, node *yaml.Node, into protoreflect.Message, field protoreflect.FieldDescriptor) {
	if node.Kind != yaml.SequenceNode {
		r.problem(node, path, "a list is expected here; found %s", kindOf(node))
		return
	}
	for i, item := range node.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		r.lines[at] = item.Line
		if field.Message() == nil {
			if value, ok := r.scalar(at, item, field); ok {
				into.Mutable(field).List().Append(value)
			}
			continue
		}
		r.message(at, item, into.Mutable(field).List().AppendMutable().Message())
	}
}

// matrix reads a list of rows.
func (r *reader) matrix(path string, node *yaml.Node, into *deskpb.PriorityMatrix) {
	field := into.ProtoReflect().Descriptor().Fields().ByName("priorities")
	if node.Kind != yaml.SequenceNode {
		r.problem(node, path, "a list of three rows is expected here, one for each impact; found %s", kindOf(node))
		return
	}
	for _, row := range node.Content {
		if row.Kind != yaml.SequenceNode || len(row.Content) != matrixWidth {
			r.problem(row, path, "a row has %d priorities, one for each urgency", matrixWidth)
			continue
		}
		for _, cell := range row.Content {
			if value, ok := r.scalar(path, cell, field); ok {
				into.Priorities = append(into.Priorities, int32(value.Int()))
			}
		}
	}
}

// scalar reads one value.
func (r *reader) scalar(path string, node *yaml.Node, field protoreflect.FieldDescriptor) (protoreflect.Value, bool) {
	if node.Kind != yaml.ScalarNode || isNull(node) {
		r.problem(node, path, "one value is expected here; found %s", kindOf(node))
		return protoreflect.Value{}, false
	}
	value, err := formOf(field).read(node, field)
	if err != nil {
		r.problem(node, path, "%s", err)
		return protoreflect.Value{}, false
	}
	return value, true
}
