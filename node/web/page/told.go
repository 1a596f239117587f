package page

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

const (
	// toldCookie carries messages to the page that a visitor sees next.
	toldCookie = "tierdesk_told"
	// sentCookie carries to scripts the id of a form that was taken, so that they forget the draft that they keep of it.
	sentCookie = "tierdesk_sent"
	// toldLife is how long a browser keeps either.
	toldLife = 2 * time.Minute
	// maxTold bounds the messages of one page, in bytes as a cookie carries them.
	maxTold = 3 << 10
)

// Tell has the next page that the visitor sees say that something did not succeed, beside what did. What is too long for a browser to
// carry is left out from the end.
func (v *Visit) Tell(messages ...string) {
	for ; len(messages) > 0; messages = messages[:len(messages)-1] {
		text, err := json.Marshal(messages)
		if err != nil {
			return // strings are always written
		}
		if value := base64.RawURLEncoding.EncodeToString(text); len(value) <= maxTold {
			v.setShort(toldCookie, value, toldLife, true)
			return
		}
	}
}

// told takes the messages of the page before.
func (v *Visit) told() (messages []string) {
	cookie, err := v.R.Cookie(toldCookie)
	if err != nil || cookie.Value == "" || len(cookie.Value) > maxTold || v.Partial() {
		return nil
	}
	v.setShort(toldCookie, "", -time.Second, true)
	text, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || json.Unmarshal(text, &messages) != nil {
		return nil
	}
	return messages
}

// Sent tells the browser that the form of this request was taken. Redirect does so by itself; a handler that answers a form with a part
// of a page calls it. It needs the form's field "request".
func (v *Visit) Sent() {
	request := v.R.PostForm.Get("request")
	if v.R.Method != http.MethodPost || request == "" || len(request) > 128 || strings.Trim(request, idLetters) != "" {
		return
	}
	v.setShort(sentCookie, request, toldLife, false)
}

const idLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

func (v *Visit) setShort(name, value string, life time.Duration, hidden bool) {
	http.SetCookie(v.W, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(life.Seconds()), HttpOnly: hidden, SameSite: http.SameSiteStrictMode, Secure: v.R.TLS != nil,
	})
}
