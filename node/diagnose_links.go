package node

import (
	"fmt"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// longWait is how long an item may wait over a line that is up.
const longWait = 5 * time.Minute

// diagnoseLinks tells of the lines to the parent and the children.
func (b *backend) diagnoseLinks(s survey) (checks []*apipb.Check, err error) {
	err = b.site.View(func(r *store.Reader) error {
		links, err := b.links(r, s)
		if err != nil {
			return err
		}
		for _, link := range links {
			found := lineOf(link, b.node.zone).judge(b.node.clock.Now())
			for _, check := range found {
				checks = append(checks, about("", "link", check))
			}
		}
		return nil
	})
	return checks, err
}

// line is a link with what is told of it.
type line struct {
	link   *apipb.LinkStatus
	name   string    // "the line to the parent 330100"
	oldest time.Time // of the items that wait; zero when none does
	zone   *time.Location
}

func lineOf(link *apipb.LinkStatus, zone *time.Location) line {
	name := "the line to the child " + link.GetPeer()
	if link.GetDirection() == apipb.LinkStatus_PARENT {
		name = "the line to the parent " + link.GetPeer()
	}
	l := line{link: link, name: name, zone: zone}
	if oldest := link.GetOldestPendingTime(); oldest != nil {
		l.oldest = oldest.AsTime()
	}
	return l
}

// judge returns one check, and another one when items were set aside. A child says itself that it misses its parent, so
// the line to it is a warning here.
func (l line) judge(now time.Time) []*apipb.Check {
	checks := []*apipb.Check{l.state(now)}
	if parked := l.link.GetParked(); parked > 0 {
		checks = append(checks, warning("read what and why with tierdesk site parked",
			"%d items from %s could not be applied and were set aside", parked, l.link.GetPeer()))
	}
	return checks
}

func (l line) state(now time.Time) *apipb.Check {
	if l.link.GetState() == apipb.LinkStatus_DOWN {
		tell, remedy := warning, "see that the nodes there run and that the network leads here; what waits goes out by itself"
		if l.link.GetDirection() == apipb.LinkStatus_PARENT {
			tell, remedy = failure, "see that the nodes there run, that the network leads to them, and that gossip.join or "+
				"link.parent_addresses names one of them; what waits goes out by itself"
		}
		since := ""
		if l.link.GetSince() != nil {
			since = " since " + l.when(l.link.GetSince().AsTime())
		}
		return tell(remedy, "%s is down%s (%s)%s", l.name, since, l.link.GetReason(), l.waiting())
	}
	if !l.oldest.IsZero() && now.Sub(l.oldest) > longWait {
		return warning("run tierdesk doctor there: that site may have no majority, or may be catching up",
			"%s is up, but not everything gets through%s", l.name, l.waiting())
	}
	return fine("%s is up%s", l.name, l.waiting())
}

// waiting says what waits for the line, "" when nothing does.
func (l line) waiting() string {
	var parts []string
	if n := l.link.GetPending(); n > 0 {
		parts = append(parts, fmt.Sprintf("%d items wait for their acknowledgement", n))
	}
	if n := l.link.GetQueued(); n > 0 {
		parts = append(parts, fmt.Sprintf("%d hand-overs wait to be sent", n))
	}
	if len(parts) == 0 {
		return ""
	}
	if !l.oldest.IsZero() {
		parts = append(parts, "the oldest item since "+l.when(l.oldest))
	}
	return "; " + strings.Join(parts, ", ")
}

func (l line) when(t time.Time) string { return t.In(l.zone).Format(time.DateTime) }
