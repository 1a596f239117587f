package desk

import (
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Verb names something that a person may ask for, such as "ticket.assign": what it concerns, a dot, what is done. A verb on one
// ticket is named as it stands in the API's addresses.
type Verb string

// Verbs on tickets that read.
const (
	TicketRead        Verb = "ticket.read"
	TicketList        Verb = "ticket.list"
	TicketJournal     Verb = "ticket.journal"
	TicketAttachments Verb = "ticket.attachments"
	TicketVerbs       Verb = "ticket.verbs"
	TicketSLA         Verb = "ticket.sla"
	TicketPreview     Verb = "ticket.preview"
	TicketSimilar     Verb = "ticket.similar"
	TicketRepeats     Verb = "ticket.repeats"
	TicketReveal      Verb = "ticket.revealRequester"
)

// Verbs on tickets that change them.
const (
	TicketCreate     Verb = "ticket.create"
	TicketAssign     Verb = "ticket.assign"
	TicketTransfer   Verb = "ticket.transfer"
	TicketClaim      Verb = "ticket.claim"
	TicketDecline    Verb = "ticket.decline"
	TicketStart      Verb = "ticket.start"
	TicketArrive     Verb = "ticket.arrive"
	TicketHold       Verb = "ticket.hold"
	TicketResume     Verb = "ticket.resume"
	TicketClassify   Verb = "ticket.classify"
	TicketCheck      Verb = "ticket.check"
	TicketAddTask    Verb = "ticket.addTask"
	TicketChangeTask Verb = "ticket.changeTask"
	TicketMacro      Verb = "ticket.macro"
	TicketNote       Verb = "ticket.note"
	TicketReply      Verb = "ticket.reply"
	TicketUrge       Verb = "ticket.urge"
	TicketAttach     Verb = "ticket.attach"
	TicketLink       Verb = "ticket.link"
	TicketSplit      Verb = "ticket.split"
	TicketMerge      Verb = "ticket.merge"
	TicketEscalate   Verb = "ticket.escalate"
	TicketWithdraw   Verb = "ticket.withdraw"
	TicketReturn     Verb = "ticket.return"
	TicketOverride   Verb = "ticket.override"
	TicketResolve    Verb = "ticket.resolve"
	TicketConfirm    Verb = "ticket.confirm"
	TicketClose      Verb = "ticket.close"
	TicketReopen     Verb = "ticket.reopen"
	TicketCancel     Verb = "ticket.cancel"
	TicketReview     Verb = "ticket.review"
	TicketCallBack   Verb = "ticket.callBack"
	TicketRate       Verb = "ticket.rate"
)

// Verbs about the people who report, their surveys, and inspection rounds.
const (
	RequesterRead   Verb = "requester.read"
	RequesterList   Verb = "requester.list"
	RequesterCreate Verb = "requester.create"
	RequesterUpdate Verb = "requester.update"
	RequesterDelete Verb = "requester.delete"
	CallBackList    Verb = "call-back.list"
	CallBackRecord  Verb = "call-back.record"
	SurveyCreate    Verb = "survey.create"
	RoundRead       Verb = "round.read"
)

// Verbs that need no sign-in: they bring a password, or the secret of a link.
const (
	SignIn       Verb = "sign-in"
	SurveyRead   Verb = "survey.read"
	SurveyAnswer Verb = "survey.answer"
	PortalRead   Verb = "portal.read"
	PortalSubmit Verb = "portal.submit"
	PortalOpen   Verb = "portal.open"
	PortalFollow Verb = "portal.follow"
	PortalAct    Verb = "portal.act"
)

// Verbs about oneself. Those with a namesake about others (UserPassword, UserSecondFactor, SessionList …) are for oneself alone.
const (
	OwnRead         Verb = "own.read"
	OwnPassword     Verb = "own.password"
	OwnSecondFactor Verb = "own.second-factor"
	OwnSessions     Verb = "own.sessions"
	OwnTokens       Verb = "own.tokens"
	OwnPreferences  Verb = "own.preferences"
	OwnSignOut      Verb = "own.sign-out"
	NoticeRead      Verb = "notice.read"
	NoticeMark      Verb = "notice.mark"
)

// Verbs about the people of the site.
const (
	UserRead         Verb = "user.read"
	UserList         Verb = "user.list"
	UserCreate       Verb = "user.create"
	UserUpdate       Verb = "user.update"
	UserDelete       Verb = "user.delete"
	UserPassword     Verb = "user.password"
	UserUnlock       Verb = "user.unlock"
	UserSecondFactor Verb = "user.second-factor"
	SessionList      Verb = "session.list"
	SessionRevoke    Verb = "session.revoke"
	TokenList        Verb = "token.list"
	TokenRevoke      Verb = "token.revoke"
	DutyRead         Verb = "duty.read"
	DutySet          Verb = "duty.set"
	DutySetOthers    Verb = "duty.set-others"
)

// Verbs about the policy, the site, what it publishes, the tree, and the audit log.
const (
	PolicyRead       Verb = "policy.read"
	PolicyCheck      Verb = "policy.check"
	PolicyApply      Verb = "policy.apply"
	SiteRead         Verb = "site.read"
	SiteDiagnose     Verb = "site.diagnose"
	SiteOperate      Verb = "site.operate"
	SiteBackup       Verb = "site.backup"
	SiteRecover      Verb = "site.recover"
	ParkedRead       Verb = "parked.read"
	ParkedRetry      Verb = "parked.retry"
	TreeRead         Verb = "tree.read"
	TreeMove         Verb = "tree.move"
	PublicationRead  Verb = "publication.read"
	PublicationWrite Verb = "publication.write"
	AuditRead        Verb = "audit.read"
	AuditVerify      Verb = "audit.verify"
	AuditAcknowledge Verb = "audit.acknowledge"
)

// Verbs returns all verbs, in the order of the documentation.
func Verbs() []Verb {
	verbs := make([]Verb, len(rules))
	for i := range rules {
		verbs[i] = rules[i].verb
	}
	return verbs
}

// name returns what is done, without what it concerns: the verb as it stands in the API's addresses.
func (v Verb) name() string {
	_, name, _ := strings.Cut(string(v), ".")
	return name
}

// Area returns the area that the verb belongs to, empty for a verb that no access token has.
func (v Verb) Area() Area { return ruleOf(v).area }

// Changes tells whether the verb changes anything, shows what is masked otherwise, or tries out what would change something.
func (v Verb) Changes() bool { return bool(ruleOf(v).does) }

// Roles returns the roles that have the verb, in the order of the documentation; none for a verb that needs no sign-in.
func (v Verb) Roles() []deskpb.User_Role { return ruleOf(v).roles.roles() }

// NeedsNoSignIn tells whether the verb is for callers who are not signed in.
func (v Verb) NeedsNoSignIn() bool {
	found := byVerb[v]
	return found != nil && found.roles == nobody
}

// OfCommand returns the verb that a ticket command asks for; empty for what only a site does by itself.
func OfCommand(c *deskpb.TicketCommand) Verb {
	switch v := c.GetVerb().(type) {
	case *deskpb.TicketCommand_Create:
		switch {
		case opensRound(c):
			return ""
		case v.Create.GetOrigin().GetKind() == deskpb.TicketLink_SPLIT_FROM:
			return TicketSplit
		}
		return TicketCreate
	case *deskpb.TicketCommand_Assign:
		return TicketAssign
	case *deskpb.TicketCommand_Start:
		return TicketStart
	case *deskpb.TicketCommand_Hold:
		return TicketHold
	case *deskpb.TicketCommand_Resume:
		return TicketResume
	case *deskpb.TicketCommand_Note:
		return TicketNote
	case *deskpb.TicketCommand_Reply:
		return TicketReply
	case *deskpb.TicketCommand_Escalate:
		return TicketEscalate
	case *deskpb.TicketCommand_Withdraw:
		return TicketWithdraw
	case *deskpb.TicketCommand_Return:
		return TicketReturn
	case *deskpb.TicketCommand_Resolve:
		return TicketResolve
	case *deskpb.TicketCommand_Confirm:
		return TicketConfirm
	case *deskpb.TicketCommand_Close:
		return TicketClose
	case *deskpb.TicketCommand_Reopen:
		return TicketReopen
	case *deskpb.TicketCommand_Cancel:
		return TicketCancel
	case *deskpb.TicketCommand_Reclaim:
		return TicketOverride
	}
	return ofCommandBeside(c)
}

// ofCommandBeside is OfCommand for the verbs that concern how the work is organised.
func ofCommandBeside(c *deskpb.TicketCommand) Verb {
	switch c.GetVerb().(type) {
	case *deskpb.TicketCommand_Urge:
		return TicketUrge
	case *deskpb.TicketCommand_Classify:
		return TicketClassify
	case *deskpb.TicketCommand_Claim:
		return TicketClaim
	case *deskpb.TicketCommand_Decline:
		return TicketDecline
	case *deskpb.TicketCommand_Transfer:
		return TicketTransfer
	case *deskpb.TicketCommand_Arrive:
		return TicketArrive
	case *deskpb.TicketCommand_AddTask:
		return TicketAddTask
	case *deskpb.TicketCommand_ChangeTask:
		return TicketChangeTask
	case *deskpb.TicketCommand_CheckItem:
		return TicketCheck
	case *deskpb.TicketCommand_Review:
		return TicketReview
	case *deskpb.TicketCommand_Merge:
		return TicketMerge
	case *deskpb.TicketCommand_LinkTickets:
		return TicketLink
	case *deskpb.TicketCommand_Attach:
		return TicketAttach
	case *deskpb.TicketCommand_RecordCallBack:
		return TicketCallBack
	case *deskpb.TicketCommand_Rate:
		return TicketRate
	case *deskpb.TicketCommand_RunMacro:
		return TicketMacro
	}
	return "" // Dispatch, Relocate, Tick and ResolveWith are the site's own
}
