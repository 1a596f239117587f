package desk

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pure lists what the rules may import. Nothing on it reads a clock (but for the members of time below), draws a random
// number, does I/O, logs, or shares memory between goroutines.
var pure = []string{
	"bytes", "cmp", "crypto/hmac", "crypto/sha256", "encoding/base64", "encoding/binary", "encoding/hex", "errors", "fmt", "maps", "slices", "strconv", "strings", "time", "unicode", "unicode/utf8",
	"github.com/tierdesk/tierdesk/desk/calendar",
	"github.com/tierdesk/tierdesk/desk/deskpb",
	"github.com/tierdesk/tierdesk/desk/policy",
	"google.golang.org/protobuf/proto",
	"google.golang.org/protobuf/types/known/timestamppb",
}

// impure lists functions of the packages above that are not pure all the same.
var impure = map[string][]string{
	"maps": {"All", "Values", "Collect", "Insert"},
	"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Local", "LoadLocation"},
	"fmt":  {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
}

func TestThePackageIsPure(t *testing.T) {
	p := parsePackage(t)
	for _, complaint := range p.complaints() {
		t.Error(complaint)
	}
}

func TestThePurityCheckSeesWhatItForbids(t *testing.T) {
	for source, want := range map[string]string{
		`package p; import "os"; var _ = os.Args`:                                `imports "os"`,
		`package p; import "time"; func f() { time.Now() }`:                      "uses time.Now",
		`package p; func f() { go f() }`:                                         "starts a goroutine",
		`package p; func f() { select {} }`:                                      "selects",
		`package p; func f(c chan int) {}`:                                       "has a channel",
		`package p; func f(m map[int]int) { for range m { } }`:                   "ranges over a map",
		`package p; type m map[int]int; func f(v struct{m}) { for range v.m {}}`: "ranges over a map",
	} {
		p := &parsed{fset: token.NewFileSet()}
		p.add(t, "example.go", source)
		p.check(t, importer.Default())
		if got := p.complaints(); len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("complaints about %q are %q, want one that says %q", source, got, want)
		}
	}
}

// parsed is a package with its types.
type parsed struct {
	fset  *token.FileSet
	files []*ast.File
	info  types.Info
}

func parsePackage(t *testing.T) *parsed {
	t.Helper()
	p := &parsed{fset: token.NewFileSet()}
	names, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		built, err := build.Default.MatchFile(".", name)
		if err != nil {
			t.Fatal(err)
		}
		if built && !strings.HasSuffix(name, "_test.go") {
			p.add(t, name, nil)
		}
	}
	p.check(t, importer.ForCompiler(p.fset, "gc", exports(t)))
	return p
}

// exports returns a look-up of the compiled interface of every package that this one depends on.
func exports(t *testing.T) importer.Lookup {
	t.Helper()
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return func(path string) (io.ReadCloser, error) {
		for line := range strings.Lines(string(out)) {
			if file, ok := strings.CutPrefix(strings.TrimSpace(line), path+"="); ok {
				return os.Open(file)
			}
		}
		return nil, fmt.Errorf("package %s is not a dependency", path)
	}
}

func (p *parsed) add(t *testing.T, name string, source any) {
	t.Helper()
	file, err := parser.ParseFile(p.fset, name, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	p.files = append(p.files, file)
}

func (p *parsed) check(t *testing.T, imports types.Importer) {
	t.Helper()
	p.info = types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: imports}
	if _, err := config.Check("p", p.fset, p.files, &p.info); err != nil {
		t.Fatal(err)
	}
}

// complaints lists everything impure, with its position.
func (p *parsed) complaints() []string {
	var list []string
	for _, file := range p.files {
		ast.Inspect(file, func(n ast.Node) bool {
			if what := p.complaint(n); what != "" {
				list = append(list, fmt.Sprintf("%s: %s", p.fset.Position(n.Pos()), what))
			}
			return true
		})
	}
	return list
}

func (p *parsed) complaint(n ast.Node) string {
	switch n := n.(type) {
	case *ast.ImportSpec:
		if path, err := strconv.Unquote(n.Path.Value); err != nil || !slices.Contains(pure, path) {
			return "imports " + n.Path.Value + ", which is not on the list of pure packages; pass in what is needed as an argument"
		}
	case *ast.SelectorExpr:
		return p.impureUse(n)
	case *ast.GoStmt:
		return "starts a goroutine; the rules run where they are called"
	case *ast.SelectStmt:
		return "selects; which case comes first is chance"
	case *ast.ChanType:
		return "has a channel; the rules run where they are called"
	case *ast.RangeStmt:
		if _, isMap := p.info.TypeOf(n.X).Underlying().(*types.Map); isMap {
			return "ranges over a map, whose order is chance; range over a sorted slice"
		}
	}
	return ""
}

func (p *parsed) impureUse(n *ast.SelectorExpr) string {
	used := p.info.Uses[n.Sel]
	if used == nil || used.Pkg() == nil || !slices.Contains(impure[used.Pkg().Path()], used.Name()) {
		return ""
	}
	// A method may share the name: time.Time.After only compares. Local reads the machine's zone either way.
	if used.Parent() != used.Pkg().Scope() && used.Name() != "Local" {
		return ""
	}
	return fmt.Sprintf("uses %s.%s; pass in the value as an argument", used.Pkg().Path(), used.Name())
}
