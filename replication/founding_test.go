package replication

import (
	"strings"
	"testing"

	"github.com/hashicorp/raft"
)

func TestOneNodeFoundsItsSiteAlone(t *testing.T) {
	s := newCluster(t, 1)
	if got := s.nodes[0].propose("a"); got != "a is number 1" {
		t.Errorf("the first command answered %q", got)
	}
	status := s.nodes[0].Status()
	if !status.Founded || status.Leader != "n1-a" || voters(status) != 1 || !status.Members[0].Leader {
		t.Errorf("status of a founded site of one: %+v", status)
	}
}

func TestThreeNodesFoundOneGroup(t *testing.T) {
	s := newSite(t, 3)
	s.join = []string{"n1:7400", "n2:7400", "n3:7400"}
	for range 3 {
		s.add().start()
	}
	for _, n := range s.nodes {
		s.eventually("it is a voter", func() bool { return voters(n.Status()) == 3 })
		n.propose("from " + n.self.ID)
	}
	if got := s.converged(); len(got) != 3 {
		t.Errorf("three nodes proposed, the group holds %v", got)
	}
	founded := 0
	for _, n := range s.nodes {
		founded += n.log.count("the group is founded")
		for _, m := range n.Status().Members {
			if m.GRPC == "" {
				t.Errorf("%s does not know the grpc address of %s", n.self.ID, m.ID)
			}
		}
	}
	if founded != 1 || s.nodes[0].log.count("the group is founded") != 1 {
		t.Errorf("the group was founded %d times; the server with the lowest id alone founds it", founded)
	}
}

func TestTwoOfThreeWaitAndSayItOnce(t *testing.T) {
	s := newSite(t, 3)
	s.join = []string{"n1:7400", "n2:7400", "n3:7400"}
	first, second := s.add().start(), s.add().start()
	const waiting = `msg="waiting for more nodes to found the site" known="n1-a n2-a"`
	s.eventually("both say what they wait for", func() bool {
		return first.log.count(waiting) > 0 && second.log.count(waiting) > 0
	})
	if first.Status().Founded || second.Status().Founded {
		t.Fatal("two nodes founded a site that expects three")
	}
	s.add().start()
	s.leader().propose("a")
	if got := first.log.count(waiting); got != 1 {
		t.Errorf("the same reason for waiting was logged %d times", got)
	}
}

// A node's disk is wiped before the site is founded: the identity that it had must not block the others.
func TestFoundingForgetsAnIdentityThatWasWiped(t *testing.T) {
	s := newSite(t, 3)
	s.join = []string{"n1:7400", "n2:7400", "n3:7400"}
	first, second := s.add().start(), s.add().start()
	s.eventually("the two know each other", func() bool { return len(first.roster.list()) == 2 })
	second.stop()
	second.self.ID, second.dir = "n2-b", t.TempDir()
	second.start()
	s.add().start()
	s.leader().propose("a")
	if status := s.leader().Status(); voters(status) != 3 || strings.Contains(sprintMembers(status), "n2-a") {
		t.Errorf("members after founding: %s", sprintMembers(status))
	}
}

func TestAServerThatExpectsOneButHasPeersOnlyJoins(t *testing.T) {
	s := newSite(t, 1)
	s.join = []string{"n2:7400"}
	lonely := s.add().start()
	s.eventually("it says that it waits", func() bool { return lonely.log.count("waiting for a node of raft.join") == 1 })
	if lonely.Status().Founded {
		t.Error("a server with raft.join founded a site of its own")
	}
}

// One list of addresses may be given to all nodes of a site, also when there is only one.
func TestAServersOwnAddressInJoinIsNoOther(t *testing.T) {
	s := newSite(t, 1)
	s.join = []string{"n1:7400"}
	s.add().start()
	s.leader().propose("a")
}

// Two servers that each wait to be taken in by the other say so, and name nobody as silent.
func TestWaitingNamesWhoWasAskedAndOnlyThoseThatAreSilent(t *testing.T) {
	s := newSite(t, 1)
	s.join = []string{"n1:7400", "n2:7400"}
	first := s.add().start()
	const waiting = `msg="waiting for a node of raft.join to take this one in" asked=n2:7400`
	s.eventually("it names who is silent", func() bool { return first.log.count(waiting+" silent=n2:7400\n") > 0 })
	s.add().start()
	s.eventually("nobody is silent", func() bool { return first.log.count(waiting+"\n") > 0 })
	if first.Status().Founded {
		t.Error("a server with another one in raft.join founded a site of its own")
	}
}

// A node whose disk was wiped and whose configuration names nobody, as that of a founding node may, is greeted by the
// leader and gets back in.
func TestAWipedNodeThatKnowsNobodyIsFetched(t *testing.T) {
	s := newCluster(t, 3)
	leader, wiped := s.leader(), s.followers()[0]
	leader.propose("a")
	wiped.stop()
	s.join = nil
	wiped.self.ID, wiped.dir, wiped.machine = strings.TrimSuffix(wiped.self.ID, "-a")+"-b", t.TempDir(), &memory{}
	wiped.start()
	s.eventually("it is a voter again", func() bool { return wiped.seated.Load() && voters(wiped.Status()) == 3 })
	if got := s.converged(); len(got) != 1 || wiped.log.count("the group is founded") != 0 {
		t.Errorf("the group holds %v; the wiped node's log:\n%s", got, wiped.log)
	}
}

// A server that may found alone does not once another one greeted it: that one may be of the group that it forgot.
func TestAGreetedServerAsksBeforeItFoundsAlone(t *testing.T) {
	s := newSite(t, 3) // the replica itself waits for two more
	n := s.add().start()
	alone := &founder{Replica: n.Replica, expect: 1, joining: true}
	n.Greet([]Server{{ID: "n7-a", Raft: "n7:7401", GRPC: "n7:7400"}})
	alone.round(t.Context())
	if n.Status().Founded {
		t.Fatal("it founded a group although the server that greeted it was not asked")
	}
	other := s.add()
	other.self.GRPC = "n7:7400"
	other.start()
	s.eventually("the other one answers", func() bool { alone.round(t.Context()); return n.Status().Founded })
}

func TestASecondGroupIsNoticedOnBothSides(t *testing.T) {
	s := newCluster(t, 3)
	leader, wiped := s.leader(), s.followers()[0]
	wiped.stop()
	s.join, s.expect = nil, 1
	wiped.self.ID, wiped.dir, wiped.machine = "n9-b", t.TempDir(), &memory{}
	wiped.start()
	s.eventually("the wiped node says what to do", func() bool { return wiped.Outside() == secondGroup })
	s.eventually("the leader says it", func() bool { return leader.log.count("there is a second group of this site") == 1 })
	if leader.Outside() != "" {
		t.Errorf("the group with more members is told: %s", leader.Outside())
	}
}

// The log of a server that stopped while it was joining may end before the entry that made it a member.
func TestAServerThatWasNoMemberYetGoesOnJoining(t *testing.T) {
	s := newCluster(t, 1)
	first := s.nodes[0]
	second := s.add()
	s.expect = 3 // it waits for others, whom it does not know
	second.start()
	_, transport := raft.NewInmemTransport("")
	err := raft.BootstrapCluster(second.config(&s.pace), second.disk, second.disk, raft.NewDiscardSnapshotStore(), transport,
		raft.Configuration{Servers: []raft.Server{{ID: raft.ServerID(first.self.ID), Address: raft.ServerAddress(first.self.Raft)}}})
	if err != nil {
		t.Fatal(err)
	}
	second.stop()
	s.expect, s.join = 1, []string{first.self.GRPC}
	second.start()
	if outside := second.Outside(); outside != "" {
		t.Errorf("a server that was never a member is told: %s", outside)
	}
	s.eventually("it is a voter", func() bool { return voters(first.Status()) == 2 })
	s.eventually("it remembers that it is a member", second.noted)
}

func TestAllMustAnswerTheSameListBeforeTheSiteIsFounded(t *testing.T) {
	r := newRoster(Server{ID: "a", Raft: "a:1", GRPC: "a:2"})
	r.hear([]Server{{ID: "b", Raft: "b:1", GRPC: "b:2"}, {ID: "c", Raft: "c:1", GRPC: "c:2"}})
	known := r.list()
	agreeing := Hello{Known: known}
	for _, c := range []struct {
		name    string
		answers map[string]Hello
		want    bool
	}{
		{"all answer the same list", map[string]Hello{"b": agreeing, "c": agreeing}, true},
		{"one is silent", map[string]Hello{"b": agreeing}, false},
		{"one knows fewer", map[string]Hello{"b": agreeing, "c": {Known: known[:2]}}, false},
		{"one is founded", map[string]Hello{"b": agreeing, "c": {Known: known, Founded: true}}, false},
	} {
		if got := agreed(known, c.answers); got != c.want {
			t.Errorf("%s: agreed is %v", c.name, got)
		}
	}
}

func TestRosterTrustsWhatAServerSaysOfItself(t *testing.T) {
	r := newRoster(Server{ID: "a", Raft: "a:1", GRPC: "a:2"})
	r.meet(Server{ID: "b-old", Raft: "b:1", GRPC: "b:2"})
	r.meet(Server{ID: "b-new", Raft: "b:1", GRPC: "b:2"})
	r.hear([]Server{{ID: "b-old", Raft: "b:1", GRPC: "b:2"}, {ID: "a-old", Raft: "a:1", GRPC: "a:2"}})
	if got := strings.Join(sortedIDs(r.list()), " "); got != "a b-new" {
		t.Errorf("known servers: %s; old identities at the same addresses must be gone", got)
	}
	r.meet(Server{ID: "b-new", Raft: "b:1", GRPC: "b:9"})
	if got := r.address("b-new"); got != "b:9" {
		t.Errorf("address of a server that moved: %s", got)
	}
}

func sprintMembers(s Status) string {
	ids := make([]string, len(s.Members))
	for i, m := range s.Members {
		ids[i] = m.ID
	}
	return strings.Join(ids, " ")
}
