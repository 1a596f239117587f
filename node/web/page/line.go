package page

import (
	"strconv"
	"strings"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// LineCookie keeps which cut of the line a visitor knows of and has folded away: the Outage of LineShown.
const LineCookie = "tierdesk_line"

// mostBelow is how many cut lines below are told one by one.
const mostBelow = 20

// LineShown is how the site stands towards its parent and the sites below, as the head of every page tells it: a quiet dot while the
// line is up, and a sentence when it is down. The zero LineShown is a site without any line.
type LineShown struct {
	Mark   Mark
	Text   string // the sentence; empty while the line is up
	Up     string // says that the line is up; empty for a site without a parent
	Since  Moment
	Peer   string
	Outage string // names this cut of the line
	Folded bool   // the visitor knows of it and has folded the sentence away
	// Below says how many lines below are down, empty for none, BelowShort in few letters; BelowTexts has a sentence of each, BelowMore
	// says how many are not among them.
	Below      string
	BelowShort string
	BelowTexts []string
	BelowMore  string
}

// Line tells how the lines of the site stand.
func (v *Visit) Line() LineShown {
	var shown LineShown
	below := 0
	for _, link := range v.Standing.Site().GetLinks() {
		down := link.GetState() == apipb.LinkStatus_DOWN
		switch {
		case link.GetDirection() == apipb.LinkStatus_PARENT:
			v.showParent(&shown, link)
		case down && below < mostBelow:
			shown.BelowTexts = append(shown.BelowTexts, v.downText(link))
			below++
		case down:
			below++
		}
	}
	switch {
	case below == 1:
		shown.Below = v.Word("lines.below.one")
	case below > 1:
		shown.Below = v.Word("lines.below", below)
	}
	if below > 0 {
		shown.BelowShort = v.Word("lines.below.short", below)
	}
	if more := below - len(shown.BelowTexts); more > 0 {
		shown.BelowMore = v.Word("lines.below.more", more)
	}
	return shown
}

// showParent tells how the line to the parent stands.
func (v *Visit) showParent(shown *LineShown, link *apipb.LinkStatus) {
	shown.Mark, shown.Since, shown.Peer = v.Link(link.GetState()), v.Time(link.GetSince()), v.SiteNamed(link.GetPeer())
	switch link.GetState() {
	case apipb.LinkStatus_DOWN:
		shown.Text = v.downText(link)
		shown.Outage = link.GetPeer() + "." + strconv.FormatInt(link.GetSince().GetSeconds(), 10)
		cookie, err := v.R.Cookie(LineCookie)
		shown.Folded = err == nil && cookie.Value == shown.Outage
	case apipb.LinkStatus_CATCHING_UP:
		shown.Up = v.Word("lines.catching-up", shown.Peer)
	default:
		shown.Up = v.Word("lines.up", shown.Peer)
	}
}

// downText says that a line is down since when, what waits for it, and that the office works.
func (v *Visit) downText(link *apipb.LinkStatus) string {
	peer, since := v.SiteNamed(link.GetPeer()), v.Time(link.GetSince()).Clock
	switch {
	case since == "":
		return v.Word("banner.never", peer, link.GetQueued())
	case link.GetQueued() == 0:
		return v.Word("banner.idle", peer, since)
	}
	return v.Word("banner.down."+link.GetDirection().String(), peer, since, link.GetQueued())
}

// banners says what needs to be known before anything else, calmly. The line to the parent has its own place.
func (v *Visit) banners() (found []string) {
	here := v.Standing.Site()
	if here == nil {
		return nil
	}
	if here.GetFrozen() != "" {
		found = append(found, v.Word("banner.frozen", strings.TrimRight(v.Sentence(here.GetFrozen()), ".。")))
	}
	if recovering := here.GetRecovering(); recovering != nil {
		var missing []string
		for _, peer := range recovering.GetMissing() {
			missing = append(missing, v.SiteNamed(peer))
		}
		if len(missing) == 0 {
			found = append(found, v.Word("banner.recovered-soon", v.Time(recovering.GetSince()).Clock))
		} else {
			found = append(found, v.Word("banner.recovering", v.Time(recovering.GetSince()).Clock, strings.Join(missing, ", ")))
		}
	}
	if here.GetLeader() == "" {
		found = append(found, v.Word("banner.no-leader"))
	}
	return found
}

// faults tells of the major incidents that nobody has solved yet.
func (v *Visit) faults() (found []string) {
	for _, major := range v.Standing.Site().GetMajorIncidents() {
		found = append(found, v.Word("banner.major", major.GetNumber(), major.GetTitle(), v.SiteNamed(major.GetCustodianSite()),
			v.Time(major.GetOpenTime()).Clock))
	}
	return found
}

// SiteNamed is the name of a site; its id while the name is not known here.
func (v *Visit) SiteNamed(id string) string {
	if id == v.SiteID {
		return v.SiteName
	}
	for _, site := range v.Standing.Sites().GetSites() {
		if site.GetId() == id && site.GetName() != "" {
			return site.GetName()
		}
	}
	return id
}
