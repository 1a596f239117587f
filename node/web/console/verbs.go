package console

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// verb is something that people do with a ticket: its form, and the call that carries it out.
type verb struct {
	name string // as it stands in the API's addresses and in this package's words
	icon string
	key  string // on the keyboard; empty for none
	// direct verbs need no words: their button does them.
	direct bool
	// A remark is right whatever has happened to the ticket, and never conflicts.
	remark bool
	// grave verbs end something, or take it from somebody.
	grave bool
	// beside verbs have a place of their own on the page and no button in the head.
	beside bool
	// The form has the special fields of the ticket's category too.
	special bool
	fields  []verbField
	do      func(context.Context, apipb.TicketsClient, deed) (*deskpb.Ticket, error)
}

// deed is a verb's form as it was sent.
type deed struct {
	number, etag, request string
	form                  url.Values
}

// text is a field without the space around it.
func (o deed) text(name string) string { return strings.TrimSpace(o.form.Get(name)) }

// count is a field that holds a number; 0 where it does not.
func (o deed) count(name string) int32 {
	n, err := strconv.ParseInt(o.text(name), 10, 32)
	if err != nil {
		return 0
	}
	return int32(n)
}

// listed are the parts of a text between commas of either kind.
func listed(text string) (parts []string) {
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",，、;；", r) }) {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

func (o deed) ticked(name string) bool { return o.form.Get(name) != "" }

// rating is nothing when no score was chosen.
func (o deed) rating() *deskpb.Satisfaction {
	if o.text("satisfaction.score") == "" {
		return nil
	}
	return &deskpb.Satisfaction{Score: o.count("satisfaction.score"), Comment: o.text("satisfaction.comment")}
}

// fieldKind tells how a field is filled in.
type fieldKind string

const (
	kindLine    fieldKind = "line"    // one line of text
	kindArea    fieldKind = "area"    // several lines
	kindChoice  fieldKind = "choice"  // one of a list
	kindTick    fieldKind = "tick"    // yes or no
	kindHidden  fieldKind = "hidden"  // said by the button that opened the form
	kindSuggest fieldKind = "suggest" // one line of text, for which a list makes suggestions
	kindPerson  fieldKind = "person"  // somebody of the site, by name
	kindPeople  fieldKind = "people"  // several in turn, by name
	kindNumber  fieldKind = "number"
	kindDate    fieldKind = "date"
)

// verbField is an input of a verb's form. Its name is that of the API's field, so that a refusal is told beside it.
type verbField struct {
	name     string
	kind     fieldKind
	required bool
	wide     bool // it has a line of its own
	most     int  // characters; 0 for those of a text of several lines
	choices  func(*dossier) []choice
	present  func(*deskpb.Ticket) string // what it says at first; nil for nothing
	when     string                      // "field VALUE VALUE": a script shows it only while that field says one of these
}

// lineLimit is the limit of a text on one line, in characters.
const lineLimit = 200

// Fields that many forms have.
var (
	fieldReason   = verbField{name: "reason", kind: kindArea}
	fieldWhy      = verbField{name: "reason", kind: kindArea, required: true}
	fieldComment  = verbField{name: "comment", kind: kindArea}
	fieldAssignee = verbField{name: "assignee", kind: kindChoice, choices: offerPeople}
	fieldGroup    = verbField{name: "group", kind: kindChoice, choices: offerGroups}
	fieldScore    = verbField{name: "satisfaction.score", kind: kindChoice, choices: offerScores}
	fieldOpinion  = verbField{name: "satisfaction.comment", kind: kindArea}
)

// verbs is the table of all verbs that pages offer, in the order of their buttons.
var verbs = slices.Concat(workVerbs, handVerbs, sortVerbs, afterVerbs, talkVerbs)

func verbNamed(name string) *verb {
	for i := range verbs {
		if verbs[i].name == name {
			return &verbs[i]
		}
	}
	return nil
}

// workVerbs take a ticket from its beginning to its end.
var workVerbs = []verb{
	{name: "claim", icon: "user-check", key: "a", direct: true,
		do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
			return api.ClaimTicket(ctx, &apipb.ClaimTicketRequest{Number: o.number, Etag: o.etag, RequestId: o.request})
		}},
	{name: "start", icon: "player-play", direct: true,
		do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
			return api.StartTicket(ctx, &apipb.StartTicketRequest{Number: o.number, Etag: o.etag, RequestId: o.request})
		}},
	{name: "resume", icon: "player-play", fields: []verbField{fieldComment},
		do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
			return api.ResumeTicket(ctx, &apipb.ResumeTicketRequest{Number: o.number, Etag: o.etag, RequestId: o.request, Comment: o.text("comment")})
		}},
	{name: "resolve", icon: "circle-check", fields: []verbField{
		{name: "resolution.code", kind: kindChoice, choices: offerCodes},
		{name: "resolution.text", kind: kindArea, required: true},
		{name: "resolution.rootCause", kind: kindArea},
	}, do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
		return api.ResolveTicket(ctx, &apipb.ResolveTicketRequest{Number: o.number, Etag: o.etag, RequestId: o.request, Resolution: &deskpb.Resolution{
			Code: o.text("resolution.code"), Text: o.text("resolution.text"), RootCause: o.text("resolution.rootCause"),
		}})
	}},
	{name: "confirm", icon: "thumb-up", fields: []verbField{fieldScore, fieldOpinion},
		do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
			return api.ConfirmTicket(ctx, &apipb.ConfirmTicketRequest{Number: o.number, Etag: o.etag, RequestId: o.request, Satisfaction: o.rating()})
		}},
	{name: "close", icon: "checks", fields: []verbField{fieldComment},
		do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
			return api.CloseTicket(ctx, &apipb.CloseTicketRequest{Number: o.number, Etag: o.etag, RequestId: o.request, Comment: o.text("comment")})
		}},
	{name: "hold", icon: "player-pause", fields: []verbField{
		{name: "reason", kind: kindChoice, required: true, choices: offerHoldReasons}, fieldComment,
	}, do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
		return api.HoldTicket(ctx, &apipb.HoldTicketRequest{
			Number: o.number, Etag: o.etag, RequestId: o.request, Reason: o.text("reason"), Comment: o.text("comment"),
		})
	}},
	{name: "arrive", icon: "map-pin", fields: []verbField{fieldComment},
		do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
			return api.ArriveTicket(ctx, &apipb.ArriveTicketRequest{Number: o.number, Etag: o.etag, RequestId: o.request, Comment: o.text("comment")})
		}},
}

// handVerbs hand a ticket to somebody else.
var handVerbs = []verb{
	{name: "escalate", icon: "arrow-up-right", key: "e", fields: []verbField{fieldWhy},
		do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
			return api.EscalateTicket(ctx, &apipb.EscalateTicketRequest{Number: o.number, Etag: o.etag, RequestId: o.request, Reason: o.text("reason")})
		}},
	{name: "assign", icon: "users", fields: []verbField{fieldAssignee, fieldGroup, fieldReason},
		do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
			return api.AssignTicket(ctx, &apipb.AssignTicketRequest{
				Number: o.number, Etag: o.etag, RequestId: o.request, Assignee: o.text("assignee"), Group: o.text("group"), Reason: o.text("reason"),
			})
		}},
	{name: "transfer", icon: "switch-horizontal", fields: []verbField{fieldAssignee, fieldGroup, fieldWhy},
		do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
			return api.TransferTicket(ctx, &apipb.TransferTicketRequest{
				Number: o.number, Etag: o.etag, RequestId: o.request, Assignee: o.text("assignee"), Group: o.text("group"), Reason: o.text("reason"),
			})
		}},
	{name: "decline", icon: "x", fields: []verbField{fieldWhy},
		do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
			return api.DeclineTicket(ctx, &apipb.DeclineTicketRequest{Number: o.number, Etag: o.etag, RequestId: o.request, Reason: o.text("reason")})
		}},
	{name: "return", icon: "arrow-back-up", fields: []verbField{fieldWhy},
		do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
			return api.ReturnTicket(ctx, &apipb.ReturnTicketRequest{Number: o.number, Etag: o.etag, RequestId: o.request, Reason: o.text("reason")})
		}},
	{name: "withdraw", icon: "arrow-back-up", fields: []verbField{fieldReason},
		do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
			return api.WithdrawTicket(ctx, &apipb.WithdrawTicketRequest{Number: o.number, Etag: o.etag, RequestId: o.request, Reason: o.text("reason")})
		}},
	{name: "urge", icon: "bell-ringing", remark: true, fields: []verbField{fieldReason},
		do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
			return api.UrgeTicket(ctx, &apipb.UrgeTicketRequest{Number: o.number, RequestId: o.request, Reason: o.text("reason")})
		}},
}

// afterVerbs look back on a ticket that was solved, or end it in another way.
var afterVerbs = []verb{
	{name: "callBack", icon: "phone-call", remark: true, fields: []verbField{
		{name: "outcome", kind: kindChoice, required: true, choices: offerOutcomes}, fieldScore, {name: "comment", kind: kindArea},
	}, do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
		return api.CallBackTicket(ctx, &apipb.CallBackTicketRequest{
			Number: o.number, RequestId: o.request, Comment: o.text("comment"), Satisfaction: o.rating(),
			Outcome: deskpb.CallBack_Outcome(deskpb.CallBack_Outcome_value[o.text("outcome")]),
		})
	}},
	{name: "rate", icon: "star", remark: true, fields: []verbField{
		{name: "satisfaction.score", kind: kindChoice, required: true, choices: offerScores}, fieldOpinion,
	}, do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
		return api.RateTicket(ctx, &apipb.RateTicketRequest{Number: o.number, RequestId: o.request, Satisfaction: o.rating()})
	}},
	{name: "review", icon: "clipboard-check", fields: []verbField{
		{name: "text", kind: kindArea, required: true, present: (*deskpb.Ticket).GetReview},
	}, do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
		return api.ReviewTicket(ctx, &apipb.ReviewTicketRequest{Number: o.number, Etag: o.etag, RequestId: o.request, Text: o.text("text")})
	}},
	{name: "reopen", icon: "refresh", fields: []verbField{fieldWhy},
		do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
			return api.ReopenTicket(ctx, &apipb.ReopenTicketRequest{Number: o.number, Etag: o.etag, RequestId: o.request, Reason: o.text("reason")})
		}},
	{name: "cancel", icon: "ban", grave: true, fields: []verbField{fieldWhy},
		do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
			return api.CancelTicket(ctx, &apipb.CancelTicketRequest{Number: o.number, Etag: o.etag, RequestId: o.request, Reason: o.text("reason")})
		}},
}
