package retell

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Zone is that of Hangzhou, which needs no file of time zones.
func Zone() *time.Location { return time.FixedZone("CST", 8*3600) }

// Clock is a time in microseconds since 1970, to the minute.
func Clock(micros int64) string { return time.UnixMicro(micros).In(Zone()).Format("01-02 15:04") }

func said(t *timestamppb.Timestamp) string { return Clock(t.AsTime().UnixMicro()) }

// Site is what a story calls a site; the sites that stories do not have keep their ids.
func Site(id string) string {
	switch id {
	case "330106":
		return "county"
	case "330102":
		return "neighbour"
	case "330100":
		return "city"
	case "330000":
		return "province"
	}
	return id
}

// words gathers the parts of a line.
type words []string

// add notes a part when there is reason to.
func (w *words) add(reason bool, format string, args ...any) {
	if reason {
		*w = append(*w, strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
}

// Event is an event in a line: when, where, who, what, of which ticket when it is not the one that is spoken of, and why.
func Event(e *deskpb.Event, spokenOf string) string {
	who := Site(e.GetId().GetSite())
	if e.GetActor() != "" {
		who += "/" + e.GetActor()
	}
	line := words{Clock(e.GetTime()), who, e.GetType().String()}
	line.add(e.GetTicket() != spokenOf, "of %s", e.GetTicket())
	line.addCourse(e)
	line.addContent(e.GetBody())
	return strings.Join(line, " ")
}

// addCourse says where a ticket goes and how its clocks stand.
func (w *words) addCourse(e *deskpb.Event) {
	b := e.GetBody()
	w.add(b.GetAutomatic(), "by the rules")
	w.add(b.GetGroup() != "" || b.GetAssignee() != "", "to %s", holder(b.GetGroup(), b.GetAssignee()))
	w.add(b.GetAcceptLimit() != 0, "until %s", Clock(b.GetAcceptLimit()))
	w.add(e.GetTo() != "", "to %s", Site(e.GetTo()))
	w.add(b.GetHoldReason() != "", "%s", b.GetHoldReason())
	if e.GetType() == deskpb.Event_CLOCK_PASSED {
		for _, clock := range b.GetClocks() {
			w.add(true, "%s %d%%", clockName(clock), clock.GetMark())
		}
	}
}

// addContent says what people wrote, did and decided.
func (w *words) addContent(b *deskpb.Body) {
	w.add(b.GetClassification() != nil, "%s", strings.Join(b.GetClassification().GetFields(), ", "))
	t := b.GetTask()
	w.add(t != nil, "%d %s %s %q", t.GetId(), t.GetKind(), t.GetState(), t.GetTitle())
	w.add(b.GetCheck() != nil, "item %d %s", b.GetCheck().GetItem()+1, b.GetCheck().GetResult())
	w.add(b.GetLink() != nil, "%s %s", b.GetLink().GetKind(), b.GetLink().GetNumber())
	r := b.GetResolution()
	w.add(r != nil, "%s", strings.TrimSpace(r.GetCode()+" "+r.GetText()))
	score := b.GetSatisfaction().GetScore()
	w.add(score != 0, "%d of 5", score)
	w.add(b.GetCallBack() != nil, "%s %s", b.GetCallBack().GetOutcome(), b.GetCallBack().GetComment())
	w.add(b.GetMergedInto() != "", "into %s", b.GetMergedInto())
	w.add(b.GetWish() != 0, "%s", b.GetWish())
	w.add(len(b.GetTold()) > 0, "told %s", strings.Join(b.GetTold(), ", "))
	w.add(b.GetText() != "", "“%s”", b.GetText())
}

// Notice is a notice in a line.
func Notice(kind, ticket, title, text string) string {
	return strings.TrimSpace(fmt.Sprintf("%s of %s %q: %s", kind, ticket, title, text))
}

func holder(group, assignee string) string { return strings.Trim(group+"/"+assignee, "/") }

func clockName(c *deskpb.Sla) string {
	return strings.TrimSpace(c.GetMetric().String() + " " + c.GetTier())
}
