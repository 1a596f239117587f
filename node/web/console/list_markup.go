package console

import (
	"html/template"

	"github.com/tierdesk/tierdesk/node/web/page"
)

// What the markup of a cell takes about, and that of something to choose, in bytes.
const (
	roomPerCell   = 192
	roomPerOption = 96
)

// Markup are the row's cells as lists show them. A page has hundreds of them: no template writes them.
func (r row) Markup() template.HTML {
	var m page.Markup
	m.Room(roomPerCell * len(r.Cells))
	r.write(&m)
	return m.HTML()
}

// Line is the row as a list shows it in which tickets can be chosen.
func (r row) Line() template.HTML {
	var m page.Markup
	m.Room(roomPerCell * (len(r.Cells) + 2))
	m.Raw(`<tr id="row-`)
	m.Text(r.Number)
	if r.Urgency != "" {
		m.Raw(`" class="`)
		m.Text(r.Urgency)
	}
	m.Raw(`"><td class="pick">`)
	if r.Pick != "" {
		r.writePick(&m)
	}
	m.Raw(`</td>`)
	r.write(&m)
	m.Raw(`</tr>`)
	return m.HTML()
}

// writePick adds the box by which the ticket is chosen.
func (r row) writePick(m *page.Markup) {
	m.Raw(`<input class="form-check-input" type="checkbox" form="bulk" name="pick" value="`)
	m.Text(r.Pick)
	m.Raw(`" id="pick-`)
	m.Text(r.Number)
	m.Raw(`"`)
	if r.Chosen {
		m.Raw(` checked`)
	}
	m.Raw(` aria-label="`)
	m.Text(r.PickWord)
	m.Raw(`">`)
}

func (r row) write(m *page.Markup) {
	for i := range r.Cells {
		r.Cells[i].write(m)
	}
}

func (c *cell) write(m *page.Markup) {
	m.Raw(`<td class="c-`)
	m.Text(c.Name)
	m.Raw(`" data-label="`)
	m.Text(c.Label)
	if whole := c.whole(); whole != "" {
		m.Raw(`" title="`)
		m.Text(whole)
	}
	m.Raw(`">`)
	if c.Lead.Word != "" {
		c.Lead.Write(m)
		m.Raw(` `)
	}
	c.writeText(m)
	if c.Soft != "" {
		m.Raw(` <small class="soft">`)
		m.Text(c.Soft)
		m.Raw(`</small>`)
	}
	for _, mark := range c.Marks {
		m.Raw(` `)
		mark.Write(m)
	}
	c.Moment.Write(m)
	c.Deadline.Write(m)
	m.Raw(`</td>`)
}

// writeText adds the text, which in a row's title leads to the ticket.
func (c *cell) writeText(m *page.Markup) {
	switch {
	case c.Number != "":
		m.Raw(`<a class="open" id="open-`)
		m.Text(c.Number)
		m.Raw(`" href="`)
		m.Text(ticketLink(c.Number))
		m.Raw(`">`)
		m.Text(c.Text)
		m.Raw(`</a>`)
	case c.Text != "":
		m.Raw(`<span>`)
		m.Text(c.Text)
		m.Raw(`</span>`)
	}
}

// Markup is the part of a list to choose from: many people may be in it.
func (o options) Markup() template.HTML {
	var m page.Markup
	m.Room(roomPerOption * len(o.Choices))
	m.Raw(`<optgroup label="`)
	m.Text(o.Word)
	m.Raw(`">`)
	for _, one := range o.Choices {
		m.Raw(`<option value="`)
		m.Text(one.Value)
		m.Raw(`"`)
		if one.Chosen {
			m.Raw(` selected`)
		}
		m.Raw(`>`)
		m.Text(one.Word)
		m.Raw(`</option>`)
	}
	m.Raw(`</optgroup>`)
	return m.HTML()
}
