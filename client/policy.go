package client

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/policyfile"
)

func (c *console) policyCommand() *cobra.Command {
	return c.group("policy", "制度: catalogue, targets, calendars and habits of the desk, as a YAML file under version control",
		c.applyPolicy(), c.diffPolicy(), c.showPolicy(), c.policyHistory())
}

// maxPolicyBytes is what is read of a policy file: more than a node takes.
const maxPolicyBytes = 128 << 10

// policySource reads a policy file, or standard input for "-", with the tables of public holidays that it names. They lie
// beside it; those of standard input in the working directory.
func policySource(in io.Reader, file string) (string, error) {
	beside := ""
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return "", Usage("%v", err)
		}
		defer opened.Close()
		in, beside = opened, filepath.Dir(file)
	}
	source, err := io.ReadAll(io.LimitReader(in, maxPolicyBytes))
	if err != nil {
		return "", fmt.Errorf("read the policy from %s: %w", file, err)
	}
	inlined, err := policyfile.Inline(source, func(name string) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(beside, name)
		}
		table, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer table.Close()
		return io.ReadAll(io.LimitReader(table, maxPolicyBytes))
	})
	if err != nil {
		return "", Usage("%s: %v", file, err)
	}
	return string(inlined), nil
}

func (c *console) applyPolicy() *cobra.Command {
	cmd := &cobra.Command{Use: "apply FILE", Short: "应用: make a file this site's own policy, and publish it to every site below; - for standard input",
		Args: takes("FILE")}
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		source, err := policySource(cmd.InOrStdin(), args[0])
		if err != nil {
			return err
		}
		checked, err := checkPolicy(ctx, node, out, args[0], source)
		if err != nil {
			return err
		}
		applied, err := node.policies.ApplyPolicy(ctx, &apipb.ApplyPolicyRequest{Source: source})
		if err != nil {
			return err
		}
		return out.answer(applied, func() string {
			if checked.GetDiff() == "" {
				return out.say(phrase{"已应用，没有变化\n", "applied; nothing changes\n"})
			}
			return checked.GetDiff() + out.say(phrase{"已应用\n", "applied\n"})
		})
	})
	return cmd
}

// checkPolicy has a node check a file. With problems it prints all of them and fails.
func checkPolicy(ctx context.Context, node *connection, out *printer, file, source string) (*apipb.CheckPolicyResponse, error) {
	checked, err := node.policies.CheckPolicy(ctx, &apipb.CheckPolicyRequest{Source: source})
	if err != nil || len(checked.GetProblems()) == 0 {
		return checked, err
	}
	if err := out.answer(checked, func() string { return policyProblems(file, checked.GetProblems()) }); err != nil {
		return nil, err
	}
	return nil, &Failure{Code: ExitRefused, Line: fmt.Sprintf("nothing was applied: problems in %s: %d", file, len(checked.GetProblems()))}
}

// policyProblems lists problems as editors understand them, one a line.
func policyProblems(file string, problems []*apipb.PolicyProblem) string {
	var text strings.Builder
	for _, problem := range problems {
		where := []string{oneLine(file)}
		if problem.GetLine() > 0 {
			where[0] += ":" + strconv.Itoa(int(problem.GetLine()))
		}
		if problem.GetPath() != "" {
			where = append(where, oneLine(problem.GetPath()))
		}
		fmt.Fprintln(&text, strings.Join(append(where, oneLine(problem.GetText())), ": "))
	}
	return text.String()
}

func (c *console) diffPolicy() *cobra.Command {
	cmd := &cobra.Command{Use: "diff FILE", Short: "比较: what applying a file would change here; - for standard input", Args: takes("FILE")}
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		source, err := policySource(cmd.InOrStdin(), args[0])
		if err != nil {
			return err
		}
		checked, err := checkPolicy(ctx, node, out, args[0], source)
		if err != nil {
			return err
		}
		return out.answer(checked, func() string {
			return cmp.Or(checked.GetDiff(), out.say(phrase{"没有变化\n", "nothing would change\n"}))
		})
	})
	return cmd
}

func (c *console) showPolicy() *cobra.Command {
	var own, layers, stale bool
	var version uint64
	cmd := &cobra.Command{Use: "show", Short: "查看: the policy that holds at this site, as a file that could be applied", Args: takes()}
	cmd.Flags().BoolVar(&own, "own", false, "only this site's own layer, as it was written")
	cmd.Flags().BoolVar(&layers, "layers", false, "who has laid what over the built-in policy, and when")
	cmd.Flags().Uint64Var(&version, "version", 0, "a version of this site's own layer as it was written; policy history lists them")
	staleFlag(cmd, &stale)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
		switch {
		case own && layers || version != 0 && (own || layers):
			return Usage("--own, --layers and --version contradict each other: give one of them")
		case version != 0:
			return showPolicyVersion(ctx, node, out, version)
		}
		p, err := node.policies.GetPolicy(ctx, &apipb.GetPolicyRequest{Consistency: consistency(stale)})
		if err != nil {
			return err
		}
		return out.answer(p, func() string {
			switch {
			case own:
				return p.GetOwn()
			case layers:
				return out.policyLayers(p.GetLayers())
			}
			return p.GetYaml()
		})
	})
	return cmd
}

func (p *printer) policyLayers(layers []*apipb.PolicyLayer) string {
	rows := [][]string{p.header(phrase{"站点", "SITE"}, phrase{"版本", "VERSION"}, phrase{"时间", "TIME"}, phrase{"操作人", "ACTOR"}, phrase{"锁定", "LOCKED"})}
	for _, layer := range layers {
		rows = append(rows, []string{layer.GetPublisher(), fmt.Sprint(layer.GetVersion()), p.when(layer.GetTime()),
			called(layer.GetActorName(), layer.GetActor()),
			strings.Join(layer.GetLocked(), ", ")})
	}
	return new(table).layOut(rows)
}
