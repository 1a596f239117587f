package load

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// How many different values the tickets have.
const (
	groups       = 20
	applications = 40
	categories   = 12
	requesters   = 2000
)

// Descriptions are cut from a text of so many random characters of the commonest thousands, so that they are no easier
// to compress than what people write.
const (
	drawnCharacters = 64 << 10
	firstCharacter  = 0x4e00
	differentOnes   = 5000
	characterBytes  = 3 // of each of them in UTF-8
)

// writer words tickets. It is safe for concurrent use.
type writer struct {
	text  string // whole characters of characterBytes
	bytes int    // of a description
}

func newWriter(bytes int) *writer {
	var text strings.Builder
	for range drawnCharacters + bytes/characterBytes {
		text.WriteRune(firstCharacter + rand.Int32N(differentOnes))
	}
	return &writer{text: text.String(), bytes: bytes}
}

// description is as many bytes of text as were asked for.
func (w *writer) description() string {
	whole := w.bytes - w.bytes%characterBytes
	from := rand.IntN(drawnCharacters) * characterBytes
	return w.text[from:from+whole] + strings.Repeat(".", w.bytes-whole)
}

// request is a full ticket. One of two goes to a group and is assigned; the others are new.
func (w *writer) request(id string) *apipb.CreateTicketRequest {
	person := rand.IntN(requesters)
	t := &deskpb.Ticket{
		Kind:               deskpb.Ticket_INCIDENT,
		Title:              fmt.Sprintf("综合业务平台无法登录 %06d", rand.IntN(1_000_000)),
		Description:        w.description(),
		Category:           fmt.Sprintf("业务事件-%02d", rand.IntN(categories)),
		Application:        fmt.Sprintf("业务系统-%02d", rand.IntN(applications)),
		ApplicationVersion: "3.2.1",
		Tags:               []string{"压测"},
		Channel:            deskpb.Ticket_PHONE,
		Impact:             1 + rand.Int32N(3),
		Urgency:            1 + rand.Int32N(3),
		Requester: &deskpb.Requester{
			Name:  fmt.Sprintf("压测用户%04d", person),
			Unit:  "业务窗口",
			Phone: fmt.Sprintf("0571-8%07d", person),
		},
	}
	if rand.IntN(2) == 0 {
		t.Group = groupName(rand.IntN(groups))
	}
	return &apipb.CreateTicketRequest{Ticket: t, RequestId: id}
}

func groupName(i int) string { return fmt.Sprintf("应用支持组-%02d", i) }
