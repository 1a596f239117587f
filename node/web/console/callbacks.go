package console

import (
	"strconv"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// callsShown is a page of the calls that are due.
type callsShown struct {
	Calls       []callShown
	Kinds       []option // outcomes to choose from
	Scores      []option
	Next, First string
	May         bool // the person may record how a call went
	Back        string
}

// callShown is a call to make: about a ticket, or of a requester.
type callShown struct {
	Due         page.Deadline
	What        string // why one calls
	Name, Unit  string
	Phone       string
	VIP         bool
	Number      string // of the ticket; empty for a requester's call
	Link, Title string
	Record      string // where the outcome of a ticket's call is recorded
	Requester   string
	Kind        string
}

// callsOf asks for the calls that are due.
func callsOf(v *page.Visit, at place) (*callsShown, error) {
	found, err := v.API.CallBacks.ListCallBacks(v.Ctx(), &apipb.ListCallBacksRequest{PageSize: pageSize, PageToken: at.after})
	if err != nil {
		return nil, err
	}
	shown := &callsShown{May: v.May(desk.CallBackRecord), Back: at.address()}
	for _, call := range found.GetCalls() {
		shown.Calls = append(shown.Calls, callOf(v, call))
	}
	for _, outcome := range []deskpb.CallBack_Outcome{deskpb.CallBack_CONTENT, deskpb.CallBack_DISSATISFIED, deskpb.CallBack_NOT_REACHED} {
		shown.Kinds = append(shown.Kinds, option{Value: outcome.String(), Word: v.Word("desk.outcome." + outcome.String())})
	}
	for score := 5; score >= 1; score-- {
		shown.Scores = append(shown.Scores, option{Value: strconv.Itoa(score), Word: v.Word("desk.score." + strconv.Itoa(score))})
	}
	if next := found.GetNextPageToken(); next != "" {
		shown.Next = at.from(next).address()
	}
	if at.after != "" {
		shown.First = at.from("").address()
	}
	return shown, nil
}

func callOf(v *page.Visit, call *apipb.DueCall) callShown {
	shown := callShown{Due: v.Deadline(call.GetDueTime())}
	if ticket := call.GetTicket(); ticket != nil {
		who := ticket.GetRequester()
		shown.What, shown.Name, shown.Unit, shown.Phone = v.Word("desk.call.ticket"), who.GetName(), who.GetUnit(), who.GetPhone()
		shown.VIP = who.GetClass() == "vip"
		shown.Number, shown.Title, shown.Link = ticket.GetNumber(), ticket.GetTitle(), ticketLink(ticket.GetNumber())
		shown.Record = shown.Link + "/callBack"
		return shown
	}
	who := call.GetRequester()
	shown.What, shown.Name, shown.Unit = v.Word("desk.call."+call.GetKind().String()), who.GetName(), who.GetUnit()
	shown.VIP, shown.Requester, shown.Kind = who.GetClass() == "vip", who.GetId(), call.GetKind().String()
	shown.Phone = strings.Join(who.GetPhones(), " ")
	return shown
}

// serveCustomerCall records how a call went that is not about a ticket.
func serveCustomerCall(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	said := &apipb.RecordCustomerCallRequest{
		Requester: form.Get("requester"),
		Kind:      deskpb.CustomerCall_Kind(deskpb.CustomerCall_Kind_value[form.Get("kind")]),
		Outcome:   deskpb.CallBack_Outcome(deskpb.CallBack_Outcome_value[form.Get("outcome")]),
		Comment:   strings.TrimSpace(form.Get("comment")),
	}
	if score, err := strconv.ParseInt(form.Get("score"), 10, 32); err == nil {
		said.Satisfaction = &deskpb.Satisfaction{Score: int32(score)}
	}
	if _, err := v.API.CallBacks.RecordCustomerCall(v.Ctx(), said); err != nil {
		return err
	}
	return v.Redirect(withDone(place{queue: callBacks}.address(), "called"))
}
