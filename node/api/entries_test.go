package api

import (
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// setting is what the sample calls are about: a ticket that the requester of the cast reported, another one like it, and who calls.
type setting struct {
	number, other string
	attachment    string
	customer      string // id of a requester's record
	survey        string // secret of the ticket's link
	guest         string // secret of a guest's link to the ticket
	user          string // who calls
}

// entry is one method of the API: what it asks for, by the documentation, and a call that makes sense.
type entry struct {
	verb    desk.Verb
	request func(s setting) proto.Message
}

// fixed is a request that has nothing to do with the setting.
func fixed(request proto.Message) func(setting) proto.Message {
	return func(setting) proto.Message { return proto.Clone(request) }
}

// onTicket are the methods on one ticket by the last word of their names. What one asks for is ticket.<the verb in its address>.
func onTicket() map[string]func(s setting) proto.Message {
	return map[string]func(s setting) proto.Message{
		"Tickets/AssignTicket": func(s setting) proto.Message {
			return &apipb.AssignTicketRequest{Number: s.number, Assignee: "agent", Reason: "空闲"}
		},
		"Tickets/TransferTicket": func(s setting) proto.Message {
			return &apipb.TransferTicketRequest{Number: s.number, Assignee: "admin", Reason: "转给专人"}
		},
		"Tickets/ClaimTicket": func(s setting) proto.Message { return &apipb.ClaimTicketRequest{Number: s.number} },
		"Tickets/DeclineTicket": func(s setting) proto.Message {
			return &apipb.DeclineTicketRequest{Number: s.number, Reason: "不在"}
		},
		"Tickets/StartTicket":  func(s setting) proto.Message { return &apipb.StartTicketRequest{Number: s.number} },
		"Tickets/ArriveTicket": func(s setting) proto.Message { return &apipb.ArriveTicketRequest{Number: s.number} },
		"Tickets/HoldTicket": func(s setting) proto.Message {
			return &apipb.HoldTicketRequest{Number: s.number, Reason: "waiting-vendor", Comment: "等回复"}
		},
		"Tickets/ResumeTicket": func(s setting) proto.Message { return &apipb.ResumeTicketRequest{Number: s.number} },
		"Tickets/ClassifyTicket": func(s setting) proto.Message {
			return &apipb.ClassifyTicketRequest{Number: s.number, Fields: []string{"title"}, Ticket: &deskpb.Ticket{Title: "改过"}, Reason: "写错"}
		},
		"Tickets/CheckTicket": func(s setting) proto.Message { return &apipb.CheckTicketRequest{Number: s.number, Done: true} },
		"Tickets/AddTask": func(s setting) proto.Message {
			return &apipb.AddTaskRequest{Number: s.number, Task: &deskpb.Task{Title: "核对", Kind: deskpb.Task_WORK, Assignee: "agent"}}
		},
		"Tickets/ChangeTask": func(s setting) proto.Message {
			return &apipb.ChangeTaskRequest{Number: s.number, Task: 1, Action: deskpb.ChangeTask_AGREE, Result: "同意"}
		},
		"Tickets/RunMacro":   func(s setting) proto.Message { return &apipb.RunMacroRequest{Number: s.number, Macro: "ask-requester"} },
		"Tickets/NoteTicket": func(s setting) proto.Message { return &apipb.NoteTicketRequest{Number: s.number, Text: "内部"} },
		"Tickets/ReplyTicket": func(s setting) proto.Message {
			return &apipb.ReplyTicketRequest{Number: s.number, Text: "您好"}
		},
		"Tickets/UrgeTicket": func(s setting) proto.Message { return &apipb.UrgeTicketRequest{Number: s.number, Reason: "急"} },
		"Tickets/LinkTicket": func(s setting) proto.Message {
			return &apipb.LinkTicketRequest{Number: s.number, Kind: deskpb.TicketLink_RELATED, Other: s.other}
		},
		"Tickets/SplitTicket": func(s setting) proto.Message { return &apipb.SplitTicketRequest{Number: s.number, Title: "另一半"} },
		"Tickets/MergeTicket": func(s setting) proto.Message {
			return &apipb.MergeTicketRequest{Number: s.number, Into: s.other, Reason: "同一件事"}
		},
		"Tickets/EscalateTicket": func(s setting) proto.Message {
			return &apipb.EscalateTicketRequest{Number: s.number, Reason: "需要上级"}
		},
		"Tickets/WithdrawTicket": func(s setting) proto.Message {
			return &apipb.WithdrawTicketRequest{Number: s.number, Reason: "不用了"}
		},
		"Tickets/ReturnTicket": func(s setting) proto.Message { return &apipb.ReturnTicketRequest{Number: s.number, Reason: "退回"} },
		"Recoveries/OverrideTicket": func(s setting) proto.Message {
			return &apipb.OverrideTicketRequest{Number: s.number, Reason: "对方失联"}
		},
		"Tickets/ResolveTicket": func(s setting) proto.Message {
			return &apipb.ResolveTicketRequest{Number: s.number, Resolution: &deskpb.Resolution{Code: "solved", Text: "好了"}}
		},
		"Tickets/ConfirmTicket": func(s setting) proto.Message { return &apipb.ConfirmTicketRequest{Number: s.number} },
		"Tickets/CloseTicket": func(s setting) proto.Message {
			return &apipb.CloseTicketRequest{Number: s.number, Comment: "已告知"}
		},
		"Tickets/ReopenTicket": func(s setting) proto.Message {
			return &apipb.ReopenTicketRequest{Number: s.number, Reason: "又坏了"}
		},
		"Tickets/CancelTicket": func(s setting) proto.Message { return &apipb.CancelTicketRequest{Number: s.number, Reason: "误报"} },
		"Tickets/ReviewTicket": func(s setting) proto.Message { return &apipb.ReviewTicketRequest{Number: s.number, Text: "教训"} },
		"Tickets/CallBackTicket": func(s setting) proto.Message {
			return &apipb.CallBackTicketRequest{Number: s.number, Outcome: deskpb.CallBack_CONTENT}
		},
		"Tickets/RateTicket": func(s setting) proto.Message {
			return &apipb.RateTicketRequest{Number: s.number, Satisfaction: &deskpb.Satisfaction{Score: 5}}
		},
		"Tickets/RevealRequester": func(s setting) proto.Message {
			return &apipb.RevealRequesterRequest{Number: s.number, Reason: "要回电"}
		},
		"Attachments/AddAttachment": func(s setting) proto.Message {
			return &apipb.AddAttachmentRequest{Attachment: &apipb.NewAttachment{Number: s.number, Name: "a.txt", Size: 4}, Data: []byte("text")}
		},
		"Surveys/CreateSurvey": func(s setting) proto.Message { return &apipb.CreateSurveyRequest{Number: s.number} },
	}
}

// readsOfTicket are the methods that read one ticket.
func readsOfTicket() map[string]entry {
	return map[string]entry{
		"Tickets/GetTicket":    {desk.TicketRead, func(s setting) proto.Message { return &apipb.GetTicketRequest{Number: s.number} }},
		"Tickets/ListJournal":  {desk.TicketJournal, func(s setting) proto.Message { return &apipb.ListJournalRequest{Number: s.number} }},
		"Tickets/ExplainSla":   {desk.TicketSLA, func(s setting) proto.Message { return &apipb.ExplainSlaRequest{Number: s.number} }},
		"Tickets/CountRepeats": {desk.TicketRepeats, func(s setting) proto.Message { return &apipb.CountRepeatsRequest{Number: s.number} }},
		"Portal/FollowProblem": {desk.TicketRead, func(s setting) proto.Message { return &apipb.FollowProblemRequest{Number: s.number} }},
		"Tickets/ListVerbs":    {desk.TicketVerbs, func(s setting) proto.Message { return &apipb.ListVerbsRequest{Number: s.number} }},
		"Attachments/GetAttachment": {desk.TicketAttachments, func(s setting) proto.Message {
			return &apipb.GetAttachmentRequest{Number: s.number, Id: s.attachment}
		}},
		"Attachments/ListAttachments": {desk.TicketAttachments, func(s setting) proto.Message {
			return &apipb.ListAttachmentsRequest{Number: s.number}
		}},
	}
}

// besideTickets are the methods on no ticket in particular.
func besideTickets() map[string]entry {
	return map[string]entry{
		"Tickets/CreateTicket":       {desk.TicketCreate, fixed(&apipb.CreateTicketRequest{Ticket: &deskpb.Ticket{Title: "新的"}})},
		"Tickets/ListTickets":        {desk.TicketList, fixed(&apipb.ListTicketsRequest{})},
		"Tickets/PreviewTicket":      {desk.TicketPreview, fixed(&apipb.PreviewTicketRequest{Ticket: &deskpb.Ticket{Title: "新的"}})},
		"Tickets/FindSimilarTickets": {desk.TicketSimilar, fixed(&apipb.FindSimilarTicketsRequest{Title: "打印机"})},

		"Requesters/CreateRequester": {desk.RequesterCreate, fixed(&apipb.CreateRequesterRequest{Requester: &apipb.Requester{Name: "王芳"}})},
		"Requesters/GetRequester":    {desk.RequesterRead, func(s setting) proto.Message { return &apipb.GetRequesterRequest{Id: s.customer} }},
		"Requesters/ListRequesters":  {desk.RequesterList, fixed(&apipb.ListRequestersRequest{})},
		"Requesters/UpdateRequester": {desk.RequesterUpdate, func(s setting) proto.Message {
			return &apipb.UpdateRequesterRequest{Id: s.customer, Requester: &apipb.Requester{Name: "陈静"}}
		}},
		"Requesters/DeleteRequester": {desk.RequesterDelete, func(s setting) proto.Message { return &apipb.DeleteRequesterRequest{Id: s.customer} }},
		"Queues/ListQueues":          {desk.TicketList, fixed(&apipb.ListQueuesRequest{})},
		"Queues/ListQueueTickets":    {desk.TicketList, fixed(&apipb.ListQueueTicketsRequest{Queue: "group:网络组"})},
		"Queues/GetFigures":          {desk.SiteRead, fixed(&apipb.GetFiguresRequest{})},
		"CallBacks/ListCallBacks":    {desk.CallBackList, fixed(&apipb.ListCallBacksRequest{})},
		"CallBacks/RecordCustomerCall": {desk.CallBackRecord, func(s setting) proto.Message {
			return &apipb.RecordCustomerCallRequest{Requester: s.customer, Kind: deskpb.CustomerCall_WELCOME, Outcome: deskpb.CallBack_CONTENT}
		}},
		"Portal/GetPortal": {desk.PortalRead, fixed(&apipb.GetPortalRequest{})},
		"Portal/SubmitProblem": {desk.PortalSubmit, fixed(&apipb.SubmitProblemRequest{
			Title: "打不开", Name: "陈静", Phone: "13800000000", Application: "办公",
		})},
		"Portal/OpenProblem": {desk.PortalOpen, func(s setting) proto.Message {
			return &apipb.OpenProblemRequest{Number: s.number, Phone: "138 1234 5678"}
		}},
		"Portal/GetProblem": {desk.PortalFollow, func(s setting) proto.Message { return &apipb.GetProblemRequest{Token: s.guest} }},
		"Portal/ActOnProblem": {desk.PortalAct, func(s setting) proto.Message {
			return &apipb.ActOnProblemRequest{Token: s.guest, Verb: apipb.ActOnProblemRequest_REPLY, Text: "还有一张单据"}
		}},
		"Surveys/GetSurvey": {desk.SurveyRead, func(s setting) proto.Message { return &apipb.GetSurveyRequest{Token: s.survey} }},
		"Surveys/AnswerSurvey": {desk.SurveyAnswer, func(s setting) proto.Message {
			return &apipb.AnswerSurveyRequest{Token: s.survey, Satisfaction: &deskpb.Satisfaction{Score: 4}}
		}},
		"Rounds/ListRounds":           {desk.RoundRead, fixed(&apipb.ListRoundsRequest{})},
		"Rounds/GetRoundReport":       {desk.RoundRead, fixed(&apipb.GetRoundReportRequest{Name: "每周"})},
		"Notices/ListNotices":         {desk.NoticeRead, fixed(&apipb.ListNoticesRequest{})},
		"Notices/MarkNoticesRead":     {desk.NoticeMark, fixed(&apipb.MarkNoticesReadRequest{})},
		"Duties/ListDuty":             {desk.DutyRead, fixed(&apipb.ListDutyRequest{})},
		"Duties/SetDuty":              {desk.DutySetOthers, fixed(&apipb.SetDutyRequest{User: "nobody", On: true})},
		"Policies/GetPolicy":          {desk.PolicyRead, fixed(&apipb.GetPolicyRequest{})},
		"Policies/CheckPolicy":        {desk.PolicyCheck, fixed(&apipb.CheckPolicyRequest{Source: "privacy: {mask_above_home: true}"})},
		"Policies/ListPolicyVersions": {desk.PolicyRead, fixed(&apipb.ListPolicyVersionsRequest{})},
		"Policies/GetPolicyVersion":   {desk.PolicyRead, fixed(&apipb.GetPolicyVersionRequest{Version: 1})},
		"Policies/ApplyPolicy":        {desk.PolicyApply, fixed(&apipb.ApplyPolicyRequest{Source: "privacy: {mask_above_home: false}"})},
	}
}

// aboutTheSite are the methods on the site, its people and its log.
func aboutTheSite() map[string]entry {
	return map[string]entry{
		"Sites/GetSite":            {desk.SiteRead, fixed(&apipb.GetSiteRequest{})},
		"Sites/ListSites":          {desk.SiteRead, fixed(&apipb.ListSitesRequest{})},
		"Sites/DiagnoseSite":       {desk.SiteDiagnose, fixed(&apipb.DiagnoseSiteRequest{})},
		"Sites/ListParked":         {desk.ParkedRead, fixed(&apipb.ListParkedRequest{})},
		"Sites/TransferLeadership": {desk.SiteOperate, fixed(&apipb.TransferLeadershipRequest{Node: "n2"})},
		"Sites/RemoveNode":         {desk.SiteOperate, fixed(&apipb.RemoveNodeRequest{Node: "n2"})},
		"Recoveries/BackupSite":    {desk.SiteBackup, fixed(&apipb.BackupSiteRequest{})},
		"Recoveries/RecoverSite":   {desk.SiteRecover, fixed(&apipb.RecoverSiteRequest{Reason: "演练"})},
		"Recoveries/RetryParked":   {desk.ParkedRetry, fixed(&apipb.RetryParkedRequest{})},
		"Tree/ListTree":            {desk.TreeRead, fixed(&apipb.ListTreeRequest{})},
		"Tree/MoveSite":            {desk.TreeMove, fixed(&apipb.MoveSiteRequest{Site: "330106", Parent: "330000"})},
		"Tree/CloseSite":           {desk.TreeMove, fixed(&apipb.CloseSiteRequest{Site: "330106"})},

		"Publications/ListPublications": {desk.PublicationRead, fixed(&apipb.ListPublicationsRequest{})},
		"Publications/GetPublication":   {desk.PublicationRead, fixed(&apipb.GetPublicationRequest{Publisher: "330106", Kind: "notice", Name: "n"})},
		"Publications/ListDeliveries":   {desk.PublicationRead, fixed(&apipb.ListDeliveriesRequest{Publisher: "330106", Kind: "notice", Name: "n"})},
		"Publications/PutPublication": {desk.PublicationWrite, fixed(&apipb.PutPublicationRequest{
			Kind: "notice", Name: "n", Title: "通知", MediaType: "text/plain", Body: []byte("x"),
		})},
		"Publications/RemovePublication": {desk.PublicationWrite, fixed(&apipb.RemovePublicationRequest{Kind: "notice", Name: "n"})},

		"Audits/AcknowledgeDenial": {desk.AuditAcknowledge, fixed(&apipb.AcknowledgeDenialRequest{
			Site: "330199", Sequence: 42, Reason: "硬盘更换",
		})},
		"Audits/ListAudit":       {desk.AuditRead, fixed(&apipb.ListAuditRequest{})},
		"Audits/ListCheckpoints": {desk.AuditRead, fixed(&apipb.ListCheckpointsRequest{})},
		"Audits/VerifyAudit":     {desk.AuditVerify, fixed(&apipb.VerifyAuditRequest{})},

		"Sessions/CreateSession":     {desk.SignIn, fixed(&apipb.CreateSessionRequest{User: "admin", Password: "correct"})},
		"Sessions/DeleteSession":     {desk.OwnSignOut, fixed(&apipb.DeleteSessionRequest{})},
		"Sessions/GetCaller":         {desk.OwnRead, fixed(&apipb.GetCallerRequest{})},
		"Sessions/UpdatePreferences": {desk.OwnPreferences, fixed(&apipb.UpdatePreferencesRequest{Preferences: &apipb.Preferences{Queue: "mine"}})},
		"Sessions/ListSessions":      {desk.SessionList, fixed(&apipb.ListSessionsRequest{User: "nobody"})},
		"Sessions/RevokeSession":     {desk.SessionRevoke, fixed(&apipb.RevokeSessionRequest{User: "nobody", Id: "s1"})},
		"Sessions/RevokeSessions":    {desk.SessionRevoke, fixed(&apipb.RevokeSessionsRequest{User: "nobody"})},

		"AccessTokens/CreateAccessToken": {desk.OwnTokens, func(s setting) proto.Message {
			return &apipb.CreateAccessTokenRequest{User: s.user, Token: &apipb.AccessToken{Title: "报表", Limits: []string{"read"}}}
		}},
		"AccessTokens/ListAccessTokens":  {desk.TokenList, fixed(&apipb.ListAccessTokensRequest{User: "nobody"})},
		"AccessTokens/RevokeAccessToken": {desk.TokenRevoke, fixed(&apipb.RevokeAccessTokenRequest{User: "nobody", Id: "t1"})},

		"Users/CreateUser":  {desk.UserCreate, func(s setting) proto.Message { return newUser(s.number) }},
		"Users/GetUser":     {desk.UserRead, fixed(&apipb.GetUserRequest{Name: "nobody"})},
		"Users/ListUsers":   {desk.UserList, fixed(&apipb.ListUsersRequest{})},
		"Users/UpdateUser":  {desk.UserUpdate, fixed(&apipb.UpdateUserRequest{User: &apipb.User{Name: "nobody", Unit: "财政局"}, Fields: "unit"})},
		"Users/SetPassword": {desk.UserPassword, fixed(&apipb.SetPasswordRequest{Name: "nobody", Password: "long enough"})},
		"Users/UnlockUser":  {desk.UserUnlock, fixed(&apipb.UnlockUserRequest{Name: "nobody"})},
		"Users/EnrolSecondFactor": {desk.OwnSecondFactor, func(s setting) proto.Message {
			return &apipb.EnrolSecondFactorRequest{Name: s.user, Password: "correct"}
		}},
		"Users/ConfirmSecondFactor": {desk.OwnSecondFactor, func(s setting) proto.Message {
			return &apipb.ConfirmSecondFactorRequest{Name: s.user, Code: "123456"}
		}},
		"Users/RemoveSecondFactor": {desk.UserSecondFactor, fixed(&apipb.RemoveSecondFactorRequest{Name: "nobody"})},
		"Users/DeleteUser":         {desk.UserDelete, fixed(&apipb.DeleteUserRequest{Name: "nobody"})},
	}
}

// aboutOneself are calls about the caller of methods that are about anybody: another verb.
func aboutOneself() map[string]entry {
	return map[string]entry{
		"Sessions/ListSessions":         {desk.OwnSessions, func(s setting) proto.Message { return &apipb.ListSessionsRequest{User: s.user} }},
		"Sessions/RevokeSession":        {desk.OwnSessions, func(s setting) proto.Message { return &apipb.RevokeSessionRequest{User: s.user, Id: "s1"} }},
		"Sessions/RevokeSessions":       {desk.OwnSessions, func(s setting) proto.Message { return &apipb.RevokeSessionsRequest{User: s.user} }},
		"AccessTokens/ListAccessTokens": {desk.OwnTokens, func(s setting) proto.Message { return &apipb.ListAccessTokensRequest{User: s.user} }},
		"AccessTokens/RevokeAccessToken": {desk.OwnTokens, func(s setting) proto.Message {
			return &apipb.RevokeAccessTokenRequest{User: s.user, Id: "t1"}
		}},
		"Users/GetUser": {desk.OwnRead, func(s setting) proto.Message { return &apipb.GetUserRequest{Name: s.user} }},
		"Users/SetPassword": {desk.OwnPassword, func(s setting) proto.Message {
			return &apipb.SetPasswordRequest{Name: s.user, Password: "long enough", CurrentPassword: "correct"}
		}},
		"Users/RemoveSecondFactor": {desk.OwnSecondFactor, func(s setting) proto.Message {
			return &apipb.RemoveSecondFactorRequest{Name: s.user, Password: "correct"}
		}},
		"Duties/SetDuty": {desk.DutySet, func(s setting) proto.Message { return &apipb.SetDutyRequest{User: s.user, On: true} }},
	}
}

// newUser asks for a user who is not there yet: no two settings have the same ticket.
func newUser(number string) proto.Message {
	return &apipb.CreateUserRequest{User: &apipb.User{Name: "new-" + number, Role: apipb.User_AGENT}, Password: "long enough"}
}
