package api

import (
	"maps"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// asked is what a call of a method asks for.
type asked struct {
	verb desk.Verb
	// own is what it asks for when it is about the caller: another verb, for methods on people.
	own desk.Verb
}

// methods are the API's methods by their full names: each asks for exactly one verb.
type methods map[string]asked

func newMethods() methods {
	all := methods{}
	for _, group := range []map[string]desk.Verb{ticketReads(), ticketVerbs(), ticketVerbsBeside(), deskMethods(), siteMethods()} {
		for method, verb := range group {
			all[method] = asked{verb: verb}
		}
	}
	maps.Copy(all, peopleMethods())
	return all
}

// verb is what a call with the request asks for; the request is nil of a method that takes a stream. A method that is not in the
// table asks for a verb that nobody has.
func (m methods) verb(actor *deskpb.Actor, method string, request any) desk.Verb {
	rule := m[method]
	if rule.own != "" && concerns(request, actor.GetUser()) {
		return rule.own
	}
	return rule.verb
}

// open tells whether a method is for callers who are not signed in: they bring a password, or the secret of a link.
func (m methods) open(method string) bool {
	return m[method].verb.NeedsNoSignIn()
}

// concerns tells whether a request on a person is about the user; one that names nobody is about its caller.
func concerns(request any, user string) bool {
	about := personOf(request)
	return about == "" || about == user
}

// personOf is the person that a request names.
func personOf(request any) string {
	switch named := request.(type) {
	case interface{ GetUser() string }:
		return named.GetUser()
	case interface{ GetName() string }:
		return named.GetName()
	}
	return ""
}

// objectOf is what a request is about, for the audit log: a ticket's number, or a name.
func objectOf(request any) string {
	switch named := request.(type) {
	case interface{ GetNumber() string }:
		return named.GetNumber()
	case interface{ GetId() string }:
		return named.GetId()
	case interface{ GetSite() string }:
		return named.GetSite()
	case interface{ GetNode() string }:
		return named.GetNode()
	}
	return personOf(request)
}

func peopleMethods() methods {
	return methods{
		apipb.Sessions_CreateSession_FullMethodName:     {verb: desk.SignIn},
		apipb.Sessions_DeleteSession_FullMethodName:     {verb: desk.OwnSignOut},
		apipb.Sessions_GetCaller_FullMethodName:         {verb: desk.OwnRead},
		apipb.Sessions_UpdatePreferences_FullMethodName: {verb: desk.OwnPreferences},
		apipb.Sessions_ListSessions_FullMethodName:      {verb: desk.SessionList, own: desk.OwnSessions},
		apipb.Sessions_RevokeSession_FullMethodName:     {verb: desk.SessionRevoke, own: desk.OwnSessions},
		apipb.Sessions_RevokeSessions_FullMethodName:    {verb: desk.SessionRevoke, own: desk.OwnSessions},

		apipb.AccessTokens_CreateAccessToken_FullMethodName: {verb: desk.OwnTokens},
		apipb.AccessTokens_ListAccessTokens_FullMethodName:  {verb: desk.TokenList, own: desk.OwnTokens},
		apipb.AccessTokens_RevokeAccessToken_FullMethodName: {verb: desk.TokenRevoke, own: desk.OwnTokens},

		apipb.Users_CreateUser_FullMethodName:          {verb: desk.UserCreate},
		apipb.Users_GetUser_FullMethodName:             {verb: desk.UserRead, own: desk.OwnRead},
		apipb.Users_ListUsers_FullMethodName:           {verb: desk.UserList},
		apipb.Users_UpdateUser_FullMethodName:          {verb: desk.UserUpdate},
		apipb.Users_SetPassword_FullMethodName:         {verb: desk.UserPassword, own: desk.OwnPassword},
		apipb.Users_UnlockUser_FullMethodName:          {verb: desk.UserUnlock},
		apipb.Users_EnrolSecondFactor_FullMethodName:   {verb: desk.OwnSecondFactor},
		apipb.Users_ConfirmSecondFactor_FullMethodName: {verb: desk.OwnSecondFactor},
		apipb.Users_RemoveSecondFactor_FullMethodName:  {verb: desk.UserSecondFactor, own: desk.OwnSecondFactor},
		apipb.Users_DeleteUser_FullMethodName:          {verb: desk.UserDelete},

		apipb.Duties_SetDuty_FullMethodName: {verb: desk.DutySetOthers, own: desk.DutySet},
	}
}

func ticketReads() map[string]desk.Verb {
	return map[string]desk.Verb{
		apipb.Tickets_GetTicket_FullMethodName:           desk.TicketRead,
		apipb.Tickets_ListTickets_FullMethodName:         desk.TicketList,
		apipb.Tickets_ListJournal_FullMethodName:         desk.TicketJournal,
		apipb.Tickets_ExplainSla_FullMethodName:          desk.TicketSLA,
		apipb.Tickets_PreviewTicket_FullMethodName:       desk.TicketPreview,
		apipb.Tickets_FindSimilarTickets_FullMethodName:  desk.TicketSimilar,
		apipb.Tickets_CountRepeats_FullMethodName:        desk.TicketRepeats,
		apipb.Tickets_ListVerbs_FullMethodName:           desk.TicketVerbs,
		apipb.Tickets_RevealRequester_FullMethodName:     desk.TicketReveal,
		apipb.Portal_FollowProblem_FullMethodName:        desk.TicketRead,
		apipb.Attachments_GetAttachment_FullMethodName:   desk.TicketAttachments,
		apipb.Attachments_ListAttachments_FullMethodName: desk.TicketAttachments,
	}
}

func ticketVerbs() map[string]desk.Verb {
	return map[string]desk.Verb{
		apipb.Tickets_CreateTicket_FullMethodName:      desk.TicketCreate,
		apipb.Tickets_AssignTicket_FullMethodName:      desk.TicketAssign,
		apipb.Tickets_TransferTicket_FullMethodName:    desk.TicketTransfer,
		apipb.Tickets_ClaimTicket_FullMethodName:       desk.TicketClaim,
		apipb.Tickets_DeclineTicket_FullMethodName:     desk.TicketDecline,
		apipb.Tickets_StartTicket_FullMethodName:       desk.TicketStart,
		apipb.Tickets_ArriveTicket_FullMethodName:      desk.TicketArrive,
		apipb.Tickets_HoldTicket_FullMethodName:        desk.TicketHold,
		apipb.Tickets_ResumeTicket_FullMethodName:      desk.TicketResume,
		apipb.Tickets_EscalateTicket_FullMethodName:    desk.TicketEscalate,
		apipb.Tickets_WithdrawTicket_FullMethodName:    desk.TicketWithdraw,
		apipb.Tickets_ReturnTicket_FullMethodName:      desk.TicketReturn,
		apipb.Recoveries_OverrideTicket_FullMethodName: desk.TicketOverride,
		apipb.Tickets_ResolveTicket_FullMethodName:     desk.TicketResolve,
		apipb.Tickets_ConfirmTicket_FullMethodName:     desk.TicketConfirm,
		apipb.Tickets_CloseTicket_FullMethodName:       desk.TicketClose,
		apipb.Tickets_ReopenTicket_FullMethodName:      desk.TicketReopen,
		apipb.Tickets_CancelTicket_FullMethodName:      desk.TicketCancel,
	}
}

func ticketVerbsBeside() map[string]desk.Verb {
	return map[string]desk.Verb{
		apipb.Tickets_ClassifyTicket_FullMethodName:    desk.TicketClassify,
		apipb.Tickets_CheckTicket_FullMethodName:       desk.TicketCheck,
		apipb.Tickets_AddTask_FullMethodName:           desk.TicketAddTask,
		apipb.Tickets_ChangeTask_FullMethodName:        desk.TicketChangeTask,
		apipb.Tickets_RunMacro_FullMethodName:          desk.TicketMacro,
		apipb.Tickets_NoteTicket_FullMethodName:        desk.TicketNote,
		apipb.Tickets_ReplyTicket_FullMethodName:       desk.TicketReply,
		apipb.Tickets_UrgeTicket_FullMethodName:        desk.TicketUrge,
		apipb.Attachments_AddAttachment_FullMethodName: desk.TicketAttach,
		apipb.Tickets_LinkTicket_FullMethodName:        desk.TicketLink,
		apipb.Tickets_SplitTicket_FullMethodName:       desk.TicketSplit,
		apipb.Tickets_MergeTicket_FullMethodName:       desk.TicketMerge,
		apipb.Tickets_ReviewTicket_FullMethodName:      desk.TicketReview,
		apipb.Tickets_CallBackTicket_FullMethodName:    desk.TicketCallBack,
		apipb.Tickets_RateTicket_FullMethodName:        desk.TicketRate,
	}
}

// deskMethods are the methods on what surrounds the tickets.
func deskMethods() map[string]desk.Verb {
	return map[string]desk.Verb{
		apipb.Requesters_CreateRequester_FullMethodName:   desk.RequesterCreate,
		apipb.Requesters_GetRequester_FullMethodName:      desk.RequesterRead,
		apipb.Requesters_ListRequesters_FullMethodName:    desk.RequesterList,
		apipb.Requesters_UpdateRequester_FullMethodName:   desk.RequesterUpdate,
		apipb.Requesters_DeleteRequester_FullMethodName:   desk.RequesterDelete,
		apipb.CallBacks_ListCallBacks_FullMethodName:      desk.CallBackList,
		apipb.CallBacks_RecordCustomerCall_FullMethodName: desk.CallBackRecord,
		apipb.Surveys_CreateSurvey_FullMethodName:         desk.SurveyCreate,
		apipb.Surveys_GetSurvey_FullMethodName:            desk.SurveyRead,
		apipb.Surveys_AnswerSurvey_FullMethodName:         desk.SurveyAnswer,
		apipb.Portal_GetPortal_FullMethodName:             desk.PortalRead,
		apipb.Portal_SubmitProblem_FullMethodName:         desk.PortalSubmit,
		apipb.Portal_OpenProblem_FullMethodName:           desk.PortalOpen,
		apipb.Portal_GetProblem_FullMethodName:            desk.PortalFollow,
		apipb.Portal_ActOnProblem_FullMethodName:          desk.PortalAct,
		apipb.Rounds_ListRounds_FullMethodName:            desk.RoundRead,
		apipb.Rounds_GetRoundReport_FullMethodName:        desk.RoundRead,
		apipb.Notices_ListNotices_FullMethodName:          desk.NoticeRead,
		apipb.Queues_ListQueues_FullMethodName:            desk.TicketList,
		apipb.Queues_ListQueueTickets_FullMethodName:      desk.TicketList,
		apipb.Queues_GetFigures_FullMethodName:            desk.SiteRead,
		apipb.Notices_MarkNoticesRead_FullMethodName:      desk.NoticeMark,
		apipb.Duties_ListDuty_FullMethodName:              desk.DutyRead,
		apipb.Policies_GetPolicy_FullMethodName:           desk.PolicyRead,
		apipb.Policies_CheckPolicy_FullMethodName:         desk.PolicyCheck,
		apipb.Policies_ListPolicyVersions_FullMethodName:  desk.PolicyRead,
		apipb.Policies_GetPolicyVersion_FullMethodName:    desk.PolicyRead,
		apipb.Policies_ApplyPolicy_FullMethodName:         desk.PolicyApply,
	}
}

func siteMethods() map[string]desk.Verb {
	return map[string]desk.Verb{
		apipb.Sites_GetSite_FullMethodName:                  desk.SiteRead,
		apipb.Sites_ListSites_FullMethodName:                desk.SiteRead,
		apipb.Sites_DiagnoseSite_FullMethodName:             desk.SiteDiagnose,
		apipb.Sites_ListParked_FullMethodName:               desk.ParkedRead,
		apipb.Sites_TransferLeadership_FullMethodName:       desk.SiteOperate,
		apipb.Sites_RemoveNode_FullMethodName:               desk.SiteOperate,
		apipb.Recoveries_BackupSite_FullMethodName:          desk.SiteBackup,
		apipb.Recoveries_RecoverSite_FullMethodName:         desk.SiteRecover,
		apipb.Recoveries_RetryParked_FullMethodName:         desk.ParkedRetry,
		apipb.Tree_ListTree_FullMethodName:                  desk.TreeRead,
		apipb.Tree_MoveSite_FullMethodName:                  desk.TreeMove,
		apipb.Tree_CloseSite_FullMethodName:                 desk.TreeMove,
		apipb.Publications_ListPublications_FullMethodName:  desk.PublicationRead,
		apipb.Publications_GetPublication_FullMethodName:    desk.PublicationRead,
		apipb.Publications_ListDeliveries_FullMethodName:    desk.PublicationRead,
		apipb.Publications_PutPublication_FullMethodName:    desk.PublicationWrite,
		apipb.Publications_RemovePublication_FullMethodName: desk.PublicationWrite,
		apipb.Audits_ListAudit_FullMethodName:               desk.AuditRead,
		apipb.Audits_ListCheckpoints_FullMethodName:         desk.AuditRead,
		apipb.Audits_VerifyAudit_FullMethodName:             desk.AuditVerify,
		apipb.Audits_AcknowledgeDenial_FullMethodName:       desk.AuditAcknowledge,
	}
}
