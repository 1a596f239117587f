// Package tierdesk_test holds the house to its plan: the floors of ARCHITECTURE.md, a comment on every package, and
// files and functions of a size that a reader can hold.
package tierdesk_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/tierdesk/tierdesk/"

// goFile is one parsed file of ours.
type goFile struct {
	path   string // slash-separated, from the module root
	syntax *ast.File
	set    *token.FileSet
}

func (f goFile) dir() string     { return filepath.ToSlash(filepath.Dir(f.path)) }
func (f goFile) isTest() bool    { return strings.HasSuffix(f.path, "_test.go") }
func (f goFile) generated() bool { return strings.Contains(filepath.Base(f.path), ".pb.") }

// parse reads every Go file of this module; tools is a module of its own.
func parse(t *testing.T) []goFile {
	t.Helper()
	var files []goFile
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != "." {
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
				return fs.SkipDir
			}
			if name := entry.Name(); strings.HasPrefix(name, ".") || name == "testdata" {
				return fs.SkipDir
			}
		}
		if entry.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		set := token.NewFileSet()
		syntax, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		files = append(files, goFile{path: filepath.ToSlash(path), syntax: syntax, set: set})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("only %d Go files found: the walk went wrong", len(files))
	}
	return files
}

// floors reads the table of ARCHITECTURE.md: room to floor.
func floors(t *testing.T) map[string]int {
	t.Helper()
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| (\\d) \\| `([a-z]+)` \\|").FindAllStringSubmatch(string(text), -1)
	rooms := make(map[string]int)
	for _, row := range rows {
		floor, err := strconv.Atoi(row[1])
		if err != nil {
			t.Fatal(err)
		}
		rooms[row[2]] = floor
	}
	if len(rooms) < 6 {
		t.Fatalf("ARCHITECTURE.md: found only the rooms %v in the table of floors", rooms)
	}
	return rooms
}

// room is the first element of a package's path inside the module.
func room(path string) string {
	first, _, _ := strings.Cut(path, "/")
	return first
}

// climbs says why an import breaks the plan, "" when it does not.
func climbs(rooms map[string]int, from, to string) string {
	fromRoom, toRoom := room(from), room(to)
	fromFloor, known := rooms[fromRoom]
	if !known {
		return "the room " + fromRoom + " is not in the table of floors in ARCHITECTURE.md"
	}
	toFloor, known := rooms[toRoom]
	switch {
	case !known:
		return "the room " + toRoom + " is not in the table of floors in ARCHITECTURE.md"
	case fromRoom != toRoom && toFloor > fromFloor:
		return "an import climbs from floor " + strconv.Itoa(fromFloor) + " to floor " + strconv.Itoa(toFloor)
	case fromRoom != toRoom && toFloor == fromFloor:
		return "rooms on one floor do not import each other"
	case fromRoom == "node" && toRoom == "node" && from != "node" && subroom(from) != subroom(to) && !schema(to):
		return "sub-packages of node do not import each other; declare the interface that is needed"
	case fromRoom == toRoom && (strings.HasPrefix(from, to+"/")) && strings.Count(from, "/") > 0:
		return "a sub-package does not import the package that uses it"
	}
	return ""
}

// schema tells whether a package is a generated schema: words that rooms share, not a room.
func schema(path string) bool { return strings.HasSuffix(path, "pb") }

// subroom is the second element: node/api/apipb belongs to node/api.
func subroom(path string) string {
	parts := strings.SplitN(path, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}

func TestImportsPointDown(t *testing.T) {
	rooms := floors(t)
	for _, file := range parse(t) {
		if file.isTest() || file.dir() == "." {
			continue // tests may stand a whole house up
		}
		for _, spec := range file.syntax.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			target, ours := strings.CutPrefix(path, module)
			if !ours {
				continue
			}
			if why := climbs(rooms, file.dir(), target); why != "" {
				t.Errorf("%s imports %s: %s", file.path, target, why)
			}
		}
	}
}

func TestFloorsNoticeAClimb(t *testing.T) {
	rooms := map[string]int{"desk": 0, "store": 1, "replication": 1, "node": 3}
	for _, c := range []struct {
		from, to string
		refused  bool
	}{
		{"store", "desk", false},
		{"desk", "store", true},
		{"store", "replication", true},
		{"node", "node/api", false},
		{"node/api", "node/web", true},
		{"node/api", "node/api/apipb", false},
		{"node/web", "node/api/apipb", false},
		{"node/api", "node", true},
		{"attic", "desk", true},
	} {
		if got := climbs(rooms, c.from, c.to) != ""; got != c.refused {
			t.Errorf("%s imports %s: refused = %v, want %v", c.from, c.to, got, c.refused)
		}
	}
}

func TestPackagesSayWhatTheyAreFor(t *testing.T) {
	comments := make(map[string]string)
	for _, file := range parse(t) {
		if file.dir() == "." || (file.isTest() && comments[file.dir()] != "") {
			continue
		}
		if doc := file.syntax.Doc; doc != nil && !file.generated() && !file.isTest() {
			comments[file.dir()] += doc.Text()
		} else if _, seen := comments[file.dir()]; !seen {
			comments[file.dir()] = ""
		}
	}
	for dir, comment := range comments {
		switch {
		case comment == "":
			t.Errorf("%s: no package comment; say what it is for, what it never does, and who may call it", dir)
		case len(strings.Fields(comment)) < 10:
			t.Errorf("%s: the package comment says too little: %q", dir, comment)
		}
	}
}

func TestRoomsHaveHonestNames(t *testing.T) {
	refused := []string{"util", "utils", "common", "helper", "helpers", "model", "models", "pkg", "misc", "base"}
	for _, file := range parse(t) {
		for part := range strings.SplitSeq(file.dir(), "/") {
			if slices.Contains(refused, part) {
				t.Errorf("%s: a folder called %s says nothing; name it after what is in it", file.path, part)
			}
		}
	}
}

func TestFilesAndFunctionsCanBeHeldInMind(t *testing.T) {
	const maxFile, maxFunction = 600, 90 // the rule says about 500 and about 60; wiring may be longer
	for _, file := range parse(t) {
		if file.generated() {
			continue
		}
		if lines := file.set.File(file.syntax.Pos()).LineCount(); lines > maxFile {
			t.Errorf("%s: %d lines; split it by what is in it", file.path, lines)
		}
		if file.isTest() {
			continue
		}
		for _, declaration := range file.syntax.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok || function.Body == nil {
				continue
			}
			length := file.set.Position(function.End()).Line - file.set.Position(function.Pos()).Line
			if length > maxFunction {
				t.Errorf("%s: %s has %d lines; name its parts", file.path, function.Name.Name, length)
			}
		}
	}
}
