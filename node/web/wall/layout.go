package wall

import (
	"cmp"
	"fmt"
	"slices"
)

// The picture's measures, in units that scale with the screen. Letters of 34 units are still read from five metres.
const (
	pictureHeight = 740
	narrowPicture = 1560 // width beside what just happened
	widePicture   = 2220 // width above what just happened, where many stations need it
)

const (
	rowSlot    = 150 // that stations side by side need, with their names below them
	widestSlot = 420 // of a station and what stands below it
	fewestRows = 5   // of stations below each other: with less they would only be closer side by side, not larger
	mostRows   = 13
	nameGap    = 10 // between a station and its name beside it
	smallest   = 17 // height of letters that are still read by who steps nearer
)

// forest is who stands below whom. Nobody stands below two, or below oneself.
type forest struct {
	root  string
	below map[string][]string
}

// side is where a station's name stands.
type side int

const (
	below side = iota
	right
	nowhere
)

// place is where a station stands in the picture: a circle, or a plate where many stand in a column.
type place struct {
	id    string
	x, y  int // of its middle
	r, h  int // half its width and half its height, the same of a circle
	plate bool
	label side
	room  int  // width for the name
	size  int  // height of the name's letters
	told  bool // there is room for words on how the station stands, below its name
	large bool // there is room for words in the station and on its line
	// path is the line to the station above, from here to there, as SVG has it; empty for the root.
	path string
	// crossX and crossY are the point of the line where its state is marked.
	crossX, crossY int
}

// layOut gives every station of up to three tiers its place, the root first, and returns the width of the picture. Stations of which each
// has at most one below it stand in a row, the root at its right end, as tickets go. Otherwise the root stands on top, its children in a
// row below it, and their children in a row as well or, where those are many, in columns. Nothing overlaps as long as a row has room for
// its stations at all.
func layOut(f forest) (placed []place, width int) {
	if f.chain() {
		return f.inLine(), narrowPicture
	}
	width = narrowPicture
	if f.slots(1)*rowSlot > width {
		width = widePicture
	}
	d := drawing{forest: f, rows: f.rows(width), width: width}
	slots := f.slots(d.rows)
	d.slot = min(widestSlot, width/slots)
	root := d.root()
	placed = []place{root}
	left := (width - d.slot*slots) / 2
	for _, id := range f.below[f.root] {
		wide := d.slot * f.columns(id, d.rows)
		placed = append(placed, d.branch(root, id, left, wide)...)
		left += wide
	}
	return placed, width
}

// chain tells whether nobody has more than one below.
func (f forest) chain() bool {
	for _, ids := range f.below {
		if len(ids) > 1 {
			return false
		}
	}
	return true
}

// inLine places the stations of a chain side by side.
func (f forest) inLine() []place {
	ids := []string{f.root}
	for len(f.below[ids[len(ids)-1]]) > 0 {
		ids = append(ids, f.below[ids[len(ids)-1]]...)
	}
	slot := narrowPicture / len(ids)
	var placed []place
	for i, id := range ids {
		r := 132
		p := place{
			id: id, x: narrowPicture - slot/2 - slot*i, y: 310, r: r, h: r, label: below, room: min(slot-30, 900), size: 54, told: true, large: true,
		}
		if i > 0 {
			above := placed[i-1]
			p.path = fmt.Sprintf("M%d %dH%d", p.x+p.r, p.y, above.x-above.r)
			p.crossX, p.crossY = (p.x+p.r+above.x-above.r)/2, p.y
		}
		placed = append(placed, p)
	}
	return placed
}

// rows is how many stations of the lowest tier may stand below each other: 1 when all have room side by side, otherwise that many with
// which names are largest, rather few than many; 0 when there is no such tier.
func (f forest) rows(width int) int {
	switch {
	case f.depth() < 2:
		return 0
	case f.slots(1)*rowSlot <= width:
		return 1
	}
	best, largest := fewestRows, 0
	for rows := fewestRows; rows <= mostRows; rows++ {
		d := drawing{forest: f, width: width, rows: rows, slot: min(widestSlot, width/f.slots(rows))}
		if letters := d.letters(); letters > largest {
			best, largest = rows, letters
		}
	}
	return best
}

// slots is how many columns the lowest tier takes, and who has nobody below.
func (f forest) slots(rows int) (slots int) {
	for _, id := range f.below[f.root] {
		slots += f.columns(id, rows)
	}
	return slots
}

// longest is how many stations stand in the longest column.
func (f forest) longest(rows int) (most int) {
	for _, id := range f.below[f.root] {
		most = max(most, min(len(f.below[id]), rows))
	}
	return max(most, 1)
}

// columns is how many columns the stations below one of the middle tier take.
func (f forest) columns(id string, rows int) int {
	if rows == 0 {
		return 1
	}
	return max(1, (len(f.below[id])+rows-1)/rows)
}

// depth is how many tiers stand below the root, at most two.
func (f forest) depth() int {
	switch {
	case len(f.below[f.root]) == 0:
		return 0
	case slices.ContainsFunc(f.below[f.root], func(id string) bool { return len(f.below[id]) > 0 }):
		return 2
	}
	return 1
}

// fit cuts a name to a width. Letters are as wide as they are high, those of ASCII a little more than half of that.
func fit(name string, room, size int) string {
	letters := []rune(name)
	if width(letters, size) <= float64(room) {
		return name
	}
	for len(letters) > 1 && width(letters, size)+0.6*float64(size) > float64(room) {
		letters = letters[:len(letters)-1]
	}
	return string(letters) + "…"
}

// width is how wide letters of a height are.
func width(letters []rune, size int) (sum float64) {
	for _, letter := range letters {
		if letter < 128 {
			sum += 0.58 * float64(size)
		} else {
			sum += float64(size)
		}
	}
	return sum
}

// within is a number that is no less than least and no more than most.
func within[T cmp.Ordered](least, number, most T) T { return max(least, min(number, most)) }
