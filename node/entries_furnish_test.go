package node

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// work is one call that does what it asks for.
type work struct {
	method  string
	request proto.Message
}

// furnish lets the keeper do a few things well, so that strangers have something to call about, and something to vary.
func (b *besieged) furnish(t testing.TB) {
	t.Helper()
	const content = "现场照片"
	b.carryOut(t, work{apipb.Tickets_CreateTicket_FullMethodName,
		&apipb.CreateTicketRequest{Ticket: &deskpb.Ticket{Title: "打印机卡纸", Requester: &deskpb.Requester{Name: "王芳", Phone: "13800001234"}}}})
	first := b.maker.known["number"][0]
	b.carryOut(t, work{apipb.Tickets_CreateTicket_FullMethodName,
		&apipb.CreateTicketRequest{Ticket: &deskpb.Ticket{Title: "全县断网", Impact: 1, Urgency: 1, Severity: 1, Tags: []string{"网络"}}}})
	b.carryOut(t,
		work{apipb.Tickets_LinkTicket_FullMethodName, &apipb.LinkTicketRequest{
			Number: first, Kind: deskpb.TicketLink_RELATED, Other: b.maker.known["number"][1]}},
		work{apipb.Tickets_AddTask_FullMethodName, &apipb.AddTaskRequest{Number: first, Task: &deskpb.Task{Title: "换硒鼓"}}},
		work{apipb.Tickets_ClassifyTicket_FullMethodName, &apipb.ClassifyTicketRequest{
			Number: first, Fields: []string{"impact"}, Ticket: &deskpb.Ticket{Impact: 2}}},
		work{apipb.Attachments_AddAttachment_FullMethodName, &apipb.AddAttachmentRequest{
			Attachment: &apipb.NewAttachment{Number: first, Name: "现场.txt", Size: int64(len(content))}, Data: []byte(content)}},
		work{apipb.Requesters_CreateRequester_FullMethodName, &apipb.CreateRequesterRequest{
			Requester: &apipb.Requester{Name: "陈静", Phones: []string{"0571-1"}}}},
		work{apipb.Publications_PutPublication_FullMethodName, &apipb.PutPublicationRequest{
			Kind: "notice", Name: "停电", Title: "周六停电", MediaType: "text/markdown", Body: []byte("周六停电")}},
		work{apipb.Policies_ApplyPolicy_FullMethodName, &apipb.ApplyPolicyRequest{Source: "groups:\n  - name: 网络组\n    members: [zhao]\n"}},
		work{apipb.Users_CreateUser_FullMethodName, &apipb.CreateUserRequest{
			User: &apipb.User{Name: "zhao", Role: apipb.User_AGENT}, Password: "another horse"}},
		work{apipb.Users_UpdateUser_FullMethodName, &apipb.UpdateUserRequest{User: &apipb.User{Name: "zhao", Unit: "信息处"}, Fields: "unit"}},
		work{apipb.Users_SetPassword_FullMethodName, &apipb.SetPasswordRequest{Name: "zhao", Password: "battery staple"}},
	)
	// These are about the caller, who is each time another.
	b.maker.keep(b.entrance(apipb.AccessTokens_CreateAccessToken_FullMethodName), (&apipb.CreateAccessTokenRequest{
		Token: &apipb.AccessToken{Title: "报表", Limits: []string{"tickets:read"}}}).ProtoReflect())
	b.maker.keep(b.entrance(apipb.Sessions_CreateSession_FullMethodName), (&apipb.CreateSessionRequest{
		User: "zhao", Password: "battery staple"}).ProtoReflect())
}

// entrance is the method of that name.
func (b *besieged) entrance(name string) entrance {
	return b.entrances[slices.IndexFunc(b.entrances, func(e entrance) bool { return e.name == name })]
}

// carryOut makes calls as the keeper that must succeed.
func (b *besieged) carryOut(t testing.TB, works ...work) {
	t.Helper()
	for _, w := range works {
		if err := b.exchange(b.keeper.as(t.Context()), b.keeper.conn, b.entrance(w.method), 1, w.request.ProtoReflect()); err != nil {
			t.Fatalf("%s: %v", w.method, err)
		}
	}
}
