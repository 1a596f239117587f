package api

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// inside is what only the desk may know of the ticket of these tests.
const inside = "机密"

// worked opens a ticket of the requester on which much was said inside the desk.
func (a *testAPI) worked() (number string) {
	a.t.Helper()
	number = a.open(&deskpb.Ticket{
		Title: "打印机卡纸", Tags: []string{inside},
		Requester: &deskpb.Requester{Name: "张三", User: "requester", Phone: "13812345678", Email: "zhang@example.cn"},
	})
	other := a.open(&deskpb.Ticket{Title: "另一张"})
	for _, c := range []*deskpb.TicketCommand{
		{Verb: &deskpb.TicketCommand_Assign{Assign: &deskpb.Assign{Assignee: "agent"}}},
		{Verb: &deskpb.TicketCommand_Note{Note: &deskpb.Note{Text: inside}}},
		{Verb: &deskpb.TicketCommand_Reply{Reply: &deskpb.Reply{Text: "马上来"}}},
		{Verb: &deskpb.TicketCommand_AddTask{AddTask: &deskpb.AddTask{Task: &deskpb.Task{
			Title: inside, Kind: deskpb.Task_COSIGN, Signers: []*deskpb.Signer{{User: "admin"}},
		}}}},
		{Verb: &deskpb.TicketCommand_ChangeTask{ChangeTask: &deskpb.ChangeTask{Task: 1, Action: deskpb.ChangeTask_AGREE, Result: inside}}},
		{Verb: &deskpb.TicketCommand_LinkTickets{LinkTickets: &deskpb.LinkTickets{
			Link: &deskpb.TicketLink{Kind: deskpb.TicketLink_RELATED, Number: other},
		}}},
		{Verb: &deskpb.TicketCommand_Resolve{Resolve: &deskpb.Resolve{Resolution: &deskpb.Resolution{Code: "solved", Text: "已修好", RootCause: inside}}}},
	} {
		a.decide(number, c)
	}
	a.alter(number, func(r *deskpb.Record) {
		r.Ticket.Review, r.Ticket.Collaborators, r.Ticket.Coordinator = inside, []string{inside}, inside
		r.Ticket.Checklist = []*deskpb.ChecklistItem{{Text: inside, Result: inside}}
		r.Ticket.CallBack = &deskpb.CallBack{Comment: inside}
		r.Ticket.Wishes = []*deskpb.Wish{{Actor: inside}}
		r.Ticket.Handover = &deskpb.Handover{Reason: inside}
		r.Ticket.Template, r.Ticket.Round, r.Ticket.MergedInto = inside, inside, other
		r.Ticket.Requester.Id, r.Ticket.Requester.Class = inside, inside
		r.Ticket.Sla = append(r.Ticket.Sla, &deskpb.Sla{Tier: "COUNTY", Rule: inside})
	})
	return number
}

// TestARequesterSeesTheOutsideOfATicket reads a ticket with everything inside by all calls that a requester has.
func TestARequesterSeesTheOutsideOfATicket(t *testing.T) {
	t.Parallel()
	a := newCastAPI(t, everyRole())
	number := a.worked()
	path := "/api/v1/tickets/" + number
	for _, target := range []string{path, path + "/journal", path + "/attachments", path + "/verbs", "/api/v1/tickets"} {
		got := a.must("GET", target, "", as("requester"))
		if strings.Contains(got.body, inside) {
			t.Errorf("GET %s shows a requester what is inside: %s", target, got.body)
		}
		if target == path && !strings.Contains(a.must("GET", target, "", as("agent")).body, inside) {
			t.Error("nothing is inside that an agent sees")
		}
	}
	journal := a.must("GET", path+"/journal?pageSize=2", "", as("requester"))
	rest := a.must("GET", path+"/journal?pageSize=100&pageToken="+journal.text("nextPageToken"), "", as("requester"))
	var types []string
	for _, page := range []answer{journal, rest} {
		for _, entry := range page.json["entries"].([]any) {
			step := entry.(map[string]any)
			types = append(types, step["type"].(string))
			if step["visibility"] != "EVERYONE" || step["role"] != "" || step["address"] != "" {
				t.Errorf("a requester is shown the step %v", step)
			}
		}
	}
	if want := []string{"OPENED", "ASSIGNED", "REPLIED", "RESOLVED"}; !isWithin(want, types) || slices.Contains(types, "NOTED") || slices.Contains(types, "TASK_ADDED") {
		t.Errorf("the steps are %v, want %v among them and nothing of the inside", types, want)
	}
	replied := a.must("POST", path+":reply", `{"text":"谢谢"}`, as("requester"))
	if strings.Contains(replied.body, inside) {
		t.Errorf("the answer to a reply shows a requester what is inside: %s", replied.body)
	}
}

func isWithin(want, all []string) bool {
	return !slices.ContainsFunc(want, func(one string) bool { return !slices.Contains(all, one) })
}

// TestAnOutlineLeavesOutWhatIsNew: fields that a ticket gets later are inside until somebody decides otherwise.
func TestAnOutlineLeavesOutWhatIsNew(t *testing.T) {
	t.Parallel()
	full := &deskpb.Ticket{}
	fields := full.ProtoReflect().Descriptor().Fields()
	hidden := map[protoreflect.Name]bool{}
	for i := range fields.Len() {
		field := fields.Get(i)
		m := (&deskpb.Ticket{}).ProtoReflect()
		switch {
		case field.IsList() && field.Message() != nil:
			m.Mutable(field).List().AppendMutable()
		case field.IsList():
			m.Mutable(field).List().Append(protoreflect.ValueOfString("x"))
		case field.IsMap():
			continue // special fields and pauses are looked at by name below
		case field.Message() != nil:
			m.Mutable(field)
		case field.Kind() == protoreflect.StringKind:
			m.Set(field, protoreflect.ValueOfString("x"))
		default:
			continue // numbers and flags say nothing by themselves
		}
		if seen := outline(m.Interface().(*deskpb.Ticket)).ProtoReflect(); !seen.Has(field) {
			hidden[field.Name()] = true
		}
	}
	for _, name := range []protoreflect.Name{
		"tags", "collaborators", "wishes", "coordinator", "links", "tasks", "checklist", "call_back", "merged_into", "review", "template", "round",
		"accept_time_limit",
	} {
		if !hidden[name] {
			t.Errorf("a requester sees the field %s", name)
		}
		delete(hidden, name)
	}
	if len(hidden) > 0 {
		t.Errorf("the fields %v are not seen by requesters; say here whether that is meant", hidden)
	}
	if got := outline(&deskpb.Ticket{Paused: map[string]int64{"x": 1}}); got.Paused != nil {
		t.Error("a requester sees how long the clocks stood still")
	}
}

// TestWhoSeesRolesAndAddresses reads the journal as everybody.
func TestWhoSeesRolesAndAddresses(t *testing.T) {
	t.Parallel()
	a := newCastAPI(t, everyRole())
	number := a.must("POST", "/api/v1/tickets", `{"ticket":{"title":"x","requester":{"user":"requester"}}}`, as("agent")).text("number")
	for _, role := range desk.Roles() {
		user := strings.ToLower(role.String())
		entry := a.must("GET", "/api/v1/tickets/"+number+"/journal", "", as(user)).json["entries"].([]any)[0].(map[string]any)
		wantRole, wantAddress := "AGENT", ""
		switch role {
		case deskpb.User_REQUESTER:
			wantRole = ""
		case deskpb.User_AUDITOR, deskpb.User_ADMINISTRATOR:
			wantAddress = "192.0.2.1" // httptest's
		}
		if entry["role"] != wantRole || entry["address"] != wantAddress {
			t.Errorf("a %s is told role %q and address %q, want %q and %q", role, entry["role"], entry["address"], wantRole, wantAddress)
		}
	}
}

// withMask is an API whose policy masks requesters, with one ticket of this site and one of another office.
func withMask(t *testing.T) (a *testAPI, own, foreign string) {
	t.Helper()
	a = newCastAPI(t, everyRole())
	a.site.change(t, func(b *store.Batch) error {
		return b.PutBasePolicy(&deskpb.Policy{Privacy: &deskpb.Privacy{MaskAboveHome: true}})
	})
	requester := &deskpb.Requester{Name: "张三", Phone: "13812345678", Email: "zhang@example.cn"}
	own = a.open(&deskpb.Ticket{Title: "没有网", Requester: proto.CloneOf(requester)})
	first := a.open(&deskpb.Ticket{Title: "打印机卡纸", Requester: requester})
	foreign = a.fromBelow(first, "330108")
	a.alter(first, func(r *deskpb.Record) { r.Ticket.Requester = nil })
	return a, own, foreign
}

// fromBelow makes of a ticket that was opened here another one, that an office below opened and this site holds.
func (a *testAPI) fromBelow(number, home string) (other string) {
	a.t.Helper()
	var events []desk.Sealed
	err := a.site.store.View(func(r *store.Reader) (err error) {
		events, err = r.Events(desk.TicketNumber(number))
		return err
	})
	if err != nil {
		a.t.Fatal(err)
	}
	other = home + strings.TrimPrefix(number, "330106")
	opened := proto.CloneOf(events[0].Event)
	opened.Ticket, opened.Id.Site = other, home
	first := opened.GetBody().GetOpened().GetTicket()
	first.Number, first.HomeSite, first.CustodianSite = other, home, home
	opened.Path = append([]string{home}, opened.Path...)
	sealed, err := desk.Seal(opened)
	if err != nil {
		a.t.Fatal(err)
	}
	record, err := desk.Union([]desk.Sealed{sealed})
	if err != nil {
		a.t.Fatal(err)
	}
	record.Ticket.CustodianSite = "330106"
	a.site.mu.Lock()
	defer a.site.mu.Unlock()
	b := a.site.store.NewBatch()
	defer b.Discard()
	for _, err := range []error{
		b.PutSiteInfo(&deskpb.SiteInfo{Id: home, Tier: deskpb.Site_COUNTY, Parent: "330106"}),
		b.AddEvent(sealed), b.PutTicket(record), b.Commit(a.site.store.Applied()+1, 1),
	} {
		if err != nil {
			a.t.Fatal(err)
		}
	}
	return other
}

// TestRequestersAreMaskedAboveTheirHome looks for the number and the address in everything that is answered about the ticket.
func TestRequestersAreMaskedAboveTheirHome(t *testing.T) {
	t.Parallel()
	a, own, foreign := withMask(t)
	clear := func(got answer) bool {
		return strings.Contains(got.body, "13812345678") || strings.Contains(got.body, "zhang@example.cn")
	}
	about := func(number string) []string {
		path := "/api/v1/tickets/" + number
		return []string{path, path + "/journal", "/api/v1/tickets?filter=number%3D%22" + number + "%22"}
	}
	for _, target := range about(own) {
		if got := a.must("GET", target, "", as("agent")); !clear(got) {
			t.Errorf("GET %s masks a requester at home: %s", target, got.body)
		}
	}
	for _, user := range []string{"agent", "administrator", "auditor", "leader"} {
		for _, target := range append(about(foreign), "/api/v1/tickets:similar?title=%E6%89%93%E5%8D%B0%E6%9C%BA%E5%8D%A1%E7%BA%B8") {
			got := a.must("GET", target, "", as(user))
			masked := strings.Contains(got.body, "138****5678") && strings.Contains(got.body, "z***@example.cn")
			if clear(got) || !masked {
				t.Errorf("GET %s as %s shows a requester of another office: %s", target, user, got.body)
			}
		}
	}
	if got := a.must("POST", "/api/v1/tickets/"+foreign+":note", `{"text":"x"}`, as("agent")); clear(got) {
		t.Errorf("the answer to a note shows the requester: %s", got.body)
	}
	body := `{"fields":["requester"],"ticket":{"requester":{"name":"张三丰","phone":"138****5678","email":"new@example.cn"}}}`
	a.must("POST", "/api/v1/tickets/"+foreign+":classify", body, as("agent"))
	stored := a.stored(foreign).Ticket.Requester
	if stored.Phone != "13812345678" || stored.Email != "new@example.cn" || stored.Name != "张三丰" {
		t.Errorf("after a change with what was shown the requester is %v", stored)
	}
}

// TestMasksOfManyForms shows what is left of numbers and addresses.
func TestMasksOfManyForms(t *testing.T) {
	t.Parallel()
	for phone, want := range map[string]string{
		"": "", "110": "****", "87654321": "****21", "13812345678": "138****5678", "0571-87654321": "057****4321", "分机一二三四五": "****四五",
	} {
		if got := maskedPhone(phone); got != want {
			t.Errorf("the number %q is masked as %q, want %q", phone, got, want)
		}
	}
	for email, want := range map[string]string{"": "", "zhang@example.cn": "z***@example.cn", "张三@x.cn": "张***@x.cn", "@x": "***@x", "nobody": "n***@"} {
		if got := maskedEmail(email); got != want {
			t.Errorf("the address %q is masked as %q, want %q", email, got, want)
		}
	}
}

// TestRevealingIsWrittenDownFirst shows a masked requester to who gives a reason, and to nobody when the audit log cannot say so.
func TestRevealingIsWrittenDownFirst(t *testing.T) {
	t.Parallel()
	a, _, foreign := withMask(t)
	path := "/api/v1/tickets/" + foreign + ":revealRequester"
	for _, body := range []string{`{}`, `{"reason":"  "}`, `{"reason":"` + strings.Repeat("长", maxReason+1) + `"}`} {
		if got := a.call("POST", path, body, as("agent")); got.status != 400 || got.field() != "reason" {
			t.Errorf("a reason that is none: %d %s", got.status, got.body)
		}
	}
	shown := a.must("POST", path, `{"reason":"要回电"}`, as("agent"))
	if shown.text("phone") != "13812345678" || shown.text("email") != "zhang@example.cn" {
		t.Errorf("the requester is shown as %s", shown.body)
	}
	last := a.site.audited[len(a.site.audited)-1]
	want := &deskpb.AuditEntry{
		Actor: "agent", Role: deskpb.User_AGENT, Address: "192.0.2.1", Action: audit.Reveal, Object: foreign,
		Outcome: deskpb.AuditEntry_DONE, Reason: "要回电",
	}
	if !proto.Equal(last, want) {
		t.Errorf("the audit log is told %v, want %v", last, want)
	}
	a.site.set(func() { a.site.auditing = desk.Refuse(desk.Unavailable, "NO_LEADER", "there is no leader") })
	if got := a.call("POST", path, `{"reason":"要回电"}`, as("agent")); got.status != 503 || strings.Contains(got.body, "138") {
		t.Errorf("without an audit log: %d %s", got.status, got.body)
	}
}

// TestTheRequestOfARequesterIsTheirOwn opens a ticket in somebody else's name.
func TestTheRequestOfARequesterIsTheirOwn(t *testing.T) {
	t.Parallel()
	a := newCastAPI(t, everyRole())
	made := a.must("POST", "/api/v1/tickets", `{"ticket":{"title":"x","requester":{"user":"somebody","name":"李四"},"assignee":"agent","tags":["a"]}}`, as("requester"))
	stored := a.stored(made.text("number")).Ticket
	if stored.Requester.User != "requester" || stored.Channel != deskpb.Ticket_PORTAL || stored.Assignee != "" || stored.Tags != nil {
		t.Errorf("a requester opened %v", stored)
	}
	var shown struct{ Number string }
	if err := json.Unmarshal([]byte(made.body), &shown); err != nil || shown.Number != stored.Number {
		t.Errorf("the answer is %s, %v", made.body, err)
	}
}
