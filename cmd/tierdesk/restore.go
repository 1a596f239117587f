package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/client"
	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node"
	"github.com/tierdesk/tierdesk/node/config"
)

// restoreCommand puts a backup back while no node runs.
func restoreCommand() *cobra.Command {
	var (
		file string
		o    node.RestoreOptions
	)
	cmd := &cobra.Command{Use: "restore FILE", Args: client.OneArgument("FILE"),
		Short: "还原: put a backup of a site into the empty data directory of one of its nodes"}
	cmd.Long = cmd.Short + `

The whole file is checked before anything counts; a damaged one, one of another site or of a newer version is refused and
leaves the directory empty. The node becomes the only one of its site: start it with the same configuration, then the others
with empty data directories. At its first start the site takes another incarnation, ends all sessions, and gets back from
its neighbours what they know and the backup does not. - as the file reads standard input.

It is refused while a node of the site answers, or while its parent is connected to it. --replace goes on all the same: those
nodes must never come back with their old data.`
	cmd.Flags().StringVar(&file, "config", "", "the node's configuration, a YAML file")
	cmd.Flags().BoolVar(&o.Replace, "replace", false, "go on although the site answers elsewhere, which shall never come back")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if file == "" {
			return client.Usage("restore has no configuration: name the file with --config")
		}
		if o.Config, err = config.Load(file, os.Environ()); err != nil {
			return client.Usage("%s", err)
		}
		o.Logger = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
		backup, size, err := openBackup(args[0], cmd.InOrStdin())
		if err != nil {
			return err
		}
		defer backup.Close()
		o.Backup = client.WithProgress(backup, size, "restore", client.TerminalProgress(os.Stderr))
		m, err := node.Restore(cmd.Context(), o)
		if refusal, ok := errors.AsType[*desk.Refusal](err); ok {
			return &client.Failure{Code: client.ExitRefused, Line: refusal.Message, Cause: err}
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "已还原 restored: site %s %s as it was at %s, log entry %d; start node %s now\n",
			m.Site, m.Name, m.Time.Local().Format(time.DateTime), m.Index, o.Config.Node.ID)
		return err
	}
	return cmd
}

// openBackup opens a file, or standard input for "-", whose size is not known.
func openBackup(path string, in io.Reader) (backup io.ReadCloser, size int64, err error) {
	if path == "-" {
		return io.NopCloser(in), 0, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, client.Usage("FILE: %v", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("read %s: %w", path, err), file.Close())
	}
	return file, info.Size(), nil
}
