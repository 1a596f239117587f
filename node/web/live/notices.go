package live

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// noticesAPage is how many notices a page has.
const noticesAPage = 50

// mostUnread is the highest number that the bell shows as it is.
const mostUnread = 99

// bellShown is the bell at the head of a page.
type bellShown struct {
	Label string // "通知，3 条未读"
	Count string // empty for none
}

// serveBell tells how much the visitor has not read. A bell that does not know is a quiet one.
func serveBell(v *page.Visit) error {
	shown := bellShown{Label: v.Word("notices")}
	told, err := v.API.Notices.ListNotices(v.Ctx(), &apipb.ListNoticesRequest{Unread: true, PageSize: 1})
	if unread := told.GetUnread(); err == nil && unread > 0 {
		shown.Label = v.Word("live.unread", unread)
		shown.Count = v.Word("live.count", min(unread, mostUnread))
		if unread > mostUnread {
			shown.Count = v.Word("live.more", mostUnread)
		}
	}
	return v.Render(http.StatusOK, "bell.html", shown)
}

// noticesPage is what the visitor was told.
type noticesPage struct {
	page.Frame
	Notices []noticeShown
	Unread  int32
	Through string // the time of the latest notice on the page, for marking what was seen as read
	Older   string // address of the next page; empty on the last one
	Later   bool   // this is not the first page
	Empty   string // what would be here
}

type noticeShown struct {
	Icon, Kind, Text string
	Ticket, Title    string
	Link             string
	Time             page.Moment
	Unread           bool
}

// serveNotices lists what the visitor was told, the latest first.
func serveNotices(v *page.Visit) error {
	after := v.Query("after")
	told, err := v.API.Notices.ListNotices(v.Ctx(), &apipb.ListNoticesRequest{PageSize: noticesAPage, PageToken: after})
	if err != nil {
		return err
	}
	shown := noticesPage{Frame: v.Frame(v.Word("notices")), Unread: told.GetUnread(), Later: after != ""}
	shown.Empty = v.Word("live.empty")
	if v.Actor.GetRole() == deskpb.User_REQUESTER {
		shown.Empty = v.Word("live.empty.requester")
	}
	if next := told.GetNextPageToken(); next != "" {
		shown.Older = "/notices?after=" + url.QueryEscape(next)
	}
	for i, notice := range told.GetNotices() {
		if i == 0 {
			shown.Through = notice.GetTime().AsTime().Format(time.RFC3339Nano)
		}
		shown.Notices = append(shown.Notices, showNotice(v, notice))
	}
	return v.Render(http.StatusOK, "notices.html", shown)
}

func showNotice(v *page.Visit, n *apipb.Notice) noticeShown {
	shown := noticeShown{
		Icon: iconOf(n.GetKind()), Kind: v.Word("live.kind.OTHER"), Text: n.GetText(), Ticket: n.GetTicket(), Title: n.GetTitle(),
		Link: "/t/" + url.PathEscape(n.GetTicket()), Time: v.Time(n.GetTime()), Unread: !n.GetRead(),
	}
	if key := "live.kind." + n.GetKind(); v.Has(key) {
		shown.Kind = v.Word(key)
	}
	switch n.GetKind() {
	case deskpb.Event_CLOCK_PASSED.String():
		shown.Text = clocksText(v, n.GetText())
	case deskpb.Event_ALERTED.String(), deskpb.Event_REMINDED.String():
		shown.Text = "" // written by a site, in one language; the kind says it in the visitor's
	}
	if v.Actor.GetRole() == deskpb.User_REQUESTER {
		shown.Link = "/help" + shown.Link
	}
	return shown
}

// clocksText says in words which clocks have passed a mark. A notice names them as "RESOLUTION COUNTY 75 %, RESPONSE 50 %"; what it says
// otherwise stays as it is.
func clocksText(v *page.Visit, named string) string {
	var told []string
	for _, clock := range strings.Split(named, ", ") {
		parts := strings.Fields(clock)
		if len(parts) < 3 || parts[len(parts)-1] != "%" || !v.Has("live.metric."+parts[0]) {
			return named
		}
		metric, mark := v.Word("live.metric."+parts[0]), parts[len(parts)-2]
		if len(parts) == 4 {
			told = append(told, v.Word("live.clock.tier", v.Word("tier."+parts[1]), metric, mark))
			continue
		}
		told = append(told, v.Word("live.clock", metric, mark))
	}
	return strings.Join(told, v.Word("live.and"))
}

// iconOf is the picture beside a kind of notice.
func iconOf(kind string) string {
	switch kind {
	case deskpb.Event_CLOCK_PASSED.String(), deskpb.Event_REMINDED.String():
		return "alarm"
	case deskpb.Event_URGED.String():
		return "bell-ringing"
	case deskpb.Event_ALERTED.String():
		return "alert-triangle"
	case deskpb.Event_REPLIED.String():
		return "message"
	case deskpb.Event_NOTED.String():
		return "note"
	case deskpb.Event_TASK_ADDED.String(), deskpb.Event_TASK_CHANGED.String():
		return "list-check"
	case deskpb.Event_OPENED.String(), deskpb.Event_ASSIGNED.String():
		return "user-check"
	}
	return "bell"
}

// serveMarkNotices notes that the visitor has read what the page showed, or all there is.
func serveMarkNotices(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	ask := &apipb.MarkNoticesReadRequest{}
	if through, err := time.Parse(time.RFC3339Nano, form.Get("through")); err == nil {
		ask.Through = timestamppb.New(through)
	}
	if _, err := v.API.Notices.MarkNoticesRead(v.Ctx(), ask); err != nil {
		return err
	}
	return v.Redirect("/notices?done=notices-read")
}
