package node

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// longWait is how long an item may wait over a line that is up.
const longWait = 5 * time.Minute

// diagnoseLinks tells of the lines to the parent and the children.
func (b *backend) diagnoseLinks(s survey) (checks []*apipb.Check, err error) {
	err = b.site.View(func(r *store.Reader) error {
		links, err := b.links(r, s.links)
		if err != nil {
			return err
		}
		for _, link := range links {
			oldest, err := oldestUnsent(r, desk.SiteID(link.GetPeer()))
			if err != nil {
				return err
			}
			found := lineOf(link, oldest, b.node.zone).judge(b.node.clock.Now())
			for _, check := range found {
				checks = append(checks, about("", "link", check))
			}
		}
		return nil
	})
	return checks, err
}

// oldestUnsent is when the first item was made that the peer has not acknowledged; zero when there is none or it has no
// time.
func oldestUnsent(r *store.Reader, peer desk.SiteID) (time.Time, error) {
	end, err := r.Link(peer)
	if err != nil {
		return time.Time{}, err
	}
	waiting, err := r.Outbox(peer, end.GetAckedSequence(), 1, 1)
	if err != nil || len(waiting) == 0 {
		return time.Time{}, err
	}
	item, event := &deskpb.Item{}, &deskpb.Event{}
	if err := proto.Unmarshal(waiting[0].Item, item); err != nil {
		return time.Time{}, fmt.Errorf("item %d for %s: %w", waiting[0].Sequence, peer, err)
	}
	if err := proto.Unmarshal(item.GetEvent(), event); err != nil {
		return time.Time{}, fmt.Errorf("event in item %d for %s: %w", waiting[0].Sequence, peer, err)
	}
	if event.GetTime() == 0 {
		return time.Time{}, nil
	}
	return time.UnixMicro(event.GetTime()), nil
}

// line is a link with what is told of it.
type line struct {
	link   *apipb.LinkStatus
	name   string    // "the line to the parent 330100"
	oldest time.Time // of the items that wait; zero when none does
	zone   *time.Location
}

func lineOf(link *apipb.LinkStatus, oldest time.Time, zone *time.Location) line {
	name := "the line to the child " + link.GetPeer()
	if link.GetDirection() == apipb.LinkStatus_PARENT {
		name = "the line to the parent " + link.GetPeer()
	}
	return line{link: link, name: name, oldest: oldest, zone: zone}
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
