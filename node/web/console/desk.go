package console

import (
	"net/http"
	"net/url"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// Queues that the API does not have: all tickets, by a filter.
const allTickets = "all"

// callBacks is the queue of calls to make, which is no list of tickets alone.
const callBacks = "call-backs"

// deskRoutes are the pages of queues and lists.
func deskRoutes() []page.Route {
	return []page.Route{
		{Pattern: "GET /desk", Serve: forStaff(serveDesk)},
		{Pattern: "GET /desk/part", Serve: forStaff(serveDeskPart)},
		{Pattern: "GET /desk/queues", Serve: forStaff(serveQueues)},
		{Pattern: "GET /desk/filter", Serve: forStaff(serveFilter)},
		{Pattern: "POST /desk/filters", Serve: forStaff(serveKeepFilter)},
		{Pattern: "POST /desk/columns", Serve: forStaff(serveColumns)},
		{Pattern: "POST /desk/bulk", Serve: forStaff(serveBulk)},
		{Pattern: "POST /desk/call", Serve: forStaff(serveCustomerCall)},
		{Pattern: "GET /desk/search", Serve: forStaff(serveSearch)},
		{Pattern: "GET /desk/keys", Serve: forStaff(serveKeys)},
	}
}

// forStaff leads those who report problems to their own pages.
func forStaff(serve func(*page.Visit) error) func(*page.Visit) error {
	return func(v *page.Visit) error {
		if v.Actor.GetRole() == deskpb.User_REQUESTER {
			return v.Redirect("/help")
		}
		return serve(v)
	}
}

// consoleFrame is the frame of a page of the console, with the keys that all of them have, and files of its own.
func consoleFrame(v *page.Visit, title string, files ...string) page.Frame {
	frame := v.Frame(title)
	frame.Styles, frame.Scripts = []string{"console.css"}, []string{"keys.js"}
	for _, file := range files {
		if file[len(file)-3:] == ".js" {
			frame.Scripts = append(frame.Scripts, file)
		} else {
			frame.Styles = append(frame.Styles, file)
		}
	}
	return frame
}

// place is where on the desk somebody is: a queue, or all tickets by a filter, and a page of it. The address of the page says it all.
type place struct {
	queue  string
	filter string // of all tickets
	order  string // of all tickets
	after  string // where the page begins; empty for the first
	all    bool   // every ticket of the page is chosen
}

// placeOf reads an address. The queue is empty when none is asked for.
func placeOf(query url.Values) place {
	at := place{queue: query.Get("queue"), filter: query.Get("filter"), order: query.Get("order"), after: query.Get("after"), all: query.Get("pick") == "all"}
	if at.queue == "" && at.filter != "" {
		at.queue = allTickets
	}
	return at
}

// address is the place as a link.
func (p place) address() string { return "/desk?" + p.query() }

func (p place) query() string {
	query := url.Values{"queue": {p.queue}}
	for name, value := range map[string]string{"filter": p.filter, "order": p.order, "after": p.after} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if p.all {
		query.Set("pick", "all")
	}
	return query.Encode()
}

// from is the place with another beginning of the page.
func (p place) from(after string) place {
	p.after, p.all = after, false
	return p
}

// deskPage is the desk: the queues, and one of them as a list.
type deskPage struct {
	page.Frame
	Queues  []queueShown
	Filters []queueShown // what the person has kept
	List    listShown
	Bar     *filterBar // of all tickets only
	Calls   *callsShown
	Bulk    bulkBar
	Columns []option
	Narrow  string // where a queue is narrowed down by a filter; empty for what is filtered already
	Part    string // the address of the parts that change by themselves
	Swap    bool   // the queues come along with a list that is asked for alone
}

func serveDesk(v *page.Visit) error { return showDesk(v, bulkBar{}) }

// showDesk makes the whole desk, with what became of many tickets at once.
func showDesk(v *page.Visit, bulk bulkBar) error {
	shown, err := makeDesk(v, bulk)
	if err != nil {
		return err
	}
	code := http.StatusOK
	switch {
	case len(shown.Bulk.Refused) > 0:
		code = http.StatusConflict
	case shown.Bulk.Problem != "" || shown.Bar != nil && shown.Bar.Problem != "":
		code = http.StatusBadRequest
	}
	return v.Render(code, "desk.html", shown)
}

// serveDeskPart makes the list again, and the queues with it.
func serveDeskPart(v *page.Visit) error {
	shown, err := makeDesk(v, bulkBar{})
	if err != nil {
		return err
	}
	shown.Swap = true
	return v.Render(http.StatusOK, "desk-part", shown)
}

func makeDesk(v *page.Visit, bulk bulkBar) (*deskPage, error) {
	queues, err := v.API.Queues.ListQueues(v.Ctx(), &apipb.ListQueuesRequest{})
	if err != nil {
		return nil, err
	}
	people, err := colleaguesOf(v)
	if err != nil {
		return nil, err
	}
	kept, err := preferencesOf(v)
	if err != nil {
		return nil, err
	}
	at := placeOf(v.R.URL.Query())
	if bulk.back != nil {
		at = *bulk.back
	}
	if at.queue == "" {
		at.queue = firstQueue(queues.GetQueues())
	}
	shown := &deskPage{
		Frame: consoleFrame(v, queueTitle(v, at.queue, people), "desk.js"), Queues: queuesShown(v, queues.GetQueues(), at, people),
		Filters: filtersShown(kept, at), Columns: columnChoices(v, kept.columns), Part: "/desk/part?" + at.query(), Bulk: bulk,
	}
	if at.queue == callBacks {
		shown.Calls, err = callsOf(v, at)
		return shown, err
	}
	if shown.List, err = listOf(v, at, kept.columns, people); err != nil && !aboutFilter(v, err) {
		return nil, err
	}
	if at.queue == allTickets {
		bar, barErr := filterBarOf(v, at, people)
		if barErr != nil {
			return nil, barErr
		}
		if err != nil {
			bar.Problem = v.Problem(err).Beside()
		}
		bar.Name, bar.Saved = nameOfFilter(kept, at.filter)
		shown.Bar = &bar
	} else {
		shown.Narrow = place{queue: allTickets, filter: likeQueue(v, at.queue)}.address()
	}
	shown.Bulk.complete(v, shown.List, at, people)
	return shown, nil
}

// aboutFilter tells whether the API refused the filter or the order of a list, which the page shows beside them.
func aboutFilter(v *page.Visit, err error) bool {
	field := v.Problem(err).Field
	return status.Code(err) == codes.InvalidArgument && (field == "filter" || field == "orderBy")
}

// firstQueue is where a day begins: with the first queue of the own work, the group's, or nobody's in which something waits.
func firstQueue(queues []*apipb.Queue) string {
	order := []apipb.Queue_Kind{apipb.Queue_MINE, apipb.Queue_GROUP, apipb.Queue_UNASSIGNED}
	for _, kind := range order {
		for _, queue := range queues {
			if queue.GetKind() == kind && queue.GetCount() > 0 {
				return queue.GetId()
			}
		}
	}
	for _, queue := range queues {
		if slices.Contains(order, queue.GetKind()) {
			return queue.GetId()
		}
	}
	return allTickets
}
