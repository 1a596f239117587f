package desk

import (
	"fmt"
	"time"
)

// Code says what kind of refusal it is. The values are those of google.rpc.Code; node/api maps them to HTTP.
type Code int32

const (
	InvalidArgument    Code = 3
	NotFound           Code = 5
	AlreadyExists      Code = 6
	PermissionDenied   Code = 7
	ResourceExhausted  Code = 8
	FailedPrecondition Code = 9
	Aborted            Code = 10
	Unavailable        Code = 14
	Unauthenticated    Code = 16
)

// Refusal is the answer to a command that changed nothing. It is a result, not a fault: it is the same on every replica.
type Refusal struct {
	Code    Code
	Message string // one sentence for people: what is wrong, with which value, and what to do
	Field   string // the request's field that is wrong, in the API's spelling
	Reason  string // for programs, UPPER_SNAKE_CASE
	// Wait is how long not to ask again, 0 where the answer does not depend on it. No result of the log has it.
	Wait time.Duration
	// Ticket is the one that it is about, where the request does not say it; empty otherwise. No result of the log has it.
	Ticket TicketNumber
}

func (r *Refusal) Error() string { return r.Message }

// Refuse makes a refusal.
func Refuse(code Code, reason, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// RefuseField makes an InvalidArgument refusal that names the field.
func RefuseField(field, format string, args ...any) *Refusal {
	return &Refusal{Code: InvalidArgument, Reason: "INVALID_FIELD", Field: field,
		Message: field + ": " + fmt.Sprintf(format, args...)}
}
