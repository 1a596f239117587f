package browser

import (
	"io"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"
	"sync"
	"testing"

	"gopkg.in/yaml.v3"
)

// message is a text of the pages, or of a policy, in both languages.
type message struct {
	Chinese string `yaml:"zh"`
	English string `yaml:"en"`
}

// words are the words of all rooms by their keys.
var words = sync.OnceValues(func() (map[string]message, error) {
	rooms, all := os.DirFS("../node/web"), map[string]message{}
	return all, fs.WalkDir(rooms, ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || path.Base(name) != "words.yaml" {
			return err
		}
		source, err := fs.ReadFile(rooms, name)
		if err != nil {
			return err
		}
		return yaml.Unmarshal(source, &all) // which adds to what is there
	})
})

func catalogue(t *testing.T) map[string]message {
	t.Helper()
	all, err := words()
	if err != nil {
		t.Fatalf("read the words: %v", err)
	}
	return all
}

// titles are the texts that the policy of an office has in both languages.
func titles(policy string) (found []message, err error) {
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(policy), &root); err != nil {
		return nil, err
	}
	var walk func(*yaml.Node)
	walk = func(node *yaml.Node) {
		var title message
		if node.Kind == yaml.MappingNode && len(node.Content) == 4 && node.Decode(&title) == nil && title.Chinese != "" && title.English != "" {
			found = append(found, title)
		}
		for _, within := range node.Content {
			walk(within)
		}
	}
	walk(&root)
	return found, nil
}

var (
	// placeholder is a verb of package fmt.
	placeholder = regexp.MustCompile(`%(\[\d+\])?[-+# 0]*[0-9]*(\.[0-9]+)?[a-zA-Z%]`)
	// fixed is enough of a text between placeholders to know it by. Abbreviations are the same in all languages.
	fixed = regexp.MustCompile(`\p{Han}{2}|[A-Za-z]*[a-z][A-Za-z]+`)
)

// tongue knows the texts that a page in the other language must not say.
type tongue struct {
	exact  map[string]string // by the text
	filled map[*regexp.Regexp]string
}

// learn adds a text that is known by its name. One that is the same in both languages is no sign of either.
func (o *tongue) learn(name, text, other string) {
	text = strings.TrimSpace(text)
	switch {
	case text == strings.TrimSpace(other) || !fixed.MatchString(placeholder.ReplaceAllString(text, "")):
	case !placeholder.MatchString(text):
		o.exact[text] = name
	default:
		parts := placeholder.Split(text, -1)
		for i, part := range parts {
			parts[i] = regexp.QuoteMeta(part)
		}
		o.filled[regexp.MustCompile(`^(?s:`+strings.Join(parts, `.+?`)+`)$`)] = name
	}
}

// says is the name of the text that something on a page is; empty for none.
func (o *tongue) says(text string) string {
	if name := o.exact[text]; name != "" {
		return name
	}
	for filled, name := range o.filled {
		if filled.MatchString(text) {
			return name
		}
	}
	return ""
}

func newTongue() *tongue {
	return &tongue{exact: map[string]string{}, filled: map[*regexp.Regexp]string{}}
}

// texts are all that a page says to people in its own language: what stands on it, what it says of its pictures and fields, its title.
// What is marked as another language, or as one that nobody knows because people wrote it, is none of it; nor are the names of things
// that machines know.
const texts = `(() => { const said = new Set([document.title]), root = document.documentElement;
	const own = e => { const marked = e && e.closest("[lang]"); return (!marked || marked.lang === root.lang) && !(e && e.closest("script, style, textarea, code, .id")); };
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walker.nextNode()) if (own(walker.currentNode.parentElement)) said.add(walker.currentNode.data.trim());
	for (const e of document.body.querySelectorAll("*")) if (own(e))
		for (const a of e.attributes) if (["title", "alt", "placeholder", "label", "aria-label", "aria-description"].includes(a.name)) said.add(a.value.trim());
	said.delete(""); return [...said]; })()`

// keyForm is how the key of a word looks when the word is missing.
var keyForm = regexp.MustCompile(`[a-z][a-z-]*(\.[A-Za-z_-]+)+`)

// setting looks like the key of a word and is one of a node's own: what is to be done about a line that is down names it.
const setting = "link.parent_addresses"

// tongues are the texts by which pages in the other language are known.
type tongues struct {
	english *tongue
	chinese map[string]*tongue // by the office, whose policy has texts of its own
	rooms   map[string]bool    // with which the keys of words begin
}

// learnTongues knows the words of all pages, and the titles of the policy of each office.
func learnTongues(t *testing.T) tongues {
	t.Helper()
	known := tongues{english: newTongue(), chinese: map[string]*tongue{}, rooms: map[string]bool{}}
	for key, word := range catalogue(t) {
		known.english.learn("the word "+key, word.English, word.Chinese)
		if room, _, inParts := strings.Cut(key, "."); inParts {
			known.rooms[room] = true
		}
	}
	for _, office := range []string{province, city, county} {
		known.chinese[office] = chineseAt(t, office)
	}
	return known
}

// speaks fails when a page is not in its language: its own words are not in the other one, and none of them is missing.
func (p *person) speaks(page looked, lang string, known tongues) {
	p.t.Helper()
	other := known.english
	if lang == "en" {
		other = known.chinese[page.office]
	}
	var said []string
	p.value(texts, &said)
	var named string
	if p.value("document.documentElement.lang", &named); named != lang {
		p.t.Errorf("%s says that its language is %q, want %q", page.path, named, lang)
	}
	for _, text := range said {
		for _, key := range keyForm.FindAllString(text, -1) {
			if room, _, _ := strings.Cut(key, "."); known.rooms[room] && key != setting {
				p.t.Errorf("%s in %s: the word %s is missing: %q", page.path, lang, key, text)
			}
		}
		if name := other.says(text); name != "" {
			p.t.Errorf("%s in %s: %s is in the other language: %q", page.path, lang, name, text)
		}
	}
}

// chineseAt knows the Chinese words of all pages, and the titles of the policy of an office.
func chineseAt(t *testing.T, office string) *tongue {
	t.Helper()
	known := newTongue()
	for key, word := range catalogue(t) {
		if key != "language.other" { // which names a language in itself
			known.learn("the word "+key, word.Chinese, word.English)
		}
	}
	found, err := titles(policyOf(t, office))
	if err != nil || len(found) < 10 {
		t.Fatalf("read the titles of the policy of %s: %v, and %d were found", office, err, len(found))
	}
	for _, title := range found {
		known.learn("a title of the policy", title.Chinese, title.English)
	}
	return known
}

// policyOf is the policy of an office, as its administrator fetches it.
func policyOf(t *testing.T, office string) string {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client, base := &http.Client{Jar: jar}, offices(t).Pages(office)[0]
	defer client.CloseIdleConnections()
	answer, err := client.PostForm(base+"/sign-in", url.Values{"user": {"admin"}, "password": {offices(t).Password()}})
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer, err = client.Get(base + "/admin/policy/yaml"); err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	policy, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("fetch the policy of %s: %s, %v", office, answer.Status, err)
	}
	return string(policy)
}

// inLanguage is a path with a language chosen.
func inLanguage(path, lang string) string {
	if strings.Contains(path, "?") {
		return path + "&lang=" + lang
	}
	return path + "?lang=" + lang
}

// TestTheLanguageStays switches the language by the link at the head of a page and goes on to others.
func TestTheLanguageStays(t *testing.T) {
	t.Parallel()
	p := at(t, county, 0, desktop).signIn("chenjie")
	p.open("/desk?queue=all")
	for _, lang := range []string{"en", "zh-CN"} {
		p.sends(".top-right a[hreflang]")
		p.until("the page is in "+lang, `document.documentElement.lang === "`+lang+`" && location.search.includes("queue=all")`)
		for _, path := range []string{"/desk/new", "/notices", "/help"} {
			p.open(path)
			p.until(path+" is in "+lang, `document.documentElement.lang === "`+lang+`"`)
		}
		p.open("/desk?queue=all")
	}
}

// TestATongueKnowsItsTexts tries the rule by which the other language is found.
func TestATongueKnowsItsTexts(t *testing.T) {
	chinese := newTongue()
	chinese.learn("late", "超时 %s", "%s late")
	chinese.learn("state", "处理中", "in progress")
	chinese.learn("same", "API", "API")
	chinese.learn("unit", "%d 分", "%d min")
	for text, want := range map[string]string{
		"超时 5 min": "late", "处理中": "state", "API": "", "5 分": "", "缴款码打不开": "", "已处理中": "", "超时": "",
	} {
		if got := chinese.says(text); got != want {
			t.Errorf("%q is taken for the word %q, want %q", text, got, want)
		}
	}
}
