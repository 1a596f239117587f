package client

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// policyFile writes a policy file and returns its path.
func policyFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func methods(calls []received) string {
	var names []string
	for _, call := range calls {
		names = append(names, call.method)
	}
	return strings.Join(names, " ")
}

func TestAPolicyIsCheckedAndThenApplied(t *testing.T) {
	node := newFakeNode(t, func(_ context.Context, method string, _ proto.Message) (proto.Message, error) {
		if method == "CheckPolicy" {
			return &apipb.CheckPolicyResponse{Diff: "-a\n+b\n"}, nil
		}
		return nil, nil
	})
	path := policyFile(t, "urging: {cool_down: 5m}\n")
	got := at(t, node).run("policy", "apply", path)
	if got.code != ExitDone || !strings.HasPrefix(got.out, "-a\n+b\n") {
		t.Errorf("apply ends with %d and says %q, want the change", got.code, got.out)
	}
	if called := methods(node.seen()); called != "CheckPolicy ApplyPolicy" {
		t.Errorf("the node was asked %s", called)
	}
}

func TestEveryProblemOfAPolicyIsPrintedWithItsLine(t *testing.T) {
	node := newFakeNode(t, func(_ context.Context, method string, _ proto.Message) (proto.Message, error) {
		if method == "CheckPolicy" {
			return &apipb.CheckPolicyResponse{Problems: []*apipb.PolicyProblem{
				{Line: 3, Path: "targets[0].within", Text: "\"x\" is no time"}, {Text: "too long"},
			}}, nil
		}
		return nil, nil
	})
	path := policyFile(t, "x")
	for _, verb := range []string{"apply", "diff"} {
		got := at(t, node).run("policy", verb, path)
		if want := path + ":3: targets[0].within: \"x\" is no time\n" + path + ": too long\n"; got.out != want {
			t.Errorf("%s prints %q, want %q", verb, got.out, want)
		}
		if got.code != ExitRefused || strings.Count(got.stderr, "\n") != 1 || !strings.Contains(got.stderr, "problems in "+path+": 2") {
			t.Errorf("%s ends with %d and says %q, want a refusal that counts 2 problems", verb, got.code, got.stderr)
		}
	}
	if called := methods(node.seen()); strings.Contains(called, "ApplyPolicy") {
		t.Errorf("with problems the node was asked %s", called)
	}
	got := at(t, node).run("policy", "apply", path+".missing")
	got.oneErrorLine(t, ExitUsage)
}

func TestPublicHolidaysComeFromATableBesideThePolicy(t *testing.T) {
	node := newFakeNode(t, nil)
	path := policyFile(t, "calendars:\n  - {name: office, dates_file: 2027.csv}\n")
	got := at(t, node).run("policy", "diff", path)
	got.oneErrorLine(t, ExitUsage)
	if !strings.Contains(got.stderr, "2027.csv") {
		t.Errorf("the missing table is not named: %q", got.stderr)
	}
	table := filepath.Join(filepath.Dir(path), "2027.csv")
	if err := os.WriteFile(table, []byte("date,type,name\n2027-01-01,holiday,元旦\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := at(t, node).run("policy", "diff", path); got.code != ExitDone {
		t.Fatalf("diff ends with %d and says %q", got.code, got.stderr)
	}
	want := "calendars:\n  - {name: office, dates: [{date: 2027-01-01, name: \"元旦\"}]}\n"
	if calls := node.seen(); len(calls) != 1 || calls[0].request.(*apipb.CheckPolicyRequest).GetSource() != want {
		t.Errorf("the node was asked %v, want one check of %q", calls, want)
	}
}

// The history of a site's policy names people as people know them, and the flags that choose what is shown are used one at a time.
func TestTheHistoryOfThePolicyIsATable(t *testing.T) {
	node := newFakeNode(t, func(_ context.Context, method string, _ proto.Message) (proto.Message, error) {
		if method != "ListPolicyVersions" {
			return &apipb.PolicyVersion{Source: "# 夜班\n"}, nil
		}
		return &apipb.ListPolicyVersionsResponse{Versions: []*apipb.PolicyVersion{
			{Version: 12, Actor: "li", ActorName: "李雷", Time: at0900(5), InForce: true, Sections: []string{"groups", "rosters"}},
			{Version: 7, Actor: "admin", Time: at0900(0)},
		}}, nil
	})
	got := at(t, node).run("policy", "history")
	for _, want := range []string{"VERSION", "12", "李雷 (li)", "yes", "groups, rosters", "\n7", "admin", "no"} {
		if !strings.Contains(got.out, want) {
			t.Errorf("the history does not tell %q:\n%s", want, got.out)
		}
	}
	if got := at(t, node).run("policy", "show", "--version", "7"); got.out != "# 夜班\n" {
		t.Errorf("a version is shown as %q, want its text", got.out)
	}
	at(t, node).run("policy", "show", "--version", "7", "--own").oneErrorLine(t, ExitUsage)
	at(t, node).run("policy", "show", "--layers", "--own").oneErrorLine(t, ExitUsage)
}

func TestClassifyNeedsSomethingToChange(t *testing.T) {
	node := newFakeNode(t, nil)
	at(t, node).run("ticket", "classify", number, "--reason", "y").oneErrorLine(t, ExitUsage)
	if calls := node.seen(); len(calls) != 0 {
		t.Errorf("a change of nothing was sent: %v", calls)
	}
}
