package web

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"

	"golang.org/x/text/language"
	"gopkg.in/yaml.v3"
)

// The languages of the pages, the first for everybody who does not ask for another.
const (
	chinese = "zh-CN"
	english = "en"
)

// message is one text in every language. Texts with placeholders use the verbs of package fmt, the same in each.
type message struct {
	Chinese string `yaml:"zh"`
	English string `yaml:"en"`
}

// catalogue holds all words of the pages by key.
type catalogue map[string]message

func readCatalogue(files fs.FS, name string) (catalogue, error) {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, fmt.Errorf("read the words: %w", err)
	}
	words := make(catalogue)
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true) // what follows a comma in a text without quotes would be lost
	if err := decoder.Decode(&words); err != nil {
		return nil, fmt.Errorf("read the words of %s: %w", name, err)
	}
	return words, nil
}

// say returns the text of a key in a language; the key itself when there is none.
func (c catalogue) say(lang, key string, args ...any) string {
	found, ok := c[key]
	if !ok {
		return key
	}
	text := found.Chinese
	if lang == english {
		text = found.English
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// languageOf chooses the language of a page: ?lang= before what the browser prefers.
func languageOf(r *http.Request) string {
	switch r.URL.Query().Get("lang") {
	case "en":
		return english
	case "zh":
		return chinese
	}
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(tags) == 0 {
		return chinese
	}
	// Who reads traditional characters is nearer to the simplified ones than to English.
	offered := []language.Tag{language.SimplifiedChinese, language.TraditionalChinese, language.English}
	_, index, confidence := language.NewMatcher(offered).Match(tags...)
	if offered[index] == language.English && confidence > language.No {
		return english
	}
	return chinese
}
