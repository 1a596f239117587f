package wall

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// station is an office in the picture.
type station struct {
	ID, Name, Cut string // Cut is the name as far as it has room; empty where there is none
	Rest          string // of the name, on a line below Cut; empty for a name that has room in one
	RestY         int
	X, Y, R       int
	Left, Top     int  // of a plate
	Wide, High    int  // of a plate
	Plate         bool // it is no circle
	NameX, NameY  int
	Anchor        string // of the name: start or middle
	Size          int
	NumberY       int
	Number        string // what stands in it: how many tickets are open or, on a plate where some are, how many are overdue
	NumberSize    int
	Unit          string // what the number counts, where there is room for that
	Dash          int    // half the width of what stands for a number that is not known
	Badge         bool   // there is room for the number of overdue tickets behind the name
	Told          string // how many tickets are overdue, in words, where there is room for those
	ToldY         int
	ToldSize      int
	Known         bool // the figures below are
	Open, Overdue int
	Late          int // percents of the open tickets that are overdue
	Here, Lost    bool
	Tier          string
	Line          line
}

// line is the link of an office to the one above it.
type line struct {
	State          string // class: up, down, catching, unseen or quiet
	Word           string // what is to be known of it; empty while all is well
	Path           string
	CrossX, CrossY int
	Mark           string // what stands at the cross: a sign, or words where there is room for those; empty for nothing
	Since          page.Moment
}

// pictured is the tree as a picture, and what is to be said of its lines in words.
type pictured struct {
	Width, Height int
	Wide          bool // what just happened stands below the picture, not beside it
	Stations      []station
	Cut           []station // below this site, whose line is not up, the highest first
	CutMore       int       // that have no room in the list of those
}

// mostCut is how many lines that are not up are told of in words.
const mostCut = 3

// picture draws this site with all below it and the one above it.
func picture(v *page.Visit, offices []*apipb.OfficeFigures) pictured {
	sites := known(v)
	counted := map[string]*apipb.OfficeFigures{}
	for _, office := range offices {
		counted[office.GetSite()] = office
	}
	placed, width := layOut(grow(v.SiteID, sites))
	p := pictured{Width: width, Height: pictureHeight, Wide: width == widePicture}
	for i, at := range placed {
		site := sites[at.id]
		s := station{
			ID: at.id, Name: cmp.Or(site.GetName(), at.id), Tier: v.Word("tier." + site.GetTier().String()), X: at.x, Y: at.y, R: at.r,
			Left: at.x - at.r, Top: at.y - at.h, Wide: 2 * at.r, High: 2 * at.h, Plate: at.plate, Here: at.id == v.SiteID, Line: lineOf(v, site),
		}
		s.Lost = s.Line.State == "unseen"
		s.count(counted[at.id])
		s.number(v, at)
		s.write(v, at)
		if i == 0 {
			s.Line = line{}
		}
		s.Line.mark(v, at)
		p.Stations = append(p.Stations, s)
		if s.Line.Word != "" && !s.Here { // of its own line the site tells more
			p.Cut = append(p.Cut, s)
		}
	}
	slices.SortStableFunc(p.Cut, func(a, b station) int { return cmp.Compare(sites[b.ID].GetTier(), sites[a.ID].GetTier()) })
	if len(p.Cut) > mostCut {
		p.Cut, p.CutMore = p.Cut[:mostCut], len(p.Cut)-mostCut
	}
	return p
}

// count takes over the figures of an office; nil where nobody can tell them.
func (s *station) count(o *apipb.OfficeFigures) {
	if o == nil {
		return
	}
	s.Known, s.Open, s.Overdue = true, int(o.GetOpen()), int(o.GetOverdue())
	if s.Open > 0 {
		s.Late = max(s.Overdue*100/s.Open, min(s.Overdue, 1)*6) // a single one of many is still seen
	}
}

// number says what stands in the station.
func (s *station) number(v *page.Visit, at place) {
	s.Number, s.NumberSize, s.NumberY, s.Dash = strconv.Itoa(s.Open), at.r, at.y, max(at.r/4, 4)
	if at.plate {
		s.NumberSize = min(at.size, at.h*17/10)
		if s.Overdue > 0 {
			s.Number = "▲" + strconv.Itoa(s.Overdue)
		}
	}
	if at.large {
		s.Unit, s.NumberY, s.NumberSize = v.Word("wall.open"), at.y-at.r/5, at.r*4/5
	}
	if room := at.r * 17 / 10; width([]rune(s.Number), s.NumberSize) > float64(room) {
		s.NumberSize = s.NumberSize * room / int(width([]rune(s.Number), s.NumberSize))
	}
}

// write puts the name, and what is told of the station, where they have room. Letters get a little smaller before a name is cut, and a name
// below its station goes on in a second line.
func (s *station) write(v *page.Visit, at place) {
	if at.label == nowhere {
		return
	}
	s.Size = at.size
	if need := int(width([]rune(s.Name), at.size)); need > at.room {
		s.Size = max(at.size*at.room/(need+1), at.size*8/10)
	}
	s.Cut, s.ToldSize = fit(s.Name, at.room, s.Size), at.size*8/10
	switch at.label {
	case right:
		s.Anchor, s.NameX, s.NameY = "start", at.x+at.r+nameGap, at.y+s.Size*7/20
	case below:
		s.Anchor, s.NameX, s.NameY = "middle", at.x, at.y+at.r+at.size*12/10
	}
	if letters := []rune(s.Name); at.label == below && at.told && s.Cut != s.Name {
		half := (len(letters) + 1) / 2
		s.Cut, s.Rest, s.RestY = fit(string(letters[:half]), at.room, s.Size), fit(string(letters[half:]), at.room, s.Size), s.NameY+s.Size*12/10
	}
	switch {
	case s.Overdue == 0 || at.plate:
	case at.told:
		s.Told = v.Word("wall.station.overdue", s.Overdue)
		if at.label == right {
			s.NameY -= at.size * 6 / 10
		}
		s.ToldY = max(s.NameY, s.RestY) + at.size*12/10
	default:
		s.Badge = width([]rune(s.Name+"▲"+strconv.Itoa(s.Overdue)), s.Size) <= float64(at.room)
	}
}

// mark puts the line and how it stands where they belong.
func (l *line) mark(v *page.Visit, at place) {
	l.Path, l.CrossX, l.CrossY = at.path, at.crossX, at.crossY
	switch {
	case at.path == "":
	case at.large && l.Word != "":
		l.Mark = l.Word
	case at.large && l.State == "up":
		l.Mark = v.Word("wall.legend.up")
	case l.State == "down" || l.State == "unseen":
		l.Mark = "✕"
	}
}

// known are the sites of the tree by id. This one is among them even before it has heard of itself.
func known(v *page.Visit) map[string]*apipb.KnownSite {
	sites := map[string]*apipb.KnownSite{v.SiteID: {Id: v.SiteID, Name: v.SiteName, Tier: v.Tier, Alive: true}}
	for _, site := range v.Standing.Sites().GetSites() {
		sites[site.GetId()] = site
	}
	return sites
}

// grow finds who stands below whom, in the order of their ids: below this site and, above it, its parent.
func grow(here string, sites map[string]*apipb.KnownSite) forest {
	f := forest{root: here, below: map[string][]string{}}
	seen := map[string]bool{here: true}
	if parent := sites[here].GetParent(); parent != "" {
		f.root, seen[parent] = parent, true
		f.below[parent] = []string{here}
	}
	children := map[string][]string{}
	for id, site := range sites {
		children[site.GetParent()] = append(children[site.GetParent()], id)
	}
	var walk func(id string)
	walk = func(id string) {
		slices.Sort(children[id])
		for _, child := range children[id] {
			if !seen[child] {
				seen[child] = true
				f.below[id] = append(f.below[id], child)
				walk(child)
			}
		}
	}
	walk(here)
	return f
}

// lineOf is how the line from an office to the one above it stands: of this site's own links exactly, of others by whether the office
// is heard of.
func lineOf(v *page.Visit, site *apipb.KnownSite) line {
	for _, link := range v.Standing.Site().GetLinks() {
		own := link.GetDirection() == apipb.LinkStatus_PARENT && site.GetId() == v.SiteID
		if !own && (link.GetDirection() != apipb.LinkStatus_CHILD || link.GetPeer() != site.GetId()) {
			continue
		}
		switch link.GetState() {
		case apipb.LinkStatus_UP:
			return line{State: "up"}
		case apipb.LinkStatus_CATCHING_UP:
			return line{State: "catching", Word: v.Word("wall.catching"), Since: v.Time(link.GetSince())}
		case apipb.LinkStatus_DOWN:
			return line{State: "down", Word: v.Word("wall.down"), Since: v.Time(link.GetSince())}
		}
	}
	if !site.GetAlive() && site.GetId() != v.SiteID {
		return line{State: "unseen", Word: v.Word("not-seen"), Since: v.Time(site.GetNotSeenSince())}
	}
	return line{State: "quiet"}
}
