package client

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// gap is the space between two columns, in cells.
const gap = 2

// table lays rows out in columns by the cells that they take on a terminal. Rows may be laid out in several portions;
// columns only ever grow.
type table struct {
	widths []int
}

// layOut returns the rows as lines, each ended by a line break. A row's last cell is not padded.
func (t *table) layOut(rows [][]string) string {
	for _, row := range rows {
		for i, cell := range row {
			if i == len(t.widths) {
				t.widths = append(t.widths, 0)
			}
			t.widths[i] = max(t.widths[i], cells(oneLine(cell)))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			cell = oneLine(cell)
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", t.widths[i]-cells(cell)+gap))
		}
		b.WriteString(strings.TrimRight(line.String(), " "))
		b.WriteByte('\n')
	}
	return b.String()
}

// cells is how many cells of a terminal the text takes: two for a wide East Asian character, none for a mark that
// combines with the one before it.
func cells(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case wide(r):
			n += 2
		default:
			n++
		}
	}
	return n
}

func wide(r rune) bool {
	k := width.LookupRune(r).Kind()
	return k == width.EastAsianWide || k == width.EastAsianFullwidth
}
