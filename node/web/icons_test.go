package web

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	symbolForm = regexp.MustCompile(`<symbol id="([^"]+)"`)
	iconForm   = regexp.MustCompile(`\bicon "([^"]+)"`)
	quotedForm = regexp.MustCompile(`["#]([a-z0-9-]+)"`)
)

// TestIcons holds the set of icons to those that the pages show: a name that is not in the set would draw nothing.
func TestIcons(t *testing.T) {
	set, err := os.ReadFile("page/static/vendor/icons.svg")
	if err != nil {
		t.Fatal(err)
	}
	var symbols []string
	for _, found := range symbolForm.FindAllSubmatch(set, -1) {
		symbols = append(symbols, string(found[1]))
	}
	if len(symbols) < 50 {
		t.Fatalf("icons.svg has %d symbols", len(symbols))
	}
	named := map[string]bool{}
	err = fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		kind := path.Ext(name)
		if err != nil || entry.IsDir() || strings.Contains(name, "vendor/") || strings.HasSuffix(name, "_test.go") ||
			kind != ".go" && kind != ".html" && kind != ".js" {
			return err
		}
		source, err := os.ReadFile(name)
		for _, found := range quotedForm.FindAllSubmatch(source, -1) {
			named[string(found[1])] = true
		}
		if kind == ".html" {
			for _, found := range iconForm.FindAllSubmatch(source, -1) {
				if !slices.Contains(symbols, string(found[1])) {
					t.Errorf("%s shows the icon %q, which icons.svg does not have", name, found[1])
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, symbol := range symbols {
		if !named[symbol] {
			t.Errorf("icons.svg has %q, which nothing shows", symbol)
		}
	}
}
