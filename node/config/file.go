package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// readFile lays a YAML file over the configuration and notes where each value stood.
func readFile(c *Config, path string, origin origins) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	f := newFile(path, keys(c), origin)
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		return fmt.Errorf("%s: %s", f.name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: holds more than one document; a node has one", f.name)
	}
	return f.section("", document.Content[0])
}

// file is a configuration file while it is read.
type file struct {
	name     string
	keys     map[string]key
	sections map[string]bool
	origin   origins
}

func newFile(name string, keys []key, origin origins) file {
	f := file{name: name, keys: map[string]key{}, sections: map[string]bool{}, origin: origin}
	for _, k := range keys {
		f.keys[k.name] = k
		for i, letter := range k.name {
			if letter == '.' {
				f.sections[k.name[:i]] = true
			}
		}
	}
	return f
}

func (f file) errorf(at *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", f.name, at.Line, fmt.Sprintf(format, args...))
}

// section reads the keys of a mapping; prefix is "" for the whole document, "site." for a section.
func (f file) section(prefix string, mapping *yaml.Node) error {
	if isNull(mapping) {
		return nil
	}
	if mapping.Kind != yaml.MappingNode {
		what := strings.TrimSuffix(prefix, ".")
		if what == "" {
			what = "the configuration"
		}
		return f.errorf(mapping, "%s must be a section of keys, not %s", what, describe(mapping))
	}
	seen := map[string]bool{}
	for i := 0; i < len(mapping.Content); i += 2 {
		name, value := mapping.Content[i], mapping.Content[i+1]
		full := prefix + name.Value
		if seen[full] {
			return f.errorf(name, "%s is given twice", full)
		}
		seen[full] = true
		if err := f.entry(full, name, value); err != nil {
			return err
		}
	}
	return nil
}

func (f file) entry(full string, name, value *yaml.Node) error {
	if prefix := full + "."; f.sections[full] {
		return f.section(prefix, value)
	}
	k, known := f.keys[full]
	if !known {
		return f.unknown(full, name)
	}
	if isNull(value) {
		return nil
	}
	if k.holdsSections() {
		f.origin[full] = fmt.Sprintf("%s:%d", f.name, value.Line)
		return f.list(k, value)
	}
	values, fits := scalars(k, value)
	if !fits {
		return f.errorf(value, "%s must be %s, not %s", full, k.kind(), describe(value))
	}
	if err := k.set(values...); err != nil {
		return f.errorf(value, "%v", err)
	}
	f.origin[full] = fmt.Sprintf("%s:%d", f.name, value.Line)
	return nil
}

// list reads a list of sections, each of which has the keys of the list's elements.
func (f file) list(k key, list *yaml.Node) error {
	if list.Kind != yaml.SequenceNode {
		return f.errorf(list, "%s must be %s, not %s", k.name, k.kind(), describe(list))
	}
	elements := reflect.MakeSlice(k.field.Type(), len(list.Content), len(list.Content))
	for i, section := range list.Content {
		element := newFile(f.name, leaves(k.name+".", elements.Index(i)), origins{})
		if err := element.section(k.name+".", section); err != nil {
			return err
		}
	}
	k.field.Set(elements)
	return nil
}

// unknown names the key that was probably meant, when one is near.
func (f file) unknown(full string, name *yaml.Node) error {
	near, distance := "", min(3, len(full)/2) // farther away it is another word
	consider := func(candidate string) {
		d := editDistance(full, candidate)
		if d < distance || d == distance && (near == "" || candidate < near) {
			near, distance = candidate, d
		}
	}
	for candidate := range f.keys {
		consider(candidate)
	}
	for candidate := range f.sections {
		consider(candidate)
	}
	if !regexp.MustCompile(`^[\w.-]+$`).MatchString(full) {
		full = strconv.Quote(full)
	}
	if near == "" {
		return f.errorf(name, "unknown key %s", full)
	}
	return f.errorf(name, "unknown key %s; did you mean %s?", full, near)
}

// scalars returns the node's texts when it has the shape that the key wants: a list for a list, one scalar otherwise.
// A scalar is taken as it is written, so that an unquoted division code stays the text that it is.
func scalars(k key, value *yaml.Node) ([]string, bool) {
	if k.field.Kind() != reflect.Slice {
		return []string{value.Value}, value.Kind == yaml.ScalarNode
	}
	values := make([]string, 0, len(value.Content))
	for _, element := range value.Content {
		if element.Kind != yaml.ScalarNode || isNull(element) {
			return nil, false
		}
		values = append(values, element.Value)
	}
	return values, value.Kind == yaml.SequenceNode
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

func describe(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a section"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	default:
		return fmt.Sprintf("%q", node.Value)
	}
}
