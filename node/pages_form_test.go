package node

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// shownForm is a form of a page as a browser has it.
type shownForm struct {
	values  url.Values        // what it would send
	beside  map[string]string // what is said beside a field that is marked as wrong
	problem string            // what is said of the form as a whole
	text    string
}

// formAt reads the form of a page that is sent to an address: of several the one that a verb has open.
func formAt(t *testing.T, page, action string) shownForm {
	t.Helper()
	document, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var found *html.Node
	for form := range document.Descendants() {
		if form.Type == html.ElementNode && form.Data == "form" && sentTo(form, action) && (found == nil || hasAttribute(form, "data-verb")) {
			found = form
		}
	}
	if found != nil {
		return readForm(found)
	}
	t.Fatalf("the page has no form for %s: %.3000s", action, page)
	return shownForm{}
}

// sentTo tells whether a form, or a button of it, is sent to an address.
func sentTo(form *html.Node, action string) bool {
	if attribute(form, "action") == action {
		return true
	}
	for node := range form.Descendants() {
		if attribute(node, "formaction") == action {
			return true
		}
	}
	return false
}

func readForm(form *html.Node) shownForm {
	read := shownForm{values: url.Values{}, beside: map[string]string{}, text: textOf(form)}
	said := map[string]string{}
	for node := range form.Descendants() {
		if id := attribute(node, "id"); id != "" {
			said[id] = textOf(node)
		}
		if attribute(node, "class") == "message bad" {
			read.problem = textOf(node)
		}
	}
	for node := range form.Descendants() {
		name := attribute(node, "name")
		if name == "" || node.Data == "button" || attribute(node, "type") == "file" {
			continue
		}
		read.values.Add(name, valueOf(node))
		if attribute(node, "aria-invalid") == "true" {
			read.beside[name] = said[attribute(node, "aria-describedby")]
		}
	}
	return read
}

// valueOf is what a field of a form sends.
func valueOf(field *html.Node) string {
	switch {
	case field.Data == "textarea":
		return strings.TrimPrefix(textOf(field), "\n")
	case field.Data == "select":
		for option := range field.Descendants() {
			if option.Data == "option" && hasAttribute(option, "selected") {
				return attribute(option, "value")
			}
		}
		return ""
	case attribute(field, "type") == "checkbox" && !hasAttribute(field, "checked"):
		return ""
	}
	return attribute(field, "value")
}

func hasAttribute(node *html.Node, key string) bool {
	return slices.ContainsFunc(node.Attr, func(a html.Attribute) bool { return a.Key == key })
}

func attribute(node *html.Node, key string) string {
	for _, a := range node.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func textOf(node *html.Node) string {
	var text strings.Builder
	for within := range node.Descendants() {
		if within.Type == html.TextNode {
			text.WriteString(within.Data)
		}
	}
	return text.String()
}
