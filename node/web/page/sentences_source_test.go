package page

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// sentenceSource is where sentences that pages show come from: calls of functions whose arguments, from the given one on, are formats
// and texts.
type sentenceSource struct {
	files     string // relative to this directory
	functions map[string]int
}

func sentenceSources() []sentenceSource {
	refusals := map[string]int{"Refuse": 2, "RefuseField": 1, "denied": 0, "notThePeer": 0, "refuseFilter": 0, "tooMany": 1}
	findings := map[string]int{"warning": 0, "failure": 0, "fine": 0}
	errors := map[string]int{"Errorf": 0, "New": 0, "Sprintf": 0}
	return []sentenceSource{
		{"../../diagnose*.go", findings},
		{"../../renewal.go", findings},
		{"../../../policyfile/read.go", map[string]int{"problem": 2}},
		{"../../../policyfile/short.go", errors},
		{"../../../policyfile/form.go", errors},
		{"../../../policyfile/zone.go", errors},
		{"../../../desk/policy/check*.go", map[string]int{"object": 1}},
		{"../../../desk/audit/chain.go", map[string]int{"problem": 0}},

		{"../../../desk/*.go", refusals},
		{"../../../desk/origin.go", map[string]int{"Sprintf": 0}},
		{"../../../desk/verbs_tasks.go", map[string]int{"Sprintf": 0}},
		{"../../*.go", refusals},
		{"../../api/*.go", refusals},
		{"../../people/*.go", refusals},
		{"../../machine/*.go", refusals},
		{"../*.go", refusals},
		{"../*/*.go", refusals},
		{"../../../tiers/*.go", refusals},
		{"../../../replication/errors.go", map[string]int{"New": 0}},

		// Why a line does not carry, and why an item was set aside.
		{"../../../tiers/dial.go", errors},
		{"../../../tiers/serve.go", errors},
		{"../../../tiers/session.go", errors},
		{"../../../tiers/handshake.go", errors},
		{"../../../tiers/redirect.go", errors},
		{"../../../tiers/receiver.go", errors},
		{"../../../tiers/relocate.go", map[string]int{"New": 0}},
		{"../../../tiers/wire.go", errors},
		{"../../../tiers/files.go", map[string]int{"Sprintf": 0, "absent": 0}},
		{"../../../tiers/admission.go", map[string]int{"Sprintf": 0}},
		{"../../../tiers/arrival.go", map[string]int{"Sprintf": 0, "park": 1}},
		{"../../../tiers/delivery.go", map[string]int{"Sprintf": 0, "park": 1}},
		{"../../../tiers/publication.go", map[string]int{"Sprintf": 0, "park": 1}},
		{"../../../tiers/placement.go", map[string]int{"Sprintf": 0, "park": 1}},
		{"../../../tiers/receive.go", map[string]int{"park": 1}},
		{"../../../tiers/unite.go", map[string]int{"Sprintf": 0}},
		{"../../../tiers/forgotten.go", map[string]int{"Sprintf": 0}},
	}
}

// untold are the files whose refusals no page shows, by their directory and name, with the reason.
func untold() map[string]string {
	const (
		ofHTTP    = "about the form of a call over HTTP; pages call the services themselves"
		ofCommand = "about the form of a command, which a service has checked before"
		terminal  = "told at a terminal, when there are no pages"
	)
	return map[string]string{
		"api/body.go": ofHTTP, "api/gateway.go": ofHTTP, "api/http.go": ofHTTP, "api/stream.go": ofHTTP,
		"machine/audit.go": ofCommand, "machine/blobs.go": ofCommand, "machine/site.go": ofCommand, "machine/turn.go": ofCommand,
		"node/restore.go": terminal,
	}
}

// ofTheDisk begins the faults of what is on a node's disk. They go to the log, and to pages as a fault without its cause.
var ofTheDisk = regexp.MustCompile(`^(read|write|describe|settle|prune|encode|look|count|record|park|take note of|hand over|turn) `)

// verbOfFmt is a place in a format.
var verbOfFmt = regexp.MustCompile(`%[0-9.+#\[\]]*[a-zA-Z]`)

// writing is a text as it is written in a call.
type writing struct {
	text string
	// reason is what the words of the pages may have a text of their own for; empty for most.
	reason string
}

// written are the texts that stand in the calls of a source, whole ones only.
func (s sentenceSource) written(t *testing.T) (texts []writing) {
	t.Helper()
	for _, file := range s.parsed(t) {
		texts = append(texts, s.writtenIn(file)...)
	}
	return texts
}

// parsed are the files of a source that are no tests and not untold.
func (s sentenceSource) parsed(t *testing.T) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(s.files)
	if err != nil || len(names) == 0 {
		t.Fatalf("there is no file %s: %v", s.files, err)
	}
	for _, name := range names {
		whole, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		if file := filepath.Join(filepath.Base(filepath.Dir(whole)), filepath.Base(whole)); strings.HasSuffix(file, "_test.go") || untold()[file] != "" {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// writtenIn are those of one file. A constant stands for its text.
func (s sentenceSource) writtenIn(file *ast.File) (texts []writing) {
	constants := map[string]string{}
	ast.Inspect(file, func(node ast.Node) bool {
		if spec, is := node.(*ast.ValueSpec); is {
			for i, value := range spec.Values {
				if text, whole := textOf(value, constants); whole {
					constants[spec.Names[i].Name] = text
				}
			}
		}
		call, is := node.(*ast.CallExpr)
		if !is {
			return true
		}
		if from, known := s.functions[called(call)]; known {
			reason := ""
			if from == 2 {
				reason, _ = textOf(call.Args[1], constants)
			}
			for _, argument := range call.Args[min(from, len(call.Args)):] {
				if text, whole := textOf(argument, constants); whole && strings.Contains(verbOfFmt.ReplaceAllString(text, ""), " ") {
					texts = append(texts, writing{text, reason})
				}
			}
		}
		return true
	})
	return texts
}

// called is the name of the function or method that is called.
func called(call *ast.CallExpr) string {
	switch function := call.Fun.(type) {
	case *ast.Ident:
		return function.Name
	case *ast.SelectorExpr:
		return function.Sel.Name
	}
	return ""
}

// textOf is the text of a literal or a constant, or of several that are put together.
func textOf(expression ast.Expr, constants map[string]string) (text string, whole bool) {
	switch e := expression.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, e.Kind == token.STRING && err == nil
	case *ast.Ident:
		text, whole = constants[e.Name]
		return text, whole
	case *ast.BinaryExpr:
		left, wholeLeft := textOf(e.X, constants)
		right, wholeRight := textOf(e.Y, constants)
		return left + right, wholeLeft && wholeRight
	}
	return "", false
}

// wordsOfPages are the keys of the words of all pages.
func wordsOfPages(t *testing.T) map[string]bool {
	t.Helper()
	words := map[string]bool{}
	for _, pattern := range []string{"words.yaml", "../words.yaml", "../*/words.yaml"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("there is no file %s: %v", pattern, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var found map[string]any
			if err := yaml.Unmarshal(text, &found); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for key := range found {
				words[key] = true
			}
		}
	}
	return words
}

// filled is a text as fmt may write it.
func filled(format string) string {
	written := verbOfFmt.ReplaceAllStringFunc(format, func(verb string) string {
		switch verb[len(verb)-1] {
		case 'd':
			return "7"
		case 'x':
			return "00000000000000ff"
		case 'q':
			return `"x"`
		}
		return "something"
	})
	return strings.ReplaceAll(written, "%%", "%")
}

// TestEverySentenceOfTheAPIHasChinese reads the sentences where they are written.
func TestEverySentenceOfTheAPIHasChinese(t *testing.T) {
	t.Parallel()
	told, words := interpreter{knownSentences(t), plainly}, wordsOfPages(t)
	for _, source := range sentenceSources() {
		texts := source.written(t)
		if len(texts) == 0 {
			t.Errorf("%s: no sentence was found in calls of %v", source.files, source.functions)
		}
		for _, written := range texts {
			if words["problem."+written.reason] || ofTheDisk.MatchString(written.text) {
				continue
			}
			if _, known := told.say(filled(written.text)); !known {
				t.Errorf("%s: neither refusals.yaml, sentences.yaml nor lines.yaml says %q in Chinese", source.files, written.text)
			}
		}
	}
}

// unseenFields are those of the API that no form of a page has, by how their path begins.
var unseenFields = regexp.MustCompile(`^(requestId|etag|actor|sha256|index|content|session|step|checkpoint|entries|key|policy|consistency|If-Match|attachment|ttl|time|through|pageSize|pageToken|verb|doing|internal|mediaType|user\.passwordHash)`)

// TestEveryFieldOfAFormHasChinese reads the fields where they are refused.
func TestEveryFieldOfAFormHasChinese(t *testing.T) {
	t.Parallel()
	v := newVisit(t, "zh")
	checks := []string{"RefuseField", "oneLine", "text", "given", "between", "checkList", "checkOther", "checkSite", "checkOutcome"}
	fields := map[string]bool{}
	for _, pattern := range []string{"../../../desk/*.go", "../../api/*.go", "../../people/*.go", "../../machine/*.go", "../*/*.go"} {
		for _, check := range checks {
			source := sentenceSource{pattern, map[string]int{check: 0}}
			for _, field := range source.fields(t) {
				fields[field] = true
			}
		}
	}
	if len(fields) < 50 {
		t.Errorf("%d fields were found, far too few", len(fields))
	}
	for field := range fields {
		if text, name := v.underField(field, "it is empty; give one", "请填写此项"); name == "" && !unseenFields.MatchString(field) {
			t.Errorf("refusals.yaml has no name for the field %q: %q", field, text)
		}
	}
}

// fields are the names of fields that stand first in the calls of a source.
func (s sentenceSource) fields(t *testing.T) (names []string) {
	t.Helper()
	for _, file := range s.parsed(t) {
		ast.Inspect(file, func(node ast.Node) bool {
			if call, is := node.(*ast.CallExpr); is && len(call.Args) > 1 {
				if _, known := s.functions[called(call)]; known {
					if name, whole := textOf(call.Args[0], nil); whole && name != "" {
						names = append(names, name)
					}
				}
			}
			return true
		})
	}
	return names
}
