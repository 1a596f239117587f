package client

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
)

func (c *console) doctorCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{Use: "doctor", Args: takes(),
		Short: "体检: check disk, clock, certificates, quorum and links of this site, and say what to do"}
	cmd.Long = cmd.Short + `

Every node of the site looks at itself, and the node that is called looks at the site. Problems come first, each with
what is wrong and what to do; a node without any takes one line. The exit code is 0 when nothing has failed (warnings are
no failures), 1 when something has, and 3 when no node answers. With --config it then checks what can be seen on this
machine without a running node: the configuration, the data directory, the disk, the ports and the certificate files.`
	c.callFlags(cmd.Flags())
	cmd.Flags().StringVar(&file, "config", "", "configuration of the node on this machine, to look at when no node answers")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := flagsAreText(cmd); err != nil {
			return err
		}
		return c.diagnose(cmd, file)
	}
	return cmd
}

// diagnose asks the node, and looks at this machine when there is no answer and a configuration to look at.
func (c *console) diagnose(cmd *cobra.Command, file string) error {
	server := defaultServer
	var local *config.Config
	var unreadable error
	if file != "" {
		if local, unreadable = config.Load(file, c.env.Environ); unreadable == nil {
			server = cmp.Or(local.Advertise.GRPC, local.Listen.GRPC)
		}
	}
	target := c.completed(server)
	if target.server == server && local != nil {
		target.ca = cmp.Or(target.ca, local.TLS.CA)
	}
	node, err := connect(target)
	if err != nil {
		return err
	}
	defer node.close()
	found, err := node.sites.DiagnoseSite(cmd.Context(), &apipb.DiagnoseSiteRequest{})
	out := c.printer(cmd.OutOrStdout())
	if err == nil {
		if err := out.diagnosis(found); err != nil {
			return err
		}
		return verdictOn(found.GetChecks())
	}
	if file == "" {
		return advised(err)
	}
	here := &apipb.DiagnoseSiteResponse{Checks: examineHere(local, unreadable, ExitCode(err) == ExitRefused)}
	if failed := out.diagnosis(here); failed != nil {
		return failed
	}
	return err
}

// advised adds to a failure to reach a node what else the doctor can do.
func advised(err error) error {
	if f, ok := errors.AsType[*Failure](err); ok && f.Code == ExitUnreachable {
		return &Failure{Code: f.Code, Line: f.Line + "; with --config FILE this machine is looked at without the node", Cause: f}
	}
	return err
}

// verdictOn is the failure that the checks amount to, nil when none has failed.
func verdictOn(checks []*apipb.Check) error {
	failed := 0
	for _, check := range checks {
		if check.GetState() == apipb.Check_FAILED {
			failed++
		}
	}
	if failed == 0 {
		return nil
	}
	return &Failure{Code: ExitFailed, Line: fmt.Sprintf("%d of %d checks failed; see what each says to do", failed, len(checks))}
}

// diagnosis prints what was found: a line for each problem, the worst first, and one for each node without any.
func (p *printer) diagnosis(found *apipb.DiagnoseSiteResponse) error {
	return p.answer(found, func() string {
		checks := slices.Clone(found.GetChecks())
		slices.SortStableFunc(checks, func(a, b *apipb.Check) int { return -cmp.Compare(a.GetState(), b.GetState()) })
		var lines strings.Builder
		troubled := map[string]bool{}
		for _, check := range checks {
			if check.GetState() == apipb.Check_OK {
				continue
			}
			troubled[check.GetNode()] = true
			what := strings.TrimRight(check.GetMessage(), ".")
			if check.GetRemedy() != "" {
				what += "; " + check.GetRemedy()
			}
			fmt.Fprintf(&lines, "%s  %s  %s: %s\n", p.name(check.GetState()), p.place(check.GetNode()), oneLine(check.GetName()), oneLine(what))
		}
		for _, node := range healthy(checks, troubled) {
			fmt.Fprintf(&lines, "%s  %s  %s\n", p.name(apipb.Check_OK), p.place(node), oneLine(allOf(checks, node)))
		}
		return lines.String()
	})
}

// place is what a check is about: a node, or the site.
func (p *printer) place(node string) string {
	if node == "" {
		return p.say(phrase{"站点", "site"})
	}
	return oneLine(node)
}

// healthy lists what was checked and has no problem, in order.
func healthy(checks []*apipb.Check, troubled map[string]bool) []string {
	var places []string
	for _, check := range checks {
		if !troubled[check.GetNode()] {
			places = append(places, check.GetNode())
		}
	}
	slices.Sort(places)
	return slices.Compact(places)
}

// allOf is everything that was found at a place, in a line.
func allOf(checks []*apipb.Check, node string) string {
	var all []string
	for _, check := range checks {
		if check.GetNode() == node {
			all = append(all, check.GetMessage())
		}
	}
	return strings.Join(all, "; ")
}
