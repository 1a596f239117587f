package desk

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// Steps before which a policy may ask for approvals.
const (
	stepEscalate = "escalate"
	stepResolve  = "resolve"
	stepClose    = "close"
)

// approved tells whether the approvals that the policy asks for before a step were given. The first attempt at the step
// asks for them: it adds the tasks instead of taking the step. While one waits for its answer the step is refused; after
// a refusal the next attempt asks again. An approval holds as long as the ticket lives, at the site that asked for it.
func (w *writer) approved(step string) (bool, error) {
	rules, err := w.policy()
	if err != nil {
		return false, err
	}
	var waiting []string
	var missing []*deskpb.ApprovalStep
	for _, approval := range policy.Approvals(rules, step, w.ticket()) {
		task := w.approval(approval)
		switch {
		case task.GetState() == deskpb.Task_DONE:
		case task != nil && task.GetState() == deskpb.Task_OPEN:
			waiting = append(waiting, fmt.Sprintf("%s by %s", taskName(task), signerNames(task)))
		case len(approval.GetApprovers()) > 0:
			missing = append(missing, approval)
		}
	}
	if len(waiting) > 0 {
		return false, Refuse(FailedPrecondition, "APPROVAL_REQUIRED", "ticket %s needs approval before %s: %s; wait for it, then repeat this",
			w.number(), step, strings.Join(waiting, "; "))
	}
	for _, approval := range missing {
		if err := w.askApproval(approval); err != nil {
			return false, err
		}
	}
	return len(missing) == 0, nil
}

// approval returns the latest task that asks for the approval at this site, nil when it was not asked for.
func (w *writer) approval(approval *deskpb.ApprovalStep) *deskpb.Task {
	for _, task := range slices.Backward(w.ticket().GetTasks()) {
		if task.GetStep() == approval.GetStep() && task.GetTitle() == approval.GetName() && task.GetSite() == string(w.here.Site) {
			return task
		}
	}
	return nil
}

// askApproval adds the task that asks for an approval; any one of the approvers decides.
func (w *writer) askApproval(approval *deskpb.ApprovalStep) error {
	task := &deskpb.Task{Kind: deskpb.Task_APPROVAL, Title: approval.GetName(), Step: approval.GetStep()}
	for _, approver := range approval.GetApprovers() {
		task.Signers = append(task.Signers, &deskpb.Signer{User: approver})
	}
	return w.giveTask(task)
}

func checkReview(v *deskpb.Review) error {
	return cmp.Or(given("text", v.GetText()), text("text", v.GetText()))
}

// review writes down what was learnt from a major incident.
func (w *writer) review(v *deskpb.Review) error {
	switch t := w.ticket(); {
	case !t.GetMajor():
		return Refuse(FailedPrecondition, "NOT_MAJOR", "ticket %s is no major incident; leave a note instead", w.number())
	case t.GetState() == deskpb.Ticket_CANCELED:
		return Refuse(FailedPrecondition, "WRONG_STATE", "ticket %s is CANCELED; there is nothing to look back on", w.number())
	}
	return w.custodial(&deskpb.Event{Type: deskpb.Event_REVIEWED, Body: &deskpb.Body{Text: v.GetText()}})
}

// needReview refuses to close a major incident that nobody has looked back on, where the policy asks for that.
func (w *writer) needReview() error {
	missing, err := w.unreviewed()
	if err != nil || !missing {
		return err
	}
	return Refuse(FailedPrecondition, "REVIEW_REQUIRED", "ticket %s was a major incident; write down what was learnt (review) before it is closed", w.number())
}

// unreviewed tells whether a review is missing that the policy asks for before a major incident is closed.
func (w *writer) unreviewed() (bool, error) {
	t := w.ticket()
	if !t.GetMajor() || strings.TrimSpace(t.GetReview()) != "" {
		return false, nil
	}
	rules, err := w.policy()
	if err != nil {
		return false, err
	}
	return rules.GetClosing().GetReviewMajor(), nil
}
