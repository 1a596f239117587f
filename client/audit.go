package client

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func (c *console) auditCommand() *cobra.Command {
	return c.group("audit", "审计: what people did at this site beyond the tickets, chained and signed",
		c.listAudit(), c.verifyAudit(), c.exportAudit(), c.exportCheckpoints(), c.acknowledgeDenial())
}

func (c *console) listAudit() *cobra.Command {
	q := &apipb.ListAuditRequest{NewestFirst: true}
	limit, oldest := 0, false
	cmd := &cobra.Command{Use: "list", Short: "列表: entries of the audit log, the newest first", Args: takes()}
	cmd.Flags().StringVar(&q.Filter, "filter", "", `conditions joined by AND: actor, action, object, outcome, address with =; time with >= and <, such as 'actor = li AND time >= 2026-11-21T00:00:00Z'`)
	cmd.Flags().IntVar(&limit, "limit", 50, "how many at most; 0 for all")
	cmd.Flags().BoolVar(&oldest, "oldest-first", false, "the oldest first")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
		if limit < 0 {
			return Usage("--limit is %d: give 0 or more", limit)
		}
		q.NewestFirst = !oldest
		columns := &table{}
		for left, first := limit, true; ; first = false {
			q.PageSize = maxPageSize
			if limit > 0 {
				q.PageSize = int32(min(left, maxPageSize))
			}
			page, err := node.audits.ListAudit(ctx, q)
			if err != nil {
				return err
			}
			if err := out.answer(page, func() string { return out.entries(columns, page.GetEntries(), first) }); err != nil {
				return err
			}
			left -= len(page.GetEntries())
			if page.GetNextPageToken() == "" || limit > 0 && left <= 0 {
				return nil
			}
			q.PageToken = page.GetNextPageToken()
		}
	})
	return cmd
}

// entries is a page of the audit log, the first one under a header.
func (p *printer) entries(columns *table, entries []*apipb.AuditEntry, first bool) string {
	var rows [][]string
	if first {
		rows = append(rows, p.header(phrase{"序号", "ENTRY"}, phrase{"时间", "TIME"}, phrase{"人员", "WHO"}, phrase{"角色", "ROLE"}, phrase{"地址", "ADDRESS"},
			phrase{"动作", "ACTION"}, phrase{"对象", "OBJECT"}, phrase{"结果", "OUTCOME"}, phrase{"说明", "REMARK"}))
	}
	for _, e := range entries {
		action := e.GetAction()
		if e.GetCount() > 1 {
			action += " ×" + strconv.Itoa(int(e.GetCount()))
		}
		rows = append(rows, []string{strconv.Itoa(int(e.GetSequence())), p.when(e.GetTime()), called(e.GetActorName(), e.GetActor()), e.GetRole(), e.GetAddress(),
			action, e.GetObject(), e.GetOutcome(), remarkOn(e)})
	}
	return columns.layOut(rows)
}

// remarkOn is the reason of an entry and what it changed, on one line.
func remarkOn(e *apipb.AuditEntry) string {
	var parts []string
	if e.GetReason() != "" {
		parts = append(parts, e.GetReason())
	}
	for _, change := range e.GetChanges() {
		parts = append(parts, fmt.Sprintf("%s: %q → %q", change.GetField(), change.GetBefore(), change.GetAfter()))
	}
	return strings.Join(parts, "; ")
}

func (c *console) verifyAudit() *cobra.Command {
	var witness string
	cmd := &cobra.Command{Use: "verify [FILE]", Args: cobra.MaximumNArgs(1),
		Short: "核验: walk the chain of hashes of the audit log and check the signed checkpoints on it"}
	cmd.Long = cmd.Short + `

Without FILE the site walks through its own log, with the checkpoints that its parent keeps. With FILE, which tierdesk audit export
has written, no site is asked: --ca names the certificate of the tree's authority, which vouches for whoever signed, and --witness a
file that tierdesk audit checkpoints has written at the parent, where nobody of the site can change it. Exit code 1 when
something does not fit.`
	cmd.Flags().StringVar(&witness, "witness", "", "with FILE: checkpoints of the site that its parent keeps")
	online := c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
		whole, err := verifyAtNode(ctx, node)
		if err != nil {
			return err
		}
		return out.verified(whole)
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			if witness != "" {
				return Usage("--witness is for a file: the site asks its parent by itself")
			}
			return online(cmd, args)
		}
		vouch, err := voucher(c.completed(defaultServer).ca)
		if err != nil {
			return err
		}
		report, err := verifyFiles(args[0], witness, vouch)
		if err != nil {
			return err
		}
		return c.printer(cmd.OutOrStdout()).verified(&apipb.VerifyAuditResponse{
			Entries: uint32(report.Entries), Hash: fmt.Sprintf("%x", report.Hash), Checkpoints: uint32(report.Checkpoints),
			Witnessed: uint32(report.Witnessed), Problems: report.Problems, Remarks: report.Remarks,
		})
	}
	return cmd
}

// verifyAtNode has the site walk through its whole log, part after part.
func verifyAtNode(ctx context.Context, node *connection) (*apipb.VerifyAuditResponse, error) {
	whole := &apipb.VerifyAuditResponse{}
	for from := uint32(1); ; {
		part, err := node.audits.VerifyAudit(ctx, &apipb.VerifyAuditRequest{FromSequence: from})
		if err != nil {
			return nil, err
		}
		whole.Entries += part.GetEntries()
		whole.Checkpoints += part.GetCheckpoints()
		whole.Witnessed += part.GetWitnessed()
		whole.Hash = part.GetHash()
		whole.Problems = append(whole.Problems, part.GetProblems()...)
		for _, remark := range part.GetRemarks() {
			if !slices.Contains(whole.Remarks, remark) {
				whole.Remarks = append(whole.Remarks, remark)
			}
		}
		if from = part.GetNextSequence(); from == 0 {
			return whole, nil
		}
	}
}

// verified tells what a walk found, and fails when something does not fit.
func (p *printer) verified(r *apipb.VerifyAuditResponse) error {
	err := p.answer(r, func() string {
		var b strings.Builder
		for _, remark := range r.GetRemarks() {
			fmt.Fprintf(&b, p.say(phrase{"说明：%s\n", "remark: %s\n"}), oneLine(remark))
		}
		for _, problem := range r.GetProblems() {
			fmt.Fprintf(&b, p.say(phrase{"不符：%s\n", "problem: %s\n"}), oneLine(problem))
		}
		if len(r.GetProblems()) == 0 {
			fmt.Fprintf(&b, p.say(phrase{"审计日志完整：%d 条，%d 个检查点相符，其中 %d 个由上级保存\n",
				"the audit log is whole: %d entries, %d checkpoints fit, %d of them kept by the parent\n"}),
				r.GetEntries(), r.GetCheckpoints(), r.GetWitnessed())
		}
		return b.String()
	})
	if err != nil || len(r.GetProblems()) == 0 {
		return err
	}
	return &Failure{Code: ExitFailed, Line: "the audit log was changed: " + r.GetProblems()[0]}
}

func (c *console) exportAudit() *cobra.Command {
	return &cobra.Command{Use: "export FILE", Args: takes("FILE"),
		Short: "导出: write the whole audit log and its checkpoints into a file of JSON lines; the log says who did",
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
			checkpoints, err := node.audits.ListCheckpoints(ctx, &apipb.ListCheckpointsRequest{})
			if err != nil {
				return err
			}
			file, err := newAuditFile(args[0])
			if err != nil {
				return err
			}
			defer file.discard()
			for _, checkpoint := range checkpoints.GetCheckpoints() {
				file.checkpoint(checkpoint)
			}
			q := &apipb.ListAuditRequest{Raw: true, PageSize: maxPageSize}
			for {
				page, err := node.audits.ListAudit(ctx, q)
				if err != nil {
					return err
				}
				for _, e := range page.GetEntries() {
					file.entry(audit.LineOf(uint64(e.GetSequence()), e.GetRaw()))
				}
				if q.PageToken = page.GetNextPageToken(); q.PageToken == "" {
					break
				}
			}
			if err := file.finish(); err != nil {
				return err
			}
			return out.write(fmt.Sprintf(out.say(phrase{"已导出 %d 条、%d 个检查点\n", "exported %d entries and %d checkpoints\n"}), file.entries, file.checkpoints))
		})}
}

func (c *console) exportCheckpoints() *cobra.Command {
	q := &apipb.ListCheckpointsRequest{}
	cmd := &cobra.Command{Use: "checkpoints FILE", Args: takes("FILE"),
		Short: "检查点: write the checkpoints that this site keeps of a site below it, for tierdesk audit verify --witness"}
	cmd.Flags().StringVar(&q.Site, "site", "", "a site below; this one when not given")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		kept, err := node.audits.ListCheckpoints(ctx, q)
		if err != nil {
			return err
		}
		if q.Site != "" && len(kept.GetCheckpoints()) == 0 {
			return &Failure{Code: ExitRefused, Line: fmt.Sprintf("no checkpoint of %s is kept here: check the id, and ask at the site above it", q.Site)}
		}
		file, err := newAuditFile(args[0])
		if err != nil {
			return err
		}
		defer file.discard()
		for _, checkpoint := range kept.GetCheckpoints() {
			file.checkpoint(checkpoint)
		}
		if err := file.finish(); err != nil {
			return err
		}
		return out.write(fmt.Sprintf(out.say(phrase{"已导出 %d 个检查点\n", "exported %d checkpoints\n"}), file.checkpoints))
	})
	return cmd
}

func (c *console) acknowledgeDenial() *cobra.Command {
	q := &apipb.AcknowledgeDenialRequest{}
	cmd := &cobra.Command{Use: "acknowledge SITE", Args: takes("SITE"),
		Short: "确认告警: end the alarm that the audit log of a site below was rewritten, when that was seen to"}
	cmd.Long = cmd.Short + `

The checkpoint that denied an earlier one stays beside it, for tierdesk audit checkpoints, and what the site signs from then on is held
against it. The reason stands in this site's own audit log.`
	cmd.Flags().Uint32Var(&q.Sequence, "entry", 0, "the entry that the alarm names: another alarm may have come since")
	cmd.Flags().StringVar(&q.Reason, "reason", "", "what was found at the site")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		q.Site = args[0]
		if q.Sequence == 0 || q.Reason == "" {
			return Usage("name the entry of the alarm with --entry, and say with --reason what was found")
		}
		if _, err := node.audits.AcknowledgeDenial(ctx, q); err != nil {
			return err
		}
		return out.write(fmt.Sprintf(out.say(phrase{"已确认 %s 的告警\n", "the alarm about %s has ended\n"}), q.Site))
	})
	return cmd
}
