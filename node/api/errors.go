package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/tierdesk/tierdesk/desk"
)

// errorDomain says whose reasons the ErrorInfo details carry.
const errorDomain = "tierdesk"

// reasonOutcomeUnknown marks a write that may or may not have happened.
const reasonOutcomeUnknown = "OUTCOME_UNKNOWN"

// codeRule says how a gRPC code shows in JSON over HTTP.
type codeRule struct {
	http   int
	reason string // ErrorInfo.reason when the error brings none of its own
	retry  bool   // certainly not done, and worth trying again soon: the answer says when
}

// ruleOf is the table of codes. FAILED_PRECONDITION is a conflict with the ticket's state, so it is 409 and not the 400
// of Google's mapping.
func ruleOf(code codes.Code) codeRule {
	switch code {
	case codes.OK:
		return codeRule{http: http.StatusOK}
	case codes.InvalidArgument, codes.OutOfRange:
		return codeRule{http: http.StatusBadRequest, reason: "INVALID_REQUEST"}
	case codes.Unauthenticated:
		return codeRule{http: http.StatusUnauthorized, reason: "UNAUTHENTICATED"}
	case codes.PermissionDenied:
		return codeRule{http: http.StatusForbidden, reason: "PERMISSION_DENIED"}
	case codes.NotFound:
		return codeRule{http: http.StatusNotFound, reason: "NOT_FOUND"}
	case codes.AlreadyExists:
		return codeRule{http: http.StatusConflict, reason: "ALREADY_EXISTS"}
	case codes.Aborted:
		return codeRule{http: http.StatusConflict, reason: "ABORTED"}
	case codes.FailedPrecondition:
		return codeRule{http: http.StatusConflict, reason: "FAILED_PRECONDITION"}
	case codes.ResourceExhausted:
		return codeRule{http: http.StatusTooManyRequests, reason: "OVERLOADED", retry: true}
	case codes.Unavailable:
		return codeRule{http: http.StatusServiceUnavailable, reason: "UNAVAILABLE", retry: true}
	case codes.DeadlineExceeded:
		return codeRule{http: http.StatusGatewayTimeout, reason: "DEADLINE_EXCEEDED"}
	case codes.Canceled:
		return codeRule{http: 499, reason: "CANCELED"}
	case codes.Unimplemented:
		return codeRule{http: http.StatusNotImplemented, reason: "UNIMPLEMENTED"}
	default:
		return codeRule{http: http.StatusInternalServerError, reason: "INTERNAL"}
	}
}

// panicError is a panic of a method, with the stack for the log.
type panicError struct {
	cause any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.cause) }

// statusOf makes the status that the caller of a method with the request gets. Faults are logged here and told without
// their cause, so that nothing of the inside leaves the node; the request's id stands in both. What a write may have done
// although it failed is said.
func (s *Server) statusOf(ctx context.Context, method string, in any, err error) *status.Status {
	return withRequestID(s.judged(ctx, method, in, err), RequestID(ctx))
}

// judged is the status of an error before the request is named in it.
func (s *Server) judged(ctx context.Context, method string, in any, err error) *status.Status {
	var refusal *desk.Refusal
	if errors.As(err, &refusal) {
		return refusalStatus(refusal)
	}
	st, ok := status.FromError(err)
	if !ok {
		st = status.FromContextError(err)
	}
	switch st.Code() {
	case codes.Unknown, codes.Internal, codes.DataLoss:
		attributes := []any{"method", method, "request", RequestID(ctx), "error", err}
		var panicked *panicError
		if errors.As(err, &panicked) {
			attributes = append(attributes, "stack", string(panicked.stack))
		}
		s.log.Error("call broke down", attributes...)
		st = status.New(codes.Internal, "the node could not do this; its log has the cause")
		if s.routes.writes(method) {
			st = status.New(codes.Internal, "the node could not end this; its log has the cause, and it may have been done: "+repetition(in))
		}
	case codes.DeadlineExceeded, codes.Canceled:
		st = s.lateStatus(st, method, in)
	}
	return completed(st)
}

// lateStatus says what is known of a call that ran out of time, or whose caller left: a read changed nothing, the
// outcome of a write is unknown.
func (s *Server) lateStatus(st *status.Status, method string, in any) *status.Status {
	what := "no answer in time"
	if st.Code() == codes.Canceled {
		what = "the caller left"
	}
	if !s.routes.writes(method) {
		return status.New(st.Code(), what+"; try again")
	}
	return detailed(st.Code(), what+": the outcome is unknown; "+repetition(in), errorInfo(reasonOutcomeUnknown))
}

// repetition says how to go on after a write whose outcome is unknown.
func repetition(in any) string {
	if write, ok := in.(interface{ GetRequestId() string }); ok && write.GetRequestId() != "" {
		return "the same request with the same requestId can be sent again and takes effect once"
	}
	return "the request has no requestId, so look whether it was done before it is sent again"
}

// refusalStatus renders a refusal of the rules.
func refusalStatus(r *desk.Refusal) *status.Status {
	code := codes.Code(r.Code)
	reason := r.Reason
	if reason == "" {
		reason = ruleOf(code).reason
	}
	info := errorInfo(reason)
	if r.Ticket != "" {
		info.Metadata = map[string]string{"ticket": string(r.Ticket)}
	}
	details := []protoadapt.MessageV1{info}
	if r.Field != "" {
		details = append(details, &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
			{Field: r.Field, Description: r.Message},
		}})
	}
	if r.Wait > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(r.Wait)})
	}
	return completed(detailed(code, r.Message, details...))
}

func errorInfo(reason string) *errdetails.ErrorInfo {
	return &errdetails.ErrorInfo{Reason: reason, Domain: errorDomain}
}

// retryPause is how long a caller should wait before it repeats what was certainly not done.
const retryPause = time.Second

// completed gives a status the reason of its code when it has none, and the pause before the next try when there should
// be one.
func completed(st *status.Status) *status.Status {
	rule, reasoned, paused := ruleOf(st.Code()), false, retryAfter(st) > 0
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetReason() != "" {
			reasoned = true
		}
	}
	var missing []protoadapt.MessageV1
	if !reasoned {
		missing = append(missing, errorInfo(rule.reason))
	}
	if rule.retry && !paused {
		missing = append(missing, &errdetails.RetryInfo{RetryDelay: durationpb.New(retryPause)})
	}
	if len(missing) == 0 {
		return st
	}
	if with, err := st.WithDetails(missing...); err == nil {
		return with
	}
	return st
}

// retryAfter is the pause before the next try that a status names, 0 when it names none.
func retryAfter(st *status.Status) time.Duration {
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration()
		}
	}
	return 0
}

// detailed makes a status with details; without them should they not encode.
func detailed(code codes.Code, message string, details ...protoadapt.MessageV1) *status.Status {
	st := status.New(code, message)
	if with, err := st.WithDetails(details...); err == nil {
		return with
	}
	return st
}
