package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"reflect"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/node/web/page"
)

// TestNoPageHidesItsFrame finds fields of pages that have the name of one of the frame's: the head of the page would show them in its
// place, such as somebody else's name as the visitor's.
func TestNoPageHidesItsFrame(t *testing.T) {
	t.Parallel()
	ofFrame := map[string]bool{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[page.Frame]()) {
		ofFrame[field.Name] = field.Name != "Title" // a page may name itself in its own part
	}
	pages := 0
	for dir, structs := range structsOf(t) {
		for name, made := range structs {
			if !framed(structs, made) {
				continue
			}
			pages++
			for _, field := range made.Fields.List {
				for _, called := range field.Names {
					if ofFrame[called.Name] {
						t.Errorf("%s: the field %s of %s hides the frame's own", dir, called.Name, name)
					}
				}
			}
		}
	}
	if pages < 20 {
		t.Errorf("%d pages were found; the rooms are elsewhere", pages)
	}
}

// structsOf are the structs of every room, by directory and name.
func structsOf(t *testing.T) map[string]map[string]*ast.StructType {
	t.Helper()
	found := map[string]map[string]*ast.StructType{}
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || path.Dir(name) == "page" {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return err
		}
		dir := path.Dir(name)
		if found[dir] == nil {
			found[dir] = map[string]*ast.StructType{}
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if spec, ok := node.(*ast.TypeSpec); ok {
				if made, ok := spec.Type.(*ast.StructType); ok {
					found[dir][spec.Name.Name] = made
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// framed tells whether a struct has a page's frame in it, by itself or by another struct of its room.
func framed(structs map[string]*ast.StructType, made *ast.StructType) bool {
	for _, field := range made.Fields.List {
		if len(field.Names) > 0 {
			continue
		}
		switch of := field.Type.(type) {
		case *ast.SelectorExpr:
			if of.Sel.Name == "Frame" {
				return true
			}
		case *ast.Ident:
			if inner := structs[of.Name]; inner != nil && framed(structs, inner) {
				return true
			}
		}
	}
	return false
}
