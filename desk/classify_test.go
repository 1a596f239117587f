package desk

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// orders is a policy in which a category asks for special fields.
func orders(p *deskpb.Policy) *deskpb.Policy {
	p = proto.CloneOf(p)
	p.Categories = append(p.Categories,
		&deskpb.Category{Name: "单据", Impact: 1, Urgency: 3, Checklist: "machine-room", Fields: []*deskpb.SpecialField{
			{Name: "单据号", Required: true},
			{Name: "金额", Kind: deskpb.SpecialField_NUMBER},
			{Name: "日期", Kind: deskpb.SpecialField_DATE},
			{Name: "环节", Kind: deskpb.SpecialField_CHOICE, Choices: []string{"录入", "审核"}},
		}},
		&deskpb.Category{Name: "单据/退回", Fields: []*deskpb.SpecialField{{Name: "原因", Required: true}}})
	return p
}

func TestANewTicketFollowsThePolicy(t *testing.T) {
	for _, test := range []struct {
		name    string
		closed  bool
		asked   *deskpb.Ticket
		want    func(*deskpb.Ticket) bool
		refused string // part of the refusal
	}{
		{"levels of the category", false, &deskpb.Ticket{Title: "t", Category: "单据", Fields: map[string]string{"单据号": "1"}},
			func(t *deskpb.Ticket) bool {
				return t.GetImpact() == 1 && t.GetUrgency() == 3 && t.GetPriority() == 3 && t.GetSeverity() == 1
			}, ""},
		{"the author's level before the category's", false, &deskpb.Ticket{Title: "t", Category: "单据", Impact: 3, Fields: map[string]string{"单据号": "1"}},
			func(t *deskpb.Ticket) bool { return t.GetImpact() == 3 && t.GetPriority() == 5 }, ""},
		{"levels of the category above", false, &deskpb.Ticket{Title: "t", Category: "新需求/报表"},
			func(t *deskpb.Ticket) bool { return t.GetPriority() == 5 }, ""},
		{"an unknown category", false, &deskpb.Ticket{Title: "t", Category: "其他"},
			func(t *deskpb.Ticket) bool { return t.GetCategory() == "其他" && t.GetPriority() == 3 }, ""},
		{"an unknown category in closed lists", true, &deskpb.Ticket{Title: "t", Category: "其他"}, nil, "其他"},
		{"the category of the service", false, &deskpb.Ticket{Title: "t", Service: "password"},
			func(t *deskpb.Ticket) bool {
				return t.GetCategory() == "操作事件/登录密码" && t.GetService() == "password"
			}, ""},
		{"the author's category before the service's", false, &deskpb.Ticket{Title: "t", Service: "password", Category: "数据问题"},
			func(t *deskpb.Ticket) bool { return t.GetCategory() == "数据问题" }, ""},
		{"an unknown service in closed lists", true, &deskpb.Ticket{Title: "t", Service: "taxi"}, nil, "taxi"},
		{"a template", false, &deskpb.Ticket{Template: "password", Urgency: 1},
			func(t *deskpb.Ticket) bool {
				return t.GetTitle() == "密码重置" && t.GetImpact() == 3 && t.GetUrgency() == 1 && t.GetTemplate() == "password"
			}, ""},
		{"a template with a checklist", false, &deskpb.Ticket{Title: "断网", Template: "level-1-fault"},
			func(t *deskpb.Ticket) bool {
				return t.GetKind() == deskpb.Ticket_INCIDENT && t.GetPriority() == 1 && len(t.GetChecklist()) == 7
			}, ""},
		{"a template without a title", false, &deskpb.Ticket{Template: "level-1-fault"}, nil, "title"},
		{"an unknown template", false, &deskpb.Ticket{Title: "t", Template: "holiday"}, nil, "holiday"},
		{"a required field", false, &deskpb.Ticket{Title: "t", Category: "单据"}, nil, "单据号"},
		{"required fields of both levels", false, &deskpb.Ticket{Title: "t", Category: "单据/退回", Fields: map[string]string{"原因": "r"}}, nil, "单据号"},
		{"all required fields", false, &deskpb.Ticket{Title: "t", Category: "单据/退回", Fields: map[string]string{"原因": "r", "单据号": "1"}},
			func(t *deskpb.Ticket) bool { return len(t.GetFields()) == 2 }, ""},
		{"no number", false, withField("金额", "1,5"), nil, "1,5"},
		{"a number", false, withField("金额", "-1.50"), func(*deskpb.Ticket) bool { return true }, ""},
		{"no date", false, withField("日期", "2026-02-30"), nil, "2026-02-30"},
		{"no choice", false, withField("环节", "打印"), nil, "打印"},
		{"an unknown field", false, withField("颜色", "红"), func(t *deskpb.Ticket) bool { return t.GetFields()["颜色"] == "红" }, ""},
		{"an unknown field in closed lists", true, withField("颜色", "红"), nil, "颜色"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := newOffice(deskpb.Site_COUNTY, county)
			o.policy = orders(o.policy)
			o.policy.Closing.ClosedLists = test.closed
			d, err := Decide(o.here, o, openCommand(test.asked), Stamp{Time: morning})
			if test.refused != "" {
				if err == nil || !strings.Contains(err.Error(), test.refused) {
					t.Fatalf("the ticket is answered with %v, want a refusal that names %q", err, test.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !test.want(d.Record.GetTicket()) {
				t.Errorf("the ticket is %v", d.Record.GetTicket())
			}
		})
	}
}

func openCommand(ticket *deskpb.Ticket) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Actor: agent("lin"), Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{Ticket: ticket}}}
}

// withField is a ticket with one more special field than it needs.
func withField(name, value string) *deskpb.Ticket {
	return &deskpb.Ticket{Title: "t", Category: "单据", Fields: map[string]string{"单据号": "1", name: value}}
}

func TestClassify(t *testing.T) {
	for _, test := range []struct {
		name    string
		state   deskpb.Ticket_State
		ticket  *deskpb.Ticket
		fields  []string
		changed string // fields of the event; empty when there is none
		refused string
	}{
		{"words", deskpb.Ticket_NEW, &deskpb.Ticket{Title: "新标题", Description: "d"}, []string{"title"}, "title", ""},
		{"levels", deskpb.Ticket_IN_PROGRESS, &deskpb.Ticket{Impact: 1, Urgency: 1}, []string{"impact", "urgency"}, "impact urgency priority", ""},
		{"a level that comes to the same priority", deskpb.Ticket_NEW, &deskpb.Ticket{Impact: 1, Urgency: 3}, []string{"impact", "urgency"}, "impact urgency", ""},
		{"severity alone", deskpb.Ticket_NEW, &deskpb.Ticket{Severity: 1}, []string{"severity"}, "severity", ""},
		{"a category with a checklist", deskpb.Ticket_NEW, &deskpb.Ticket{Category: "单据", Fields: map[string]string{"单据号": "1"}},
			[]string{"category", "fields"}, "category fields checklist", ""},
		{"a category that lacks its field", deskpb.Ticket_NEW, &deskpb.Ticket{Category: "单据"}, []string{"category"}, "", "单据号"},
		{"what it says already", deskpb.Ticket_NEW, &deskpb.Ticket{Impact: 2}, []string{"impact"}, "", ""},
		{"an empty title", deskpb.Ticket_NEW, &deskpb.Ticket{}, []string{"title"}, "", "title"},
		{"a level without a value", deskpb.Ticket_NEW, &deskpb.Ticket{}, []string{"urgency"}, "", "urgency"},
		{"a field of the site", deskpb.Ticket_NEW, &deskpb.Ticket{Number: "1"}, []string{"number"}, "", "number"},
		{"a derived field", deskpb.Ticket_NEW, &deskpb.Ticket{Priority: 1}, []string{"priority"}, "", "priority"},
		{"no fields", deskpb.Ticket_NEW, &deskpb.Ticket{Title: "t"}, nil, "", "fields"},
		{"a field twice", deskpb.Ticket_NEW, &deskpb.Ticket{Title: "t"}, []string{"title", "title"}, "", "twice"},
		{"words of a solved ticket", deskpb.Ticket_RESOLVED, &deskpb.Ticket{Category: "数据问题"}, []string{"category"}, "category", ""},
		{"levels of a solved ticket", deskpb.Ticket_RESOLVED, &deskpb.Ticket{Impact: 1}, []string{"impact"}, "", "RESOLVED"},
		{"words of a closed ticket", deskpb.Ticket_CLOSED, &deskpb.Ticket{Title: "t"}, []string{"title"}, "", "CLOSED"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t, test.state)
			s.tree.office(county).policy = orders(s.tree.office(county).policy)
			s.reach(county)
			before := s.tree.office(county).records[s.number]
			d, err := s.tree.do(county, by(agent("lin"), s.number, classifyCommand(test.ticket, test.fields...)))
			if test.refused != "" {
				if err == nil || !strings.Contains(err.Error(), test.refused) {
					t.Fatalf("the change is answered with %v, want a refusal that names %q", err, test.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if test.changed == "" {
				if len(d.Events) != 0 || !proto.Equal(before, d.Record) {
					t.Errorf("a change to what the ticket is already is written down as %v", d.Events)
				}
				return
			}
			got := d.Events[0].GetBody().GetClassification().GetFields()
			want := strings.Fields(test.changed)
			slices.Sort(want)
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("the event changes %q, want %q", got, want)
			}
		})
	}
}

// A change is in the journal with what was before, comes to the other sites as it is, and can be taken back.
func TestAChangeOfWordsIsInTheJournal(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.do(county, classifyCommand(&deskpb.Ticket{Category: "数据问题", Tags: []string{"月结"}, Fields: map[string]string{"b": "2", "a": "1"}},
		"category", "tags", "fields"))
	s.do(county, classifyCommand(&deskpb.Ticket{}, "category", "tags", "fields"))
	s.drain()
	for _, site := range []SiteID{county, city} {
		o := s.tree.office(site)
		if after := o.records[s.number].GetTicket(); after.GetCategory() != "" || len(after.GetTags()) != 0 || len(after.GetFields()) != 0 {
			t.Errorf("at %s the ticket is still sorted: %v", site, after)
		}
		entries, err := Journal(o.journal(s.number))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, entry := range entries {
			for _, change := range entry.Changes {
				if entry.Event.GetType() == deskpb.Event_CLASSIFIED {
					got = append(got, change.Field+": "+change.Before+" > "+change.After)
				}
			}
		}
		want := []string{
			"category:  > 数据问题", "tags:  > 月结", "fields:  > a=1; b=2",
			"category: 数据问题 > ", "tags: 月结 > ", "fields: a=1; b=2 > ",
		}
		if !slices.Equal(got, want) {
			t.Errorf("the journal of %s says %q, want %q", site, got, want)
		}
	}
}

func TestAMajorIncidentIsDeclared(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	d := s.do(county, classifyCommand(&deskpb.Ticket{Major: true, Coordinator: "zhao"}, "major", "coordinator"))
	if last := d.Events[len(d.Events)-1]; last.GetType() != deskpb.Event_ALERTED || !strings.Contains(last.GetBody().GetText(), string(county)) {
		t.Errorf("declaring a major incident ends with %s %q, want an alert that names %s", last.GetType(), last.GetBody().GetText(), county)
	}
	if got := d.Record.GetTicket(); !got.GetMajor() || got.GetCoordinator() != "zhao" {
		t.Errorf("the ticket is %v, want a major one that zhao leads", got)
	}
	d = s.do(county, classifyCommand(&deskpb.Ticket{}, "major"))
	if len(d.Events) != 1 || d.Record.GetTicket().GetMajor() {
		t.Errorf("taking the declaration back writes %d events and leaves %v", len(d.Events), d.Record.GetTicket())
	}
}

// What another site wrote changes only what classify may change.
func TestAClassificationChangesNoOtherField(t *testing.T) {
	r := &deskpb.Record{Ticket: &deskpb.Ticket{Number: "330106-20261121-0001", CustodianSite: "330106", Title: "t"}}
	foldClassified(r, &deskpb.Event{Body: &deskpb.Body{Classification: &deskpb.Classification{
		Fields: []string{"custodianSite", "number", "title", "unheardOf"},
		Ticket: &deskpb.Ticket{Number: "1", CustodianSite: "330100", Title: "u"},
	}}})
	if want := (&deskpb.Ticket{Number: "330106-20261121-0001", CustodianSite: "330106", Title: "u"}); !proto.Equal(r.Ticket, want) {
		t.Errorf("the ticket is %v, want %v", r.Ticket, want)
	}
}
