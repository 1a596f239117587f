package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// key is one leaf of the configuration: its dotted name and the field that holds it.
type key struct {
	name  string
	field reflect.Value // a string, an int, a bool, a []string or a slice of sections
}

// keys lists every leaf under a pointer to a configuration, in the order of the fields. It is the one list of keys:
// the file, the environment and suggestions all go by it.
func keys(c *Config) []key {
	return leaves("", reflect.ValueOf(c).Elem())
}

func leaves(prefix string, section reflect.Value) []key {
	var all []key
	for i := range section.NumField() {
		name := prefix + section.Type().Field(i).Tag.Get("yaml")
		if field := section.Field(i); field.Kind() == reflect.Struct {
			all = append(all, leaves(name+".", field)...)
		} else {
			all = append(all, key{name: name, field: field})
		}
	}
	return all
}

// holdsSections tells whether the key holds a list of sections.
func (k key) holdsSections() bool {
	return k.field.Kind() == reflect.Slice && k.field.Type().Elem().Kind() == reflect.Struct
}

// variable is the key's twin in the environment.
func (k key) variable() string {
	return "TIERDESK_" + strings.ToUpper(strings.ReplaceAll(k.name, ".", "_"))
}

// kind says what the key holds, for people.
func (k key) kind() string {
	switch kind := k.field.Kind(); {
	case k.holdsSections():
		return "a list of sections such as [{a: 1}, {a: 2}]"
	case kind == reflect.Int:
		return "a whole number"
	case kind == reflect.Bool:
		return "true or false"
	case kind == reflect.Slice:
		return "a list such as [a, b]"
	default:
		return "text"
	}
}

// set gives the key one value, or a list of them when it holds a list.
func (k key) set(values ...string) error {
	switch k.field.Kind() {
	case reflect.Int:
		number, err := strconv.Atoi(values[0])
		if err != nil {
			return fmt.Errorf("%s: %q is not a whole number", k.name, values[0])
		}
		k.field.SetInt(int64(number))
	case reflect.Bool:
		yes, err := strconv.ParseBool(values[0])
		if err != nil {
			return fmt.Errorf("%s: %q is neither true nor false", k.name, values[0])
		}
		k.field.SetBool(yes)
	case reflect.Slice:
		k.field.Set(reflect.ValueOf(values))
	default:
		k.field.SetString(values[0])
	}
	return nil
}

// origins tells where each key's value came from: "node.yaml:12" or a variable's name.
type origins map[string]string

// locate puts the place of a bad value before its error; a missing value is missing in the file as a whole.
func (o origins) locate(path string, bad *invalid) error {
	place := o[bad.key]
	if place == "" {
		place = path
	}
	return fmt.Errorf("%s: %w", place, bad)
}

// readEnviron lays the variables that are twins of keys over the configuration. An empty variable counts as not set.
func readEnviron(c *Config, environ []string, origin origins) error {
	variables := map[string]string{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		variables[name] = value
	}
	for _, k := range keys(c) {
		value := variables[k.variable()]
		if value == "" {
			continue
		}
		origin[k.name] = k.variable()
		if k.holdsSections() {
			if err := readSections(k, value); err != nil {
				return err
			}
			continue
		}
		values := []string{value}
		if k.field.Kind() == reflect.Slice {
			values = splitList(value)
		}
		if err := k.set(values...); err != nil {
			return fmt.Errorf("%s: %w", k.variable(), err)
		}
	}
	return nil
}

// readSections reads the twin of a key that holds a list of sections, which is written as in the file.
func readSections(k key, text string) error {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return fmt.Errorf("%s: %s", k.variable(), strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(document.Content) == 0 {
		return nil
	}
	return newFile(k.variable(), nil, origins{}).list(k, document.Content[0])
}

func splitList(text string) []string {
	var values []string
	for value := range strings.SplitSeq(text, ",") {
		if value = strings.TrimSpace(value); value != "" {
			values = append(values, value)
		}
	}
	return values
}
