package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"gopkg.in/yaml.v3"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// word is one text in both languages, and the file it stands in.
type word struct {
	Chinese string `yaml:"zh"`
	English string `yaml:"en"`
	file    string
}

// speech is what all rooms say and what they ask for.
type speech struct {
	words    map[string]word
	exact    map[string]string // keys that are asked for by name, with the file that does
	prefixes map[string]string // beginnings of keys that are put together
	loose    map[string]bool   // every text in the sources that may be a key, or the beginning of keys
}

// readSpeech reads the words, the templates and the sources of every room.
func readSpeech(t *testing.T) *speech {
	t.Helper()
	s := &speech{words: map[string]word{}, exact: map[string]string{}, prefixes: map[string]string{}, loose: map[string]bool{}}
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		source, err := os.ReadFile(name)
		switch {
		case err != nil:
			return err
		case path.Base(name) == "words.yaml":
			s.readWords(t, name, source)
		case path.Ext(name) == ".html":
			s.readTemplate(name, string(source))
		case path.Ext(name) == ".go" && !strings.HasSuffix(name, "_test.go"):
			s.readSource(t, name, source)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.words) < 100 || len(s.exact) < 50 {
		t.Fatalf("%d words and %d uses were found; the rooms are elsewhere", len(s.words), len(s.exact))
	}
	return s
}

func (s *speech) readWords(t *testing.T, name string, source []byte) {
	t.Helper()
	var found map[string]word
	if err := yaml.Unmarshal(source, &found); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for key, text := range found {
		if before, there := s.words[key]; there {
			t.Errorf("word %q stands in %s and in %s", key, before.file, name)
		}
		text.file = name
		s.words[key] = text
	}
}

var (
	templateAction = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	templateWord   = regexp.MustCompile(`\.(Word|Say) "([^"]+)"`)
	templateText   = regexp.MustCompile(`"([^"]+)"`)
	doneParameter  = regexp.MustCompile(`[?&]done=([a-z0-9.-]*)`)
)

func (s *speech) readTemplate(name, source string) {
	for _, action := range templateAction.FindAllString(source, -1) {
		for _, found := range templateWord.FindAllStringSubmatch(action, -1) {
			if found[1] == "Say" {
				s.prefixes[found[2]] = name
			} else {
				s.exact[found[2]] = name
			}
		}
		for _, found := range templateText.FindAllStringSubmatch(action, -1) {
			s.loose[found[1]] = true
		}
	}
}

func (s *speech) readSource(t *testing.T, name string, source []byte) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch found := node.(type) {
		case *ast.BasicLit:
			s.readText(name, textOf(found))
		case *ast.CallExpr:
			if called, ok := found.Fun.(*ast.SelectorExpr); ok && called.Sel.Name == "Word" && len(found.Args) > 0 {
				s.readKey(name, found.Args[0])
			}
		case *ast.KeyValueExpr: // Door{Word: "desk"}, and problem{key: "sign-in.wrong"} of signing in
			if field, ok := found.Key.(*ast.Ident); ok && (field.Name == "Word" || field.Name == "key" && path.Dir(name) == ".") {
				s.readKey(name, found.Value)
			}
		}
		return true
	})
}

// readKey reads a key that is asked for: a text, or a text with something behind it.
func (s *speech) readKey(name string, key ast.Expr) {
	switch asked := key.(type) {
	case *ast.BasicLit:
		s.exact[textOf(asked)] = name
	case *ast.BinaryExpr:
		for left, ok := asked, true; ok; left, ok = left.X.(*ast.BinaryExpr) {
			if text := textOf(left.X); text != "" {
				s.prefixes[text] = name
			}
		}
	}
}

func (s *speech) readText(name, text string) {
	s.loose[text] = true
	if done := doneParameter.FindStringSubmatch(text); done != nil && done[1] != "" {
		s.exact["done."+done[1]] = name
	}
}

// textOf is the text of a literal; empty for anything else.
func textOf(node ast.Node) string {
	literal, ok := node.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return ""
	}
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		return ""
	}
	return text
}

// used tells whether a key is asked for by name, or begins as those do that are put together.
func (s *speech) used(key string) bool {
	if s.loose[key] || s.exact[key] != "" {
		return true
	}
	for end := 1; end < len(key); end++ {
		beginning := key[:end]
		if s.prefixes[beginning] != "" || s.loose[beginning] && strings.HasSuffix(beginning, ".") {
			return true
		}
	}
	return false
}

// TestNoWordIsMissing holds the words of all rooms against everything that asks for words: templates, code, and enums.
func TestNoWordIsMissing(t *testing.T) {
	t.Parallel()
	s := readSpeech(t)
	for _, key := range slices.Sorted(maps.Keys(s.exact)) {
		if found := s.words[key]; found.Chinese == "" || found.English == "" {
			t.Errorf("%s asks for the word %q, which is not there in both languages", s.exact[key], key)
		}
	}
	for _, prefix := range slices.Sorted(maps.Keys(s.prefixes)) {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(s.words)), func(key string) bool { return strings.HasPrefix(key, prefix) }) {
			t.Errorf("%s asks for words that begin with %q, and there is none", s.prefixes[prefix], prefix)
		}
	}
	for prefix, enum := range map[string]protoreflect.EnumDescriptor{
		"state.":       deskpb.Ticket_NEW.Descriptor(),
		"line.":        deskpb.Ticket_FIRST.Descriptor(),
		"user-role.":   deskpb.User_AGENT.Descriptor(),
		"link.":        apipb.LinkStatus_UP.Descriptor(),
		"banner.down.": apipb.LinkStatus_PARENT.Descriptor(),
		"tier.":        apipb.Site_CITY.Descriptor(),
	} {
		for i := range enum.Values().Len() {
			if key := prefix + string(enum.Values().Get(i).Name()); s.words[key].Chinese == "" {
				t.Errorf("the word %q of %s is missing", key, enum.FullName())
			}
		}
	}
	for key, spoken := range spokenReasons() {
		if s.words[spoken.key].Chinese == "" {
			t.Errorf("the refusal %s has the word %q, which is not there", key, spoken.key)
		}
	}
}

// TestNoWordIsLeftOver finds words that nobody asks for any more.
func TestNoWordIsLeftOver(t *testing.T) {
	t.Parallel()
	s := readSpeech(t)
	for _, key := range slices.Sorted(maps.Keys(s.words)) {
		if !s.used(key) {
			t.Errorf("%s: the word %q is never shown", s.words[key].file, key)
		}
	}
}

// placeholder is a verb of package fmt.
var placeholder = regexp.MustCompile(`%(\[\d+\])?[-+# 0]*[0-9]*(\.[0-9]+)?[a-zA-Z%]`)

// placeholders are the arguments that a text takes, in the order of the arguments.
func placeholders(text string) (found []string) {
	for i, verb := range placeholder.FindAllStringSubmatch(text, -1) {
		place := verb[1]
		if place == "" {
			place = "[" + strconv.Itoa(i+1) + "]"
		}
		found = append(found, place+verb[0][len(verb[0])-1:])
	}
	slices.Sort(found)
	return found
}

// TestBothLanguagesSayTheSame compares placeholders, which a page fills in alike.
func TestBothLanguagesSayTheSame(t *testing.T) {
	t.Parallel()
	for key, text := range readSpeech(t).words {
		if text.Chinese == "" || text.English == "" {
			t.Errorf("%s: the word %q is not there in both languages: %q, %q", text.file, key, text.Chinese, text.English)
		}
		if a, b := placeholders(text.Chinese), placeholders(text.English); !slices.Equal(a, b) {
			t.Errorf("%s: the word %q has placeholders %v in Chinese and %v in English", text.file, key, a, b)
		}
	}
}

// TestTheChineseIsChinese finds texts that were left in the other language. Signs, figures and abbreviations are the same in both.
func TestTheChineseIsChinese(t *testing.T) {
	t.Parallel()
	han := func(text string) bool {
		return strings.ContainsFunc(text, func(r rune) bool { return r >= 0x4e00 && r <= 0x9fff })
	}
	small := func(text string) bool { // letters that are no abbreviation
		return strings.ContainsFunc(placeholder.ReplaceAllString(text, ""), func(r rune) bool { return r >= 'a' && r <= 'z' })
	}
	for key, text := range readSpeech(t).words {
		if key == "language.other" || key == "language.code" || text.Chinese == text.English && !small(text.Chinese) && !han(text.English) {
			continue
		}
		if !han(text.Chinese) && small(text.Chinese) {
			t.Errorf("%s: the word %q is %q in Chinese", text.file, key, text.Chinese)
		}
		if han(text.English) {
			t.Errorf("%s: the word %q is %q in English", text.file, key, text.English)
		}
	}
}
