package policyfile

import (
	"fmt"
	"slices"
	"strings"

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
	return DiffText(string(from), string(to), beforeName, afterName)
}

// DiffText is Diff for policies as people wrote them, with their remarks.
func DiffText(before, after, beforeName, afterName string) (string, error) {
	diff, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: linesOf(before), B: linesOf(after),
		FromFile: beforeName, ToFile: afterName, Context: diffContext,
	})
	if err != nil {
		return "", fmt.Errorf("compare two policies: %w", err)
	}
	return diff, nil
}

// linesOf are the lines of a text, each with its end, also the last one.
func linesOf(text string) []string {
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return slices.Collect(strings.Lines(text))
}
