package desk

import (
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// permit refuses a verb that the actor's role does not include. The site itself, the zero actor, moves tickets, does what
// is due on them, opens rounds, takes the requester's rating by a survey's link, and does nothing else; people do
// everything else. Only an incident manager or an administrator takes a ticket without a hand-over, or closes one away
// from its home, and says why. record is nil for create.
func permit(here Here, record *deskpb.Record, c *deskpb.TicketCommand) error {
	user, role := c.GetActor().GetUser(), c.GetActor().GetRole()
	itself := user == "" && role == deskpb.User_ROLE_UNSPECIFIED
	own := c.GetDispatch() != nil || c.GetRelocate() != nil || c.GetTick() != nil || c.GetResolveWith() != nil ||
		opensRound(c)
	switch {
	case itself && (own || c.GetRate() != nil):
		return nil
	case itself || own:
		return denied("what the site does with tickets by itself is not for people, and all other verbs are; sign in, or escalate instead")
	case user == "":
		return denied("the role %s is nobody's; sign in", role)
	case role < deskpb.User_AGENT || role > deskpb.User_ADMINISTRATOR:
		return denied("user %q has no role at this site; ask an administrator for one", user)
	}
	if c.GetReclaim() != nil && role == deskpb.User_AGENT {
		return denied("ticket %s may be taken without a hand-over by an incident manager or an administrator only; ask one",
			record.GetTicket().GetNumber())
	}
	if err := permitTask(record, c); err != nil {
		return err
	}
	away := record.GetTicket().GetHomeSite() != string(here.Site) && holds(here, record)
	if c.GetClose() == nil || !away {
		return nil
	}
	if role == deskpb.User_AGENT {
		return denied("ticket %s is closed at its home %s; here only an incident manager or an administrator may close it",
			record.GetTicket().GetNumber(), record.GetTicket().GetHomeSite())
	}
	if strings.TrimSpace(c.GetClose().GetComment()) == "" {
		return RefuseField("comment", "it is empty; say why ticket %s is closed away from its home %s",
			record.GetTicket().GetNumber(), record.GetTicket().GetHomeSite())
	}
	return nil
}

func denied(format string, args ...any) error {
	return Refuse(PermissionDenied, "PERMISSION_DENIED", format, args...)
}
