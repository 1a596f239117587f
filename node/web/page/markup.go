package page

import (
	"html/template"
	"strings"
)

// Markup is HTML that is written piece by piece, for what stands on a page so often that a template would take most of the page's time
// for it.
type Markup struct{ text strings.Builder }

// Raw adds HTML as it is: what stands in the program, and nothing that anybody has typed.
func (m *Markup) Raw(html string) { m.text.WriteString(html) }

// Text adds a text, in an element or in the quotation marks of an attribute that is no address.
func (m *Markup) Text(text string) { m.text.WriteString(template.HTMLEscapeString(text)) }

// HTML is all that was added.
func (m *Markup) HTML() template.HTML { return template.HTML(m.text.String()) }

// Room makes room for so many bytes.
func (m *Markup) Room(bytes int) { m.text.Grow(bytes) }

// markup is something that pages show in the same way everywhere.
type markup interface{ Write(*Markup) }

func html(shown markup) template.HTML {
	var m Markup
	m.Room(256)
	shown.Write(&m)
	return m.HTML()
}

// HTML is the mark as pages show it.
func (m Mark) HTML() template.HTML { return html(m) }

// Write adds the mark.
func (m Mark) Write(to *Markup) {
	to.Raw(`<span class="mark `)
	to.Text(m.Tone)
	to.Raw(`"><span class="shape" aria-hidden="true">`)
	to.Text(m.Shape)
	to.Raw(`</span>`)
	to.Text(m.Word)
	to.Raw(`</span>`)
}

// HTML is how long ago the moment is, as pages show it.
func (m Moment) HTML() template.HTML { return html(m) }

// Write adds how long ago the moment is.
func (m Moment) Write(to *Markup) { m.write(to, " data-ago", m.Ago) }

// ClockHTML is the moment by the clock, as pages show it.
func (m Moment) ClockHTML() template.HTML {
	var to Markup
	m.write(&to, "", m.Clock)
	return to.HTML()
}

func (m Moment) write(to *Markup, attribute, text string) {
	if m.ISO == "" {
		return
	}
	to.Raw(`<time datetime="`)
	to.Text(m.ISO)
	to.Raw(`" title="`)
	to.Text(m.Exact)
	to.Raw(`"` + attribute + `>`)
	to.Text(text)
	to.Raw(`</time>`)
}

// HTML is the deadline as pages show it.
func (d Deadline) HTML() template.HTML { return html(d) }

// Write adds the deadline.
func (d Deadline) Write(to *Markup) {
	if d.ISO == "" {
		return
	}
	to.Raw(`<time class="deadline`)
	if d.Late {
		to.Raw(` late`)
	}
	to.Raw(`" datetime="`)
	to.Text(d.ISO)
	to.Raw(`" title="`)
	to.Text(d.Exact)
	to.Raw(`" data-until>`)
	to.Text(d.Text)
	to.Raw(`</time>`)
}
