package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// Bounds of an answer to a search.
const (
	maxQuery         = 100 // bytes of what is looked for
	foundPeople      = 5   // requesters, and units of them
	ticketsOfEach    = 5   // the latest of each requester
	foundTitles      = 20
	leastPhoneDigits = 4 // fewer digits may begin, or end, too many telephone numbers
	mostSuffixDigits = 6
)

// ticketLink is the page of a ticket.
func ticketLink(number string) string { return "/t/" + url.PathEscape(number) }

// searchPage is what was found, by where it was found.
type searchPage struct {
	page.Frame
	Query   string
	Heads   []column
	Number  []row // today's ticket of that sequence
	People  []personFound
	Titles  []row
	All     string // the list of all tickets with such a title; empty when all are shown
	Nothing bool
}

// personFound is a requester and the latest tickets of the person.
type personFound struct {
	Name, Unit, Phone string
	VIP               bool
	Rows              []row
	All               string // the list of all of them
}

func serveSearch(v *page.Visit) error {
	shown := searchPage{Query: lookedFor(v.Query("q"))}
	if shown.Query != "" {
		if exact, err := exactTicket(v, shown.Query); err != nil || exact != "" {
			if err != nil {
				return err
			}
			return v.Redirect(ticketLink(exact))
		}
		if err := shown.find(v); err != nil {
			return err
		}
	}
	shown.Frame = consoleFrame(v, v.Word("desk.search"))
	return v.Render(http.StatusOK, "desk_search.html", shown)
}

// lookedFor is as much of a query as is looked for.
func lookedFor(query string) string {
	query = strings.TrimSpace(query)
	return strings.ToValidUTF8(query[:min(len(query), maxQuery)], "")
}

// exactTicket is the number of a ticket that is looked for by its whole number; empty when there is none.
func exactTicket(v *page.Visit, query string) (string, error) {
	number, err := desk.ParseNumber(desk.TicketNumber(query))
	if err != nil {
		number, err = desk.ParseNumber(desk.TicketNumber(strings.ToUpper(query)))
	}
	if err != nil {
		return "", nil
	}
	found, err := findTicket(v, number.TicketNumber())
	return found.GetNumber(), err
}

// findTicket returns nil when the visitor sees no ticket of the number.
func findTicket(v *page.Visit, number desk.TicketNumber) (*deskpb.Ticket, error) {
	found, err := v.API.Tickets.GetTicket(v.Ctx(), &apipb.GetTicketRequest{Number: string(number)})
	if code := status.Code(err); code == codes.NotFound || code == codes.PermissionDenied {
		return nil, nil
	}
	return found, err
}

// find looks in every place where the query may stand.
func (s *searchPage) find(v *page.Visit) error {
	people, err := colleaguesOf(v)
	if err != nil {
		return err
	}
	s.Heads = columnsOf(v, nil)
	if sequence := sequenceOf(s.Query); sequence > 0 {
		today := desk.Number{Site: desk.SiteID(v.SiteID), Day: v.Now().In(v.Kit.Zone).Format("20060102"), Sequence: sequence}
		ticket, err := findTicket(v, today.TicketNumber())
		if err != nil {
			return err
		}
		if ticket != nil {
			s.Number = []row{rowOf(v, ticket, s.Heads, people)}
		}
	}
	if digits := digitsOf(s.Query); digits == "" || len(digits) >= leastPhoneDigits {
		if err := s.findPeople(v, people); err != nil {
			return err
		}
	}
	if err := s.findTitles(v, people); err != nil {
		return err
	}
	s.Nothing = len(s.Number) == 0 && len(s.People) == 0 && len(s.Titles) == 0
	return nil
}

// findPeople looks for requesters by a telephone number, or the beginning of a name, a unit or a user name.
func (s *searchPage) findPeople(v *page.Visit, people colleagues) error {
	found, err := v.API.Requesters.ListRequesters(v.Ctx(), &apipb.ListRequestersRequest{Search: s.Query, PageSize: foundPeople})
	if err != nil {
		return err
	}
	for _, requester := range found.GetRequesters() {
		one := condition{"requester.id", "=", requester.GetId()}
		if requester.GetKind() == deskpb.Customer_UNIT {
			one = condition{"requester.unit", "=", requester.GetName()}
		}
		rows, more, err := s.tickets(v, one, ticketsOfEach, people)
		if err != nil {
			return err
		}
		shown := personFound{Name: requester.GetName(), Unit: requester.GetUnit(), VIP: requester.GetClass() == "vip", Rows: rows}
		if more {
			shown.All = place{queue: allTickets, filter: one.String()}.address()
		}
		if phones := requester.GetPhones(); len(phones) > 0 {
			shown.Phone = phones[0]
		}
		s.People = append(s.People, shown)
	}
	return nil
}

// findTitles looks for words in titles, and for requesters who are not registered.
func (s *searchPage) findTitles(v *page.Visit, people colleagues) error {
	title := condition{"title", ":", s.Query}
	rows, more, err := s.tickets(v, title, foundTitles, people)
	if err != nil {
		return err
	}
	s.Titles = rows
	if more {
		s.All = place{queue: allTickets, filter: title.String()}.address()
	}
	if len(s.People) > 0 {
		return nil
	}
	named := condition{"requester.name", "=", s.Query}
	if rows, more, err = s.tickets(v, named, foundTitles, people); err != nil || len(rows) == 0 {
		return err
	}
	reporter := personFound{Name: s.Query, Rows: rows}
	if more {
		reporter.All = place{queue: allTickets, filter: named.String()}.address()
	}
	s.People = append(s.People, reporter)
	return nil
}

// tickets lists the latest tickets that meet a condition, and whether there may be more.
func (s *searchPage) tickets(v *page.Visit, wanted condition, most int32, people colleagues) (rows []row, more bool, err error) {
	found, err := v.API.Tickets.ListTickets(v.Ctx(), &apipb.ListTicketsRequest{Filter: wanted.String(), PageSize: most})
	if err != nil {
		return nil, false, err
	}
	for _, ticket := range found.GetTickets() {
		rows = append(rows, rowOf(v, ticket, s.Heads, people))
	}
	return rows, found.GetNextPageToken() != "", nil
}

// sequenceOf is the sequence of one of today's tickets, as "0042" or "42" names it; 0 for anything else.
func sequenceOf(query string) uint32 {
	if len(query) > mostSuffixDigits || digitsOf(query) != query {
		return 0
	}
	sequence, err := strconv.ParseUint(query, 10, 32)
	if err != nil {
		return 0
	}
	return uint32(sequence)
}

// digitsOf are the digits of a query that looks like a telephone number; empty for any other.
func digitsOf(query string) string {
	var digits strings.Builder
	for _, r := range query {
		switch {
		case r >= '0' && r <= '9':
			digits.WriteRune(r)
		case r != '-' && r != '+' && r != '(' && r != ')' && !unicode.IsSpace(r):
			return ""
		}
	}
	return digits.String()
}
