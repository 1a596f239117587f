package policyfile

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// Problem is something wrong with a policy file.
type Problem struct {
	// Line counts from 1; 0 for the file as a whole.
	Line int
	// Path is where in the policy, such as targets[2].within; empty for the file as a whole.
	Path string
	Text string
}

// String is the problem on one line.
func (p Problem) String() string {
	var where []string
	if p.Line > 0 {
		where = append(where, "line "+strconv.Itoa(p.Line))
	}
	if p.Path != "" {
		where = append(where, p.Path)
	}
	return strings.Join(append(where, p.Text), ": ")
}

// Check reads a policy file that is to be a layer below others, which are as policy.Merge takes them. It tells all problems in
// the order of their lines; there is a layer when there are none.
func Check(source []byte, above []*deskpb.Policy) (*deskpb.Policy, []Problem) {
	layer, lines, problems := read(source)
	if len(problems) == 0 {
		for _, objection := range policy.Check(above, layer) {
			problems = append(problems, Problem{Line: lineOf(lines, objection.Path), Path: objection.Path, Text: objection.Text})
		}
	}
	slices.SortStableFunc(problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	if len(problems) > 0 {
		return nil, problems
	}
	return layer, nil
}

// lineOf finds the line of a path, or else of the nearest thing around it.
func lineOf(lines map[string]int, path string) int {
	for path != "" {
		if line, known := lines[path]; known {
			return line
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 0
}
