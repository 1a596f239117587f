package node

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/peers"
	"github.com/tierdesk/tierdesk/replication"
)

// diagnosePatience bounds a diagnosis: the wait for the site's other nodes and for the proof of a majority.
const diagnosePatience = 2 * time.Second

// Diagnose has every node of the site look at itself, and looks at the site from here. It needs no leader, and a node
// that does not answer in time is a finding. The worst findings come first.
func (b *backend) Diagnose(ctx context.Context) (*apipb.DiagnoseSiteResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, diagnosePatience)
	defer cancel()
	view := groupView{status: b.site.replica.Status()}
	var own []*apipb.Check
	var asking sync.WaitGroup
	asking.Go(func() { view.others = askOthers(ctx, b.node, b.node.peers.Diagnose) })
	asking.Go(func() { view.noMajority = b.site.Barrier(ctx) })
	asking.Go(func() { own = b.node.examineWithin(ctx) })
	survey := b.survey(ctx)
	asking.Wait()

	view.now, view.applied = time.Now(), b.node.machine.Applied()
	checks := slices.Concat(own, view.quorum(), view.members(b.node.addressOf), view.clocks(b.node.clock.Now))
	for _, answer := range view.others {
		if answer.err == nil {
			checks = append(checks, answer.said.Checks...)
		}
	}
	links, err := b.diagnoseLinks(survey)
	if err != nil {
		return nil, fmt.Errorf("look at the links: %w", err)
	}
	past, err := b.diagnoseRecovery()
	if err != nil {
		return nil, err
	}
	checks = append(checks, slices.Concat(links, past, b.diagnosePlace())...)
	slices.SortStableFunc(checks, func(x, y *apipb.Check) int {
		return cmp.Or(-cmp.Compare(x.State, y.State), cmp.Compare(x.Node, y.Node))
	})
	return &apipb.DiagnoseSiteResponse{Checks: checks}, nil
}

// diagnosis is what this node tells another one about itself.
func (b *backend) diagnosis(ctx context.Context) peers.Diagnosis {
	return peers.Diagnosis{Checks: b.node.examineWithin(ctx), Applied: b.node.machine.Applied(), Time: b.node.clock.Now()}
}

// fine, warning and failure make what a check found. The node and the name are set by whoever asked for it.
func fine(format string, args ...any) *apipb.Check {
	return &apipb.Check{State: apipb.Check_OK, Message: fmt.Sprintf(format, args...)}
}

func warning(remedy, format string, args ...any) *apipb.Check {
	return &apipb.Check{State: apipb.Check_WARNING, Message: fmt.Sprintf(format, args...), Remedy: remedy}
}

func failure(remedy, format string, args ...any) *apipb.Check {
	return &apipb.Check{State: apipb.Check_FAILED, Message: fmt.Sprintf(format, args...), Remedy: remedy}
}

// about names what a check is about.
func about(node, name string, c *apipb.Check) *apipb.Check {
	c.Node, c.Name = node, name
	return c
}

// groupView is the site's group as this node sees it.
type groupView struct {
	status     replication.Status
	others     map[string]heard[peers.Diagnosis] // by server id; members whose address is not known are missing
	noMajority error                             // nil: a leader has proved its majority
	applied    uint64                            // log index that this node has applied
	now        time.Time
}

// answers tells whether a member is alive: it said something, even if only that it does not know the question.
func (v groupView) answers(serverID string) bool {
	if serverID == v.status.Self {
		return true
	}
	answer, asked := v.others[serverID]
	return asked && (answer.err == nil || unknownQuestion(answer.err))
}

// quorum tells whether the site can write, and what stands between it and the day it cannot.
func (v groupView) quorum() []*apipb.Check {
	voters, alive, learners := 0, 0, 0
	for _, member := range v.status.Members {
		switch {
		case !member.Voter:
			learners++
		case v.answers(member.ID):
			alive++
			voters++
		default:
			voters++
		}
	}
	if v.noMajority != nil {
		return []*apipb.Check{about("", "quorum", failure("start the voters that do not answer, or mend the network between the nodes",
			"no leader has a majority, so nothing can be written: %d of %d voters answer (%v)", alive, voters, v.noMajority))}
	}
	return []*apipb.Check{about("", "quorum", judgeQuorum(nodeOf(v.status.Leader), voters, alive, learners))}
}

// judgeQuorum judges a group that has a leader.
func judgeQuorum(leader string, voters, alive, learners int) *apipb.Check {
	standing := fmt.Sprintf("%s leads and %d of %d voters answer", cmp.Or(leader, "a node"), alive, voters)
	if learners > 0 {
		standing += fmt.Sprintf(", beside %d without a vote", learners)
	}
	switch {
	case voters == 1:
		return fine("%s; the site stands still while it is down", standing)
	case alive <= voters/2+1 && alive < voters:
		return warning("bring back the voters that do not answer", "%s: one more failure stops the site", standing)
	case voters == 2:
		return warning("add a third node", "%s: a failure of either stops the site", standing)
	case voters%2 == 0:
		return warning("add a node, or remove one", "%s: an even number survives no more failures than %d voters do", standing, voters-1)
	default:
		return fine("%s", standing)
	}
}

// unknownQuestion tells whether a node answered that it does not know what it was asked.
func unknownQuestion(err error) bool { return status.Code(err) == codes.Unimplemented }

// farBehind is how many log entries a node may lack before it is told.
const farBehind = 10_000

// members tells of members that do not answer, were replaced, or lag.
func (v groupView) members(address func(serverID string) string) []*apipb.Check {
	latest := v.applied
	for _, answer := range v.others {
		latest = max(latest, answer.said.Applied)
	}
	var checks []*apipb.Check
	for _, member := range v.status.Members {
		applied := v.applied
		if member.ID != v.status.Self {
			answer := v.others[member.ID]
			if answer.err != nil || answer.given.IsZero() {
				checks = append(checks, about(nodeOf(member.ID), "members", v.absent(member, address(member.ID))))
				continue
			}
			applied = answer.said.Applied
		}
		if applied+farBehind < latest {
			checks = append(checks, about(nodeOf(member.ID), "members", warning(
				"wait; if the distance does not shrink, look at its disk and at the network to it",
				"it is %d log entries behind", latest-applied)))
		}
	}
	return checks
}

// absent says what to do about a member that gave no diagnosis.
func (v groupView) absent(member replication.Member, address string) *apipb.Check {
	if err := v.others[member.ID].err; unknownQuestion(err) {
		return warning("run the same version of tierdesk on every node", "it answers, but its version cannot look at itself")
	}
	kind, tell := "voter", failure
	if !member.Voter {
		kind, tell = "node without a vote", warning
	}
	if heir := v.heir(member.ID); heir != "" {
		return tell("take it out with tierdesk raft remove "+member.ID,
			"%s %s was replaced by %s and still belongs to the group", kind, member.ID, heir)
	}
	where := "and its address is not known"
	if address != "" {
		where = "at " + address
	}
	return tell(fmt.Sprintf("start it; if it is gone for good, take it out with tierdesk raft remove %s and add another", member.ID),
		"%s %s does not answer %s", kind, member.ID, where)
}

// heir is the member of the same node id that answers in a server's place, "" when there is none.
func (v groupView) heir(serverID string) string {
	for _, member := range v.status.Members {
		if member.ID != serverID && nodeOf(member.ID) == nodeOf(serverID) && v.answers(member.ID) {
			return member.ID
		}
	}
	return ""
}

// clocks compares the clocks of the nodes that answered with this node's.
func (v groupView) clocks(now func() time.Time) []*apipb.Check {
	ahead := now().Sub(v.now) // of the site's time here over this process's
	var checks []*apipb.Check
	for serverID, answer := range v.others {
		if answer.err != nil {
			continue
		}
		// The other clock was read between the question and its answer, so the least difference is certain.
		after, before := answer.said.Time.Sub(answer.asked.Add(ahead)), answer.said.Time.Sub(answer.given.Add(ahead))
		least := max(before, -after, 0)
		if found := judgeClock(least, "the clock of this node and that of "+nodeOf(v.status.Self)); found != nil {
			checks = append(checks, about(nodeOf(serverID), "clock", found))
		}
	}
	return checks
}

// clockSlack is how far two clocks may differ without a word; maxJump is where it stops being a matter of seconds.
const clockSlack = 2 * time.Second

// judgeClock judges by how much at least two clocks differ; nil when it is not worth a word.
func judgeClock(least time.Duration, which string) *apipb.Check {
	const remedy = "let all machines follow one time server"
	switch {
	case least > maxJump:
		return failure(remedy, "%s differ by %v", which, least.Round(time.Second))
	case least > clockSlack:
		return warning(remedy, "%s differ by %v: when the lead changes, tickets are stamped with another time", which, least.Round(time.Second/10))
	default:
		return nil
	}
}
