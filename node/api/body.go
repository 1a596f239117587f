package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/tierdesk/tierdesk/desk"
)

// maxBody is the largest body of a call, in bytes.
const maxBody = 1 << 20

// badBody is why a body is not taken. HTTP has codes of its own for some of the reasons.
type badBody struct {
	http    int
	refusal *desk.Refusal
}

// saysJSON holds the media types of bodies that are read as JSON. The second is what curl says of any body when it is told
// nothing else.
var saysJSON = map[string]bool{"application/json": true, "application/x-www-form-urlencoded": true}

// takeBody reads the whole body, checks what does not depend on the call, and puts it back for the gateway.
func takeBody(w http.ResponseWriter, r *http.Request) *badBody {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	var refusal *desk.Refusal
	switch {
	case errors.As(err, &refusal):
		return &badBody{http.StatusTooManyRequests, refusal}
	case errors.As(err, &tooLarge):
		return &badBody{http.StatusRequestEntityTooLarge, desk.Refuse(desk.InvalidArgument, "BODY_TOO_LARGE",
			"the body is longer than %d bytes; send less at once", maxBody)}
	case err != nil:
		return &badBody{http.StatusBadRequest, desk.Refuse(desk.InvalidArgument, "BODY_CUT_OFF",
			"the body could not be read to its end; send it again")}
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
	if len(data) == 0 {
		return nil
	}
	if given := r.Header.Get("Content-Type"); given != "" {
		if media, _, err := mime.ParseMediaType(given); err != nil || !saysJSON[media] {
			return &badBody{http.StatusUnsupportedMediaType, desk.Refuse(desk.InvalidArgument, "NOT_JSON",
				"Content-Type is %.100q; send the body as application/json", given)}
		}
	}
	if !utf8.Valid(data) {
		return &badBody{http.StatusBadRequest, desk.Refuse(desk.InvalidArgument, "NOT_UTF8",
			"the body is not UTF-8 text; encode it as UTF-8")}
	}
	return nil
}

// checkHeaders refuses what the gateway would leave out without a word: values that are more than printable ASCII.
func checkHeaders(r *http.Request) *desk.Refusal {
	for _, name := range []string{"If-Match", "Authorization"} {
		for _, value := range r.Header[name] {
			if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' }) {
				return desk.RefuseField(name, "the header holds more than printable ASCII; send it as it was given to you")
			}
		}
	}
	return nil
}

// checkQuery refuses what the gateway would overlook: parameters that the call does not know, and text that is not
// UTF-8.
func checkQuery(found *route, r *http.Request) *desk.Refusal {
	if !utf8.ValidString(r.URL.Path) {
		return desk.Refuse(desk.InvalidArgument, "NOT_UTF8", "the path is not UTF-8 text; encode it as UTF-8")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return desk.Refuse(desk.InvalidArgument, "INVALID_QUERY", "the query string is malformed; percent-encode its values")
	}
	for name, values := range query {
		if !found.query[name] {
			return refuseParameter(found, name)
		}
		if !utf8.ValidString(strings.Join(values, "")) {
			return desk.RefuseField(name, "is not UTF-8 text; encode it as UTF-8")
		}
	}
	return nil
}

func refuseParameter(found *route, name string) *desk.Refusal {
	name = strings.ToValidUTF8(name, "?")
	if len(found.query) == 0 {
		return desk.RefuseField(name, "the call takes no query parameters")
	}
	return desk.RefuseField(name, "unknown query parameter; known are %s", strings.Join(found.parameters(), ", "))
}
