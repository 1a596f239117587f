package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/client"
	"github.com/tierdesk/tierdesk/node"
	"github.com/tierdesk/tierdesk/node/config"
)

// drainTime is how long a node has to hand over its lead and to finish what it began. The last moment that it takes to
// cut off the rest fits into the ten seconds that the program has.
const drainTime = 8500 * time.Millisecond

func serveCommand() *cobra.Command {
	var file, format string
	cmd := &cobra.Command{Use: "serve", Short: "运行: run one node until SIGTERM or Ctrl-C", Args: client.NoArguments}
	cmd.Long = cmd.Short + `

On an empty data directory the node founds its site, or joins the nodes that raft.join names. A site that its parent knows
is not founded a second time: recover: true in the configuration (TIERDESK_RECOVER=true) rebuilds one whose data are lost,
with what its neighbours know, and tierdesk restore puts a backup back.`
	cmd.Flags().StringVar(&file, "config", "", "the node's configuration, a YAML file")
	cmd.Flags().StringVar(&format, "log-format", "text", "form of the log on stderr: text or json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		logger, err := newLogger(cmd.ErrOrStderr(), format)
		if err != nil {
			return err
		}
		if file == "" {
			return client.Usage("serve has no configuration: name the file with --config")
		}
		c, err := config.Load(file, os.Environ())
		if err != nil {
			return client.Usage("%s", err)
		}
		if c.Site.Tier != config.County {
			collectRarely(os.Getenv)
		}
		return serve(cmd.Context(), node.Options{
			Config:            c,
			AdminPassword:     os.Getenv(c.Admin.PasswordEnv),
			DirectoryPassword: os.Getenv(c.SignIn.LDAP.BindPasswordEnv),
			ProviderSecret:    os.Getenv(c.SignIn.OIDC.ClientSecretEnv),
			Version:           buildVersion(),
			Logger:            logger,
		})
	}
	return cmd
}

const (
	// heapGrowth is by how many percent the heap of a centre may grow before it is collected. What a node keeps for long lies
	// outside of the heap, so the heap is small, and collecting it at each doubling cost a tenth of the processor time under
	// load. A county's small box has less to do and needs its memory.
	heapGrowth = 400
	// heapBound, in bytes, is where the heap is collected more often all the same.
	heapBound = 384 << 20
)

// collectRarely sets the garbage collector, unless the environment does.
func collectRarely(getenv func(string) string) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(heapBound)
	}
}

// serve runs a node until the context ends or the node cannot go on.
func serve(ctx context.Context, o node.Options) error {
	n, err := node.Start(ctx, o)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil // asked to end before it had begun
	}
	if err != nil {
		return err
	}
	var fault error
	select {
	case <-ctx.Done():
		o.Logger.Info("stopping", "within", drainTime.String())
	case fault = <-n.Fault():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	err = n.Stop(drain)
	switch {
	case fault != nil:
		return fault // what it kept from stopping in order follows from it
	case err != nil:
		return fmt.Errorf("stop the node: %w", err)
	}
	return nil
}

func newLogger(out io.Writer, format string) (*slog.Logger, error) {
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(out, nil)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(out, nil)), nil
	}
	return nil, client.Usage("--log-format is %q: use text or json", format)
}
