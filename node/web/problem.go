package web

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// problem is why something did not succeed, as a page tells it.
type problem struct {
	status int           // the answer's status; 0: there is no problem
	key    string        // of the words
	wait   time.Duration // how long not to try again; 0 where it does not matter
}

// spokenReasons are the refusals that pages have words of their own for.
func spokenReasons() map[string]problem {
	return map[string]problem{
		"WRONG_PASSWORD":         {status: http.StatusUnauthorized, key: "sign-in.wrong"},
		"WRONG_CODE":             {status: http.StatusUnauthorized, key: "sign-in.code-wrong"},
		"SECOND_FACTOR_REQUIRED": {status: http.StatusUnauthorized, key: "sign-in.code-missing"},
		"TOO_MANY_ATTEMPTS":      {status: http.StatusTooManyRequests, key: "sign-in.too-many"},
		"DIRECTORY_UNREACHABLE":  {status: http.StatusUnauthorized, key: "sign-in.directory"},
		"PROVIDER_UNREACHABLE":   {status: http.StatusServiceUnavailable, key: "provider.unreachable"},
		"ATTEMPT_EXPIRED":        {status: http.StatusUnauthorized, key: "provider.expired"},
		"PROVIDER_DENIED":        {status: http.StatusUnauthorized, key: "provider.denied"},
		"IDENTITY_REFUSED":       {status: http.StatusUnauthorized, key: "provider.refused"},
		"NOT_ADMITTED":           {status: http.StatusForbidden, key: "provider.not-admitted"},
	}
}

// problemOf finds the words for an error. What is a fault and no refusal is logged with what was done, and told without its cause.
func (p *Pages) problemOf(doing string, err error) problem {
	var refusal *desk.Refusal
	if !errors.As(err, &refusal) {
		if !errors.Is(err, context.Canceled) {
			p.log.Warn(doing, "error", err)
		}
		return problem{status: http.StatusServiceUnavailable, key: "sign-in.unavailable", wait: time.Second}
	}
	if spoken, ok := spokenReasons()[refusal.Reason]; ok {
		spoken.wait = refusal.Wait
		return spoken
	}
	switch refusal.Code {
	case desk.Unauthenticated, desk.InvalidArgument, desk.NotFound:
		return problem{status: http.StatusUnauthorized, key: "sign-in.wrong"}
	case desk.PermissionDenied, desk.FailedPrecondition, desk.AlreadyExists:
		return problem{status: http.StatusForbidden, key: "sign-in.refused"}
	}
	return problem{status: http.StatusServiceUnavailable, key: "sign-in.unavailable", wait: max(refusal.Wait, time.Second)}
}

// tell sets what the answer says of a problem besides its words, and returns the status.
func (b problem) tell(header http.Header) int {
	if b.wait > 0 {
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(b.wait.Seconds()))))
	}
	if b.status == 0 {
		return http.StatusOK
	}
	return b.status
}

// say says in words what went wrong, with how long to wait where that is known; empty for nothing.
func (b problem) say(v *page.Visit) string {
	switch {
	case b.key == "":
		return ""
	case b.key != "sign-in.too-many":
		return v.Word(b.key)
	case b.wait <= 90*time.Second:
		return v.Word(b.key, v.Word("wait.seconds", int(math.Ceil(max(b.wait, time.Second).Seconds()))))
	}
	return v.Word(b.key, v.Word("wait.minutes", int(math.Ceil(b.wait.Minutes()))))
}
