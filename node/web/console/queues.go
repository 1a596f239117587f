package console

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// queueShown is a queue as the left column shows it.
type queueShown struct {
	ID, Word, Icon, Link string
	Count                string // empty where nothing is counted
	None                 bool   // nothing waits there
	Late                 bool   // what waits there is late
	Here                 bool
	Key                  string // the keys that lead there; empty for none
}

// queuesShown are the queues of the caller, and all tickets behind them.
func queuesShown(v *page.Visit, queues []*apipb.Queue, at place, people colleagues) []queueShown {
	var shown []queueShown
	for _, queue := range queues {
		one := queueShown{
			ID: queue.GetId(), Word: queueTitle(v, queue.GetId(), people), Icon: queueIcon(queue.GetId()), Count: strconv.Itoa(int(queue.GetCount())),
			None: queue.GetCount() == 0, Late: queue.GetKind() == apipb.Queue_OVERDUE && queue.GetCount() > 0, Key: queueKey(queue.GetKind()),
		}
		if queue.GetMore() {
			one.Count += "+"
		}
		shown = append(shown, one)
	}
	shown = append(shown, queueShown{ID: allTickets, Word: v.Word("desk.queue.all"), Icon: "archive"})
	for i := range shown {
		shown[i].Link = place{queue: shown[i].ID}.address()
		shown[i].Here = shown[i].ID == at.queue && at.filter == ""
	}
	return shown
}

// queueTitle is a queue in words; that of a group is how the group is called.
func queueTitle(v *page.Visit, id string, people colleagues) string {
	if group, of := strings.CutPrefix(id, "group:"); of {
		return people.group(group)
	}
	if key := "desk.queue." + id; v.Has(key) {
		return v.Word(key)
	}
	return id
}

// queueIcon is the picture of a queue.
func queueIcon(id string) string {
	kind, _, _ := strings.Cut(id, ":")
	switch kind {
	case "mine":
		return "user-check"
	case "group":
		return "users"
	case "unassigned":
		return "inbox"
	case "due-soon":
		return "clock"
	case "overdue":
		return "alarm"
	case "escalated":
		return "arrow-up-right"
	case "waiting":
		return "hourglass"
	case "in-transit":
		return "truck-delivery"
	case callBacks:
		return "phone-call"
	}
	return "list"
}

// queueKey is the second of the two keys that lead to a queue.
func queueKey(kind apipb.Queue_Kind) string {
	switch kind {
	case apipb.Queue_MINE:
		return "m"
	case apipb.Queue_UNASSIGNED:
		return "u"
	case apipb.Queue_OVERDUE:
		return "o"
	}
	return ""
}

// queuesPage is the left column as a page of its own, for small screens.
type queuesPage struct {
	page.Frame
	Queues  []queueShown
	Filters []queueShown
	Swap    bool
}

func serveQueues(v *page.Visit) error {
	queues, err := v.API.Queues.ListQueues(v.Ctx(), &apipb.ListQueuesRequest{})
	if err != nil {
		return err
	}
	people, err := colleaguesOf(v)
	if err != nil {
		return err
	}
	kept, err := preferencesOf(v)
	if err != nil {
		return err
	}
	return v.Render(http.StatusOK, "desk_queues.html", queuesPage{
		Frame: consoleFrame(v, v.Word("desk.queues")), Queues: queuesShown(v, queues.GetQueues(), place{}, people), Filters: filtersShown(kept, place{}),
	})
}
