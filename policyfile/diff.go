package policyfile

import (
	"fmt"

	"github.com/pmezard/go-difflib/difflib"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// diffContext is how many lines around a change are shown.
const diffContext = 3

// Diff is the change from one policy to another as a unified diff of their YAML, empty for none. The names stand in its head.
func Diff(before, after *deskpb.Policy, beforeName, afterName string) (string, error) {
	from, err := Write(before)
	if err != nil {
		return "", err
	}
	to, err := Write(after)
	if err != nil {
		return "", err
	}
	diff, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: difflib.SplitLines(string(from)), B: difflib.SplitLines(string(to)),
		FromFile: beforeName, ToFile: afterName, Context: diffContext,
	})
	if err != nil {
		return "", fmt.Errorf("compare two policies: %w", err)
	}
	return diff, nil
}
