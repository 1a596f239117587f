package machine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// BenchmarkApply measures entries of 32 full tickets on the real disk, without a sync: one operation is one ticket.
func BenchmarkApply(b *testing.B) {
	const group = 32
	l := openLog(b, store.Options{Dir: b.TempDir(), FS: vfs.Default, Site: string(county), Node: "n1"})
	if r := l.apply(b, noon, foundCommand())[0].Refusal; r != nil {
		b.Fatalf("found: refused: %v", r)
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		var commands [][]byte
		for i := range group {
			encoded, err := proto.Marshal(fullTicket(fmt.Sprintf("request-%d-%d", n, i)))
			if err != nil {
				b.Fatal(err)
			}
			commands = append(commands, encoded)
		}
		b.StartTimer()
		l.applyRaw(b, noon+int64(n)*1000, commands...)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*group), "ns/ticket")
}

// fullTicket creates a ticket with everything that a caller at the telephone fills in, and 1 KiB of words.
func fullTicket(requestID string) *deskpb.Command {
	return &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: &deskpb.TicketCommand{
		Actor:   &deskpb.Actor{User: "admin", Role: deskpb.User_ADMINISTRATOR},
		Request: &deskpb.RequestKey{Id: requestID, Method: "create", BodyHash: make([]byte, 16)},
		Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{Ticket: &deskpb.Ticket{
			Title: "打印机故障", Description: strings.Repeat("说", 340), Application: "营销系统", Category: "操作事件",
			Requester: &deskpb.Requester{Name: "王芳", Unit: "西湖供电所", Phone: "0571-88880000"}, Impact: 2, Urgency: 2,
		}}},
	}}}
}
