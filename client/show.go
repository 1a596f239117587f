package client

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// summary is a ticket in one line, after a change.
func (p *printer) summary(t *deskpb.Ticket) string {
	parts := []string{t.GetNumber(), p.state(t), p.name(t.GetLine()), t.GetCustodianSite()}
	if way := p.handover(t); way != "" {
		parts = append(parts, way)
	}
	if t.GetAssignee() != "" {
		parts = append(parts, p.say(phrase{"处理人 ", "assignee "})+t.GetAssignee())
	}
	parts = append(parts, "etag "+t.GetEtag())
	return oneLine(strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "  ")) + "\n"
}

// state is the ticket's state, with the reason of a hold.
func (p *printer) state(t *deskpb.Ticket) string {
	if t.GetHoldReason() == "" {
		return p.name(t.GetState())
	}
	return fmt.Sprintf("%s (%s)", p.name(t.GetState()), t.GetHoldReason())
}

// handover says that the ticket is on its way and where to; empty when it is not.
func (p *printer) handover(t *deskpb.Ticket) string {
	h := t.GetHandover()
	if h.GetState() == deskpb.Handover_NONE {
		return ""
	}
	return fmt.Sprintf("%s → %s", p.name(h.GetState()), h.GetToSite())
}

// ticketList prints pages of tickets under one header.
type ticketList struct {
	*printer
	columns table
	headed  bool
}

func (p *printer) ticketList() *ticketList { return &ticketList{printer: p} }

// page is one page's rows, and after the last page how to go on.
func (l *ticketList) page(page *apipb.ListTicketsResponse, last bool) string {
	var rows [][]string
	if !l.headed {
		rows = append(rows, l.header(phrase{"工单", "NUMBER"}, phrase{"状态", "STATE"}, phrase{"优先级", "PRIORITY"},
			phrase{"支持线", "LINE"}, phrase{"当前处理站点", "CUSTODIAN"}, phrase{"交接", "HANDOVER"},
			phrase{"处理人", "ASSIGNEE"}, phrase{"更新时间", "UPDATED"}, phrase{"标题", "TITLE"}))
		l.headed = true
	}
	for _, t := range page.GetTickets() {
		rows = append(rows, []string{t.GetNumber(), l.state(t), fmt.Sprint(t.GetPriority()), l.name(t.GetLine()),
			t.GetCustodianSite(), l.handover(t), t.GetAssignee(), l.when(t.GetUpdateTime()), t.GetTitle()})
	}
	out := l.columns.layOut(rows)
	if last && page.GetNextPageToken() != "" {
		out += l.say(phrase{"还有更多：", "more: "}) + "--page-token " + oneLine(page.GetNextPageToken()) + "\n"
	}
	return out
}

// block collects labelled values; those that are empty are left out.
type block struct {
	*printer
	rows [][]string
}

func (b *block) add(label phrase, value string) {
	if strings.TrimSpace(value) != "" {
		b.rows = append(b.rows, []string{b.say(label), value})
	}
}

func (b *block) when(label phrase, t *timestamppb.Timestamp) { b.add(label, b.printer.when(t)) }

func (b *block) String() string { return new(table).layOut(b.rows) }

// ticket is everything about a ticket: what it is, where it has been, what was asked for, and what happened.
func (p *printer) ticket(t *deskpb.Ticket, entries []*apipb.JournalEntry) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s  %s\n", oneLine(t.GetNumber()), oneLine(t.GetTitle()))
	out.WriteString(p.facts(t))
	p.section(&out, phrase{"描述", "Description"}, indent(t.GetDescription()))
	p.section(&out, phrase{"解决方案", "Resolution"}, indent(t.GetResolution().GetText()))
	p.section(&out, phrase{"时限", "Clocks"}, indent(p.clocks(t)))
	p.section(&out, phrase{"检查单", "Checklist"}, indent(p.checklist(t)))
	p.section(&out, phrase{"协同", "Tasks"}, indent(p.tasks(t)))
	p.section(&out, phrase{"关联工单", "Linked tickets"}, indent(p.relations(t)))
	p.section(&out, phrase{"附件", "Attachments"}, indent(p.files(t)))
	p.section(&out, phrase{"复盘", "Review"}, indent(t.GetReview()))
	p.section(&out, phrase{"请求", "Wishes"}, indent(p.wishes(t)))
	p.section(&out, phrase{"流转路径", "Journey"}, indent(p.journey(t, entries)))
	p.section(&out, phrase{"流转记录", "Journal"}, indent(p.journal(new(table), entries)))
	return out.String()
}

// section writes a titled part, unless it is empty.
func (p *printer) section(out *strings.Builder, title phrase, body string) {
	if body != "" {
		fmt.Fprintf(out, "\n%s\n%s", p.say(title), body)
	}
}

// facts are the ticket's short fields.
func (p *printer) facts(t *deskpb.Ticket) string {
	b := &block{printer: p}
	b.add(phrase{"类型", "Kind"}, p.name(t.GetKind()))
	b.add(phrase{"状态", "State"}, p.state(t))
	b.add(phrase{"优先级", "Priority"}, p.pressure(t))
	b.add(phrase{"支持线", "Line"}, p.name(t.GetLine()))
	b.add(phrase{"当前处理站点", "Custodian"}, p.custody(t))
	b.add(phrase{"受理站点", "Home site"}, t.GetHomeSite())
	b.add(phrase{"交接", "Handover"}, strings.TrimSpace(p.handover(t)+"  "+t.GetHandover().GetReason()))
	b.add(phrase{"处理人", "Assignee"}, person(t, desk.AssigneeSite(t), t.GetAssignee()))
	b.add(phrase{"处理组", "Group"}, t.GetGroup())
	b.when(phrase{"认领期限", "To be taken up by"}, t.GetAcceptTimeLimit())
	b.add(phrase{"已合并到", "Merged into"}, t.GetMergedInto())
	b.add(phrase{"协调人", "Coordinator"}, coordinator(t))
	b.add(phrase{"协办", "Collaborators"}, strings.Join(collaborators(t), ", "))
	b.add(phrase{"分类", "Category"}, t.GetCategory())
	b.add(phrase{"应用", "Application"}, strings.TrimSpace(t.GetApplication()+" "+t.GetApplicationVersion()))
	b.add(phrase{"配置项", "Configuration item"}, t.GetConfigurationItem())
	b.add(phrase{"服务", "Service"}, t.GetService())
	b.add(phrase{"专用字段", "Special fields"}, p.specialFields(t.GetFields()))
	b.add(phrase{"标签", "Tags"}, strings.Join(t.GetTags(), ", "))
	b.add(phrase{"报告人", "Requester"}, requester(t.GetRequester()))
	b.add(phrase{"来源", "Channel"}, p.name(t.GetChannel()))
	b.when(phrase{"受理时间", "Opened"}, t.GetOpenTime())
	b.when(phrase{"响应时间", "Responded"}, t.GetRespondTime())
	b.when(phrase{"到场时间", "On the spot"}, t.GetArriveTime())
	b.add(phrase{"挂起用时", "Time on hold"}, p.paused(t.GetPaused()))
	b.when(phrase{"解决时间", "Resolved"}, t.GetResolveTime())
	b.when(phrase{"办结时间", "Closed"}, t.GetCloseTime())
	b.when(phrase{"自动办结", "Closes by itself"}, t.GetAutoCloseTime())
	b.add(phrase{"回访", "Call-back"}, p.callBack(t.GetCallBack()))
	b.when(phrase{"更新时间", "Updated"}, t.GetUpdateTime())
	b.add(phrase{"解决代码", "Resolution code"}, t.GetResolution().GetCode())
	b.add(phrase{"根本原因", "Root cause"}, t.GetResolution().GetRootCause())
	b.add(phrase{"满意度", "Satisfaction"}, satisfaction(t.GetSatisfaction()))
	b.add(phrase{"次数", "Counts"}, p.counts(t))
	b.add(phrase{"版本", "Etag"}, t.GetEtag())
	return b.String()
}

// specialFields are those of the ticket's category, by name.
func (p *printer) specialFields(fields map[string]string) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		words = append(words, name+"="+fields[name])
	}
	return strings.Join(words, p.say(phrase{"，", ", "}))
}

// paused is how long the ticket was on hold so far, by reason.
func (p *printer) paused(seconds map[string]int64) string {
	var words []string
	for _, reason := range slices.Sorted(maps.Keys(seconds)) {
		words = append(words, reason+" "+inSeconds(seconds[reason]))
	}
	return strings.Join(words, p.say(phrase{"，", ", "}))
}

// pressure is the priority and what it comes from.
func (p *printer) pressure(t *deskpb.Ticket) string {
	words := fmt.Sprintf(p.say(phrase{"%d（影响度 %d，紧急度 %d）", "%d (impact %d, urgency %d)"}),
		t.GetPriority(), t.GetImpact(), t.GetUrgency())
	if t.GetSeverity() != 0 {
		words += fmt.Sprintf(p.say(phrase{"，故障级别 %d", ", severity %d"}), t.GetSeverity())
	}
	if t.GetMajor() {
		words += p.say(phrase{"，重大故障", ", major"})
	}
	return words
}

func (p *printer) custody(t *deskpb.Ticket) string {
	return fmt.Sprintf(p.say(phrase{"%s（交接序号 %d）", "%s (custody term %d)"}), t.GetCustodianSite(), t.GetCustodyTerm())
}

func (p *printer) counts(t *deskpb.Ticket) string {
	return fmt.Sprintf(p.say(phrase{"转派 %d，重开 %d，催办 %d", "reassigned %d, reopened %d, urged %d"}),
		t.GetReassignmentCount(), t.GetReopenCount(), t.GetUrgeCount())
}

func requester(r *deskpb.Requester) string {
	words := []string{r.GetName(), r.GetUnit(), r.GetPhone(), r.GetEmail(), r.GetUser()}
	return strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), ", ")
}

func satisfaction(s *deskpb.Satisfaction) string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf("%d/5 %s", s.GetScore(), s.GetComment())
}

func (p *printer) clocks(t *deskpb.Ticket) string {
	var rows [][]string
	for _, s := range t.GetSla() {
		rows = append(rows, []string{p.name(s.GetMetric()), p.nameOf("Site", s.GetTier()), p.name(s.GetState()), p.when(s.GetDueTime())})
	}
	return new(table).layOut(rows)
}

func (p *printer) wishes(t *deskpb.Ticket) string {
	var rows [][]string
	for _, w := range t.GetWishes() {
		rows = append(rows, []string{p.when(w.GetTime()), w.GetSite(), person(t, w.GetSite(), w.GetActor()), p.name(w.GetKind()), p.name(w.GetState()),
			w.GetText(), w.GetAnswer()})
	}
	return new(table).layOut(rows)
}

// indent moves text of any number of lines in by two cells and ends it with a line break. Empty text stays empty.
func indent(s string) string {
	s = strings.TrimRight(printable(s), "\n")
	if s == "" {
		return ""
	}
	return "  " + strings.ReplaceAll(s, "\n", "\n  ") + "\n"
}
