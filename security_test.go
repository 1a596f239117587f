package tierdesk_test

import (
	"go/ast"
	"os"
	"regexp"
	"testing"
)

// TestTheSecurityPageNamesTestsThatExist keeps the claims of SECURITY.md beside what shows them.
func TestTheSecurityPageNamesTestsThatExist(t *testing.T) {
	page, err := os.ReadFile("SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := make(map[string]bool)
	for _, file := range parse(t) {
		if !file.isTest() {
			continue
		}
		for _, declaration := range file.syntax.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok {
				tests[function.Name.Name] = true
			}
		}
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`").FindAllStringSubmatch(string(page), -1)
	if len(named) < 20 {
		t.Errorf("SECURITY.md names %d tests, want every claim followed by one", len(named))
	}
	for _, name := range named {
		if !tests[name[1]] {
			t.Errorf("SECURITY.md says that %s shows something, and there is no such test", name[1])
		}
	}
}
