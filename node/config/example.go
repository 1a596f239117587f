package config

import (
	_ "embed"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// example explains every key, each behind a # with its default.
//
//go:embed example.yaml
var example string

// Explained writes a configuration as a file that explains every key. A key that has its default stands behind a #. Load
// makes the same configuration of it.
func Explained(c *Config) ([]byte, error) {
	values, defaults := map[string]key{}, map[string]key{}
	for _, k := range keys(c) {
		values[k.name] = k
	}
	for _, k := range keys(Default()) {
		defaults[k.name] = k
	}
	line := regexp.MustCompile(`^( *)(#?)([a-z_]+):(.*)$`)
	var text strings.Builder
	var sections []string
	for _, one := range strings.SplitAfter(example, "\n") {
		parts := line.FindStringSubmatch(strings.TrimSuffix(one, "\n"))
		if parts == nil {
			text.WriteString(one)
			continue
		}
		indent, name := parts[1], parts[3]
		sections = append(sections[:len(indent)/2], name)
		full := strings.Join(sections, ".")
		k, isKey := values[full]
		if !isKey {
			text.WriteString(one)
			continue
		}
		value, err := k.spelt()
		if err != nil {
			return nil, err
		}
		sign := ""
		if reflect.DeepEqual(k.field.Interface(), defaults[full].field.Interface()) {
			sign = "#"
		}
		fmt.Fprintf(&text, "%s%s%s: %s\n", indent, sign, name, value)
	}
	return []byte(text.String()), nil
}

// spelt is the key's value as a file has it, on one line.
func (k key) spelt() (string, error) {
	text, err := yaml.Marshal(spelling(k.field))
	if err != nil {
		return "", fmt.Errorf("write %s: %w", k.name, err)
	}
	return strings.TrimSuffix(string(text), "\n"), nil
}

// spelling is a value in a form that needs no second line.
func spelling(value reflect.Value) *yaml.Node {
	switch value.Kind() {
	case reflect.Slice:
		list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for i := range value.Len() {
			list.Content = append(list.Content, spelling(value.Index(i)))
		}
		return list
	case reflect.Struct:
		section := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
		for i := range value.NumField() {
			name := &yaml.Node{Kind: yaml.ScalarNode, Value: value.Type().Field(i).Tag.Get("yaml")}
			section.Content = append(section.Content, name, spelling(value.Field(i)))
		}
		return section
	case reflect.String:
		text := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value.String()}
		if strings.ContainsFunc(text.Value, unicode.IsControl) {
			text.Style = yaml.DoubleQuotedStyle
		}
		return text
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: fmt.Sprint(value.Interface())}
	}
}
