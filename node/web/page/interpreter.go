package page

import (
	"strconv"
	"strings"
	"time"
)

// Sentence says in the visitor's language what the API says in English. One that is not known stays as it is.
func (v *Visit) Sentence(text string) string {
	if v.Lang == English {
		return text
	}
	said, _ := v.interpreter().say(text)
	return said
}

func (v *Visit) interpreter() interpreter { return interpreter{v.sentences, v.named} }

// named shows what stands in a sentence to people: a time in the visitor's zone, a site by its name.
func (v *Visit) named(value string) string {
	if at, err := time.Parse(time.RFC3339, value); err == nil {
		return v.Moment(at).Clock
	}
	return v.SiteNamed(value)
}

// interpreter says English sentences in Chinese.
type interpreter struct {
	known []sentence
	named func(value string) string // how a name or a time is shown
}

// say says a sentence, and those that stand inside of it, which are shorter, so that this ends. One that is not known stays as it is.
func (i interpreter) say(text string) (said string, known bool) {
	for n := range i.known {
		s := &i.known[n]
		found := s.match(text)
		if found == nil {
			continue
		}
		pairs := make([]string, 0, 4*len(found))
		for place, inside := range found[1:] {
			number := strconv.Itoa(place + 1)
			pairs = append(pairs, "{"+number+"}", framed(i.value(s.verbs[place], inside)), "{="+number+"}", framed(inside))
		}
		return closeUp(strings.NewReplacer(pairs...).Replace(s.chinese)), true
	}
	return text, false
}

// value says what stands in the place of a verb: a sentence, a name, a text in quotation marks, or a list of them.
func (i interpreter) value(verb byte, text string) string {
	switch verb {
	case 'd', 'x':
		return text
	case 'q':
		if plain, err := strconv.Unquote(text); err == nil && i.named(plain) != plain {
			return i.named(plain)
		}
		return quoted(text)
	}
	if said, known := i.parts(text); known {
		return said
	}
	if said, known := i.say(text); known {
		return said
	}
	if shown := i.named(text); shown != text {
		return shown
	}
	if said := quoted(text); said != text {
		return said
	}
	said, _ := i.list(text)
	return said
}

// parts says several parts that are joined by semicolons and are all known. They are told apart before the whole is looked at, of which
// the first part may be the beginning.
func (i interpreter) parts(text string) (said string, known bool) {
	entries := splitOutside(text, "; ")
	for n, entry := range entries {
		if entries[n], known = i.say(entry); !known {
			return text, false
		}
	}
	return strings.Join(entries, "；"), len(entries) > 1
}

// list says a list: one that fmt wrote in brackets, or texts that are all known and joined by a comma or "or".
func (i interpreter) list(text string) (said string, known bool) {
	inside, between := text, ", "
	bare, bracketed := strings.CutPrefix(text, "[")
	switch {
	case bracketed:
		inside, between = strings.TrimSuffix(bare, "]"), " "
	case strings.Contains(text, " or "):
		between = " or "
	}
	entries := splitOutside(inside, between)
	for n, entry := range entries {
		if entries[n], known = i.say(entry); known {
			continue
		}
		if entries[n] = i.named(entry); entries[n] == entry && !bracketed {
			return text, false
		}
	}
	return strings.Join(entries, "、"), true
}

// splitOutside splits a text at every separator that does not stand in quotation marks, as %q writes them.
func splitOutside(text, separator string) (entries []string) {
	begin := 0
	for at := 0; at < len(text); at++ {
		if text[at] == '"' {
			if quotation, err := strconv.QuotedPrefix(text[at:]); err == nil {
				at += len(quotation) - 1
				continue
			}
		}
		if strings.HasPrefix(text[at:], separator) {
			entries, begin = append(entries, text[begin:at]), at+len(separator)
			at = begin - 1
		}
	}
	return append(entries, text[begin:])
}

// quoted shows a text that %q wrote, or a list of such texts, in Chinese quotation marks. Any other text stays as it is.
func quoted(text string) string {
	rest, listed := strings.CutPrefix(text, "[")
	var entries []string
	for {
		first, err := strconv.QuotedPrefix(strings.TrimPrefix(rest, " "))
		if err != nil {
			break
		}
		plain, _ := strconv.Unquote(first) // it is what was just found to be quoted
		entries = append(entries, "“"+plain+"”")
		rest = strings.TrimPrefix(rest, " ")[len(first):]
	}
	if whole := rest == "" && !listed && len(entries) == 1 || rest == "]" && listed; !whole {
		return text
	}
	return strings.Join(entries, "、")
}
