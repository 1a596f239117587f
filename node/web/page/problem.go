package page

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk"
)

// Problem is why something did not succeed, as a page tells it.
type Problem struct {
	Status int
	// Reason is the machine's word for it, such as "ETAG_MISMATCH"; empty for a fault.
	Reason string
	// Field is the input that it concerns, by its name in the API; empty for none.
	Field string
	// Text says it to people. It begins with the name of the field that it concerns.
	Text string
	// Wait is how long not to try again; 0 where it does not matter.
	Wait time.Duration
	// Ticket is the number of the ticket that it is about, where the request does not say it.
	Ticket string
	// name is how Text names the field, with the colon behind it.
	name string
}

// Beside is the text for beside the field that it concerns, which it does not name once more.
func (p Problem) Beside() string { return strings.TrimPrefix(p.Text, p.name) }

// Problem finds the words for an error of the API or of the desk: those of the word "problem.REASON" or "problem.CODE" where there
// is one; of a refusal that has none the API's own sentence, which names the thing and what to do, in the visitor's language. What is a
// fault and no refusal is logged, and told without its cause.
func (v *Visit) Problem(err error) Problem {
	code, found := codes.Unknown, Problem{}
	var refusal *desk.Refusal
	sentence := ""
	switch st, isStatus := status.FromError(err); {
	case errors.As(err, &refusal):
		code, found.Reason, found.Field, found.Wait, sentence = codes.Code(refusal.Code), refusal.Reason, refusal.Field, refusal.Wait, refusal.Message
		found.Ticket = string(refusal.Ticket)
	case isStatus:
		code, sentence = st.Code(), st.Message()
		found.readDetails(st)
	case errors.Is(err, context.DeadlineExceeded):
		code = codes.DeadlineExceeded
	}
	found.Status = statusOf(code)
	if found.Status >= http.StatusInternalServerError && !errors.Is(err, context.Canceled) {
		v.Logger.Warn("serve a page", "method", v.R.Method, "path", v.spokenPath(), "error", err)
	}
	found.Text, found.name = v.toldAs(found, sentence)
	return found
}

// toldAs finds the text of a problem, and how it begins when it names a field.
func (v *Visit) toldAs(found Problem, sentence string) (text, name string) {
	byStatus := "problem." + strconv.Itoa(found.Status)
	switch {
	case found.Reason != "" && v.Has("problem."+found.Reason):
		return v.Word("problem." + found.Reason), ""
	case found.Status == http.StatusInternalServerError:
		return v.Word("problem.fault"), ""
	case sentence == "":
		return v.Word(byStatus), ""
	}
	rest := sentence
	if found.Field != "" {
		rest = strings.TrimPrefix(sentence, found.Field+": ")
	}
	if v.Lang == English {
		return sentence, strings.TrimSuffix(sentence, rest)
	}
	said, known := v.interpreter().say(rest)
	switch {
	case known && rest == sentence:
		return ended(said), ""
	case known:
		text, name = v.underField(found.Field, rest, said)
		return ended(text), name
	case found.Status == http.StatusBadRequest || found.Status == http.StatusConflict:
		return v.Word(byStatus) + " " + sentence, ""
	}
	return v.Word(byStatus), ""
}

// underField puts the Chinese name of a field before what is said of it: that of its whole path, or of the longest end of the path that
// has one. A field that no form has goes without.
func (v *Visit) underField(field, sentence, said string) (text, name string) {
	for more := true; more; _, field, more = strings.Cut(field, ".") {
		if whole, known := v.interpreter().say(field + ": " + sentence); known && strings.HasSuffix(whole, said) {
			return whole, strings.TrimSuffix(whole, said)
		}
	}
	return said, ""
}

// ended is a Chinese sentence with its full stop.
func ended(said string) string {
	if last, _ := utf8.DecodeLastRuneInString(said); strings.ContainsRune("。！？", last) {
		return said
	}
	return said + "。"
}

// spokenPath is the path that was asked for, without the secret of a link in it, which must not stand in a log.
func (v *Visit) spokenPath() string {
	path := v.R.URL.Path
	if secret := v.R.PathValue("token"); secret != "" {
		path = strings.ReplaceAll(path, secret, "{token}")
	}
	return path
}

// readDetails takes what a status says for machines.
func (p *Problem) readDetails(st *status.Status) {
	for _, detail := range st.Details() {
		switch said := detail.(type) {
		case *errdetails.ErrorInfo:
			p.Reason, p.Ticket = said.GetReason(), said.GetMetadata()["ticket"]
		case *errdetails.BadRequest:
			if fields := said.GetFieldViolations(); len(fields) > 0 {
				p.Field = fields[0].GetField()
			}
		case *errdetails.RetryInfo:
			p.Wait = said.GetRetryDelay().AsDuration()
		}
	}
}

// statusOf is the HTTP status of a code of gRPC, as the API has it.
func statusOf(code codes.Code) int {
	switch code {
	case codes.InvalidArgument, codes.OutOfRange:
		return http.StatusBadRequest
	case codes.Unauthenticated:
		return http.StatusUnauthorized
	case codes.PermissionDenied:
		return http.StatusForbidden
	case codes.NotFound:
		return http.StatusNotFound
	case codes.AlreadyExists, codes.Aborted, codes.FailedPrecondition:
		return http.StatusConflict
	case codes.ResourceExhausted:
		return http.StatusTooManyRequests
	case codes.Unavailable, codes.Canceled:
		return http.StatusServiceUnavailable
	case codes.DeadlineExceeded:
		return http.StatusGatewayTimeout
	}
	return http.StatusInternalServerError
}

// failure is the page, or the part of one, that tells an error.
type failure struct {
	Frame
	Problem Problem
}

// againAfter is after how many seconds a browser looks again by itself for a page that the site could not show.
const againAfter = "30"

// Fail tells an error as a page, which looks again by itself when the site cannot answer at the moment. Where a script asked for a part of a page, the error goes to the place for messages.
func (v *Visit) Fail(err error) {
	problem := v.Problem(err)
	if problem.Wait > 0 {
		v.W.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(problem.Wait.Seconds()))))
	}
	told := failure{Frame: v.Frame(v.Word("problem.title")), Problem: problem}
	if problem.Status >= http.StatusServiceUnavailable && v.R.Method == http.MethodGet {
		told.Refresh = againAfter // nobody may be there to press a key: a screen on a wall
	}
	name := "problem-page"
	if v.Partial() {
		v.W.Header().Set("HX-Retarget", "#messages")
		v.W.Header().Set("HX-Reswap", "innerHTML")
		name = "problem-message"
	}
	_ = v.Render(problem.Status, name, told) // it answers by itself when it fails
}
