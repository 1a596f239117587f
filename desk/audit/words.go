package audit

// What an entry says was done. A call that was denied is told by the verb of package desk that it would have been, such as
// "policy.apply". The words are in entries that are kept for ever: none is changed or used for something else.
const (
	SignIn       = "session.create" // somebody signed in, or with outcome REFUSED was not let in
	SignOut      = "session.end"
	RevokeLogin  = "session.revoke" // sessions of the object, which is a user, were ended by somebody
	CreateToken  = "token.create"
	RevokeToken  = "token.revoke"
	LockUser     = "user.lock" // after too many wrong passwords
	UnlockUser   = "user.unlock"
	CreateUser   = "user.create"
	UpdateUser   = "user.update"
	DeleteUser   = "user.delete"
	SecondFactor = "own.second-factor"

	ApplyPolicy       = "policy.apply"
	Publish           = "publication.put"
	RemovePublication = "publication.remove"

	CreateRequester = "requester.create"
	UpdateRequester = "requester.update"
	DeleteRequester = "requester.delete"
	RecordCallBack  = "call-back.record"
	SetDuty         = "duty.set"

	MoveSite  = "tree.move"
	CloseSite = "tree.close"

	Found       = "site.found"
	Recover     = "site.recover" // the site began another life
	Freeze      = "site.freeze"
	RemoveNode  = "site.remove-node"
	Backup      = "site.backup"
	RetryParked = "parked.retry"

	Override = "ticket.override" // a ticket was taken without a hand-over
	Reveal   = "ticket.reveal"   // masked data of a requester was shown

	Read         = "audit.read"
	Verify       = "audit.verify"
	ExportLog    = "audit.export"
	Dropped      = "audit.dropped"      // so many entries, by their count, found no room and are lost
	Contradicted = "audit.contradicted" // the site below that is the object handed up a checkpoint that denies an earlier one
	Acknowledge  = "audit.acknowledge"  // somebody has seen to that, for the reason
)
