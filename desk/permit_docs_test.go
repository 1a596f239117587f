package desk

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// permissionsPage is the page that is written from the table of verbs.
const permissionsPage = "../docs/permissions.md"

// roleWords says of each role how it is called, and in a sentence what it is for.
var roleWords = map[deskpb.User_Role][2]string{
	deskpb.User_REQUESTER:        {"报告人", "reports, and follows the own tickets: sees what everybody may see of them, answers, urges, confirms, reopens, cancels, rates"},
	deskpb.User_AGENT:            {"服务台人员", "works on tickets, at the own lines where the account names some"},
	deskpb.User_DISPATCHER:       {"派单岗", "an agent who also knows the people of the site and says who is on duty"},
	deskpb.User_INCIDENT_MANAGER: {"事件经理", "a dispatcher bound by no line, who takes tickets without a hand-over and closes them away from home, with a reason"},
	deskpb.User_ADMINISTRATOR:    {"系统管理员", "an incident manager who also keeps accounts, policy, site and tree"},
	deskpb.User_LEADER:           {"领导", "reads, approves and signs where asked, notes, urges, and changes nothing else"},
	deskpb.User_AUDITOR:          {"审计", "reads everything in scope, the audit log too, and changes nothing but the own password, second factor, sessions and tokens"},
}

const permissionsHead = `# Who may do what

Everybody has one role and one scope. The role says which verbs; the scope says on which tickets; place and state of the ticket say
when. All three are decided in one place, ` + "`desk`" + `, and this page is written from its table: ` +
	"`go test ./desk -run TestPermissionsPage -update`" + `.

What a person does not see is as if it were not there: *not found*, as for a number that does not exist. What the role does not include
is refused with the role and with who may.

## Roles

| role | | what for |
| --- | --- | --- |
`

const permissionsScopes = `
Rights grow from REQUESTER to ADMINISTRATOR; LEADER and AUDITOR stand beside them.

## Scopes

| scope | sees and works on |
| --- | --- |
| OWN | tickets that the person reported, accompanies as a collaborator, has, or has a task, co-signing or approval of |
| GROUPS | also those of the person's groups, and those that this site has and no group yet |
| SITE | also those whose home or custodian this site is, or that are on their way to it |
| SUBTREE | all that this site knows: its own, and those of all offices below; with offices named, those whose home is one of them or lies below one, and what GROUPS allows |

A requester's scope is OWN, always: the tickets reported at their home by the own account. Everybody else's is SUBTREE unless the account
says otherwise. Names on a ticket are of people of the site that wrote them down: somebody of the same name at another site is somebody else.

## Verbs

`

const permissionsRules = `
## What else decides

- *Lines.* An agent or dispatcher whose account names lines does what only the custodian does (● and ◐ below) on tickets at one of them only.
  Remarks, wishes, and tasks that one is asked for are not bound; nor are incident managers and administrators.
- *Closing away from home* is for incident managers and administrators, with a comment.
- *Giving up* a mandatory task or an approval is for who added it, incident managers and administrators.
- *Signing* is for those who are named, at the site that asked. A leader changes tasks in no other way.
- *A requester* opens tickets in the own name, with words, category, application, service and urgency: assignment, tags and the other
  levels are the desk's to say and are not read. A reply of a requester is the requester's words. A new ticket stands alone, or follows an earlier one of the own.
- *A guest* has no account: of a requester's verbs create, reply, urge, attach, confirm, reopen, cancel and rate, on the one ticket that the link
  is for, at its home. Where the policy's portal has no guests, nobody opens a ticket without an account.
- *Tickets that belong together.* Whoever links, merges, splits or follows must see the other ticket too. Words for a merged ticket go to the one that
  it was merged into if their author sees that, and stay on it otherwise.
- *A password that somebody else set* allows nothing but own.read, own.password and own.sign-out.

## Access tokens

A token has the rights of the person who made it, as they are when it is used, within its limits: an area, an area with ` + "`:read`" + ` for what
changes nothing in it, or ` + "`read`" + ` for what changes nothing at all. Verbs marked – are for people who signed in themselves, or need no
sign-in. Each token may ask whose it is (own.read).

## Tickets: place and state

● by the custodian · ◐ by the custodian, a wish everywhere else · ○ wherever the ticket is known · ◇ where the ticket is not held

| verb | %s |
| --- |%s
`

func TestPermissionsPage(t *testing.T) {
	page := writtenPermissions()
	if *update {
		if err := os.WriteFile(permissionsPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(permissionsPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != page {
		t.Errorf("%s does not say what the table says; write it anew with -update", permissionsPage)
	}
}

// writtenPermissions returns the page.
func writtenPermissions() string {
	var b strings.Builder
	b.WriteString(permissionsHead)
	for _, role := range Roles() {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", role, roleWords[role][0], roleWords[role][1])
	}
	b.WriteString(permissionsScopes)
	for _, area := range Areas() {
		writeArea(&b, area)
	}
	states := anyState.states()
	names := make([]string, len(states))
	for i, state := range states {
		names[i] = state.String()
	}
	fmt.Fprintf(&b, permissionsRules, strings.Join(names, " | "), strings.Repeat(" :-: |", len(states)))
	for _, r := range rules {
		if r.at != noTicket && r.does == alters {
			fmt.Fprintf(&b, "| %s | %s |\n", r.verb, strings.Join(cells(states, r.states.has, marks[r.at]), " | "))
		}
	}
	return b.String()
}

// marks of the places where verbs on tickets are carried out.
var marks = map[place]string{custodian: "●", wished: "◐", anywhere: "○", mirror: "◇"}

// writeArea writes the table of an area's verbs by roles, with the narrowest limit that lets an access token have each. Verbs that no token
// has stand behind those about oneself.
func writeArea(b *strings.Builder, area Area) {
	fmt.Fprintf(b, "### %s\n\n| verb | | token |", area)
	for _, role := range Roles() {
		fmt.Fprintf(b, " %s |", roleWords[role][0])
	}
	fmt.Fprintf(b, "\n| --- | --- | --- |%s\n", strings.Repeat(" :-: |", len(Roles())))
	for _, r := range rules {
		if r.area != area && !(area == AreaOwn && r.area == personal) {
			continue
		}
		limit := string(r.area)
		switch {
		case r.area == personal:
			limit = "–"
		case r.does == reads:
			limit += ":read"
		}
		has := func(role deskpb.User_Role) bool { return r.verb.NeedsNoSignIn() || r.roles.has(role) }
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", r.verb, r.words, limit, strings.Join(cells(Roles(), has, "●"), " | "))
	}
	b.WriteByte('\n')
}

// cells marks those of the columns that a predicate holds for.
func cells[C any](columns []C, holds func(C) bool, mark string) []string {
	row := make([]string, len(columns))
	for i, column := range columns {
		if holds(column) {
			row[i] = mark
		}
	}
	return row
}
