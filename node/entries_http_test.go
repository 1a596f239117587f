package node

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// callHTTP calls a method's route with what a message says, spoilt now and then, and judges the answer.
func (b *besieged) callHTTP(t testing.TB, who *stranger, to entrance, sent protoreflect.Message, sober bool) {
	t.Helper()
	if to.path == "" {
		to.verb, to.path = pick(b.maker.random, []string{"GET", "POST", "DELETE"}), "/api/v1/tickets/{number}/attachments/{id}"
	}
	path, body := b.maker.path(to, sober), b.maker.body(to, sent, sober)
	ctx, cancel := context.WithTimeout(t.Context(), slowest)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, to.verb, "http://"+b.node.HTTPAddr()+path, bytes.NewReader(body))
	if err != nil {
		return // no client could send it
	}
	if who.token != "" {
		request.Header.Set("Authorization", "Bearer "+who.token)
	}
	if !sober {
		b.maker.spoilHeaders(request.Header)
	}
	if request.Header.Get("Expect") != "" {
		// net/http answers an expectation that it does not know before it reads the body, and hangs up: whoever still writes by
		// then may be told of a broken line instead. So such a call carries nothing.
		request.Body, request.ContentLength = http.NoBody, 0
	}
	began := time.Now()
	answer, err := who.http.Do(request)
	call := fmt.Sprintf("%s %.500s %v\n%.1500q", to.verb, path, request.Header, body)
	if err != nil {
		if !strings.Contains(err.Error(), "invalid header") && !strings.Contains(err.Error(), "malformed") {
			b.judge(t, who, to, codes.Unavailable, time.Since(began), call+": "+err.Error())
		}
		return
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Errorf("%s: the answer breaks off: %v", call, err)
	}
	code := codeOf(answer.StatusCode)
	if code == codes.Unauthenticated && request.Header.Get("Authorization") != "Bearer "+who.token {
		code = codes.InvalidArgument // the header was spoilt, not the session
	}
	b.judge(t, who, to, code, time.Since(began), fmt.Sprintf("%s: %d %.500s", call, answer.StatusCode, read))
}

// codeOf is the gRPC code for what an HTTP status would be judged as.
func codeOf(status int) codes.Code {
	switch {
	case status == http.StatusUnauthorized:
		return codes.Unauthenticated
	case status == http.StatusNotImplemented:
		return codes.Unimplemented
	case status == http.StatusServiceUnavailable:
		return codes.Unavailable
	case status == http.StatusGatewayTimeout:
		return codes.DeadlineExceeded
	case status >= 500:
		return codes.Internal
	case status >= 400:
		return codes.InvalidArgument
	}
	return codes.OK
}

// path puts something in the place of each of the route's parameters, and behind it a query.
func (m *maker) path(to entrance, sober bool) string {
	var path strings.Builder
	rest := to.path
	for {
		before, after, more := strings.Cut(rest, "{")
		path.WriteString(before)
		if !more {
			break
		}
		name, behind, _ := strings.Cut(after, "}")
		value := m.text(name[strings.LastIndexByte(name, '.')+1:], sober)
		path.WriteString(url.PathEscape(value[:min(len(value), 4000)]))
		rest = behind
	}
	query := url.Values{}
	fields := to.method.Input().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if to.bodied || field.Message() != nil || m.random.IntN(2) == 0 {
			continue
		}
		value := fmt.Sprint(m.value(field, sober, 0).Interface())
		query.Add(field.JSONName(), value[:min(len(value), 4000)])
	}
	if !sober && m.random.IntN(4) == 0 {
		name := pick(m.random, odd)
		query.Add(name[:min(len(name), 50)], "1")
	}
	if len(query) == 0 {
		return path.String()
	}
	return path.String() + "?" + query.Encode()
}

// body is the message as JSON, or what became of it on the way.
func (m *maker) body(to entrance, sent protoreflect.Message, sober bool) []byte {
	if !to.bodied {
		if sober || m.random.IntN(4) > 0 {
			return nil
		}
		return []byte("{}")
	}
	inner := sent
	if strings.Contains(to.path, "{user.name}") {
		inner = sent.Get(to.method.Input().Fields().ByName("user")).Message()
	}
	encoded, err := protojson.Marshal(inner.Interface())
	if err != nil { // a time or a duration that JSON cannot say
		encoded = []byte(pick(m.random, odd))
	}
	if sober {
		return encoded
	}
	return m.damaged(encoded)
}

// spoilHeaders sets headers that a call may carry to something odd.
func (m *maker) spoilHeaders(headers http.Header) {
	for _, name := range []string{"Content-Type", "If-Match", "X-Request-Id", "Accept", "Authorization", "Cookie", "Origin", "Range", "Accept-Encoding",
		"Expect", "X-HTTP-Method-Override", "X-Forwarded-For"} {
		if m.random.IntN(8) > 0 {
			continue
		}
		value := pick(m.random, []string{"", "*", "application/json", "application/grpc", "bytes=0-1", "\"x\"", "1n", "GET", pick(m.random, odd)})
		headers.Set(name, value[:min(len(value), 8000)])
	}
}
