package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/client"
	"github.com/tierdesk/tierdesk/demo"
)

// demoCommand shows the product on this machine.
func demoCommand() *cobra.Command {
	var (
		o    demo.Options
		tree string
		once bool
	)
	command := &cobra.Command{
		Use:   "demo",
		Short: "演示: a province, a city and a county on this machine, with sample people and tickets",
		Long: "演示: a province, a city and a county on this machine, with sample people and tickets\n\n" +
			"Starts the sites in one process and serves until Ctrl-C. With --once it plays the main job instead: calls\n" +
			"solved, escalated, queued through a cut line and healed, dispatched, approved, merged, called back, hidden from\n" +
			"whom they are not for; then it verifies the audit logs, compares all sites, prints a table, and exits 0 only if\n" +
			"all agree.",
		Args: client.NoArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if tree != "" {
				sites, err := demo.ReadTree(tree)
				if err != nil {
					return client.Usage("--tree: %v", err)
				}
				o.Tree = sites
			}
			switch o.Nodes {
			case 1, 3, 5:
			default:
				return client.Usage("--nodes is %d: a site has 1, 3 or 5 nodes", o.Nodes)
			}
			o.Out = c.OutOrStdout()
			err := demo.Run(c.Context(), o, once)
			if !once && c.Context().Err() != nil && interrupted(err) {
				return nil // asked to end before everything had begun
			}
			return err
		},
	}
	command.Flags().BoolVar(&once, "once", false, "play the main job, compare all sites, and end")
	command.Flags().IntVar(&o.Nodes, "nodes", 1, "nodes of each site: 1, 3 or 5")
	command.Flags().StringVar(&o.Dir, "dir", "", "keep the data in this directory (default: a temporary one, removed at the end)")
	command.Flags().StringVar(&tree, "tree", "", "YAML `file` with another tree: a list of {id, name, tier, parent}, parents first")
	return command
}

// interrupted tells whether an error says only that its caller has gone, here or at the other end of a call.
func interrupted(err error) bool {
	return errors.Is(err, context.Canceled) || status.Code(err) == codes.Canceled
}
