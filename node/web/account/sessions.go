package account

import (
	"net/http"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// sessionsPage lists where the visitor is signed in.
type sessionsPage struct {
	shelf
	Sessions []session
	Others   bool // there are others than this one
}

type session struct {
	ID, Address         string
	Client, Agent       string // what people call the program, and what it calls itself
	Created, Seen, Ends page.Moment
	Current             bool
}

func serveSessions(v *page.Visit) error {
	open, err := v.API.Sessions.ListSessions(v.Ctx(), &apipb.ListSessionsRequest{User: v.Actor.GetUser()})
	if err != nil {
		return err
	}
	shown := sessionsPage{shelf: newShelf(v, v.Word("me.sessions"))}
	for _, s := range open.GetSessions() {
		shown.Sessions = append(shown.Sessions, session{
			ID: s.GetId(), Address: s.GetAddress(), Client: clientName(s.GetClient()), Agent: s.GetClient(), Current: s.GetCurrent(),
			Created: v.Time(s.GetCreateTime()), Seen: v.Time(s.GetSeenTime()), Ends: v.Time(s.GetExpireTime()),
		})
		shown.Others = shown.Others || !s.GetCurrent()
	}
	return v.Render(http.StatusOK, "sessions.html", shown)
}

func serveEndSession(v *page.Visit) error {
	_, err := v.API.Sessions.RevokeSession(v.Ctx(), &apipb.RevokeSessionRequest{User: v.Actor.GetUser(), Id: v.R.PathValue("id")})
	if err != nil {
		return err
	}
	return v.Redirect("/me/sessions?done=me-session")
}

// serveAskEndOthers says what ends, before it does.
func serveAskEndOthers(v *page.Visit) error {
	return v.Render(http.StatusOK, "end-others.html", newShelf(v, v.Word("me.end-others")))
}

func serveEndOthers(v *page.Visit) error {
	if _, err := v.API.Sessions.RevokeSessions(v.Ctx(), &apipb.RevokeSessionsRequest{User: v.Actor.GetUser()}); err != nil {
		return err
	}
	return v.Redirect("/me/sessions?done=me-others")
}
