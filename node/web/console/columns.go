package console

import (
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// column is what a list may show of every ticket.
type column struct {
	Name string
	Word string
	key  string // of the word
	cell func(*page.Visit, *deskpb.Ticket, colleagues) cell
}

// cell is what stands in a column of a row. One of its parts is set; Soft stands behind Text, and Marks behind both. Lead stands
// before a text whose end may be cut off.
type cell struct {
	Name, Label string
	Text, Soft  string
	Number      string // of the ticket that the text leads to; empty for a text that leads nowhere
	Lead        page.Mark
	Marks       []page.Mark
	Moment      page.Moment
	Deadline    page.Deadline
}

// whole is all of the cell's words, for a closer look at what did not fit.
func (c *cell) whole() string { return strings.TrimSpace(c.Text + " " + c.Soft) }

// titleColumn is always shown: it is what a row is opened by.
const titleColumn = "title"

// allColumns are the columns in their order.
func allColumns() []column {
	return []column{
		{Name: "priority", key: "ticket.priority", cell: func(v *page.Visit, t *deskpb.Ticket, _ colleagues) cell {
			return cell{Marks: []page.Mark{v.Priority(t.GetPriority())}}
		}},
		{Name: "number", key: "ticket.number", cell: func(_ *page.Visit, t *deskpb.Ticket, _ colleagues) cell {
			return cell{Text: t.GetNumber()}
		}},
		{Name: titleColumn, key: "ticket.title", cell: titleCell},
		{Name: "requester", key: "ticket.requester", cell: requesterCell},
		{Name: "application", key: "ticket.application", cell: func(_ *page.Visit, t *deskpb.Ticket, _ colleagues) cell {
			return cell{Text: t.GetApplication()}
		}},
		{Name: "category", key: "ticket.category", cell: func(_ *page.Visit, t *deskpb.Ticket, _ colleagues) cell {
			return cell{Text: t.GetCategory()}
		}},
		{Name: "state", key: "ticket.state", cell: func(v *page.Visit, t *deskpb.Ticket, _ colleagues) cell {
			made := cell{Marks: []page.Mark{v.State(t.GetState())}}
			if move := v.Move(t); move.Word != "" {
				made.Marks = append(made.Marks, move)
			}
			return made
		}},
		{Name: "who", key: "ticket.assignee", cell: whoCell},
		{Name: "group", key: "ticket.group", cell: func(_ *page.Visit, t *deskpb.Ticket, people colleagues) cell {
			return cell{Text: people.group(t.GetGroup())}
		}},
		{Name: "line", key: "ticket.line", cell: func(v *page.Visit, t *deskpb.Ticket, _ colleagues) cell {
			return cell{Text: v.Word("line." + t.GetLine().String())}
		}},
		{Name: "where", key: "ticket.where", cell: func(v *page.Visit, t *deskpb.Ticket, _ colleagues) cell {
			return cell{Text: v.SiteNamed(t.GetCustodianSite())}
		}},
		{Name: "opened", key: "desk.opened", cell: func(v *page.Visit, t *deskpb.Ticket, _ colleagues) cell {
			return cell{Moment: v.Time(t.GetOpenTime())}
		}},
		{Name: "updated", key: "ticket.updated", cell: func(v *page.Visit, t *deskpb.Ticket, _ colleagues) cell {
			return cell{Moment: v.Time(t.GetUpdateTime())}
		}},
		{Name: "clock", key: "ticket.clock", cell: clockCell},
	}
}

// usualColumns are shown to those who have not chosen.
func usualColumns() []string {
	return []string{"priority", "number", titleColumn, "requester", "application", "state", "who", "clock"}
}

func titleCell(v *page.Visit, t *deskpb.Ticket, _ colleagues) cell {
	made := cell{Text: t.GetTitle(), Number: t.GetNumber()}
	if t.GetMajor() {
		made.Lead = page.Mark{Word: v.Word("desk.major"), Shape: "◆", Tone: "bad"}
	}
	return made
}

func requesterCell(v *page.Visit, t *deskpb.Ticket, _ colleagues) cell {
	made := cell{Text: t.GetRequester().GetName(), Soft: t.GetRequester().GetUnit()}
	if t.GetRequester().GetClass() == "vip" {
		made.Marks = []page.Mark{{Word: v.Word("desk.vip"), Shape: "★", Tone: "wait"}}
	}
	return made
}

// whoCell is who works on it: a person, else a group; of a ticket elsewhere the site, with the person whom the ticket tells of.
func whoCell(v *page.Visit, t *deskpb.Ticket, people colleagues) cell {
	switch {
	case t.GetCustodianSite() != v.SiteID:
		return cell{Text: desk.NameOf(t, t.GetCustodianSite(), t.GetAssignee()), Soft: v.SiteNamed(t.GetCustodianSite())}
	case t.GetAssignee() != "":
		return cell{Text: people.person(t.GetAssignee())}
	case t.GetGroup() != "":
		return cell{Soft: people.group(t.GetGroup())}
	}
	return cell{Soft: v.Word("desk.nobody")}
}

func clockCell(v *page.Visit, t *deskpb.Ticket, _ colleagues) cell {
	next, paused := nextClock(t)
	switch {
	case next != nil:
		return cell{Deadline: v.Deadline(next.GetDueTime())}
	case paused:
		return cell{Marks: []page.Mark{{Word: v.Word("desk.paused"), Shape: "‖", Tone: "off"}}}
	}
	return cell{}
}

// columnsOf are the chosen columns, in their order. Names that are not known any more are passed over.
func columnsOf(v *page.Visit, chosen []string) []column {
	if len(chosen) == 0 {
		chosen = usualColumns()
	}
	var shown []column
	for _, one := range allColumns() {
		if one.Name == titleColumn || slices.Contains(chosen, one.Name) {
			one.Word = v.Word(one.key)
			shown = append(shown, one)
		}
	}
	return shown
}

// columnChoices are the columns to choose from.
func columnChoices(v *page.Visit, chosen []string) []option {
	if len(chosen) == 0 {
		chosen = usualColumns()
	}
	var shown []option
	for _, one := range allColumns() {
		if one.Name != titleColumn {
			shown = append(shown, option{Value: one.Name, Word: v.Word(one.key), Chosen: slices.Contains(chosen, one.Name)})
		}
	}
	return shown
}

// serveColumns keeps which columns the person wants to see. None at all are the usual ones.
func serveColumns(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	kept, err := preferencesOf(v)
	if err != nil {
		return err
	}
	kept.columns = nil
	for _, one := range allColumns() {
		if slices.Contains(form["column"], one.Name) {
			kept.columns = append(kept.columns, one.Name)
		}
	}
	if err := kept.keep(v); err != nil {
		return err
	}
	return v.Redirect(withDone(page.Local(form.Get("back")), "columns"))
}

// withDone is an address of a page that says what was done.
func withDone(address, done string) string {
	if strings.Contains(address, "?") {
		return address + "&done=" + done
	}
	return address + "?done=" + done
}
