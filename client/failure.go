package client

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Exit codes of every command.
const (
	ExitDone        = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitUnreachable = 3 // no node answers, or the node that does is not ready
	ExitRefused     = 4 // not allowed, wrong state, conflict, not found, or not a valid value
)

// Failure is why a command did not do its work: an exit code for scripts and one line for people.
type Failure struct {
	Code  int
	Line  string
	Cause error // nil when the line says it all
}

func (f *Failure) Error() string { return f.Line }

func (f *Failure) Unwrap() error { return f.Cause }

// Usage makes a failure for a command that was called in a way it cannot be.
func Usage(format string, args ...any) error {
	return &Failure{Code: ExitUsage, Line: fmt.Sprintf(format, args...)}
}

// ExitCode is the exit code that an error stands for.
func ExitCode(err error) int {
	if err == nil {
		return ExitDone
	}
	if f, ok := errors.AsType[*Failure](err); ok {
		return f.Code
	}
	return ExitFailed
}

// ErrorLine is an error as one line that is safe to show on a terminal.
func ErrorLine(err error) string { return oneLine(err.Error()) }

// verdict is what a refusal or fault of a call means here: the exit code, what to say instead of the node's own words
// where those are meant for programs, and what to do where they do not say it.
type verdict struct {
	exit         int
	line, advice string
}

const signIn = "sign in with tierdesk token create and put the token into TIERDESK_TOKEN"

// verdictOf is the table of errors. A reason that has a row of its own comes before the code.
func verdictOf(code codes.Code, reason string) verdict {
	switch reason {
	case "SECOND_FACTOR_REQUIRED":
		return verdict{ExitRefused, "signing in needs a code of the second factor", "set " + codeVariable + " to the six digits that the authenticator shows"}
	case "PASSWORD_CHANGE_REQUIRED":
		return verdict{ExitRefused, "the password was set by somebody else", "set your own with tierdesk user password"}
	case "TOO_MANY_ATTEMPTS", "WRONG_CODE", "DIRECTORY_UNREACHABLE":
		return verdict{exit: ExitRefused}
	case "NO_TOKEN":
		return verdict{ExitRefused, "the call carries no token", signIn}
	case "TOKEN_UNKNOWN":
		return verdict{ExitRefused, "the token is not known", signIn}
	case "TOKEN_EXPIRED":
		return verdict{ExitRefused, "the token has expired", signIn}
	case "DISK_FULL":
		return verdict{exit: ExitUnreachable}
	case "INTERNAL":
		return verdict{exit: ExitFailed, line: "the node could not do this; its log has the cause"}
	case "WRONG_PASSWORD":
		return verdict{exit: ExitRefused, advice: "type it again, or have an administrator set it with tierdesk user password"}
	}
	switch code {
	case codes.ResourceExhausted:
		if reason == "" { // gRPC's own: a message over a limit, which it names
			return verdict{exit: ExitRefused, advice: "shorten it, or ask for less at once"}
		}
		return verdict{exit: ExitUnreachable, advice: "try again in a moment"}
	case codes.InvalidArgument, codes.OutOfRange, codes.NotFound, codes.AlreadyExists, codes.PermissionDenied,
		codes.FailedPrecondition, codes.Aborted:
		return verdict{exit: ExitRefused}
	case codes.Unauthenticated:
		return verdict{exit: ExitRefused, advice: signIn}
	case codes.Unavailable:
		return verdict{exit: ExitUnreachable, advice: "try again in a moment"}
	case codes.DeadlineExceeded:
		return verdict{exit: ExitUnreachable, line: "no answer in time", advice: "try again, or wait longer with --timeout"}
	case codes.Canceled:
		return verdict{exit: ExitFailed, line: "interrupted"}
	case codes.Unimplemented:
		return verdict{exit: ExitFailed, advice: "check that --server names a tierdesk node of this program's version"}
	default:
		return verdict{exit: ExitFailed}
	}
}

// failure turns a call's error into its line and exit code.
func (e *exchange) failure(err error) error {
	s, ok := status.FromError(err)
	if !ok {
		return err
	}
	reason := reasonOf(s)
	v := verdictOf(s.Code(), reason)
	if v.line == "" {
		v.line = sentence(s)
	}
	late := e.met && s.Code() == codes.DeadlineExceeded // a node was there; the time ended before the last try left
	if !e.connected && !late && v.exit == ExitUnreachable {
		v.line = fmt.Sprintf("no node is reachable at %s: %s", e.server, dialReason(s.Message()))
		v.advice = reachAdvice(v.line)
	}
	switch { // a refusal does not settle what became of an earlier try, which may still be under way
	case !e.unsure:
	case e.requestID != "":
		v.advice = "it may have been done: repeat it with --request-id " + e.requestID + ", which never does it twice"
	default:
		v.advice = "it may have been done: look before you do it again"
	}
	line := v.line
	if v.advice != "" {
		line = strings.TrimRight(line, ".") + "; " + v.advice
	}
	for _, secret := range e.secrets {
		if len(secret) >= shortestSecret {
			line = strings.ReplaceAll(line, secret, "…")
		}
	}
	return &Failure{Code: v.exit, Line: line, Cause: err}
}

// shortestSecret is how long a text is at least that is taken out of an error; a shorter one opens nothing, and may well be a word
// of the sentence.
const shortestSecret = 6

// reachAdvice is what to do where no call gets through to a node, for the cause that the line names.
func reachAdvice(line string) string {
	switch {
	case strings.Contains(line, "server preface"):
		return "if the node has a certificate, name its tree's ca.crt with --ca (TIERDESK_CA)"
	case strings.Contains(line, "first record does not look like a TLS handshake"):
		return "the node has no certificate: call it without --ca (TIERDESK_CA) and https"
	case strings.Contains(line, "certificate has expired"):
		return "have the node's certificate renewed with tierdesk ca renew; its people can sign in with a browser until then"
	case strings.Contains(line, "certificate signed by unknown authority"):
		return "name the ca.crt of the node's tree with --ca (TIERDESK_CA)"
	}
	return "start the node, or name another with --server"
}

// reasonOutcomeUnknown is how a node says that a change may have been made although the call failed.
const reasonOutcomeUnknown = "OUTCOME_UNKNOWN"

// outcomeUnknown tells whether a change may have been made although the call failed. A node that is unavailable and
// gives a reason has done nothing; without a reason the connection broke. A fault may come before or after the change.
func outcomeUnknown(code codes.Code, reason string) bool {
	switch code {
	case codes.DeadlineExceeded, codes.Canceled, codes.Internal, codes.Unknown, codes.DataLoss:
		return true
	case codes.Unavailable:
		return reason == "" || reason == reasonOutcomeUnknown
	}
	return reason == reasonOutcomeUnknown
}

// reasonOf is the node's machine-readable reason; empty when no node gave one.
func reasonOf(s *status.Status) string {
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

// sentence is the node's own words, with the fields that it names and its message does not.
func sentence(s *status.Status) string {
	line := s.Message()
	for _, d := range s.Details() {
		bad, ok := d.(*errdetails.BadRequest)
		if !ok {
			continue
		}
		for _, f := range bad.GetFieldViolations() {
			if !strings.Contains(line, f.GetField()) {
				line += "; " + f.GetField() + ": " + f.GetDescription()
			}
		}
	}
	if line == "" {
		line = "the node answered " + s.Code().String()
	}
	return line
}

// dialReason takes the network's words out of gRPC's wrapping.
func dialReason(message string) string {
	_, cause, found := strings.Cut(message, "desc = ")
	if !found {
		return message
	}
	if plain, err := strconv.Unquote(strings.TrimSpace(cause)); err == nil {
		cause = plain
	}
	return strings.TrimPrefix(strings.TrimPrefix(cause, "transport: "), "Error while dialing: ")
}
