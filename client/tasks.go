package client

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// taskCommand holds what people do together on a ticket.
func (c *console) taskCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "task", Short: "协同: sub-tasks 子任务, co-signing 会签 and approval 审批 on a ticket",
		Args: cobra.ArbitraryArgs, RunE: NeedsCommand}
	cmd.AddCommand(
		c.addTask(),
		c.changeTask("finish", "完成: the work of a task is done", deskpb.ChangeTask_FINISH),
		c.changeTask("agree", "同意: sign a co-signing or an approval", deskpb.ChangeTask_AGREE),
		c.changeTask("refuse", "不同意: refuse to sign", deskpb.ChangeTask_REFUSE),
		c.changeTask("cancel", "取消: give a task up", deskpb.ChangeTask_CANCEL),
	)
	return cmd
}

func (c *console) addTask() *cobra.Command {
	task := &deskpb.Task{}
	q := &apipb.AddTaskRequest{Task: task}
	var signers []string
	cmd := &cobra.Command{Use: "add NUMBER TITLE", Short: "添加: ask others for a part of the work, or for their agreement",
		Args: takes("NUMBER", "TITLE")}
	f := cmd.Flags()
	kind := enumFlag(&task.Kind)
	f.Var(kind, "kind", "what is asked for (work): "+kind.choices())
	f.StringVar(&task.Group, "group", "", "group that shall do it")
	f.StringVar(&task.Assignee, "assignee", "", "person who shall do it, or approve it, by user name")
	f.BoolVar(&task.Mandatory, "mandatory", false, "the ticket is not resolved while it is open")
	f.StringArrayVar(&signers, "signer", nil, "person who has to sign, by user name; may be given again")
	f.BoolVar(&task.Ordered, "ordered", false, "they sign one after the other, in the order given")
	f.Uint32Var(&task.Quorum, "quorum", 0, "how many of them have to agree (all)")
	return c.changes(cmd, &q.Etag, &q.RequestId, func(ctx context.Context, node apipb.TicketsClient, args []string) (*deskpb.Ticket, error) {
		q.Number, task.Title = args[0], args[1]
		for _, signer := range signers {
			task.Signers = append(task.Signers, &deskpb.Signer{User: signer})
		}
		return node.AddTask(ctx, q)
	})
}

func (c *console) changeTask(name, short string, action deskpb.ChangeTask_Action) *cobra.Command {
	q := &apipb.ChangeTaskRequest{Action: action}
	cmd := &cobra.Command{Use: name + " NUMBER TASK", Short: short, Args: takes("NUMBER", "TASK")}
	cmd.Flags().StringVar(&q.Result, "result", "", "what came of it, in words")
	return c.changes(cmd, &q.Etag, &q.RequestId, func(ctx context.Context, node apipb.TicketsClient, args []string) (*deskpb.Ticket, error) {
		id, err := strconv.ParseUint(args[1], 10, 32)
		if err != nil || id == 0 {
			return nil, Usage("TASK is %s: give the task's number as tierdesk ticket show %s has it, from 1", args[1], args[0])
		}
		q.Number, q.Task = args[0], uint32(id)
		return node.ChangeTask(ctx, q)
	})
}

// changes completes a command that changes a ticket: with the flags that every change has, and the ticket as its answer.
func (c *console) changes(cmd *cobra.Command, etag, requestID *string,
	change func(ctx context.Context, node apipb.TicketsClient, args []string) (*deskpb.Ticket, error)) *cobra.Command {
	cmd.Flags().StringVar(etag, "etag", "", "only if the ticket is still the one with this etag")
	requestIDFlag(cmd, requestID)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		nameRequest(requestID)
		ticket, err := change(ctx, node.tickets, args)
		if err != nil {
			return err
		}
		return out.answer(ticket, func() string { return out.summary(ticket) })
	})
	return cmd
}

// tasks are a ticket's tasks, one a line; empty when it has none.
func (p *printer) tasks(t *deskpb.Ticket) string {
	var rows [][]string
	for _, task := range t.GetTasks() {
		state := p.name(task.GetState())
		if task.GetMandatory() && task.GetState() == deskpb.Task_OPEN {
			state += p.say(phrase{"（必办）", " (mandatory)"})
		}
		rows = append(rows, []string{fmt.Sprint(task.GetId()), p.name(task.GetKind()), state, task.GetTitle(), p.doers(t, task), task.GetResult()})
	}
	return new(table).layOut(rows)
}

// doers says who does a task, or who signs it and what they said.
func (p *printer) doers(t *deskpb.Ticket, task *deskpb.Task) string {
	var words []string
	for _, name := range []string{task.GetGroup(), person(t, task.GetSite(), task.GetAssignee())} {
		if name != "" {
			words = append(words, name)
		}
	}
	for _, signer := range task.GetSigners() {
		words = append(words, fmt.Sprintf("%s %s", person(t, task.GetSite(), signer.GetUser()), p.name(signer.GetAnswer())))
	}
	return strings.Join(words, ", ")
}
