package api

import (
	"fmt"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// saidBy is an event's text, or for a remark that has none what it is about: the ticket that is linked, the file, the rating. Other
// events say that by the fields that they change.
func saidBy(event *deskpb.Event) string {
	body := event.GetBody()
	if body.GetText() != "" || event.GetClass() != deskpb.Event_REMARK {
		return body.GetText()
	}
	var words []string
	if link := body.GetLink(); link != nil {
		words = append(words, link.GetKind().String(), link.GetNumber())
		if body.GetRemoved() {
			words = append(words, "removed")
		}
	}
	if file := body.GetAttachment(); file != nil {
		words = append(words, file.GetName())
	}
	if call := body.GetCallBack(); call != nil {
		words = append(words, call.GetOutcome().String(), call.GetComment())
	}
	if said := body.GetSatisfaction(); said != nil {
		words = append(words, fmt.Sprintf("%d/5", said.GetScore()), said.GetComment())
	}
	return strings.TrimSpace(strings.Join(words, " "))
}
