package wall

import "fmt"

// Where stations stand whose lowest tier stands in columns as long as the picture. Shorter ones stand further down, and all above them too.
const (
	rootMiddle   = 46
	cityMiddle   = 152
	columnTop    = 208
	columnBottom = 736
	columnStep   = 76 // the most that stations below each other are apart
)

// corner is how round a line turns.
const corner = 8

// drawing is a layout of a root with several below it, in the making.
type drawing struct {
	forest
	width int
	rows  int // of stations below each other, as forest.rows has it
	slot  int // width of a column
}

// columned tells whether the lowest tier stands in columns.
func (d drawing) columned() bool { return d.rows > 1 }

// letters is how high the letters of names are: as high as a slot has room for a name of four characters, or of three beside its plate.
func (d drawing) letters() int {
	if d.columned() {
		return within(1, min((d.slot-36)/5, d.step()*82/100), 40)
	}
	return within(18, d.slot*23/100, 42)
}

// step is the distance of stations below each other.
func (d drawing) step() int { return min((columnBottom-columnTop)/d.longest(d.rows), columnStep) }

// down is how much further down something stands than if the columns were as long as the picture: percents of the room that they leave.
func (d drawing) down(percents int) int {
	return (columnBottom - columnTop - d.step()*d.longest(d.rows)) * percents / 100
}

// circle is a round station with a name beside it that has half of what its branch is wide.
func (d drawing) circle(id string, x, y, r int) place {
	return place{id: id, x: x, y: y, r: r, h: r, label: right, room: d.slot/2 - r - nameGap, size: d.letters()}
}

// root stands on top, as far down as the tiers below leave room.
func (d drawing) root() place {
	root := d.circle(d.forest.root, d.width/2, 92, within(44, d.slot/4, 80))
	switch {
	case d.columned():
		root = d.circle(d.forest.root, d.width/2, rootMiddle+d.down(10), 40)
	case d.depth() == 1:
		root.y = 190
	}
	root.room, root.told = 560, !d.columned()
	root.size = within(34, d.letters()*5/4, 50)
	return root
}

// branch places one of the middle tier and all below it into the width that begins at left.
func (d drawing) branch(root place, id string, left, wide int) []place {
	head := d.head(root, id, left, wide)
	placed := []place{head}
	for i, leaf := range d.below[id] {
		if d.columned() {
			placed = append(placed, d.plate(head, leaf, left+d.slot*(i/d.rows), i%d.rows))
		} else {
			placed = append(placed, d.leaf(head, leaf, left+d.slot*i+d.slot/2))
		}
	}
	return placed
}

// head places one of the middle tier: over the middle of those below it or, where these stand in columns, over the first of these.
func (d drawing) head(root place, id string, left, wide int) place {
	if d.columned() {
		r := within(16, d.slot/6, 34)
		p := d.circle(id, left+6+r, cityMiddle+d.down(30), r)
		p.room = wide - 2*r - 2*nameGap
		p.size = within(d.letters(), p.room/3, 34)
		bus := (root.y + root.r + p.y - r) / 2
		p.path = fmt.Sprintf("M%d %d", p.x, p.y-r) + elbow(p.x, bus, root.x, root.y+root.r)
		p.crossX, p.crossY = p.x, bus
		return p.named()
	}
	p := d.circle(id, left+wide/2, 330, within(22, d.slot*25/100, 66))
	p.told, p.room = true, wide/2-p.r-nameGap
	if d.depth() == 1 {
		p.y = 510
	}
	if d.depth() == 1 || p.room < 3*p.size { // lines come and go above and below it, but a name has no room elsewhere
		p.label, p.room = below, wide-8
		p.told = d.depth() == 1
	}
	p.path, p.crossX, p.crossY = curve(p, root)
	return p.named()
}

// leaf places one of the lowest tier in a row.
func (d drawing) leaf(head place, id string, x int) place {
	p := d.circle(id, x, 560, within(16, d.slot*22/100, 58))
	p.label, p.room, p.told = below, d.slot-8, true
	p.path, p.crossX, p.crossY = curve(p, head)
	return p.named()
}

// plate places one of the lowest tier in a column.
func (d drawing) plate(head place, id string, left, row int) place {
	trunk, size := left+10, d.letters()
	p := place{id: id, plate: true, label: right, size: size, r: max(size*95/100, 10), h: min(d.step()*42/100, size*75/100)}
	top := columnTop + d.down(50)
	p.x, p.y = trunk+12+p.r, top+d.step()*row+d.step()/2
	p.room = left + d.slot - 4 - (p.x + p.r + nameGap)
	p.path = fmt.Sprintf("M%d %dH%dQ%d %d %d %d", p.x-p.r, p.y, trunk+corner, trunk, p.y, trunk, p.y-corner) +
		elbow(trunk, top-12, head.x, head.y+head.r)
	p.crossX, p.crossY = trunk+6, p.y
	return p.named()
}

// named leaves the name out that nobody could read.
func (p place) named() place {
	if p.size < smallest || p.room < 2*p.size {
		p.label = nowhere
	}
	return p
}

// curve leads from the top of a station to the bottom of the one above it, and returns its middle as well.
func curve(from, to place) (path string, x, y int) {
	top, bottom := to.y+to.r, from.y-from.r
	middle := (top + bottom) / 2
	return fmt.Sprintf("M%d %dC%d %d %d %d %d %d", from.x, bottom, from.x, middle, to.x, middle, to.x, top), (from.x + to.x) / 2, middle
}

// elbow goes on with a path at x upwards to a bus, along that, and on to the station above, round at the corners.
func elbow(x, bus, toX, toY int) string {
	turn := corner
	aside := toX - x
	switch {
	case aside > -2*corner && aside < 2*corner:
		middle := (bus + toY) / 2
		return fmt.Sprintf("V%dC%d %d %d %d %d %d", bus, x, middle, toX, middle, toX, toY)
	case aside < 0:
		turn = -corner
	}
	return fmt.Sprintf("V%dQ%d %d %d %dH%dQ%d %d %d %dV%d", bus+corner, x, bus, x+turn, bus, toX-turn, toX, bus, toX, bus-corner, toY)
}
