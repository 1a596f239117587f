package account

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// tokensPage lists the visitor's access tokens, makes another one, and shows the one that was just made.
type tokensPage struct {
	shelf
	Tokens   []token
	Secret   string // of the token that was just made; it is shown this once
	Typed    string // what the token is for
	Areas    []area
	Lives    []life
	Problems map[string]string
}

type token struct {
	ID, Title           string
	Limits              string
	Created, Seen, Ends page.Moment
}

// area is what a token may do in one area.
type area struct {
	Name, Word   string
	Changes      bool // the visitor changes something there, not only reads
	Read, Change bool // the choice so far
}

// life is for how many days a token holds.
type life struct {
	Days   int
	Word   string
	Chosen bool
}

// tokenDays are the lives that the form offers, in days.
func tokenDays() []int { return []int{7, 30, 90, 180, 365} }

// usualDays is the life of a token whose maker says nothing.
const usualDays = 90

func serveTokens(v *page.Visit) error {
	return showTokens(v, http.StatusOK, tokensPage{}, url.Values{})
}

// showTokens shows the page with what was filled in.
func showTokens(v *page.Visit, status int, shown tokensPage, form url.Values) error {
	made, err := v.API.AccessTokens.ListAccessTokens(v.Ctx(), &apipb.ListAccessTokensRequest{User: v.Actor.GetUser()})
	if err != nil {
		return err
	}
	shown.shelf, shown.Typed = newShelf(v, v.Word("me.tokens")), form.Get("title")
	for _, t := range made.GetTokens() {
		shown.Tokens = append(shown.Tokens, token{
			ID: t.GetId(), Title: t.GetTitle(), Limits: limitsShown(v, t.GetLimits()),
			Created: v.Time(t.GetCreateTime()), Seen: v.Time(t.GetSeenTime()), Ends: v.Time(t.GetExpireTime()),
		})
	}
	caller, err := v.Caller()
	if err != nil {
		return err
	}
	for _, own := range rightsOf(v, caller.GetPermissions()) {
		limit := form.Get("limit." + own.Name)
		shown.Areas = append(shown.Areas, area{
			Name: own.Name, Word: own.Area, Changes: own.Changes, Read: limit == "read", Change: limit == "change",
		})
	}
	chosen := daysOf(form)
	for _, days := range tokenDays() {
		shown.Lives = append(shown.Lives, life{Days: days, Word: v.Word("me.token.days", days), Chosen: days == chosen})
	}
	return v.Render(status, "tokens.html", shown)
}

// limitsShown says what a token may do.
func limitsShown(v *page.Visit, limits []string) string {
	var words []string
	for _, limit := range limits {
		name, part, _ := strings.Cut(limit, ":")
		switch {
		case limit == "read":
			words = append(words, v.Word("me.token.read-all"))
		case part == "read":
			words = append(words, v.Word("me.token.read", v.Word("me.area."+name)))
		default:
			words = append(words, v.Word("me.token.change", v.Word("me.area."+name)))
		}
	}
	return strings.Join(words, v.Word("me.comma"))
}

// daysOf is the life that was chosen, the usual one where none of those offered was.
func daysOf(form url.Values) int {
	for _, days := range tokenDays() {
		if form.Get("days") == strconv.Itoa(days) {
			return days
		}
	}
	return usualDays
}

// limitsOf are the limits that were chosen, area by area.
func limitsOf(form url.Values) (limits []string) {
	for _, name := range desk.Areas() {
		switch form.Get("limit." + string(name)) {
		case "read":
			limits = append(limits, string(name)+":read")
		case "change":
			limits = append(limits, string(name))
		}
	}
	return limits
}

// serveMakeToken makes a token and shows it: nobody can show it again.
func serveMakeToken(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	if len(limitsOf(form)) == 0 {
		return showTokens(v, http.StatusBadRequest, tokensPage{Problems: map[string]string{"limits": v.Word("me.token.no-limits")}}, form)
	}
	made, err := v.API.AccessTokens.CreateAccessToken(v.Ctx(), &apipb.CreateAccessTokenRequest{
		User: v.Actor.GetUser(), Token: &apipb.AccessToken{
			Title: strings.TrimSpace(form.Get("title")), Limits: limitsOf(form), ExpireTime: timestamppb.New(v.Now().AddDate(0, 0, daysOf(form))),
		},
	})
	if err == nil {
		return showTokens(v, http.StatusOK, tokensPage{Secret: made.GetSecret()}, url.Values{})
	}
	problem, told := refused(v, err)
	if !told {
		return err
	}
	return showTokens(v, problem.Status, tokensPage{Problems: map[string]string{strings.TrimPrefix(problem.Field, "token."): problem.Beside()}}, form)
}

func serveEndToken(v *page.Visit) error {
	_, err := v.API.AccessTokens.RevokeAccessToken(v.Ctx(), &apipb.RevokeAccessTokenRequest{User: v.Actor.GetUser(), Id: v.R.PathValue("id")})
	if err != nil {
		return err
	}
	return v.Redirect("/me/tokens?done=me-token")
}

// refused tells whether an error is for whoever filled in a form, and what it says. Anything else is told as a page.
func refused(v *page.Visit, err error) (page.Problem, bool) {
	problem := v.Problem(err)
	return problem, problem.Status == http.StatusBadRequest || problem.Status == http.StatusConflict
}
