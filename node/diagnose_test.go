package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/authority"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/disk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/peers"
	"github.com/tierdesk/tierdesk/replication"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/gossip"
)

const (
	ok     = apipb.Check_OK
	warned = apipb.Check_WARNING
	failed = apipb.Check_FAILED
)

// mustFind checks a check's state and a part of what it says.
func mustFind(t *testing.T, what string, found *apipb.Check, state apipb.Check_State, words string) {
	t.Helper()
	if found.GetState() != state || !strings.Contains(found.GetMessage()+"; "+found.GetRemedy(), words) {
		t.Errorf("%s: %v %q; %q, want %v with %q", what, found.GetState(), found.GetMessage(), found.GetRemedy(), state, words)
	}
	if state != ok && found.GetRemedy() == "" {
		t.Errorf("%s: it does not say what to do", what)
	}
}

func TestJudgeQuorum(t *testing.T) {
	for _, c := range []struct {
		voters, alive, learners int
		state                   apipb.Check_State
		words                   string
	}{
		{1, 1, 0, ok, "stands still"}, {2, 2, 0, warned, "third node"}, {3, 3, 0, ok, "3 of 3"}, {3, 3, 1, ok, "1 without a vote"},
		{3, 2, 0, warned, "one more failure"}, {4, 4, 0, warned, "even number"}, {4, 3, 0, warned, "one more failure"},
		{5, 4, 0, ok, "4 of 5"}, {5, 3, 0, warned, "one more failure"},
	} {
		mustFind(t, fmt.Sprintf("%+v", c), judgeQuorum("n1", c.voters, c.alive, c.learners), c.state, c.words)
	}
}

func TestJudgeDiskStateAndCertificate(t *testing.T) {
	const gibibyte = 1 << 30
	room := disk.Room{State: disk.OK, Free: 10 * gibibyte, Total: 20 * gibibyte, Reserve: 64 * mebibyte}
	mustFind(t, "a disk without room for a checkpoint", judgeDisk("/d", room, 10*gibibyte), warned, "10240 MiB left")
	mustFind(t, "a roomy disk", judgeDisk("/d", room, gibibyte), ok, "/d")
	mustFind(t, "an unknown disk", judgeDisk("/d", disk.Room{State: disk.OK}, gibibyte), ok, "cannot be measured")
	room = disk.Room{State: disk.Low, Free: 63 * mebibyte, Total: gibibyte, Needed: 128 * mebibyte}
	mustFind(t, "a disk short of room", judgeDisk("/d", room, 0), failed, "63 MiB left, so the node takes no work; free some space there; from 128 MiB")

	mustFind(t, "a log that is not cut", judgeLog(replication.Storage{First: 1, Last: 9, LogBytes: 3 * gibibyte}), warned, "3072 MiB")
	mustFind(t, "a file of free pages", judgeLog(replication.Storage{First: 1, Last: 9, StableBytes: 80 * mebibyte, StableFreeBytes: 70 * mebibyte}),
		warned, "80 MiB, of which 70 MiB are free")
	mustFind(t, "a sound log", judgeLog(replication.Storage{First: 11, Last: 20, StableBytes: 80 * mebibyte}), ok, "10 entries")

	mustFind(t, "a stall", judgeState(store.Metrics{Stalled: true, WriteStalls: 3}), warned, "3 times")
	mustFind(t, "deep reads", judgeState(store.Metrics{ReadAmplification: 21}), warned, "21 tables")
	mustFind(t, "compactions in arrears", judgeState(store.Metrics{CompactionDebt: gibibyte, TableBytes: gibibyte / 2}), warned, "1024 MiB")
	mustFind(t, "a slow disk", judgeState(store.Metrics{SlowWrites: 2, SlowWriteTime: time.Now().Add(-time.Minute)}), warned, "2 operations")
	mustFind(t, "a disk that was slow long ago", judgeState(store.Metrics{SlowWrites: 2, SlowWriteTime: time.Now().Add(-25 * time.Hour)}), ok, "")
	mustFind(t, "a sound state", judgeState(store.Metrics{DiskBytes: 30 * mebibyte, ReadAmplification: 2}), ok, "30 MiB")

	for name, want := range map[string]struct {
		keys  gossip.KeyState
		state apipb.Check_State
		words string
	}{
		"one key":           {gossip.KeyState{Use: "aa", Wanted: "aa"}, ok, "uses the key aa"},
		"an old key beside": {gossip.KeyState{Use: "bb", Wanted: "bb", Others: []string{"aa"}}, ok, "gossip-key drop"},
		"a key that waits":  {gossip.KeyState{Use: "aa", Wanted: "bb", Others: []string{"bb"}, Lacking: []string{"330106/n2"}}, warned, "bb waits until 330106/n2"},
	} {
		mustFind(t, name, judgeKeys(want.keys)[0], want.state, want.words)
	}
}

func TestJudgeLinks(t *testing.T) {
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	judge := func(link *apipb.LinkStatus, oldest time.Time) []*apipb.Check {
		if link.OldestPendingTime = nil; !oldest.IsZero() {
			link.OldestPendingTime = timestamppb.New(oldest)
		}
		return lineOf(link, time.UTC).judge(now)
	}
	down := &apipb.LinkStatus{Peer: "330100", Direction: apipb.LinkStatus_PARENT, State: apipb.LinkStatus_DOWN, Reason: "cut",
		Since: timestamppb.New(now.Add(-time.Hour)), Pending: 3, Queued: 2}
	mustFind(t, "the parent is away", judge(down, now.Add(-time.Minute))[0], failed,
		"down since 2026-11-21 07:00:00 (cut); 3 items wait for their acknowledgement, 2 hand-overs wait to be sent, the oldest item since 2026-11-21 07:59:00")
	child := &apipb.LinkStatus{Peer: "330106", Direction: apipb.LinkStatus_CHILD, State: apipb.LinkStatus_DOWN, Reason: "never up"}
	mustFind(t, "a child is away", judge(child, time.Time{})[0], warned, "the child 330106 is down (never up)")
	up := &apipb.LinkStatus{Peer: "330100", Direction: apipb.LinkStatus_PARENT, State: apipb.LinkStatus_UP, Pending: 1, Parked: 4}
	found := judge(up, now.Add(-time.Second))
	if len(found) != 2 {
		t.Fatalf("a line with parked items: %v, want two checks", found)
	}
	mustFind(t, "a line at work", found[0], ok, "is up; 1 items")
	mustFind(t, "parked items", found[1], warned, "4 items")
	mustFind(t, "a line that does not drain", judge(up, now.Add(-time.Hour))[0], warned, "not everything gets through")
}

func TestJudgeLife(t *testing.T) {
	since := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC).UnixMicro()
	judge := func(site *deskpb.Site, missing ...string) *apipb.Check { return judgeLife(site, missing, time.UTC) }
	mustFind(t, "the first life", judge(&deskpb.Site{Incarnation: 7}, "330100"), ok, "first life")
	later := &deskpb.Site{Incarnation: 7, Past: []*deskpb.Incarnation{{Id: 1}}}
	mustFind(t, "a later life", judge(later), ok, "number 2")
	mustFind(t, "a frozen copy", judge(&deskpb.Site{Frozen: "another copy lives."}), failed, "another copy lives; if the other copy")
	mustFind(t, "a frozen copy that recovers", judge(&deskpb.Site{Frozen: "x", Recovering: since}, "330100"), failed, "tierdesk site recover")
	mustFind(t, "restored a moment ago", judge(&deskpb.Site{Restored: true}), warned, "taking another incarnation")
	mustFind(t, "a site that recovers", judge(&deskpb.Site{Recovering: since}, "330100", "330108"), warned,
		"since 2026-11-21 08:00:00 and was not compared to the end with 330100, 330108")
	mustFind(t, "a site that has nearly recovered", judge(&deskpb.Site{Recovering: since}), warned, "about to be done")
	if found := judgeLacking(0, 10); found != nil {
		t.Errorf("no ticket lacks events: %v", found)
	}
	mustFind(t, "tickets that lack events", judgeLacking(2, 10), warned, "2 of 10 open tickets")
}

// view is that of n1 on a group of three voters and a learner, of which only n1 answers.
func view() groupView {
	v := groupView{now: time.Now(), applied: 20_000, others: map[string]heard[peers.Diagnosis]{}}
	v.status = replication.Status{Self: "n1-aa", Leader: "n1-aa"}
	for _, id := range []string{"n1-aa", "n2-bb", "n3-cc", "n4-dd"} {
		v.status.Members = append(v.status.Members, replication.Member{Server: replication.Server{ID: id}, Voter: id != "n4-dd"})
	}
	return v
}

// says has a member answer between half a second and no time ago.
func (v groupView) says(serverID string, d peers.Diagnosis, err error) {
	v.others[serverID] = heard[peers.Diagnosis]{said: d, err: err, asked: v.now.Add(-time.Second / 2), given: v.now}
}

func TestMembersThatNeedHelp(t *testing.T) {
	v := view()
	v.says("n2-bb", peers.Diagnosis{Applied: 9_000}, nil)
	v.says("n3-cc", peers.Diagnosis{}, errors.New("connection refused"))
	found := v.members(func(id string) string { return map[string]string{"n3-cc": "10.0.0.3:7400"}[id] })
	if len(found) != 3 {
		t.Fatalf("found %v, want three", found)
	}
	mustFind(t, "a member that lags", found[0], warned, "11000 log entries")
	mustFind(t, "a dead voter", found[1], failed, "voter n3-cc does not answer at 10.0.0.3:7400")
	mustFind(t, "what to do about it", found[1], failed, "tierdesk raft remove n3-cc")
	mustFind(t, "a dead learner", found[2], warned, "its address is not known")

	v = view()
	v.status.Members[2].ID = "n2-zz"
	v.says("n2-zz", peers.Diagnosis{Applied: 20_000}, nil)
	v.says("n2-bb", peers.Diagnosis{}, errors.New("connection refused"))
	v.says("n4-dd", peers.Diagnosis{}, fmt.Errorf("ask: %w", status.Error(codes.Unimplemented, "unknown method")))
	found = v.members(func(string) string { return "" })
	if len(found) != 2 {
		t.Fatalf("found %v, want two", found)
	}
	mustFind(t, "a replaced server", found[0], failed, "n2-bb was replaced by n2-zz")
	mustFind(t, "an older version", found[1], warned, "same version")
	mustFind(t, "two of three voters", v.quorum()[0], warned, "2 of 3 voters answer, beside 1 without a vote")
	v.noMajority = replication.ErrNoQuorum
	mustFind(t, "no majority", v.quorum()[0], failed, "nothing can be written")
}

func TestClocksThatDiffer(t *testing.T) {
	for _, c := range []struct {
		off   time.Duration
		state apipb.Check_State
	}{
		{0, ok}, {1900 * time.Millisecond, ok}, {-2400 * time.Millisecond, ok}, {-1900 * time.Millisecond, ok}, {3 * time.Second, warned}, {-3 * time.Second, warned},
		{2 * time.Hour, failed}, {-2 * time.Hour, failed},
	} {
		v := view()
		v.says("n2-bb", peers.Diagnosis{Time: v.now.Add(c.off)}, nil)
		v.says("n3-cc", peers.Diagnosis{}, errors.New("away"))
		found := v.clocks(func() time.Time { return v.now })
		if c.state == ok {
			if len(found) > 0 {
				t.Errorf("clocks that differ by %v: %v, want no word", c.off, found)
			}
			continue
		}
		if len(found) != 1 || found[0].Node != "n2" {
			t.Fatalf("clocks that differ by %v: %v", c.off, found)
		}
		mustFind(t, fmt.Sprint(c.off), found[0], c.state, "time server")
	}
}

// named returns the check of a node and a name, nil when there is none.
func named(checks []*apipb.Check, node, name string) *apipb.Check {
	for _, check := range checks {
		if check.GetNode() == node && check.GetName() == name {
			return check
		}
	}
	return nil
}

func TestDiagnoseASiteWhoseMajorityGoes(t *testing.T) {
	nodes := startThree(t)
	last := nodes[2]
	_, body := fetch(t, http.MethodPost, "http://"+last.HTTPAddr()+"/api/v1/sessions", "",
		map[string]string{"user": "admin", "password": password})
	var session struct{ Token string }
	if err := json.Unmarshal([]byte(body), &session); err != nil || session.Token == "" {
		t.Fatalf("sign in: %s %v", body, err)
	}
	eventually(t, "every node is seen", func() string {
		found, err := last.backend.Diagnose(t.Context())
		if err != nil {
			return err.Error()
		}
		for _, node := range []string{"n1", "n2", "n3"} {
			for _, name := range []string{"state", "disk", "log", "clock"} {
				if named(found.Checks, node, name) == nil {
					return fmt.Sprintf("no check of the %s of %s in %v", name, node, found.Checks)
				}
			}
		}
		if quorum := named(found.Checks, "", "quorum"); quorum.GetState() != ok || !strings.Contains(quorum.GetMessage(), "3 of 3") {
			return fmt.Sprintf("the quorum is %v", quorum)
		}
		return ""
	})

	stop(t, nodes[0])
	stop(t, nodes[1])
	code, answer := fetch(t, http.MethodGet, "http://"+last.HTTPAddr()+"/api/v1/site:diagnose", session.Token, nil)
	if code != http.StatusOK {
		t.Fatalf("diagnose: %d: %s", code, answer)
	}
	var found struct {
		Checks []struct{ Node, Name, State, Message, Remedy string }
	}
	if err := json.Unmarshal([]byte(answer), &found); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprint(found.Checks)
	for _, want := range []string{"{ quorum FAILED no leader has a majority", "{n1 members FAILED voter n1-", "{n2 members FAILED voter n2-", "{n3 disk "} {
		if !strings.Contains(text, want) {
			t.Errorf("the diagnosis lacks %q:\n%s", want, text)
		}
	}
	if found.Checks[0].State != "FAILED" {
		t.Errorf("the first check is %v, want one that failed", found.Checks[0])
	}

	// What cannot be written now says so, and when to try again.
	code, answer = fetch(t, http.MethodPost, "http://"+last.HTTPAddr()+"/api/v1/tickets", session.Token,
		map[string]any{"ticket": map[string]string{"title": "x"}, "requestId": "r1"})
	if code != http.StatusServiceUnavailable || !strings.Contains(answer, "NO_LEADER") || !strings.Contains(answer, `"retryDelay":"1s"`) {
		t.Errorf("a write without a majority: %d %s, want 503 NO_LEADER with a pause", code, answer)
	}
}

func TestDiagnoseTellsOfTheCertificate(t *testing.T) {
	c := configuration(t, "n1")
	newAuthority(t).issueLong(t, c, authority.DefaultLifetime-time.Hour)
	n := start(t, c)
	if check := named(n.examine(), "n1", "certificate"); check.GetState() != warned || !strings.Contains(check.GetMessage(), "in 0 days") {
		t.Errorf("a certificate that ends in an hour: %v", check)
	}
}

// TestErrorsOfReplicationKeepTheirOutcome holds every error of the log to a code that says whether the write was done.
func TestErrorsOfReplicationKeepTheirOutcome(t *testing.T) {
	for _, c := range []struct {
		err    error
		code   codes.Code
		reason string
	}{
		{replication.ErrNotLeader, codes.Unavailable, "NO_LEADER"},
		{replication.ErrNoQuorum, codes.Unavailable, "NO_LEADER"},
		{replication.ErrUnreachable, codes.Unavailable, "NO_LEADER"},
		{replication.ErrOverloaded, codes.ResourceExhausted, "OVERLOADED"},
		{replication.ErrRefused, codes.FailedPrecondition, "REFUSED"},
		{replication.ErrUnknownOutcome, codes.DeadlineExceeded, "OUTCOME_UNKNOWN"},
		{context.DeadlineExceeded, codes.DeadlineExceeded, "OUTCOME_UNKNOWN"},
		{context.Canceled, codes.Canceled, ""},
		{errors.New("strange"), codes.Unknown, ""}, // the API makes a fault of it, which may have been done
	} {
		st := status.Convert(statusOf(fmt.Errorf("propose: %w", c.err)))
		if st.Code() != c.code || c.reason != "" && !strings.Contains(fmt.Sprint(st.Details()), c.reason) {
			t.Errorf("%v becomes %v %v, want %v %s", c.err, st.Code(), st.Details(), c.code, c.reason)
		}
	}
}
