package policyfile

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

var update = flag.Bool("update", false, "write the example anew")

// example is the built-in policy as people see it.
const example = "../deploy/examples/policy.yaml"

const exampleHead = `# The built-in policy, which every site begins with. An office writes only what differs from it into a file of its own:
# an entry with the same name takes the place of the one here, "removed: true" takes it away, and a calendar with nothing but dates
# adds them. See tierdesk policy --help.

`

func TestTheExampleIsTheBuiltInPolicy(t *testing.T) {
	written, err := Write(policy.Default())
	if err != nil {
		t.Fatal(err)
	}
	want := append([]byte(exampleHead), written...)
	if *update {
		if err := os.WriteFile(example, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not the built-in policy any more; run this test with -update", example)
	}
	read, problems := Check(got, []*deskpb.Policy{nil})
	if len(problems) > 0 {
		t.Fatalf("the example has problems: %v", problems)
	}
	builtIn := policy.Default()
	builtIn.Edition = 0
	if !proto.Equal(read, builtIn) {
		diff, err := Diff(builtIn, read, "built in", "read")
		t.Errorf("the example reads as something else: %s %v", diff, err)
	}
}
