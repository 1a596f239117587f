// Command tierdesk is the whole program: it runs a node, and it is the desk from a terminal. This package reads flags,
// listens for signals and sets the exit code; what the commands do is done elsewhere.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/client"
)

func main() {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for an orderly end; once it came, a second one ends the process at once.
	context.AfterFunc(ctx, restore)
	os.Exit(run(ctx, os.Args[1:]))
}

// run executes one command line and returns its exit code. An error is one line on stderr.
func run(ctx context.Context, args []string) int {
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintln(root.ErrOrStderr(), "tierdesk: "+client.ErrorLine(err))
	}
	return client.ExitCode(err)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "tierdesk",
		Short:         "三级服务台: a service desk for offices in three tiers",
		Args:          cobra.ArbitraryArgs,
		RunE:          client.NeedsCommand,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(client.FlagError)
	root.SetOut(os.Stdout)
	root.SetErr(os.Stderr)
	root.AddCommand(serveCommand(), restoreCommand(), demoCommand(), replayCommand(), versionCommand(), caCommand(), initCommand(), gossipKeyCommand())
	root.AddCommand(client.Commands(client.Environment{
		Getenv:   os.Getenv,
		Environ:  os.Environ(),
		Prompt:   client.TerminalPrompt(os.Stdin, os.Stderr),
		Progress: client.TerminalProgress(os.Stderr),
	})...)
	return root
}
