package page

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"slices"

	"golang.org/x/text/language"
	"gopkg.in/yaml.v3"
)

// The languages of the pages, the first for everybody who does not ask for another.
const (
	Chinese = "zh-CN"
	English = "en"
)

// languageCookie keeps the language that a visitor chose.
const languageCookie = "tierdesk_language"

// message is one text in every language. Texts with placeholders use the verbs of package fmt, the same in each.
type message struct {
	Chinese string `yaml:"zh"`
	English string `yaml:"en"`
}

// catalogue holds all words of the pages by key.
type catalogue map[string]message

// read adds the words of a file. A key has one meaning: it stands in one file alone.
func (c catalogue) read(files fs.FS, name string) error {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return fmt.Errorf("read the words: %w", err)
	}
	words := make(catalogue)
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true) // what follows a comma in a text without quotes would be lost
	if err := decoder.Decode(&words); err != nil {
		return fmt.Errorf("read the words of %s: %w", name, err)
	}
	for key, text := range words {
		if _, there := c[key]; there {
			return fmt.Errorf("read the words of %s: %q is there already", name, key)
		}
		c[key] = text
	}
	return nil
}

// say returns the text of a key in a language; the key itself when there is none.
func (c catalogue) say(lang, key string, args ...any) string {
	found, ok := c[key]
	if !ok {
		return key
	}
	text := found.Chinese
	if lang == English {
		text = found.English
	}
	if len(args) == 0 {
		return text
	}
	if lang == English {
		return fmt.Sprintf(text, args...)
	}
	pieces := slices.Clone(args)
	for n, arg := range args {
		if piece, ok := arg.(string); ok {
			pieces[n] = framed(piece)
		}
	}
	return closeUp(fmt.Sprintf(text, pieces...))
}

// languageOf chooses the language of a page: ?lang= before what was chosen once, before what the browser prefers.
func languageOf(r *http.Request) string {
	chosen := r.URL.Query().Get("lang")
	if cookie, err := r.Cookie(languageCookie); chosen == "" && err == nil {
		chosen = cookie.Value
	}
	switch chosen {
	case "en":
		return English
	case "zh":
		return Chinese
	}
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(tags) == 0 {
		return Chinese
	}
	// Who reads traditional characters is nearer to the simplified ones than to English.
	offered := []language.Tag{language.SimplifiedChinese, language.TraditionalChinese, language.English}
	_, index, confidence := language.NewMatcher(offered).Match(tags...)
	if offered[index] == language.English && confidence > language.No {
		return English
	}
	return Chinese
}

// keepLanguage has the browser remember a language that the address asks for.
func keepLanguage(w http.ResponseWriter, r *http.Request) {
	chosen := r.URL.Query().Get("lang")
	if chosen != "en" && chosen != "zh" {
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: languageCookie, Value: chosen, Path: "/", MaxAge: int(cookieLife.Seconds()) * 12, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil,
	})
}
