package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// newGateway makes the JSON side of the services. It reaches them through an in-process connection, so that a JSON call
// passes the very checks of a gRPC call.
func newGateway(s *Server) (*runtime.ServeMux, error) {
	mux := runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, jsonMarshaler()),
		runtime.WithIncomingHeaderMatcher(passedHeader),
		runtime.WithForwardResponseOption(setETag),
		runtime.WithErrorHandler(answerError),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableHTTPMethodOverride(),
	)
	services := newInProcess()
	s.registerServices(guard{registrar: services, intercept: s.intercept}) // the intake has counted the HTTP call
	ctx := context.Background()                                            // the registrations keep it and never use it
	err := errors.Join(
		apipb.RegisterTicketsHandlerClient(ctx, mux, apipb.NewTicketsClient(services)),
		apipb.RegisterAttachmentsHandlerClient(ctx, mux, apipb.NewAttachmentsClient(services)),
		apipb.RegisterSessionsHandlerClient(ctx, mux, apipb.NewSessionsClient(services)),
		apipb.RegisterUsersHandlerClient(ctx, mux, apipb.NewUsersClient(services)),
		apipb.RegisterAccessTokensHandlerClient(ctx, mux, apipb.NewAccessTokensClient(services)),
		apipb.RegisterAuditsHandlerClient(ctx, mux, apipb.NewAuditsClient(services)),
		apipb.RegisterSitesHandlerClient(ctx, mux, apipb.NewSitesClient(services)),
		apipb.RegisterPublicationsHandlerClient(ctx, mux, apipb.NewPublicationsClient(services)),
		apipb.RegisterTreeHandlerClient(ctx, mux, apipb.NewTreeClient(services)),
		apipb.RegisterPoliciesHandlerClient(ctx, mux, apipb.NewPoliciesClient(services)),
		apipb.RegisterNoticesHandlerClient(ctx, mux, apipb.NewNoticesClient(services)),
		apipb.RegisterDutiesHandlerClient(ctx, mux, apipb.NewDutiesClient(services)),
		apipb.RegisterRoundsHandlerClient(ctx, mux, apipb.NewRoundsClient(services)),
		apipb.RegisterRecoveriesHandlerClient(ctx, mux, apipb.NewRecoveriesClient(services)),
		apipb.RegisterRequestersHandlerClient(ctx, mux, apipb.NewRequestersClient(services)),
		apipb.RegisterCallBacksHandlerClient(ctx, mux, apipb.NewCallBacksClient(services)),
		apipb.RegisterSurveysHandlerClient(ctx, mux, apipb.NewSurveysClient(services)),
		apipb.RegisterQueuesHandlerClient(ctx, mux, apipb.NewQueuesClient(services)),
		apipb.RegisterPortalHandlerClient(ctx, mux, apipb.NewPortalClient(services)),
	)
	return mux, err
}

// Local is a connection to the services for the pages of the same process. Its calls carry a token in their context, and pass the very
// checks of those from the network. It has unary calls only.
func (s *Server) Local() grpc.ClientConnInterface {
	services := newInProcess()
	s.registerServices(guard{registrar: services, intercept: s.intercept, admit: s.admit})
	return services
}

// marshaler is the JSON of the API: camelCase names, enums by name, fields at their zero value present (messages and
// times that are not set are absent), and a body is exactly one JSON value without unknown fields.
type marshaler struct {
	*runtime.JSONPb
}

func jsonMarshaler() marshaler {
	return marshaler{&runtime.JSONPb{MarshalOptions: protojson.MarshalOptions{EmitDefaultValues: true}}}
}

// NewDecoder reads the whole body as one value: what stands behind it is refused. An empty body is an empty message.
func (m marshaler) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(value any) error {
		body, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(body)) == 0 {
			return nil
		}
		if err := m.UnmarshalOptions.Unmarshal(body, messageIn(value)); err != nil {
			return placed(body, err)
		}
		return nil
	})
}

// messageIn is the message that a body is read into: the request, or a field of it, of which the gateway hands over the place.
func messageIn(value any) proto.Message {
	if message, ok := value.(proto.Message); ok {
		return message
	}
	place := reflect.ValueOf(value).Elem()
	if place.IsNil() {
		place.Set(reflect.New(place.Type().Elem()))
	}
	return place.Interface().(proto.Message)
}

// passedHeader names the request headers that services see. Authorization always passes.
func passedHeader(name string) (string, bool) {
	if name == "If-Match" {
		return "if-match", true
	}
	return "", false
}

// setETag gives answers that are one ticket their ETag.
func setETag(_ context.Context, w http.ResponseWriter, answer proto.Message) error {
	if ticket, ok := answer.(*deskpb.Ticket); ok && ticket.GetEtag() != "" {
		w.Header().Set("ETag", `"`+ticket.GetEtag()+`"`)
	}
	w.Header().Set("Cache-Control", "no-store")
	return nil
}

// answerError writes an error of a service, or of the gateway itself: those are all about the form of the request.
func answerError(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, _ *http.Request, err error) {
	st := status.Convert(err)
	if st.Code() == codes.InvalidArgument && len(st.Details()) == 0 {
		st = refusalStatus(refuseForm(st.Message()))
	}
	writeError(w, ruleOf(st.Code()).http, completed(st))
}

// queryField finds the field in what the gateway says about a query of the wrong form.
var queryField = regexp.MustCompile(`(?:parsing field|too many values for field) "([^"]*)"`)

// refuseForm makes a refusal of the gateway's words; it names the field where the words do.
func refuseForm(words string) *desk.Refusal {
	field := ""
	if quoted, err := strconv.QuotedPrefix(strings.TrimPrefix(words, bodyField)); err == nil && strings.HasPrefix(words, bodyField) {
		field, _ = strconv.Unquote(quoted) // it is what was just found to be quoted
		words = strings.TrimPrefix(words[len(bodyField)+len(quoted):], ": ")
	} else if found := queryField.FindStringSubmatch(words); found != nil {
		field = jsonName(found[1])
	}
	words = shortened(strings.TrimSpace(strings.TrimPrefix(strings.ReplaceAll(words, "\u00a0", " "), "proto: ")))
	if field != "" {
		return desk.RefuseField(field, "%s; see /api/openapi.json", words)
	}
	return desk.Refuse(desk.InvalidArgument, "INVALID_REQUEST", "the request is malformed: %s", words)
}

// jsonName turns a schema name such as page_size into its JSON spelling.
func jsonName(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words[1:] {
		if word != "" {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}
