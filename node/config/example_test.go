package config

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The file that explains the keys has each of them once, in the order of the configuration, and each with its default.
func TestTheExampleExplainsEveryKey(t *testing.T) {
	text, err := Explained(Default())
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != example {
		t.Errorf("example.yaml shows other defaults than there are; it should be\n%s", text)
	}
	var got, want []string
	var sections []string
	prose := true
	for line := range strings.Lines(example) {
		if parts := regexp.MustCompile(`^( *)(#?)([a-z_]+):`).FindStringSubmatch(line); parts != nil {
			sections = append(sections[:len(parts[1])/2], parts[3])
			if parts[2] == "#" {
				got = append(got, strings.Join(sections, "."))
			}
			continue
		}
		prose = prose && (strings.TrimSpace(line) == "" || strings.HasPrefix(strings.TrimSpace(line), "# "))
	}
	for _, k := range keys(Default()) {
		want = append(want, k.name)
	}
	if !slices.Equal(got, want) || !prose {
		t.Errorf("example.yaml explains\n%q, want\n%q", got, want)
	}
}

// What is written for a node is what the node reads.
func TestAnExplainedConfigurationIsReadAsItWas(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := Default()
		for _, k := range keys(c) {
			switch {
			case !rapid.Bool().Draw(r, k.name+" is set") || k.holdsSections():
			case k.field.Kind() == reflect.Int:
				k.field.SetInt(int64(rapid.IntRange(0, 9).Draw(r, k.name)))
			case k.field.Kind() == reflect.Bool:
				k.field.SetBool(true)
			case k.field.Kind() == reflect.Slice:
				k.field.Set(reflect.ValueOf(rapid.SliceOfN(rapid.StringN(0, 8, -1), 1, 3).Draw(r, k.name)))
			default:
				k.field.SetString(rapid.StringN(1, 20, -1).Draw(r, k.name))
			}
		}
		c.SignIn.LDAP.Roles = []RoleRule{{Group: "cn=台, dc=x", Role: "agent", Groups: []string{"a", "b: c"}}}
		text, err := Explained(c)
		if err != nil {
			r.Fatal(err)
		}
		got := Default()
		if err := readFile(got, write(t, "config.yaml", string(text)), origins{}); err != nil {
			r.Fatalf("%v in\n%s", err, text)
		}
		if !reflect.DeepEqual(got, c) {
			r.Errorf("read %+v, want %+v, from\n%s", got, c, text)
		}
	})
}
