package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

func (c *console) backupCommand() *cobra.Command {
	q := &apipb.BackupSiteRequest{}
	cmd := &cobra.Command{Use: "backup FILE", Args: takes("FILE"),
		Short: "备份: write a consistent copy of this site into a file, while it works; - writes to standard output"}
	cmd.Long = cmd.Short + `

The whole is checked while it arrives; the file appears under its name when it is complete and on the disk, and takes the
place of one that is there. It holds what the site knows, people's password hashes included: keep it as you keep the data
directory. tierdesk restore puts it back. Administrators only.`
	c.callFlags(cmd.Flags())
	cmd.Flags().BoolVar(&q.Stale, "stale", false, "take what the node has, even if the site has no majority now")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		stream, err := node.backup(ctx, c.completed(defaultServer), q)
		if err != nil {
			return err
		}
		defer stream.end()
		content := WithProgress(stream, stream.about.GetSize(), out.say(phrase{"备份", "backup"}), c.env.Progress)
		done := func() string {
			return fmt.Sprintf(out.say(phrase{"已备份站点 %s：日志序号 %d，%d 字节\n", "backed up site %s: log entry %d, %d bytes\n"}),
				stream.about.GetSite(), stream.about.GetAppliedIndex(), stream.about.GetSize())
		}
		if args[0] != "-" {
			if err := keep(args[0], content); err != nil {
				return err
			}
			return out.answer(stream.about, done)
		}
		if _, err := store.VerifyBackup(io.TeeReader(content, cmd.OutOrStdout())); err != nil {
			return fmt.Errorf("write the backup: %w", err)
		}
		return nil
	})
	return cmd
}

// keep writes a backup beside the file and, when it is whole and on the disk, in the file's place.
func keep(path string, content io.Reader) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return Usage("FILE %s cannot be written: %v", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	_, err = store.VerifyBackup(io.TeeReader(content, file))
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write the backup %s: %w", path, err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return fmt.Errorf("write the backup %s: %w", path, err)
	}
	return syncDirectory(filepath.Dir(path))
}

// syncDirectory makes the names in a directory durable.
func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	if err := errors.Join(directory.Sync(), directory.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return nil
}

// backupStream is a backup as it arrives. Each of its messages must come within the call's time.
type backupStream struct {
	about *apipb.Backup

	messages grpc.ServerStreamingClient[apipb.BackupSiteResponse]
	exchange *exchange
	patience time.Duration
	cancel   context.CancelCauseFunc
	left     []byte // of the last message
}

// backup begins a backup. Who gets one ends it.
func (c *connection) backup(ctx context.Context, t target, q *apipb.BackupSiteRequest) (*backupStream, error) {
	s := &backupStream{exchange: newExchange(t, apipb.Recoveries_BackupSite_FullMethodName, q), patience: t.timeout}
	s.exchange.changes = false
	ctx, s.cancel = context.WithCancelCause(ctx)
	if t.token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+t.token)
	}
	var err error
	if s.messages, err = c.recoveries.BackupSite(ctx, q); err != nil {
		s.end()
		return nil, s.exchange.failure(err)
	}
	first, err := s.receive()
	if err != nil {
		s.end()
		return nil, err
	}
	s.about = first.GetBackup()
	return s, nil
}

func (s *backupStream) end() { s.cancel(nil) }

// receive waits for the next message. io.EOF comes as it is, every other error as a Failure.
func (s *backupStream) receive() (*apipb.BackupSiteResponse, error) {
	late := &Failure{Code: ExitUnreachable, Line: fmt.Sprintf("nothing came for %s; try again, or wait longer with --timeout", s.patience)}
	timer := time.AfterFunc(s.patience, func() { s.cancel(late) })
	defer timer.Stop()
	message, err := s.messages.Recv()
	switch {
	case err == nil:
		return message, nil
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case errors.Is(context.Cause(s.messages.Context()), late):
		return nil, late
	}
	_, met := peer.FromContext(s.messages.Context())
	s.exchange.connected = met
	return nil, s.exchange.failure(err)
}

func (s *backupStream) Read(into []byte) (int, error) {
	for len(s.left) == 0 {
		message, err := s.receive()
		if err != nil {
			return 0, err
		}
		s.left = message.GetData()
	}
	n := copy(into, s.left)
	s.left = s.left[n:]
	return n, nil
}
