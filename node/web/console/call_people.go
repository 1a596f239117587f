package console

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

const (
	callersShown  = 8   // records that fit what was typed
	callerTickets = 5   // latest tickets of a requester
	callerSearch  = 100 // bytes of what is looked for
)

// caller is a record that may be who calls.
type caller struct {
	ID, Name, Unit, Phone, Email string
	Organisation                 bool   // it is a unit's, and says nothing of the person
	Class                        string // in words; empty for nothing worth knowing
}

func callerOf(v *page.Visit, record *apipb.Requester, typed string) caller {
	shown := caller{
		ID: record.GetId(), Name: record.GetName(), Unit: record.GetUnit(), Email: record.GetEmail(),
		Phone: phoneLike(record.GetPhones(), typed), Organisation: record.GetKind() == deskpb.Customer_UNIT,
	}
	if class := record.GetClass(); class == "vip" || class == "new" {
		shown.Class = v.Word("new.class." + class)
	}
	return shown
}

// phoneLike is the telephone number that has what was typed in it, else the first.
func phoneLike(phones []string, typed string) string {
	for _, phone := range phones {
		if digits := digitsOf(typed); digits != "" && strings.Contains(digitsOf(phone), digits) {
			return phone
		}
	}
	if len(phones) > 0 {
		return phones[0]
	}
	return ""
}

// serveCallers is the list of those who may be calling, by a telephone number, or the beginning of a name or a unit.
func serveCallers(v *page.Visit) error {
	search := shortened(strings.TrimSpace(v.Query("search")))
	var shown []caller
	if search != "" {
		found, err := v.API.Requesters.ListRequesters(v.Ctx(), &apipb.ListRequestersRequest{Search: search, PageSize: callersShown})
		if err != nil {
			return err
		}
		for _, record := range found.GetRequesters() {
			shown = append(shown, callerOf(v, record, search))
		}
	}
	return v.Render(http.StatusOK, "new-people", shown)
}

// shortened is the beginning of a text that is looked for.
func shortened(text string) string {
	text = text[:min(len(text), callerSearch)]
	for !utf8.ValidString(text) {
		text = text[:len(text)-1]
	}
	return text
}

// knownCaller is what the site knows of who calls.
type knownCaller struct {
	page.Frame
	Caller  caller
	Note    string
	Tickets []callerTicket
}

// callerTicket is a ticket in a narrow list.
type callerTicket struct {
	Number, Title string
	State         page.Mark
	Updated       page.Moment
	Likeness      int32 // to what was typed, of 100; 0 where it was not compared
}

func callerTicketOf(v *page.Visit, ticket *deskpb.Ticket) callerTicket {
	return callerTicket{
		Number: ticket.GetNumber(), Title: ticket.GetTitle(), State: v.State(ticket.GetState()), Updated: v.Time(ticket.GetUpdateTime()),
	}
}

// serveKnown is the part that tells of a requester.
func serveKnown(v *page.Visit) error {
	known, err := knownOf(v, v.Query("id"))
	if err != nil {
		return err
	}
	return v.Render(http.StatusOK, "new-known", known)
}

// knownOf tells of a requester and the person's latest tickets; nil when there is no such record.
func knownOf(v *page.Visit, id string) (*knownCaller, error) {
	record, err := v.API.Requesters.GetRequester(v.Ctx(), &apipb.GetRequesterRequest{Id: id})
	if status.Code(err) == codes.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	known := &knownCaller{Frame: v.Frame(""), Caller: callerOf(v, record, ""), Note: record.GetNote()}
	list, err := v.API.Tickets.ListTickets(v.Ctx(), &apipb.ListTicketsRequest{Filter: "requester.id = " + strconv.Quote(id), PageSize: callerTickets})
	for _, ticket := range list.GetTickets() {
		known.Tickets = append(known.Tickets, callerTicketOf(v, ticket))
	}
	return known, err
}

// register has the ticket name the record of a requester whom the form does not name by it, and writes one down when there is none. A
// form that is sent again finds the record that it made.
func (f callForm) register(v *page.Visit, said *deskpb.Requester) error {
	if said.GetId() != "" || f.text("register") == "" || said.GetName() == "" || said.GetUnit() == "" && said.GetPhone() == "" {
		return nil
	}
	const looked = 50
	found, err := v.API.Requesters.ListRequesters(v.Ctx(), &apipb.ListRequestersRequest{
		Search: shortened(cmp.Or(said.GetPhone(), said.GetName())), PageSize: looked, Kind: deskpb.Customer_PERSON,
	})
	if err != nil {
		return err
	}
	for _, record := range found.GetRequesters() {
		if isOf(record, said) {
			said.Id = record.GetId()
			return nil
		}
	}
	made := &apipb.Requester{Name: said.GetName(), Unit: said.GetUnit(), Email: said.GetEmail()}
	if said.GetPhone() != "" {
		made.Phones = []string{said.GetPhone()}
	}
	if made, err = v.API.Requesters.CreateRequester(v.Ctx(), &apipb.CreateRequesterRequest{Requester: made}); err != nil {
		return err
	}
	said.Id = made.GetId()
	return nil
}

// isOf tells whether a record is that of the requester who was named: the name, and the telephone number, or the unit where none was said.
func isOf(record *apipb.Requester, said *deskpb.Requester) bool {
	if record.GetName() != said.GetName() {
		return false
	}
	if said.GetPhone() == "" {
		return record.GetUnit() == said.GetUnit()
	}
	return slices.ContainsFunc(record.GetPhones(), func(phone string) bool { return digitsOf(phone) == digitsOf(said.GetPhone()) })
}
