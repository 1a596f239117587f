package desk

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

const (
	maxTasks = 50 // of a ticket
	// MaxSigners bounds those who sign one task.
	MaxSigners = 20
)

func checkTask(t *deskpb.Task) error {
	err := cmp.Or(
		given("task.title", t.GetTitle()),
		oneLine("task.title", t.GetTitle(), MaxTitle),
		oneLine("task.group", t.GetGroup(), MaxShort),
		oneLine("task.assignee", t.GetAssignee(), MaxUser))
	if err != nil {
		return err
	}
	switch t.GetKind() {
	case deskpb.Task_KIND_UNSPECIFIED, deskpb.Task_WORK:
		if len(t.GetSigners()) > 0 {
			return RefuseField("task.signers", "work is signed by nobody; ask for a COSIGN or an APPROVAL, or leave the signers out")
		}
		return nil
	case deskpb.Task_COSIGN, deskpb.Task_APPROVAL:
		return checkSigners(t)
	}
	return RefuseField("task.kind", "%d is unknown; use WORK, COSIGN or APPROVAL", t.GetKind())
}

// checkSigners refuses a co-signing or an approval that nobody, or somebody twice, would have to sign.
func checkSigners(t *deskpb.Task) error {
	signers := signersOf(t)
	switch n := len(signers); {
	case n == 0:
		return RefuseField("task.signers", "nobody is named; say who has to sign")
	case n > MaxSigners:
		return RefuseField("task.signers", "%d are too many; the limit is %d", n, MaxSigners)
	case t.GetQuorum() > uint32(n):
		return RefuseField("task.quorum", "%d of %d signers cannot agree; give at most %[2]d, or 0 for all", t.GetQuorum(), n)
	}
	for i, signer := range signers {
		field := fmt.Sprintf("task.signers[%d].user", i)
		if err := cmp.Or(given(field, signer.GetUser()), oneLine(field, signer.GetUser(), MaxUser)); err != nil {
			return err
		}
		if slices.ContainsFunc(signers[:i], func(s *deskpb.Signer) bool { return s.GetUser() == signer.GetUser() }) {
			return RefuseField(field, "%q is named twice; everybody signs once", signer.GetUser())
		}
	}
	return nil
}

// signersOf returns who has to sign: an approval that names only an assignee is theirs to give.
func signersOf(t *deskpb.Task) []*deskpb.Signer {
	if t.GetKind() == deskpb.Task_APPROVAL && len(t.GetSigners()) == 0 && t.GetAssignee() != "" {
		return []*deskpb.Signer{{User: t.GetAssignee()}}
	}
	return t.GetSigners()
}

func checkTaskChange(v *deskpb.ChangeTask) error {
	if _, known := deskpb.ChangeTask_Action_name[int32(v.GetAction())]; !known || v.GetAction() == deskpb.ChangeTask_ACTION_UNSPECIFIED {
		return RefuseField("action", "%s is none; use FINISH, AGREE, REFUSE or CANCEL", v.GetAction())
	}
	return text("result", v.GetResult())
}

// addTask adds work, a co-signing or an approval beside what the assignee does.
func (w *writer) addTask(asked *deskpb.Task) error {
	if err := w.need(TicketAddTask); err != nil {
		return err
	}
	task := &deskpb.Task{
		Kind:      cmp.Or(asked.GetKind(), deskpb.Task_WORK),
		Title:     asked.GetTitle(),
		Mandatory: asked.GetMandatory(),
	}
	if task.Kind == deskpb.Task_WORK {
		task.Group, task.Assignee = asked.GetGroup(), asked.GetAssignee()
		return w.giveTask(task)
	}
	for _, signer := range signersOf(asked) {
		task.Signers = append(task.Signers, &deskpb.Signer{User: signer.GetUser()})
	}
	if task.Kind == deskpb.Task_COSIGN {
		task.Ordered, task.Quorum = asked.GetOrdered(), asked.GetQuorum()
	}
	return w.giveTask(task)
}

// giveTask writes a new task down, with what the site itself says of it.
func (w *writer) giveTask(task *deskpb.Task) error {
	tasks := w.ticket().GetTasks()
	if len(tasks) >= maxTasks {
		return Refuse(FailedPrecondition, "TOO_MANY_TASKS", "ticket %s has %d tasks, which is the limit; split the ticket", w.number(), len(tasks))
	}
	task.Id = 1
	if n := len(tasks); n > 0 {
		task.Id = tasks[n-1].GetId() + 1
	}
	task.OpenTime = timestamp(w.nextTime())
	task.Actor, task.Site = w.actor, string(w.here.Site)
	return w.custodial(&deskpb.Event{Type: deskpb.Event_TASK_ADDED, Body: &deskpb.Body{Text: task.GetTitle(), Task: task}})
}

// nextTime is when the next custodial event of the decision happens, in microseconds since 1970.
func (w *writer) nextTime() int64 { return max(w.at.Time, w.record.GetHeadTime()+1) }

// changeTask finishes a task, signs it, or gives it up.
func (w *writer) changeTask(v *deskpb.ChangeTask) error {
	if err := w.need(TicketChangeTask); err != nil {
		return err
	}
	present := taskNumbered(w.ticket(), v.GetTask())
	switch {
	case present == nil:
		return Refuse(NotFound, "TASK_NOT_FOUND", "ticket %s has no task %d; look at the ticket for the numbers of its tasks", w.number(), v.GetTask())
	case present.GetState() != deskpb.Task_OPEN:
		return Refuse(FailedPrecondition, "TASK_ENDED", "%s of ticket %s is %s already; add another task", taskName(present), w.number(), present.GetState())
	}
	task := proto.CloneOf(present)
	switch v.GetAction() {
	case deskpb.ChangeTask_FINISH:
		if task.GetKind() != deskpb.Task_WORK {
			return Refuse(FailedPrecondition, "TASK_IS_SIGNED", "%s of ticket %s is not finished but signed; agree or refuse", taskName(task), w.number())
		}
		w.endTask(task, deskpb.Task_DONE, v.GetResult())
	case deskpb.ChangeTask_CANCEL:
		w.endTask(task, deskpb.Task_CANCELED, v.GetResult())
	default:
		if err := w.sign(task, v); err != nil {
			return err
		}
	}
	return w.custodial(&deskpb.Event{Type: deskpb.Event_TASK_CHANGED, Body: &deskpb.Body{Text: v.GetResult(), Task: task}})
}

// sign writes the actor's answer down and ends the task when it decides it.
func (w *writer) sign(task *deskpb.Task, v *deskpb.ChangeTask) error {
	signer, err := w.signer(task)
	if err != nil {
		return err
	}
	signer.Answer = deskpb.Signer_AGREED
	if v.GetAction() == deskpb.ChangeTask_REFUSE {
		signer.Answer = deskpb.Signer_REFUSED
	}
	signer.Comment, signer.Time = v.GetResult(), timestamp(w.nextTime())
	if state := outcome(task); state != deskpb.Task_OPEN {
		w.endTask(task, state, v.GetResult())
	}
	return nil
}

// signer returns the actor's place among those who have to sign, or refuses.
func (w *writer) signer(task *deskpb.Task) (*deskpb.Signer, error) {
	signers := task.GetSigners()
	i := slices.IndexFunc(signers, func(s *deskpb.Signer) bool { return s.GetUser() == w.actor })
	first := slices.IndexFunc(signers, func(s *deskpb.Signer) bool { return s.GetAnswer() == deskpb.Signer_PENDING })
	switch {
	case task.GetKind() == deskpb.Task_WORK:
		return nil, Refuse(FailedPrecondition, "TASK_IS_WORK", "%s of ticket %s is not signed but done; finish it", taskName(task), w.number())
	case task.GetSite() != string(w.here.Site):
		return nil, Refuse(FailedPrecondition, "SIGNED_ELSEWHERE", "%s of ticket %s asks people of %s; return the ticket there, or cancel the task",
			taskName(task), w.number(), task.GetSite())
	case i < 0:
		return nil, denied("%s of ticket %s is signed by %s, not by %q", taskName(task), w.number(), signerNames(task), w.actor)
	case signers[i].GetAnswer() != deskpb.Signer_PENDING:
		return nil, Refuse(FailedPrecondition, "ALREADY_SIGNED", "%q has %s in %s of ticket %s already", w.actor, signers[i].GetAnswer(),
			taskName(task), w.number())
	case task.GetOrdered() && i != first:
		return nil, Refuse(FailedPrecondition, "NOT_YOUR_TURN", "%s of ticket %s is signed in order, and %q is next; wait for them",
			taskName(task), w.number(), signers[first].GetUser())
	}
	return signers[i], nil
}

// outcome is what the answers so far come to. A co-signing is done when a quorum agreed and rejected when it cannot agree
// any more; of an approval the first answer decides.
func outcome(task *deskpb.Task) deskpb.Task_State {
	agreed, refused := 0, 0
	for _, signer := range task.GetSigners() {
		switch signer.GetAnswer() {
		case deskpb.Signer_AGREED:
			agreed++
		case deskpb.Signer_REFUSED:
			refused++
		}
	}
	quorum, missable := int(task.GetQuorum()), 0
	if quorum == 0 {
		quorum = len(task.GetSigners())
	}
	if task.GetKind() == deskpb.Task_APPROVAL {
		quorum = 1
	} else {
		missable = len(task.GetSigners()) - quorum
	}
	switch {
	case agreed >= quorum:
		return deskpb.Task_DONE
	case refused > missable:
		return deskpb.Task_REJECTED
	}
	return deskpb.Task_OPEN
}

func (w *writer) endTask(task *deskpb.Task, state deskpb.Task_State, result string) {
	task.State, task.Result, task.EndTime = state, result, timestamp(w.nextTime())
}

// needTasksEnded refuses to resolve the ticket while a mandatory task is open.
func (w *writer) needTasksEnded() error {
	if open := openTasks(w.ticket()); open != "" {
		return Refuse(FailedPrecondition, "OPEN_TASKS", "ticket %s is not resolved while mandatory tasks are open: %s; finish or cancel them",
			w.number(), open)
	}
	return nil
}

// openTasks names the mandatory tasks that are open, empty for none.
func openTasks(t *deskpb.Ticket) string {
	var names []string
	for _, task := range t.GetTasks() {
		if task.GetMandatory() && task.GetState() == deskpb.Task_OPEN {
			names = append(names, taskName(task))
		}
	}
	return strings.Join(names, ", ")
}

// taskNumbered returns the task with the id, nil when there is none.
func taskNumbered(t *deskpb.Ticket, id uint32) *deskpb.Task {
	for _, task := range t.GetTasks() {
		if task.GetId() == id {
			return task
		}
	}
	return nil
}

func taskName(task *deskpb.Task) string {
	return fmt.Sprintf("task %d %q", task.GetId(), task.GetTitle())
}

func signerNames(task *deskpb.Task) string {
	names := make([]string, len(task.GetSigners()))
	for i, signer := range task.GetSigners() {
		names[i] = signer.GetUser()
	}
	return strings.Join(names, ", ")
}

// foldTask puts the task that the event carries into the place of the one with its id, or behind the others.
func foldTask(r *deskpb.Record, e *deskpb.Event) {
	task := e.GetBody().GetTask()
	if task == nil {
		return
	}
	task = proto.CloneOf(task)
	tasks := r.Ticket.GetTasks()
	i, found := slices.BinarySearchFunc(tasks, task.GetId(), func(t *deskpb.Task, id uint32) int { return cmp.Compare(t.GetId(), id) })
	if found {
		tasks[i] = task
		return
	}
	r.Ticket.Tasks = slices.Insert(tasks, i, task)
}
