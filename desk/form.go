package desk

import (
	"cmp"
	"fmt"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// checkForm refuses a command whose words break a limit, before anything is looked up. The refusal names the field.
func checkForm(c *deskpb.TicketCommand) error {
	if err := cmp.Or(checkAddress(c), checkRequest(c.GetRequest())); err != nil {
		return err
	}
	switch v := c.GetVerb().(type) {
	case *deskpb.TicketCommand_Create:
		return cmp.Or(checkOrigin(v.Create), checkCreate(v.Create.GetTicket()))
	case *deskpb.TicketCommand_Assign:
		return checkAssign(v.Assign)
	case *deskpb.TicketCommand_Start, *deskpb.TicketCommand_Dispatch:
		return nil
	case *deskpb.TicketCommand_Hold:
		return cmp.Or(given("reason", v.Hold.GetReason()), oneLine("reason", v.Hold.GetReason(), MaxShort),
			text("comment", v.Hold.GetComment()))
	case *deskpb.TicketCommand_Resume:
		return text("comment", v.Resume.GetComment())
	case *deskpb.TicketCommand_Note:
		return cmp.Or(given("text", v.Note.GetText()), text("text", v.Note.GetText()))
	case *deskpb.TicketCommand_Reply:
		return cmp.Or(given("text", v.Reply.GetText()), text("text", v.Reply.GetText()))
	case *deskpb.TicketCommand_Escalate:
		return text("reason", v.Escalate.GetReason())
	case *deskpb.TicketCommand_Withdraw:
		return text("reason", v.Withdraw.GetReason())
	case *deskpb.TicketCommand_Return:
		return text("reason", v.Return.GetReason())
	case *deskpb.TicketCommand_Resolve:
		return checkResolution(v.Resolve.GetResolution())
	case *deskpb.TicketCommand_Confirm:
		s := v.Confirm.GetSatisfaction()
		return cmp.Or(between("satisfaction.score", s.GetScore(), 1, 5), text("satisfaction.comment", s.GetComment()))
	case *deskpb.TicketCommand_Close:
		return text("comment", v.Close.GetComment())
	case *deskpb.TicketCommand_Reopen:
		return text("reason", v.Reopen.GetReason())
	case *deskpb.TicketCommand_Cancel:
		return text("reason", v.Cancel.GetReason())
	case *deskpb.TicketCommand_Urge:
		return text("reason", v.Urge.GetReason())
	case *deskpb.TicketCommand_Reclaim:
		return cmp.Or(given("reason", v.Reclaim.GetReason()), text("reason", v.Reclaim.GetReason()))
	case *deskpb.TicketCommand_Relocate:
		return checkSite("to", v.Relocate.GetTo())
	}
	return checkFormBeside(c)
}

// checkFormBeside is checkForm for the verbs that concern how the work is organised.
func checkFormBeside(c *deskpb.TicketCommand) error {
	switch v := c.GetVerb().(type) {
	case *deskpb.TicketCommand_Classify:
		return checkClassify(v.Classify)
	case *deskpb.TicketCommand_Claim, *deskpb.TicketCommand_Tick:
		return nil
	case *deskpb.TicketCommand_Arrive:
		return text("comment", v.Arrive.GetComment())
	case *deskpb.TicketCommand_Decline:
		return checkDecline(v.Decline)
	case *deskpb.TicketCommand_Transfer:
		return checkTransfer(v.Transfer)
	case *deskpb.TicketCommand_AddTask:
		return checkTask(v.AddTask.GetTask())
	case *deskpb.TicketCommand_ChangeTask:
		return checkTaskChange(v.ChangeTask)
	case *deskpb.TicketCommand_CheckItem:
		return checkCheck(v.CheckItem)
	case *deskpb.TicketCommand_Review:
		return checkReview(v.Review)
	case *deskpb.TicketCommand_Merge:
		return checkMerge(v.Merge)
	case *deskpb.TicketCommand_LinkTickets:
		return checkLink(v.LinkTickets)
	case *deskpb.TicketCommand_Attach:
		return checkAttachment(v.Attach.GetAttachment())
	case *deskpb.TicketCommand_RecordCallBack:
		return checkCallBack(v.RecordCallBack)
	case *deskpb.TicketCommand_Rate:
		return checkRating(v.Rate)
	case *deskpb.TicketCommand_ResolveWith:
		return checkResolution(v.ResolveWith.GetResolution())
	case *deskpb.TicketCommand_RunMacro:
		return checkMacro(v.RunMacro)
	}
	return Refuse(InvalidArgument, "UNKNOWN_VERB", "the command names no verb that this version knows; upgrade this site or ask for another verb")
}

func checkAddress(c *deskpb.TicketCommand) error {
	return cmp.Or(
		oneLine("actor.user", c.GetActor().GetUser(), MaxUser),
		oneLine("actor.address", c.GetActor().GetAddress(), MaxShort),
		oneLine("number", c.GetNumber(), MaxShort),
		oneLine("etag", c.GetEtag(), MaxShort))
}

func checkRequest(r *deskpb.RequestKey) error {
	if r.GetId() == "" {
		return nil
	}
	if n := len(r.GetBodyHash()); n != bodyHashSize {
		return RefuseField("requestId", "its body hash has %d bytes instead of %d", n, bodyHashSize)
	}
	return cmp.Or(
		oneLine("requestId", r.GetId(), MaxRequestID),
		given("requestId.method", r.GetMethod()),
		oneLine("requestId.method", r.GetMethod(), MaxShort))
}

func checkCreate(t *deskpb.Ticket) error {
	return cmp.Or(
		oneLine("ticket.title", t.GetTitle(), MaxTitle),
		text("ticket.description", t.GetDescription()),
		oneLine("ticket.category", t.GetCategory(), MaxShort),
		oneLine("ticket.application", t.GetApplication(), MaxShort),
		oneLine("ticket.applicationVersion", t.GetApplicationVersion(), MaxShort),
		oneLine("ticket.configurationItem", t.GetConfigurationItem(), MaxShort),
		oneLine("ticket.service", t.GetService(), MaxShort),
		oneLine("ticket.template", t.GetTemplate(), MaxShort),
		oneLine("ticket.coordinator", t.GetCoordinator(), MaxUser),
		checkFieldsForm(t.GetFields()),
		checkRequester(t.GetRequester()),
		checkClassification(t),
		checkList("ticket.tags", t.GetTags(), MaxTags, MaxTag),
		checkList("ticket.collaborators", t.GetCollaborators(), MaxCollaborators, MaxUser),
		oneLine("ticket.assignee", t.GetAssignee(), MaxUser),
		oneLine("ticket.group", t.GetGroup(), MaxShort))
}

func checkRequester(r *deskpb.Requester) error {
	return cmp.Or(
		oneLine("ticket.requester.name", r.GetName(), MaxShort),
		oneLine("ticket.requester.unit", r.GetUnit(), MaxShort),
		oneLine("ticket.requester.phone", r.GetPhone(), MaxShort),
		oneLine("ticket.requester.email", r.GetEmail(), MaxShort),
		oneLine("ticket.requester.user", r.GetUser(), MaxShort),
		oneLine("ticket.requester.id", r.GetId(), MaxUser),
		oneLine("ticket.requester.class", r.GetClass(), MaxShort))
}

func checkClassification(t *deskpb.Ticket) error {
	if _, known := deskpb.Ticket_Channel_name[int32(t.GetChannel())]; !known {
		return RefuseField("ticket.channel", "%d is unknown; use PHONE, PORTAL, APPLICATION, EMAIL, MONITORING or WALK_IN", t.GetChannel())
	}
	if _, known := deskpb.Ticket_Kind_name[int32(t.GetKind())]; !known {
		return RefuseField("ticket.kind", "%d is unknown; use CALL or INCIDENT", t.GetKind())
	}
	return cmp.Or(
		between("ticket.impact", t.GetImpact(), highestLevel, lowestLevel),
		between("ticket.urgency", t.GetUrgency(), highestLevel, lowestLevel),
		between("ticket.severity", t.GetSeverity(), highestLevel, lowestLevel))
}

func checkSite(field, site string) error {
	if !SiteID(site).Valid() {
		return RefuseField(field, "%q cannot name a site; give 1 to %d letters and digits", site, maxSiteID)
	}
	return nil
}

func checkList(field string, values []string, most, limit int) error {
	if len(values) > most {
		return RefuseField(field, "%d are too many; the limit is %d", len(values), most)
	}
	for i, value := range values {
		name := fmt.Sprintf("%s[%d]", field, i)
		if err := cmp.Or(given(name, value), oneLine(name, value, limit)); err != nil {
			return err
		}
	}
	return nil
}

func checkAssign(a *deskpb.Assign) error {
	if a.GetAssignee() == "" && a.GetGroup() == "" {
		return RefuseField("assignee", "neither an assignee nor a group is given; name at least one")
	}
	return cmp.Or(
		oneLine("assignee", a.GetAssignee(), MaxUser),
		oneLine("group", a.GetGroup(), MaxShort),
		text("reason", a.GetReason()))
}

func checkResolution(r *deskpb.Resolution) error {
	if r.GetCode() == "" && r.GetText() == "" {
		return RefuseField("resolution", "it is empty; give a code or a text that says what solved the ticket")
	}
	return cmp.Or(
		oneLine("resolution.code", r.GetCode(), MaxShort),
		text("resolution.text", r.GetText()),
		text("resolution.rootCause", r.GetRootCause()),
		oneLine("resolution.knowledge", r.GetKnowledge(), MaxShort))
}
