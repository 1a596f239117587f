package client

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func (c *console) policyHistory() *cobra.Command {
	cmd := &cobra.Command{Use: "history", Short: "历次改动: who changed which sections of this site's own layer, the newest first", Args: takes()}
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
		kept, err := node.policies.ListPolicyVersions(ctx, &apipb.ListPolicyVersionsRequest{})
		if err != nil {
			return err
		}
		return out.answer(kept, func() string { return out.policyVersions(kept.GetVersions()) })
	})
	return cmd
}

func (p *printer) policyVersions(versions []*apipb.PolicyVersion) string {
	rows := [][]string{p.header(phrase{"版本", "VERSION"}, phrase{"时间", "TIME"}, phrase{"操作人", "ACTOR"}, phrase{"现行", "IN FORCE"}, phrase{"改动", "CHANGED"})}
	for _, version := range versions {
		rows = append(rows, []string{strconv.FormatUint(version.GetVersion(), 10), p.when(version.GetTime()),
			called(version.GetActorName(), version.GetActor()), p.yes(version.GetInForce()), strings.Join(version.GetSections(), ", ")})
	}
	return new(table).layOut(rows)
}

// showPolicyVersion prints a version of the site's own layer as it was written.
func showPolicyVersion(ctx context.Context, node *connection, out *printer, version uint64) error {
	kept, err := node.policies.GetPolicyVersion(ctx, &apipb.GetPolicyVersionRequest{Version: version})
	if err != nil {
		return err
	}
	return out.answer(kept, kept.GetSource)
}
