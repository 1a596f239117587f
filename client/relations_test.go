package client

import (
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func TestTasksAndLinksInWords(t *testing.T) {
	p := &printer{location: time.UTC, names: chineseNames()}
	ticket := &deskpb.Ticket{
		Tasks: []*deskpb.Task{
			{Id: 1, Kind: deskpb.Task_WORK, Title: "换交换机", Group: "网络组", Assignee: "li", Mandatory: true},
			{Id: 2, Kind: deskpb.Task_COSIGN, Title: "会签方案", State: deskpb.Task_DONE, Result: "同意",
				Signers: []*deskpb.Signer{{User: "wang", Answer: deskpb.Signer_AGREED}, {User: "sun", Answer: deskpb.Signer_REFUSED}}},
		},
		Links: []*deskpb.TicketLink{{Kind: deskpb.TicketLink_CHILD_OF, Number: "330000-20261121-0001"}},
	}
	want := "1  子任务  进行中（必办）  换交换机  网络组, li\n2  会签    已完成          会签方案  wang 同意, sun 不同意  同意\n"
	if got := p.tasks(ticket); got != want {
		t.Errorf("the tasks are shown as\n%s\nwant\n%s", got, want)
	}
	if got, want := p.relations(ticket), "父工单  330000-20261121-0001\n"; got != want {
		t.Errorf("the links are shown as %q, want %q", got, want)
	}
	if got := p.tasks(&deskpb.Ticket{}) + p.relations(&deskpb.Ticket{}); got != "" {
		t.Errorf("nothing is shown as %q", got)
	}
}

func TestSimilarAndRepeatsInWords(t *testing.T) {
	p := &printer{location: time.UTC, names: chineseNames()}
	found := &apipb.FindSimilarTicketsResponse{Tickets: []*apipb.SimilarTicket{
		{Ticket: &deskpb.Ticket{Number: "330106-20261121-0001", State: deskpb.Ticket_NEW, Title: "打印机卡纸"}, Likeness: 44},
	}}
	want := "相似度  工单                  状态  标题\n44%     330106-20261121-0001  新建  打印机卡纸\n"
	if got := p.similar(found); got != want {
		t.Errorf("similar tickets are shown as\n%s\nwant\n%s", got, want)
	}
	if got, want := p.similar(&apipb.FindSimilarTicketsResponse{}), "没有相似的未结工单\n"; got != want {
		t.Errorf("no similar ticket is shown as %q, want %q", got, want)
	}
	repeats := &apipb.CountRepeatsResponse{Application: "综合平台", Category: "硬件", Count: 2, Days: 90, Numbers: []string{"330106-20261121-0001"}}
	if got, want := p.repeats(repeats), "此前 90 天内 综合平台 硬件 同类故障 2 次\n  330106-20261121-0001\n"; got != want {
		t.Errorf("repeats are shown as %q, want %q", got, want)
	}
}
