package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// maxInputBytes bounds what is read from standard input: more than any text that a ticket takes.
const maxInputBytes = 1 << 20

// console is one invocation: where to call, as whom, and how to print.
type console struct {
	env    Environment
	target target
	json   bool
}

// Commands returns the commands that talk to a node. Their errors are for ErrorLine and ExitCode; those that are no
// Failure count as failed.
func Commands(env Environment) []*cobra.Command {
	c := &console{env: env}
	return []*cobra.Command{c.ticketCommand(), c.siteCommand(), c.raftCommand(), c.userCommand(), c.sessionCommand(), c.tokenCommand(),
		c.benchCommand(), c.doctorCommand(), c.backupCommand(), c.publicationCommand(), c.policyCommand(), c.attachmentCommand(), c.treeCommand(), c.requesterCommand(), c.callBackCommand(), c.roundCommand(), c.noticesCommand(), c.dutyCommand(), c.slaCommand(), c.auditCommand(),
		c.queueCommand(), c.figuresCommand()}
}

// group makes a command that only holds others, with the flags that say where to call.
func (c *console) group(name, short string, commands ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{Use: name, Short: short, Args: cobra.ArbitraryArgs, RunE: NeedsCommand}
	c.callFlags(g.PersistentFlags())
	g.AddCommand(commands...)
	return g
}

// callFlags adds the flags that say where to call, as whom, and how to print.
func (c *console) callFlags(f *pflag.FlagSet) {
	f.StringVar(&c.target.server, "server", "",
		"node to call: host:port, http://host:port or https://host:port (TIERDESK_SERVER; "+defaultServer+")")
	f.StringVar(&c.target.ca, "ca", "", "file with the certificates to trust for https, such as the tree's ca.crt (TIERDESK_CA)")
	f.StringVar(&c.target.token, "token", "", "who calls: a token of tierdesk token create (TIERDESK_TOKEN)")
	f.DurationVar(&c.target.timeout, "timeout", defaultTimeout, "how long to wait for each answer")
	f.BoolVar(&c.json, "json", false, "print the node's answer as JSON, one line an answer")
}

// NeedsCommand is the RunE of a command that only holds others.
func NeedsCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return Usage("no command was given: see %s --help", cmd.CommandPath())
	}
	const typingSlips = 2
	cmd.SuggestionsMinimumDistance = typingSlips
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return Usage("%q is no command: did you mean %s %s?", args[0], cmd.CommandPath(), near[0])
	}
	return Usage("%q is no command: see %s --help", args[0], cmd.CommandPath())
}

// FlagError is the FlagErrorFunc of a root command. What stood behind an unknown letter is not repeated: other programs
// take a password there.
func FlagError(cmd *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok && unknown.GetSpecifiedShortnames() != "" {
		return Usage("unknown flag: -%.1s; see %s --help", unknown.GetSpecifiedShortnames(), cmd.CommandPath())
	}
	return Usage("%v; see %s --help", err, cmd.CommandPath())
}

// NoArguments is the Args of a command that takes only flags.
func NoArguments(cmd *cobra.Command, args []string) error { return takes()(cmd, args) }

// OneArgument is the Args of a command that takes one argument, which has that name in its usage line.
func OneArgument(name string) cobra.PositionalArgs { return takes(name) }

// takes checks how many arguments a command gets. What they were is not repeated: one may be a secret in the wrong place.
func takes(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		path := cmd.CommandPath()
		switch {
		case len(args) < len(names):
			return Usage("give %s: see %s --help", strings.Join(names[len(args):], " and "), path)
		case len(args) > len(names) && len(names) == 0:
			return Usage("too many arguments: %s takes none; see %[1]s --help", path)
		case len(args) > len(names):
			return Usage("too many arguments: %s takes only %s; put quotes around text with spaces", path, strings.Join(names, " and "))
		}
		for i, arg := range args {
			if strings.TrimSpace(arg) == "" {
				return Usage("%s is empty: see %s --help", names[i], path)
			}
			if !utf8.ValidString(arg) {
				return Usage("%s is not UTF-8: write it in that encoding", names[i])
			}
		}
		return nil
	}
}

// work is the body of a command.
type work func(ctx context.Context, node *connection, out *printer, args []string) error

// calls makes a RunE of a body: it connects, runs the body, and hangs up.
func (c *console) calls(body work) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := flagsAreText(cmd); err != nil {
			return err
		}
		node, err := connect(c.completed(defaultServer))
		if err != nil {
			return err
		}
		defer node.close()
		return body(cmd.Context(), node, c.printer(cmd.OutOrStdout()), args)
	}
}

// completed is the target with what the environment says where no flag does.
func (c *console) completed(server string) target {
	t := c.target
	t.server = cmp.Or(t.server, c.env.Getenv("TIERDESK_SERVER"), server)
	t.token = cmp.Or(t.token, c.env.Getenv("TIERDESK_TOKEN"))
	if !strings.HasPrefix(t.server, "http://") {
		t.ca = cmp.Or(t.ca, c.env.Getenv("TIERDESK_CA"))
	}
	return t
}

// flagsAreText refuses a flag whose value is not UTF-8, which no call can carry.
func flagsAreText(cmd *cobra.Command) error {
	var err error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if !utf8.ValidString(f.Value.String()) {
			err = Usage("--%s is not UTF-8: write it in that encoding", f.Name)
		}
	})
	return err
}

// text is a value given on the command line, or standard input when the value is "-".
func text(in io.Reader, name, value string) (string, error) {
	if value == "-" {
		read, err := io.ReadAll(io.LimitReader(in, maxInputBytes+1))
		if err != nil {
			return "", fmt.Errorf("read %s from standard input: %w", name, err)
		}
		if len(read) > maxInputBytes {
			return "", Usage("%s from standard input is over %d bytes: shorten it", name, maxInputBytes)
		}
		if !utf8.Valid(read) {
			return "", Usage("%s from standard input is not UTF-8: convert it first", name)
		}
		value = strings.TrimRight(string(read), "\r\n")
	}
	return value, nil
}

// secret reads a password: standard input when the flag says so, else the variable of the environment,
// else a person at the terminal.
func (c *console) secret(cmd *cobra.Command, fromInput bool, variable, question string) (string, error) {
	if fromInput {
		read, err := text(cmd.InOrStdin(), "the password", "-")
		if err != nil {
			return "", err
		}
		if read == "" {
			return "", Usage("--password-stdin: standard input is empty")
		}
		return read, nil
	}
	if value := c.env.Getenv(variable); value != "" {
		return value, nil
	}
	if c.env.Prompt == nil {
		return "", Usage("no password: set %s, use --password-stdin, or run it on a terminal", variable)
	}
	return c.env.Prompt(cmd.Context(), question)
}

// location is the zone in which times are shown.
func (c *console) location() *time.Location {
	if c.env.Location != nil {
		return c.env.Location
	}
	return time.Local
}
