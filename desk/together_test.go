package desk

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// togetherVerbs are the verbs by which people work together, or tickets belong together.
var togetherVerbs = []string{"add task", "change task", "link", "merge", "split", "review"}

// drawTogether makes one of them up, about this ticket and any other.
func drawTogether(t *rapid.T, verb string, numbers []TicketNumber) *deskpb.TicketCommand {
	other := string(rapid.SampledFrom(numbers).Draw(t, "other"))
	switch verb {
	case "add task":
		return addTask(&deskpb.Task{
			Kind:  rapid.SampledFrom([]deskpb.Task_Kind{deskpb.Task_WORK, deskpb.Task_COSIGN, deskpb.Task_APPROVAL}).Draw(t, "kind"),
			Title: "核对数据", Mandatory: rapid.Bool().Draw(t, "mandatory"), Ordered: rapid.Bool().Draw(t, "ordered"),
			Signers: rapid.SampledFrom([][]*deskpb.Signer{nil, signers("lin"), signers("lin", "wang", "sun")}).Draw(t, "signers"),
		})
	case "change task":
		action := deskpb.ChangeTask_Action(rapid.IntRange(1, 4).Draw(t, "action"))
		return changeTask(rapid.Uint32Range(1, 3).Draw(t, "task"), action, "好")
	case "link":
		return linkTo(rapid.SampledFrom(spokenKinds).Draw(t, "kind of link"), other, rapid.IntRange(0, 2).Draw(t, "removed") == 0)
	case "merge":
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Merge{Merge: &deskpb.Merge{Into: other, Reason: "同一故障"}}}
	case "split":
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{
			Origin: &deskpb.TicketLink{Kind: rapid.SampledFrom(originKinds).Draw(t, "origin"), Number: other},
		}}}
	case "review":
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Review{Review: &deskpb.Review{Text: "双路供电"}}}
	}
	return nil
}

func addTask(task *deskpb.Task) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_AddTask{AddTask: &deskpb.AddTask{Task: task}}}
}

func changeTask(id uint32, action deskpb.ChangeTask_Action, result string) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_ChangeTask{ChangeTask: &deskpb.ChangeTask{Task: id, Action: action, Result: result}}}
}

func signers(users ...string) (list []*deskpb.Signer) {
	for _, user := range users {
		list = append(list, &deskpb.Signer{User: user})
	}
	return list
}

func linkTo(kind deskpb.TicketLink_Kind, number string, removed bool) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_LinkTickets{LinkTickets: &deskpb.LinkTickets{
		Link: &deskpb.TicketLink{Kind: kind, Number: number}, Removed: removed,
	}}}
}

func mergeInto(number TicketNumber) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Merge{Merge: &deskpb.Merge{Into: string(number), Reason: "同一故障"}}}
}

func splitFrom(number TicketNumber) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{
		Origin: &deskpb.TicketLink{Kind: deskpb.TicketLink_SPLIT_FROM, Number: string(number)},
	}}}
}

// desktop is a tree in which a test has people act one after the other and gives up at the first surprise.
type desktop struct {
	*testing.T
	tree *tree
}

func newDesktop(t *testing.T) desktop { return desktop{t, newTree()} }

// open opens a ticket.
func (d desktop) open(site SiteID, title string) TicketNumber {
	d.Helper()
	return TicketNumber(d.do(site, "", "lin", createCommand(title)).GetNumber())
}

// do has a person do something that must succeed.
func (d desktop) do(site SiteID, number TicketNumber, user string, command *deskpb.TicketCommand) *deskpb.Ticket {
	d.Helper()
	decision, err := d.tree.do(site, by(agent(user), number, command))
	if err != nil {
		d.Fatalf("%s of %s by %s at %s: %v", verbName(command), number, user, site, err)
	}
	return decision.Record.GetTicket()
}

// refused has a person try something that must be refused for a reason.
func (d desktop) refused(site SiteID, number TicketNumber, user string, command *deskpb.TicketCommand, want string) {
	d.Helper()
	if _, err := d.tree.do(site, by(agent(user), number, command)); reason(err) != want {
		d.Fatalf("%s of %s by %s at %s comes to %q (%v), want %q", verbName(command), number, user, site, reason(err), err, want)
	}
}

func (d desktop) drain() {
	d.Helper()
	if err := d.tree.drain(); err != nil {
		d.Fatal(err)
	}
}

// at returns the ticket as a site has it.
func (d desktop) at(site SiteID, number TicketNumber) *deskpb.Ticket {
	return d.tree.office(site).records[number].GetTicket()
}

// links prints a ticket's links at a site.
func (d desktop) links(site SiteID, number TicketNumber) string {
	var words []string
	for _, link := range d.at(site, number).GetLinks() {
		words = append(words, link.GetKind().String()+" "+link.GetNumber())
	}
	return fmt.Sprint(words)
}

func TestCosigningIsDecidedByItsQuorum(t *testing.T) {
	const agree, refuse = deskpb.ChangeTask_AGREE, deskpb.ChangeTask_REFUSE
	type answer struct {
		user   string
		action deskpb.ChangeTask_Action
		want   string // reason of the refusal, or empty
	}
	for name, c := range map[string]struct {
		task    *deskpb.Task
		answers []answer
		want    deskpb.Task_State
	}{
		"all agree": {&deskpb.Task{Kind: deskpb.Task_COSIGN, Signers: signers("a", "b")},
			[]answer{{"b", agree, ""}, {"a", agree, ""}}, deskpb.Task_DONE},
		"one of all is missing": {&deskpb.Task{Kind: deskpb.Task_COSIGN, Signers: signers("a", "b")},
			[]answer{{"b", agree, ""}}, deskpb.Task_OPEN},
		"one of all refuses": {&deskpb.Task{Kind: deskpb.Task_COSIGN, Signers: signers("a", "b")},
			[]answer{{"b", refuse, ""}, {"a", agree, "TASK_ENDED"}}, deskpb.Task_REJECTED},
		"two of three suffice": {&deskpb.Task{Kind: deskpb.Task_COSIGN, Signers: signers("a", "b", "c"), Quorum: 2},
			[]answer{{"c", agree, ""}, {"a", refuse, ""}, {"b", agree, ""}}, deskpb.Task_DONE},
		"one refusal too many": {&deskpb.Task{Kind: deskpb.Task_COSIGN, Signers: signers("a", "b", "c"), Quorum: 2},
			[]answer{{"c", refuse, ""}, {"a", refuse, ""}}, deskpb.Task_REJECTED},
		"in order": {&deskpb.Task{Kind: deskpb.Task_COSIGN, Signers: signers("a", "b"), Ordered: true},
			[]answer{{"b", agree, "NOT_YOUR_TURN"}, {"a", agree, ""}, {"a", agree, "ALREADY_SIGNED"}, {"b", agree, ""}}, deskpb.Task_DONE},
		"a stranger": {&deskpb.Task{Kind: deskpb.Task_COSIGN, Signers: signers("a")},
			[]answer{{"z", agree, "PERMISSION_DENIED"}}, deskpb.Task_OPEN},
		"any approver": {&deskpb.Task{Kind: deskpb.Task_APPROVAL, Signers: signers("a", "b")},
			[]answer{{"b", agree, ""}}, deskpb.Task_DONE},
		"any approver refuses": {&deskpb.Task{Kind: deskpb.Task_APPROVAL, Signers: signers("a", "b")},
			[]answer{{"b", refuse, ""}}, deskpb.Task_REJECTED},
		"the one approver": {&deskpb.Task{Kind: deskpb.Task_APPROVAL, Assignee: "a"},
			[]answer{{"a", agree, ""}}, deskpb.Task_DONE},
		"work is not signed": {&deskpb.Task{Kind: deskpb.Task_WORK},
			[]answer{{"a", agree, "TASK_IS_WORK"}, {"a", deskpb.ChangeTask_FINISH, ""}}, deskpb.Task_DONE},
		"signing is not finished": {&deskpb.Task{Kind: deskpb.Task_COSIGN, Signers: signers("a")},
			[]answer{{"a", deskpb.ChangeTask_FINISH, "TASK_IS_SIGNED"}}, deskpb.Task_OPEN},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesktop(t)
			number := d.open(county, "核对方案")
			c.task.Title = "会签"
			d.do(county, number, "lin", addTask(c.task))
			for _, a := range c.answers {
				if a.want != "" {
					d.refused(county, number, a.user, changeTask(1, a.action, "意见"), a.want)
					continue
				}
				d.do(county, number, a.user, changeTask(1, a.action, "意见"))
			}
			task := d.at(county, number).GetTasks()[0]
			if task.GetState() != c.want || (task.GetEndTime() != nil) != (c.want != deskpb.Task_OPEN) {
				t.Errorf("the task is %s, ended %v, want %s", task.GetState(), task.GetEndTime(), c.want)
			}
			d.drain()
			if err := d.tree.agree(number); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTasksThatCannotBe(t *testing.T) {
	for name, c := range map[string]struct {
		task  *deskpb.Task
		field string
	}{
		"no title":          {&deskpb.Task{Kind: deskpb.Task_WORK}, "task.title"},
		"work to be signed": {&deskpb.Task{Title: "x", Signers: signers("a")}, "task.signers"},
		"nobody signs":      {&deskpb.Task{Title: "x", Kind: deskpb.Task_COSIGN}, "task.signers"},
		"signed twice":      {&deskpb.Task{Title: "x", Kind: deskpb.Task_COSIGN, Signers: signers("a", "a")}, "task.signers[1].user"},
		"signed by no name": {&deskpb.Task{Title: "x", Kind: deskpb.Task_COSIGN, Signers: signers("a", " ")}, "task.signers[1].user"},
		"too many agree":    {&deskpb.Task{Title: "x", Kind: deskpb.Task_COSIGN, Signers: signers("a"), Quorum: 2}, "task.quorum"},
		"no approver":       {&deskpb.Task{Title: "x", Kind: deskpb.Task_APPROVAL}, "task.signers"},
		"another kind":      {&deskpb.Task{Title: "x", Kind: 9}, "task.kind"},
	} {
		t.Run(name, func(t *testing.T) {
			err := checkForm(addTask(c.task))
			if refusal, ok := err.(*Refusal); !ok || refusal.Field != c.field {
				t.Errorf("it comes to %v, want the field %s refused", err, c.field)
			}
		})
	}
}

func TestAMandatoryTaskKeepsTheTicketOpen(t *testing.T) {
	d := newDesktop(t)
	number := d.open(county, "数据核对")
	d.do(county, number, "lin", addTask(&deskpb.Task{Title: "核对", Mandatory: true}))
	d.do(county, number, "lin", addTask(&deskpb.Task{Title: "归档"}))
	d.refused(county, number, "wang", resolveCommand("已核对"), "OPEN_TASKS")
	d.refused(county, number, "wang", changeTask(1, deskpb.ChangeTask_CANCEL, "不需要"), "PERMISSION_DENIED")
	d.do(county, number, "wang", changeTask(1, deskpb.ChangeTask_FINISH, "一致"))
	d.refused(county, number, "wang", changeTask(3, deskpb.ChangeTask_FINISH, ""), "TASK_NOT_FOUND")
	if ticket := d.do(county, number, "wang", resolveCommand("已核对")); ticket.GetState() != deskpb.Ticket_RESOLVED {
		t.Errorf("the ticket is %s after its mandatory task was finished", ticket.GetState())
	}
}

func TestASignerIsAskedWhereTheTaskWasAdded(t *testing.T) {
	d := newDesktop(t)
	number := d.open(county, "方案")
	d.do(county, number, "lin", addTask(&deskpb.Task{Title: "会签", Kind: deskpb.Task_COSIGN, Signers: signers("wang")}))
	d.do(county, number, "lin", escalateCommand("需市级"))
	d.drain()
	d.refused(city, number, "wang", changeTask(1, deskpb.ChangeTask_AGREE, ""), "SIGNED_ELSEWHERE")
}

func TestAStepThatNeedsApprovalAsksForIt(t *testing.T) {
	d := newDesktop(t)
	rules := proto.CloneOf(policy.Default())
	rules.Approvals = []*deskpb.ApprovalStep{{Name: "领导审批", Step: stepResolve, Approvers: []string{"chief", "deputy"}}}
	d.tree.office(county).policy = rules
	number := d.open(county, "停机方案")

	asked := d.do(county, number, "lin", resolveCommand("停机"))
	if asked.GetState() == deskpb.Ticket_RESOLVED || len(asked.GetTasks()) != 1 || asked.GetTasks()[0].GetStep() != stepResolve {
		t.Fatalf("the first attempt leaves the ticket %s with tasks %v", asked.GetState(), asked.GetTasks())
	}
	d.refused(county, number, "lin", resolveCommand("停机"), "APPROVAL_REQUIRED")
	d.refused(county, number, "lin", changeTask(1, deskpb.ChangeTask_AGREE, ""), "PERMISSION_DENIED")
	d.do(county, number, "deputy", changeTask(1, deskpb.ChangeTask_REFUSE, "时机不对"))
	if again := d.do(county, number, "lin", resolveCommand("停机")); len(again.GetTasks()) != 2 {
		t.Fatalf("after a refusal the next attempt asks %d times", len(again.GetTasks()))
	}
	d.do(county, number, "chief", changeTask(2, deskpb.ChangeTask_AGREE, "同意"))
	if done := d.do(county, number, "lin", resolveCommand("停机")); done.GetState() != deskpb.Ticket_RESOLVED {
		t.Errorf("after the approval the ticket is %s", done.GetState())
	}
}

func TestATaskThatAPersonNamesLikeAnApprovalIsNone(t *testing.T) {
	d := newDesktop(t)
	rules := proto.CloneOf(policy.Default())
	rules.Approvals = []*deskpb.ApprovalStep{{Name: "领导审批", Step: stepEscalate, Approvers: []string{"chief"}}}
	d.tree.office(county).policy = rules
	number := d.open(county, "升级")
	d.do(county, number, "lin", addTask(&deskpb.Task{Title: "领导审批", Kind: deskpb.Task_APPROVAL, Step: stepEscalate, Signers: signers("lin")}))
	d.do(county, number, "lin", changeTask(1, deskpb.ChangeTask_AGREE, ""))
	d.do(county, number, "lin", escalateCommand("升级"))
	d.refused(county, number, "lin", escalateCommand("升级"), "APPROVAL_REQUIRED")
}

func TestAMajorIncidentIsReviewedBeforeItIsClosed(t *testing.T) {
	d := newDesktop(t)
	create := createCommand("全省中断")
	create.GetCreate().GetTicket().Major = true
	number := TicketNumber(d.do(county, "", "lin", create).GetNumber())
	review := &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Review{Review: &deskpb.Review{Text: "双路供电"}}}
	d.do(county, number, "lin", resolveCommand("恢复供电"))
	d.drain()
	d.refused(county, number, "lin", sampleCommand("close"), "REVIEW_REQUIRED")
	d.refused(county, number, "lin", sampleCommand("confirm"), "REVIEW_REQUIRED")
	if ticket := d.do(county, number, "lin", review); ticket.GetReview() != "双路供电" {
		t.Errorf("the review is %q", ticket.GetReview())
	}
	d.do(county, number, "lin", sampleCommand("close"))
	d.refused(county, d.open(county, "鼠标"), "lin", review, "NOT_MAJOR")
}

func TestLikeness(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int32
	}{
		{"打印机卡纸", "打印机卡纸", 100},
		{"打印机卡纸", "打印机 卡纸!", 100},
		{"Printer", "PRINTER", 100},
		{"打印机卡纸", "打印机不打印", 44}, // 打印 印机 of 4 and 5 pairs
		{"打印机", "网络中断", 0},
		{"", "", 0},
		{"啊", "啊", 100},
		{"啊", "啊呀", 0},
	} {
		if got := Likeness(c.a, c.b); got != c.want {
			t.Errorf("%q and %q share %d, want %d", c.a, c.b, got, c.want)
		}
		if Likeness(c.a, c.b) != Likeness(c.b, c.a) {
			t.Errorf("%q is like %q otherwise than the other way round", c.a, c.b)
		}
	}
}
