package page

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"
)

// sentence is what the API says in English, with how to say it in Chinese.
type sentence struct {
	pattern        string                // of a regular expression, whose groups are what fmt puts in
	english        func() *regexp.Regexp // the pattern, compiled when a text first begins and ends like the sentence
	verbs          []byte                // the verb of fmt of each group
	before, behind string                // what every text of it begins and ends with
	fixed          int                   // how much of it is always the same, in bytes
	chinese        string                // {1} is the first group as people read it, {=1} as it stands
}

// sentenceFiles are the files of sentences: what is found and what is wrong with a policy, refusals, and why a line does not carry.
func sentenceFiles() []string { return []string{"sentences.yaml", "refusals.yaml", "lines.yaml"} }

// readSentences reads those that pages say in Chinese, in the order in which they are tried: the most certain ones first, parts of others
// behind all whole ones. A sentence stands in one of the files alone.
func readSentences(from fs.FS, names ...string) ([]sentence, error) {
	var whole, parts []sentence
	there, places := map[string]bool{}, regexp.MustCompile(`%[0-9.+#\[\]]*[a-zA-Z]`)
	for _, name := range names {
		text, err := fs.ReadFile(from, name)
		if err != nil {
			return nil, err
		}
		var said struct{ Sentences, Parts map[string]string }
		if err := yaml.Unmarshal(text, &said); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if whole, err = addSentences(whole, said.Sentences, places, there); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if parts, err = addSentences(parts, said.Parts, places, there); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, kind := range [][]sentence{whole, parts} {
		slices.SortFunc(kind, func(a, b sentence) int {
			return cmp.Or(cmp.Compare(b.fixed, a.fixed), strings.Compare(a.pattern, b.pattern))
		})
	}
	return append(whole, parts...), nil
}

func addSentences(to []sentence, said map[string]string, places *regexp.Regexp, there map[string]bool) ([]sentence, error) {
	for english, chinese := range said {
		made, err := newSentence(english, chinese, places)
		if err == nil && there[made.pattern] {
			err = errors.New("it is there twice")
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", english, err)
		}
		there[made.pattern] = true
		to = append(to, made)
	}
	return to, nil
}

func newSentence(english, chinese string, places *regexp.Regexp) (made sentence, err error) {
	made.chinese = chinese
	var pattern strings.Builder
	at, plain := 0, strings.NewReplacer("%%", "%")
	for _, found := range places.FindAllStringIndex(english, -1) {
		literal, verb := plain.Replace(english[at:found[0]]), english[found[1]-1]
		if len(made.verbs) == 0 {
			made.before = literal
		}
		pattern.WriteString(regexp.QuoteMeta(literal) + standsFor(verb))
		made.verbs = append(made.verbs, verb)
		made.fixed += len(literal)
		at = found[1]
	}
	made.behind = plain.Replace(english[at:])
	made.fixed += len(made.behind)
	whole := `(?s)^` + pattern.String() + regexp.QuoteMeta(made.behind) + `$`
	made.pattern, made.english = whole, sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(whole) })
	if made.fixed == 0 || strings.Contains(chinese, fmt.Sprintf("{%d}", len(made.verbs)+1)) {
		return sentence{}, fmt.Errorf("it fits everything, or has nothing for a place in %q", chinese)
	}
	return made, nil
}

// standsFor is a pattern of what a verb of fmt writes.
func standsFor(verb byte) string {
	switch verb {
	case 'd':
		return `(-?[0-9]+)`
	case 'x':
		return `([0-9a-f]+)`
	case 'q':
		return `("(?:[^"\\]|\\.)*"|\[[^\]]*\])`
	}
	return `(.+?)`
}

// match returns what stands in the places of the sentence, nil when the text is another one. Most are by how they begin and end.
func (s *sentence) match(text string) []string {
	if !strings.HasPrefix(text, s.before) || !strings.HasSuffix(text, s.behind) {
		return nil
	}
	return s.english().FindStringSubmatch(text)
}
