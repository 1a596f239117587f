package machine

import (
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

func setDuty(user string, until int64) *deskpb.Command {
	return &deskpb.Command{Kind: &deskpb.Command_SetDuty{SetDuty: &deskpb.SetDuty{User: user, On: true, Until: until}}}
}

func markNotices(user string) *deskpb.Command {
	return &deskpb.Command{Kind: &deskpb.Command_MarkNotices{MarkNotices: &deskpb.MarkNotices{User: user, Through: noon * 2}}}
}

func TestDutyIsSaidOfPeopleOfTheSiteAndForLater(t *testing.T) {
	l := founded(t)
	for _, c := range []struct {
		name, want string
		command    *deskpb.Command
	}{
		{"a stranger on duty", "USER_NOT_FOUND", setDuty("nobody", 0)},
		{"a duty that has ended", "INVALID_FIELD", setDuty("admin", noon)},
		{"a duty until further notice", "", setDuty("admin", 0)},
		{"a duty for an hour", "", setDuty("admin", noon+3_600_000_000)},
		{"a stranger's notices", "USER_NOT_FOUND", markNotices("nobody")},
		{"one's own notices", "", markNotices("admin")},
	} {
		if got := l.one(t, noon, c.command); got != c.want {
			t.Errorf("%s: reason %q, want %q", c.name, got, c.want)
		}
	}
}

// Who leaves takes along what the site keeps for the person, so that a later one of the same name begins with nothing.
func TestWhoIsRemovedLeavesNothingBehind(t *testing.T) {
	l := founded(t)
	l.must(t, noon, putUser("li", deskpb.User_AGENT, "$", true), setDuty("li", 0), createCommand("打印机不工作"))
	number := l.apply(t, noon, createCommand("断网"))[0].Ticket.Number
	l.must(t, noon, ticketCommand(&deskpb.TicketCommand{Number: number, Verb: &deskpb.TicketCommand_Assign{Assign: &deskpb.Assign{Assignee: "li"}}}))
	kept := func() (notices int, duty *deskpb.SetDuty) {
		l.view(t, func(r *store.Reader) error {
			all, err := r.Notices("li")
			if err != nil {
				return err
			}
			notices = len(all)
			duty, err = r.Duty("li")
			return err
		})
		return notices, duty
	}
	if notices, duty := kept(); notices != 1 || duty == nil {
		t.Fatalf("li has %d notices and the duty %v, want one and one", notices, duty)
	}
	l.must(t, noon, removeUser("li"))
	if notices, duty := kept(); notices != 0 || duty != nil {
		t.Errorf("li is removed and has %d notices and the duty %v", notices, duty)
	}
}
