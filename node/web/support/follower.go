package support

import (
	"net/url"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// follower is somebody who follows a problem: with an account, or by the secret of a link.
type follower interface {
	// problem is where it stands.
	problem() (*apipb.Problem, error)
	// act does what a form asks for and returns where to go on.
	act(deed) (home string, err error)
	// home is where the problem's page is, files where the API has its files.
	home() string
	files() string
}

// deed is what a requester does with a problem.
type deed struct {
	verb    string // as it stands in addresses
	request string
	text    string
	score   int32
}

// rating is what the deed says of the service, nil for nothing.
func (d deed) rating() *deskpb.Satisfaction {
	if d.score == 0 && d.verb != "rate" {
		return nil
	}
	return &deskpb.Satisfaction{Score: d.score, Comment: d.text}
}

// followerOf is who follows the problem of a request's address; nil for somebody who has to say first who they are.
func followerOf(v *page.Visit) follower {
	if token := v.R.PathValue("token"); token != "" {
		return guest{v, token}
	}
	if v.Actor == nil {
		return nil
	}
	return account{v, v.R.PathValue("number")}
}

// account follows a ticket signed in.
type account struct {
	v      *page.Visit
	number string
}

func (a account) home() string { return "/help/t/" + url.PathEscape(a.number) }
func (a account) files() string {
	return "/api/v1/tickets/" + url.PathEscape(a.number) + "/attachments"
}

func (a account) problem() (*apipb.Problem, error) {
	return a.v.API.Portal.FollowProblem(a.v.Ctx(), &apipb.FollowProblemRequest{Number: a.number})
}

func (a account) act(d deed) (string, error) {
	ticket, err := a.carryOut(d)
	if err != nil {
		return "", err
	}
	return account{a.v, ticket.GetNumber()}.home(), nil
}

func (a account) carryOut(d deed) (*deskpb.Ticket, error) {
	api, ctx := a.v.API.Tickets, a.v.Ctx()
	switch d.verb {
	case "urge":
		return api.UrgeTicket(ctx, &apipb.UrgeTicketRequest{Number: a.number, RequestId: d.request, Reason: d.text})
	case "confirm":
		return api.ConfirmTicket(ctx, &apipb.ConfirmTicketRequest{Number: a.number, RequestId: d.request, Satisfaction: d.rating()})
	case "reopen":
		return api.ReopenTicket(ctx, &apipb.ReopenTicketRequest{Number: a.number, RequestId: d.request, Reason: d.text})
	case "cancel":
		return api.CancelTicket(ctx, &apipb.CancelTicketRequest{Number: a.number, RequestId: d.request, Reason: d.text})
	case "rate":
		return api.RateTicket(ctx, &apipb.RateTicketRequest{Number: a.number, RequestId: d.request, Satisfaction: d.rating()})
	}
	return api.ReplyTicket(ctx, &apipb.ReplyTicketRequest{Number: a.number, RequestId: d.request, Text: d.text, FromRequester: true})
}

// guest follows a ticket by the secret of a link.
type guest struct {
	v     *page.Visit
	token string
}

func (g guest) home() string { return "/help/p/" + url.PathEscape(g.token) }
func (g guest) files() string {
	return "/api/v1/portal/problems/" + url.PathEscape(g.token) + "/attachments"
}

func (g guest) problem() (*apipb.Problem, error) {
	return g.v.API.Portal.GetProblem(g.v.Ctx(), &apipb.GetProblemRequest{Token: g.token})
}

func (g guest) act(d deed) (string, error) {
	verb := apipb.ActOnProblemRequest_Verb_value[strings.ToUpper(d.verb)]
	problem, err := g.v.API.Portal.ActOnProblem(g.v.Ctx(), &apipb.ActOnProblemRequest{
		Token: g.token, RequestId: d.request, Verb: apipb.ActOnProblemRequest_Verb(verb), Text: d.text, Satisfaction: d.rating(),
	})
	if err != nil {
		return "", err
	}
	return guest{g.v, problem.GetToken()}.home(), nil
}

// serveFile sends a file of the problem.
func serveFile(v *page.Visit) error {
	f := followerOf(v)
	if f == nil {
		return v.Redirect("/help/find")
	}
	return v.SendFile(f.files() + "/" + url.PathEscape(v.R.PathValue("id")))
}
