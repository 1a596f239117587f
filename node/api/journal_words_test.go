package api

import (
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestARemarkWithoutTextSaysWhatItIsAbout(t *testing.T) {
	link := &deskpb.TicketLink{Kind: deskpb.TicketLink_CHILD_OF, Number: "330106-20261122-0002"}
	said := &deskpb.Satisfaction{Score: 2, Comment: "太慢"}
	for _, test := range []struct {
		name  string
		class deskpb.Event_Class
		body  *deskpb.Body
		want  string
	}{
		{"its own words", deskpb.Event_REMARK, &deskpb.Body{Text: "请看附件", Attachment: &deskpb.Attachment{Name: "a.png"}}, "请看附件"},
		{"a link", deskpb.Event_REMARK, &deskpb.Body{Link: link}, "CHILD_OF 330106-20261122-0002"},
		{"a link that is taken back", deskpb.Event_REMARK, &deskpb.Body{Link: link, Removed: true}, "CHILD_OF 330106-20261122-0002 removed"},
		{"a file", deskpb.Event_REMARK, &deskpb.Body{Attachment: &deskpb.Attachment{Name: "a.png"}}, "a.png"},
		{"a rating", deskpb.Event_REMARK, &deskpb.Body{Satisfaction: said}, "2/5 太慢"},
		{"a call-back", deskpb.Event_REMARK, &deskpb.Body{CallBack: &deskpb.CallBack{Outcome: deskpb.CallBack_NOT_REACHED}}, "NOT_REACHED"},
		{"a call-back with a rating", deskpb.Event_REMARK, &deskpb.Body{
			CallBack: &deskpb.CallBack{Outcome: deskpb.CallBack_DISSATISFIED, Comment: "又断了"}, Satisfaction: said,
		}, "DISSATISFIED 又断了 2/5 太慢"},
		{"a step, by the fields that it changes", deskpb.Event_CUSTODIAL, &deskpb.Body{Satisfaction: said}, ""},
		{"nothing", deskpb.Event_REMARK, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := saidBy(&deskpb.Event{Class: test.class, Body: test.body}); got != test.want {
				t.Errorf("the journal says %q, want %q", got, test.want)
			}
		})
	}
}
