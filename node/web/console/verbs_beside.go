package console

import (
	"context"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// sortVerbs say how the work is organised: what a ticket says, what belongs to it, and with whom it is shared.
var sortVerbs = []verb{
	{name: "classify", icon: "category", special: true, fields: classifyFields, do: classify},
	{name: "addTask", icon: "checks", fields: []verbField{
		{name: "task.kind", kind: kindChoice, required: true, choices: offerTaskKinds},
		{name: "task.title", kind: kindLine, required: true, most: lineLimit},
		{name: "task.assignee", kind: kindPerson, most: lineLimit, when: "task.kind WORK"},
		{name: "task.group", kind: kindChoice, choices: offerGroups, when: "task.kind WORK"},
		{name: "task.signers", kind: kindPeople, most: lineLimit, when: "task.kind COSIGN APPROVAL"},
		{name: "task.ordered", kind: kindTick, when: "task.kind COSIGN"},
		{name: "task.mandatory", kind: kindTick},
	}, do: addTask},
	{name: "link", icon: "link", remark: true, fields: []verbField{
		{name: "kind", kind: kindChoice, required: true, choices: offerLinkKinds},
		{name: "other", kind: kindLine, required: true, most: lineLimit},
		{name: "removed", kind: kindHidden},
	}, do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
		return api.LinkTicket(ctx, &apipb.LinkTicketRequest{
			Number: o.number, RequestId: o.request, Other: o.text("other"), Removed: o.ticked("removed"),
			Kind: deskpb.TicketLink_Kind(deskpb.TicketLink_Kind_value[o.text("kind")]),
		})
	}},
	{name: "split", icon: "arrows-split", remark: true, fields: []verbField{
		{name: "title", kind: kindLine, required: true, wide: true, most: lineLimit, present: (*deskpb.Ticket).GetTitle},
		{name: "description", kind: kindArea},
	}, do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
		return api.SplitTicket(ctx, &apipb.SplitTicketRequest{
			Number: o.number, RequestId: o.request, Title: o.text("title"), Description: o.text("description"),
		})
	}},
	{name: "merge", icon: "git-merge", grave: true, fields: []verbField{
		{name: "into", kind: kindLine, required: true, most: lineLimit}, fieldReason,
	}, do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
		return api.MergeTicket(ctx, &apipb.MergeTicketRequest{
			Number: o.number, Etag: o.etag, RequestId: o.request, Into: o.text("into"), Reason: o.text("reason"),
		})
	}},
	{name: "changeTask", icon: "checks", beside: true, fields: []verbField{
		{name: "task", kind: kindHidden},
		{name: "action", kind: kindChoice, required: true, choices: offerTaskActions},
		{name: "result", kind: kindArea},
	}, do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
		return api.ChangeTask(ctx, &apipb.ChangeTaskRequest{
			Number: o.number, Etag: o.etag, RequestId: o.request, Task: uint32(max(o.count("task"), 0)), Result: o.text("result"),
			Action: deskpb.ChangeTask_Action(deskpb.ChangeTask_Action_value[o.text("action")]),
		})
	}},
	{name: "check", icon: "list-check", beside: true, fields: []verbField{
		{name: "item", kind: kindHidden},
		{name: "done", kind: kindTick},
		{name: "result", kind: kindLine, most: lineLimit},
	}, do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
		return api.CheckTicket(ctx, &apipb.CheckTicketRequest{
			Number: o.number, Etag: o.etag, RequestId: o.request, Item: uint32(max(o.count("item"), 0)), Done: o.ticked("done"), Result: o.text("result"),
		})
	}},
}

// talkVerbs are said under the journal.
var talkVerbs = []verb{
	{name: "reply", icon: "send", key: "r", remark: true, beside: true, fields: []verbField{
		{name: "text", kind: kindArea, required: true}, {name: "fromRequester", kind: kindTick},
	}, do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
		return api.ReplyTicket(ctx, &apipb.ReplyTicketRequest{
			Number: o.number, RequestId: o.request, Text: o.text("text"), FromRequester: o.ticked("fromRequester"),
		})
	}},
	{name: "note", icon: "note", key: "n", remark: true, beside: true, fields: []verbField{{name: "text", kind: kindArea, required: true}},
		do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
			return api.NoteTicket(ctx, &apipb.NoteTicketRequest{Number: o.number, RequestId: o.request, Text: o.text("text")})
		}},
	{name: "macro", icon: "bolt", beside: true, fields: []verbField{{name: "macro", kind: kindChoice, required: true, choices: offerMacros}},
		do: func(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
			return api.RunMacro(ctx, &apipb.RunMacroRequest{Number: o.number, Etag: o.etag, RequestId: o.request, Macro: o.text("macro")})
		}},
}

func addTask(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
	task := &deskpb.Task{
		Kind: deskpb.Task_Kind(deskpb.Task_Kind_value[o.text("task.kind")]), Title: o.text("task.title"), Mandatory: o.ticked("task.mandatory"),
	}
	if task.Kind == deskpb.Task_WORK {
		task.Assignee, task.Group = o.text("task.assignee"), o.text("task.group")
	} else {
		for _, user := range o.form["task.signers"] {
			task.Signers = append(task.Signers, &deskpb.Signer{User: user})
		}
		task.Ordered = o.ticked("task.ordered") && task.Kind == deskpb.Task_COSIGN
	}
	return api.AddTask(ctx, &apipb.AddTaskRequest{Number: o.number, Etag: o.etag, RequestId: o.request, Task: task})
}
