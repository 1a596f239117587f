package replication

import (
	"strings"
	"testing"
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
	s := newCluster(t, 3)
	for _, n := range s.nodes {
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
