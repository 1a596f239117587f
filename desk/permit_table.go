package desk

// rule is one line of the table that says who may do what.
type rule struct {
	verb Verb
	area Area
	// does tells whether the verb changes anything, shows what is masked otherwise, or tries out what would change something.
	does  effect
	roles roleSet
	// Of a verb on one ticket: where it is carried out, and in which states of the ticket it can succeed there.
	at     place
	states stateSet
	words  string // what is done, for the documentation
}

// effect tells reading from changing.
type effect bool

const (
	reads  effect = false
	alters effect = true
)

// place says where a verb on a ticket is carried out.
type place uint8

const (
	noTicket  place = iota // the verb is not about one ticket
	anywhere               // wherever the ticket is known: it is read, or remarked upon
	custodian              // where the ticket is held, while it is not on its way
	wished                 // the same; everywhere else a wish is recorded, whatever the ticket's state
	mirror                 // where the ticket is not held
)

// rules is the table, in the order of the documentation.
var rules = []rule{
	{TicketRead, AreaTickets, reads, everybody, anywhere, anyState, "read a ticket"},
	{TicketList, AreaTickets, reads, everybody, noTicket, 0, "list tickets"},
	{TicketJournal, AreaTickets, reads, everybody, anywhere, anyState, "read its journal"},
	{TicketAttachments, AreaTickets, reads, everybody, anywhere, anyState, "read its files"},
	{TicketVerbs, AreaTickets, reads, everybody, anywhere, anyState, "see what one may do with it"},
	{TicketSLA, AreaTickets, reads, readers, anywhere, anyState, "have its clocks explained"},
	{TicketRepeats, AreaTickets, reads, readers, anywhere, anyState, "count its like"},
	{TicketSimilar, AreaTickets, reads, readers, noTicket, 0, "find similar tickets"},
	{TicketPreview, AreaTickets, alters, staff, noTicket, 0, "preview a ticket that one may open"},
	{TicketReveal, AreaTickets, alters, staff, anywhere, anyState, "see masked data of its requester, with a reason"},
	{TicketCreate, AreaTickets, alters, served, noTicket, 0, "登记 open a ticket"},
	{TicketAssign, AreaTickets, alters, staff, custodian, unsolved, "派单 give it to a person or a group"},
	{TicketTransfer, AreaTickets, alters, staff, custodian, begun, "转单 give it to somebody else"},
	{TicketClaim, AreaTickets, alters, staff, custodian, unsolved, "认领 take it up"},
	{TicketDecline, AreaTickets, alters, staff, custodian, stateAssigned, "拒单 give it back"},
	{TicketStart, AreaTickets, alters, staff, custodian, stateNew | stateAssigned, "开始 begin the work"},
	{TicketArrive, AreaTickets, alters, staff, custodian, unsolved, "到场 be on the spot"},
	{TicketHold, AreaTickets, alters, staff, custodian, stateNew | stateAssigned | stateInProgress, "挂起 stop the work for a reason"},
	{TicketResume, AreaTickets, alters, staff, custodian, stateOnHold, "恢复 go on"},
	{TicketClassify, AreaTickets, alters, staff, custodian, unsolved | stateResolved, "改分类 change its words or how it is sorted"},
	{TicketCheck, AreaTickets, alters, staff, custodian, unsolved, "tick off its checklist"},
	{TicketAddTask, AreaTickets, alters, staff, custodian, unsolved, "协同, 会签, 审批 add a task, or ask for signatures"},
	{TicketChangeTask, AreaTickets, alters, asked, custodian, unsolved | stateResolved, "finish a task, sign, or give it up"},
	{TicketMacro, AreaTickets, alters, staff, custodian, anyState, "run a macro"},
	{TicketNote, AreaTickets, alters, asked, anywhere, anyState, "备注 leave an internal note"},
	{TicketReply, AreaTickets, alters, served, anywhere, anyState, "答复 write to the requester, or as the requester"},
	{TicketUrge, AreaTickets, alters, served | leaders, anywhere, unsolved | stateResolved, "催办 urge"},
	{TicketAttach, AreaTickets, alters, served, anywhere, anyState, "附件 add a file"},
	{TicketLink, AreaTickets, alters, staff, anywhere, anyState, "关联 link it with another ticket"},
	{TicketSplit, AreaTickets, alters, staff, anywhere, anyState, "拆单 split a ticket off it"},
	{TicketMerge, AreaTickets, alters, staff, custodian, unsolved, "并单 merge it into another ticket"},
	{TicketEscalate, AreaTickets, alters, staff, custodian, unsolved, "上送 hand it to the next line"},
	{TicketWithdraw, AreaTickets, alters, staff, wished, unsolved, "撤回 take a waiting hand-over back"},
	{TicketReturn, AreaTickets, alters, staff, custodian, unsolved, "退回 give it back to the line before"},
	{TicketOverride, AreaTickets, alters, managers, mirror, anyState, "接管 take it without a hand-over"},
	{TicketResolve, AreaTickets, alters, staff, custodian, unsolved, "解决 record the solution"},
	{TicketConfirm, AreaTickets, alters, served, wished, stateResolved, "确认 close it, for the requester is content"},
	{TicketClose, AreaTickets, alters, staff, custodian, stateResolved, "关闭 close it"},
	{TicketReopen, AreaTickets, alters, served, wished, solved, "重开 take it up again"},
	{TicketCancel, AreaTickets, alters, served, wished, unsolved, "撤单 end it without a solution"},
	{TicketReview, AreaTickets, alters, staff, custodian, unsolved | solved, "复盘 look back on a major incident"},
	{TicketCallBack, AreaTickets, alters, staff, anywhere, solved, "回访 record how a call-back went"},
	{TicketRate, AreaTickets, alters, served, anywhere, solved, "评价 rate the service"},
	{SurveyCreate, AreaTickets, alters, staff, anywhere, solved, "make the link to its survey"},
	{RoundRead, AreaTickets, reads, readers, noTicket, 0, "巡检 read inspection rounds and their reports"},

	{RequesterRead, AreaRequesters, reads, readers, noTicket, 0, "read a record of a requester"},
	{RequesterList, AreaRequesters, reads, readers, noTicket, 0, "find records of requesters"},
	{RequesterCreate, AreaRequesters, alters, staff, noTicket, 0, "register a requester"},
	{RequesterUpdate, AreaRequesters, alters, staff, noTicket, 0, "change a record"},
	{RequesterDelete, AreaRequesters, alters, managers, noTicket, 0, "forget a requester"},
	{CallBackList, AreaRequesters, reads, readers, noTicket, 0, "list the call-backs that are due"},
	{CallBackRecord, AreaRequesters, alters, staff, noTicket, 0, "record a call to a requester"},

	{SignIn, personal, alters, nobody, noTicket, 0, "sign in with a password"},
	{SurveyRead, personal, reads, nobody, noTicket, 0, "read a survey by its link"},
	{SurveyAnswer, personal, alters, nobody, noTicket, 0, "answer a survey by its link"},
	{PortalRead, personal, reads, nobody, noTicket, 0, "see what the support site offers"},
	{PortalSubmit, personal, alters, nobody, noTicket, 0, "report a problem as a guest"},
	{PortalOpen, personal, alters, nobody, noTicket, 0, "get the link to a problem by its number and telephone number"},
	{PortalFollow, personal, reads, nobody, noTicket, 0, "follow a problem by its link"},
	{PortalAct, personal, alters, nobody, noTicket, 0, "answer, urge, confirm, reopen, cancel or rate by the link"},
	{OwnRead, AreaOwn, reads, everybody, noTicket, 0, "read one's own account and rights"},
	{NoticeRead, AreaOwn, reads, everybody, noTicket, 0, "read one's own notices"},
	{NoticeMark, AreaOwn, alters, everybody, noTicket, 0, "mark one's own notices as read"},
	{OwnPassword, personal, alters, everybody, noTicket, 0, "set one's own password"},
	{OwnSecondFactor, personal, alters, everybody, noTicket, 0, "enrol or remove one's own second factor"},
	{OwnSessions, personal, alters, everybody, noTicket, 0, "list and end one's own sessions"},
	{OwnTokens, personal, alters, everybody, noTicket, 0, "make, list and end one's own access tokens"},
	{OwnPreferences, personal, alters, everybody, noTicket, 0, "arrange one's own pages"},
	{OwnSignOut, personal, alters, everybody, noTicket, 0, "sign out"},

	{UserRead, AreaPeople, reads, overseers, noTicket, 0, "read another one's account"},
	{UserList, AreaPeople, reads, overseers, noTicket, 0, "list the people of the site"},
	{UserCreate, AreaPeople, alters, administrators, noTicket, 0, "make an account"},
	{UserUpdate, AreaPeople, alters, administrators, noTicket, 0, "change an account, its role and its scope"},
	{UserDelete, AreaPeople, alters, administrators, noTicket, 0, "delete an account"},
	{UserPassword, AreaPeople, alters, administrators, noTicket, 0, "set another one's password"},
	{UserUnlock, AreaPeople, alters, administrators, noTicket, 0, "unlock an account"},
	{UserSecondFactor, AreaPeople, alters, administrators, noTicket, 0, "remove another one's second factor"},
	{SessionList, AreaPeople, reads, administrators | auditors, noTicket, 0, "list another one's sessions"},
	{SessionRevoke, AreaPeople, alters, administrators, noTicket, 0, "end another one's sessions"},
	{TokenList, AreaPeople, reads, administrators | auditors, noTicket, 0, "list another one's access tokens"},
	{TokenRevoke, AreaPeople, alters, administrators, noTicket, 0, "end another one's access tokens"},
	{DutyRead, AreaPeople, reads, readers, noTicket, 0, "值班 see who is on duty"},
	{DutySet, AreaPeople, alters, staff, noTicket, 0, "say that oneself is on duty or not"},
	{DutySetOthers, AreaPeople, alters, dispatchers, noTicket, 0, "say that somebody else is on duty or not"},

	{PolicyRead, AreaPolicy, reads, readers, noTicket, 0, "read the policy"},
	{PolicyCheck, AreaPolicy, reads, readers, noTicket, 0, "have a policy checked"},
	{PolicyApply, AreaPolicy, alters, administrators, noTicket, 0, "put a policy into force"},

	{SiteRead, AreaSite, reads, readers, noTicket, 0, "see the site, its nodes and links, and the sites of the tree"},
	{SiteDiagnose, AreaSite, reads, readers, noTicket, 0, "have the site examined"},
	{SiteOperate, AreaSite, alters, administrators, noTicket, 0, "hand leadership on, remove a node"},
	{SiteBackup, AreaSite, alters, administrators, noTicket, 0, "take a backup"},
	{SiteRecover, AreaSite, alters, administrators, noTicket, 0, "recover the site"},
	{ParkedRead, AreaSite, reads, readers, noTicket, 0, "see what was set aside"},
	{ParkedRetry, AreaSite, alters, administrators, noTicket, 0, "try what was set aside again"},
	{TreeRead, AreaSite, reads, readers, noTicket, 0, "see where the offices stand in the tree"},
	{TreeMove, AreaSite, alters, administrators, noTicket, 0, "move or close an office"},

	{PublicationRead, AreaPublications, reads, readers, noTicket, 0, "read publications and how far they came"},
	{PublicationWrite, AreaPublications, alters, administrators, noTicket, 0, "publish, or take a publication back"},

	{AuditRead, AreaAudit, reads, administrators | auditors, noTicket, 0, "审计 read the audit log and its checkpoints"},
	{AuditVerify, AreaAudit, reads, administrators | auditors, noTicket, 0, "verify the audit log"},
	{AuditAcknowledge, AreaAudit, alters, administrators, noTicket, 0, "end the alarm about an audit log below that was rewritten"},
}

// byVerb finds the lines of the table.
var byVerb = func() map[Verb]*rule {
	index := make(map[Verb]*rule, len(rules))
	for i := range rules {
		index[rules[i].verb] = &rules[i]
	}
	return index
}()

// ruleOf returns the line of a verb; that of a verb which is none allows it to nobody, nowhere.
func ruleOf(v Verb) *rule {
	if found := byVerb[v]; found != nil {
		return found
	}
	return &rule{verb: v}
}
